"""Fills the parts of the documentation that are made from the code, so that they never say anything else.

    python scripts/docs.py           write them
    python scripts/docs.py --check   exit 1 if a page is not what it should be

A part stands between ``<!-- made: NAME -->`` and ``<!-- /made -->``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from ap_simulator.cli import main as simulator_commands
from docs_codes import codes
from docs_mapping import EXAMPLES
from tap_bill.streams import STREAMS
from tap_bill.tap import TapBill
from target_quickbooks.admin import commands as admin_commands
from target_quickbooks.policies import Policies
from target_quickbooks.quickbooks import explanations
from target_quickbooks.target import TargetQuickbooks
from webhook_shim.cli import commands as shim_commands
from webhook_shim.settings import SETTINGS as SHIM_SETTINGS

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
_BLOCK = re.compile(r"(<!-- made: (?P<name>[\w-]+) -->\n).*?(<!-- /made -->)", re.DOTALL)
_OWN = "stream_maps", "stream_map_config", "faker_config"


def settings_of(plugin: Any) -> Iterator[str]:
    """A table of a Singer plugin's settings, without those of the SDK."""
    schema = plugin._get_about_info().settings  # noqa: SLF001 - what `--about` prints
    yield "| setting | default | what it is |"
    yield "|---|---|---|"
    for name, field in schema["properties"].items():
        if name in _OWN or name.startswith("flattening_"):
            continue
        default = field.get("default")
        shown = "required" if name in schema.get("required", ()) else ""
        shown = f"`{str(default).lower()}`" if default is not None else shown
        secret = " **Secret.**" if field.get("secret") else ""
        yield f"| `{name}` | {shown} | {_line(field.get('description') or '')}{secret} |"


def settings_of_shim() -> Iterator[str]:
    """A table of the shim's settings."""
    yield "| setting | default | what it is |"
    yield "|---|---|---|"
    for setting in SHIM_SETTINGS:
        default = "" if setting.default is None else f"`{str(setting.default).lower()}`"
        secret = " **Secret.**" if setting.kind == "password" else ""
        yield f"| `{setting.name}` | {default} | {_line(setting.description)}{secret} |"


def own_codes() -> Iterator[str]:
    """A table of the codes of failures and findings."""
    yield "| code | what it says | what to do |"
    yield "|---|---|---|"
    for told in codes(ROOT / "target-quickbooks" / "target_quickbooks"):
        code = told.code.replace("…-", "*kind*`-", 1)
        name = f"{code}`" if told.code.startswith("…") else f"`{told.code}`"
        yield f"| {name} | {_line(told.reason)} | {_line(told.advice)} |"


def quickbooks_codes() -> Iterator[str]:
    """A table of QuickBooks' own codes."""
    yield "| code | the record ... | what to do |"
    yield "|---|---|---|"
    for code, (reason, advice) in explanations._WORDS.items():  # noqa: SLF001 - the table itself
        yield f"| `quickbooks-{code}` | {_line(reason)} | {_line(advice)} |"


def streams() -> Iterator[str]:
    """A table of the tap's streams."""
    yield "| stream | BILL's list |"
    yield "|---|---|"
    for stream in STREAMS:
        yield f"| `{stream.name}` | `{stream.path}` |"


def commands_of(name: str, command: click.Command) -> Iterator[str]:
    """A table of a program's commands."""
    yield "| command | what it does |"
    yield "|---|---|"
    for path, nested in _leaves(command, (name,)):
        yield f"| `{' '.join(path)}` | {_line((nested.help or '').split(chr(10) * 2)[0])} |"


def _leaves(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    for name, nested in sorted(command.commands.items()):
        yield from _leaves(nested, (*path, name))


def policy(name: str) -> Iterator[str]:
    """What a setting that decides something says of itself, with its values."""
    field = TargetQuickbooks.config_jsonschema["properties"][name]
    values = ", ".join(f"`{value}`" for value in field["enum"] if value is not None)
    yield f"Values: {values}. Default: `{field['default']}`."
    yield ""
    yield _line(field["description"])


def policies() -> tuple[str, ...]:
    """The settings that decide something: those with a list of values that mapping and planning read."""
    known = set(Policies.__dataclass_fields__)
    properties = TargetQuickbooks.config_jsonschema["properties"]
    return tuple(name for name, field in properties.items() if "enum" in field and name in known)


def makers() -> Mapping[str, Callable[[], Iterable[str]]]:
    """What makes each part."""
    return {
        "settings-tap": lambda: settings_of(TapBill),
        "settings-target": lambda: settings_of(TargetQuickbooks),
        "settings-shim": settings_of_shim,
        "codes-own": own_codes,
        "codes-quickbooks": quickbooks_codes,
        "streams": streams,
        "commands-admin": lambda: commands_of("quickbooks-admin", admin_commands),
        "commands-shim": lambda: commands_of("webhook-shim", shim_commands),
        "commands-simulator": lambda: commands_of("ap-simulator", simulator_commands),
        **{f"mapping-{name}": make for name, make in EXAMPLES.items()},
        **{f"policy-{name}": lambda name=name: policy(name) for name in policies()},
    }


def filled(text: str) -> str:
    """A page with its parts as they should be.

    Raises:
        KeyError: There is no such part.
    """
    known = makers()

    def made(match: re.Match[str]) -> str:
        body = "\n".join(known[match["name"]]()).strip("\n")
        return f"{match[1]}\n{body}\n\n{match[3]}"

    return _BLOCK.sub(made, text)


def _line(text: str) -> str:
    """A text that fits into a cell: one line, and nothing that reads as a tag."""
    return " ".join(text.replace("\b", "").split()).replace("|", r"\|").replace("<", "&lt;")


def main() -> int:
    """Write the pages, or check them."""
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(DOCS.rglob("*.md"))}
    stale = {path: filled(text) for path, text in pages.items() if filled(text) != text}
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not up to date: run python scripts/docs.py")
        return 1 if stale else 0
    for path, text in stale.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
