"""Makes the Meltano Hub definitions of all plugins from their settings, and Meltano's lock files from those.

    python scripts/definitions.py           write plugins/**/*.yml and *.lock
    python scripts/definitions.py --check   exit 1 if a file is not what it should be

The YAML is what Meltano Hub takes; the lock files let `meltano.yml` refer to the plugins by variant.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from tap_bill.tap import TapBill
from target_quickbooks.target import TargetQuickbooks
from webhook_shim.cli import commands as shim_commands
from webhook_shim.settings import SETTINGS as SHIM_SETTINGS
from webhook_shim.settings import Setting as ShimSetting

ROOT = Path(__file__).resolve().parent.parent
REPOSITORY = "https://github.com/bill-quickbooks/bill-quickbooks"
VARIANT = "bill-quickbooks"
KINDS = {"boolean": "boolean", "integer": "integer", "object": "object", "array": "array"}
PYTHONS = ["3.11", "3.12", "3.13"]
#: `quickbooks-admin`, in the loader's environment and with its settings.
ADMIN = {
    "admin": ("", "Look after links, failures, connections and the audit trail; --help lists what it does."),
    "connect": ("connect", "Connect a QuickBooks company: agree in the browser, see its name, and save."),
    "preflight": (
        "preflight",
        "Look at the company as a run does before its first write; exit code 1 if it would stop.",
    ),
    "status": ("status", "Show connections, links, failures and the latest runs."),
    "test": ("connections test", "Read the company through its connection."),
}
NEXT_STEPS = """\
1. Runs are the jobs `sync-vendors-and-bills`, `sync-payments-and-recurring` and `reconcile`, the preview is
   the loader `target-quickbooks-plan`. Put
   [their definitions](https://bill-quickbooks.github.io/bill-quickbooks/quick-start/)
   into your project.

1. Serve, and open the page it names:

   ```sh
   meltano invoke webhook-shim:serve
   ```

1. Have BILL tell of vendors, bills and payments:

   ```sh
   meltano invoke webhook-shim:subscribe --url https://books.example.com
   ```
"""


@dataclass(frozen=True, slots=True)
class Plugin:
    """What a definition says besides the settings."""

    plugin: Any
    folder: str
    label: str
    logo: str
    domain: str
    keywords: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    commands: Mapping[str, tuple[str, str]] = field(default_factory=dict)


PLUGINS = (
    Plugin(
        plugin=TapBill,
        folder="extractors",
        label="BILL",
        logo="/assets/logos/extractors/bill.svg",
        domain="https://developer.bill.com/",
        keywords=("api", "finance", "meltano_sdk"),
        groups=(("dev_key", "username", "password", "organization_id"),),
    ),
    Plugin(
        plugin=TargetQuickbooks,
        folder="loaders",
        label="QuickBooks Online",
        logo="/assets/logos/extractors/quickbooks.png",
        domain="https://developer.intuit.com/",
        keywords=("api", "finance", "meltano_sdk"),
        groups=(("client_id", "client_secret", "realm_id", "encryption_key"),),
        commands=ADMIN,
    ),
)


def definition(source: Plugin) -> dict[str, Any]:
    """The Hub definition of a plugin."""
    about = source.plugin._get_about_info()  # noqa: SLF001 - what `--about` prints
    description = (source.plugin.__doc__ or "").strip().splitlines()[0]
    commands = {
        name: {"args": arguments, "description": told, "executable": "quickbooks-admin"}
        for name, (arguments, told) in source.commands.items()
    }
    return {
        "capabilities": sorted(str(capability.value) for capability in about.capabilities),
        **({"commands": commands} if commands else {}),
        "description": description,
        "docs": f"{REPOSITORY}/blob/main/{source.plugin.name}/README.md",
        "domain_url": source.domain,
        "executable": source.plugin.name,
        "keywords": list(source.keywords),
        "label": source.label,
        "log_parser": "singer-sdk",
        "logo_url": source.logo,
        "maintenance_status": "active",
        "name": source.plugin.name,
        "namespace": source.plugin.name.replace("-", "_"),
        "pip_url": source.plugin.name,
        "quality": "silver",
        "repo": REPOSITORY,
        "settings": [setting(name, schema) for name, schema in about.settings["properties"].items()],
        "settings_group_validation": [list(group) for group in source.groups],
        "supported_python_versions": PYTHONS,
        "variant": VARIANT,
    }


def utility() -> dict[str, Any]:
    """The Hub definition of the shim, a utility: commands in place of capabilities."""
    name = "webhook-shim"
    commands = {
        command: {"args": command, "description": (found.help or "").strip().splitlines()[0]}
        for command, found in sorted(shim_commands.commands.items())
    }
    return {
        "commands": commands,
        "definition": (
            "is a Meltano utility that hears webhooks of BILL and QuickBooks, runs the pipeline within "
            "seconds, and shows on one page whether both books agree."
        ),
        "description": "Webhook receiver, scheduler and status page for BILL and QuickBooks Online",
        "docs": f"{REPOSITORY}/blob/main/plugins/webhook-shim/README.md",
        "domain_url": REPOSITORY,
        "executable": name,
        "keywords": ["accounting", "api", "scheduler", "webhook"],
        "label": "BILL and QuickBooks Webhooks",
        "logo_url": "/assets/logos/utilities/webhook-shim.svg",
        "maintenance_status": "active",
        "name": name,
        "namespace": "webhook_shim",
        "next_steps": NEXT_STEPS,
        "pip_url": "bill-quickbooks-webhook-shim",
        "repo": REPOSITORY,
        "settings": [shim_setting(setting) for setting in SHIM_SETTINGS],
        "supported_python_versions": PYTHONS,
        "variant": VARIANT,
    }


def shim_setting(setting: ShimSetting) -> dict[str, Any]:
    """One setting of the shim."""
    secret = setting.kind == "password"
    found = {
        "description": setting.description,
        "env": setting.variable,
        "kind": "string" if secret else setting.kind,
        "label": setting.label,
        "name": setting.name,
    }
    if secret:
        found["sensitive"] = True
    if setting.default is not None:
        found["value"] = setting.default
    return dict(sorted(found.items()))


def setting(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """One setting of a definition."""
    types = schema.get("type") or "string"
    kind = next(
        (KINDS[kind] for kind in ([types] if isinstance(types, str) else types) if kind in KINDS), "string"
    )
    choices = [choice for choice in schema.get("enum", ()) if choice is not None]
    found: dict[str, Any] = {
        "description": schema.get("description", ""),
        "kind": "options" if choices else kind,
        "label": schema.get("title") or name.replace("_", " ").title(),
        "name": name,
    }
    if schema.get("format") == "date-time":
        found["kind"] = "date_iso8601"
    if choices:
        found["options"] = [{"label": title(choice), "value": choice} for choice in choices]
    if schema.get("secret"):
        found["sensitive"] = True
    if schema.get("default") is not None:
        found["value"] = schema["default"]
    return dict(sorted(found.items()))


def title(choice: str) -> str:
    """A readable label for an option."""
    return choice.replace("_", " ").capitalize()


def texts() -> dict[Path, str]:
    """All files that this script owns, with what they should hold."""
    definitions = [(source.folder, definition(source)) for source in PLUGINS]
    found: dict[Path, str] = {}
    for folder, content in [*definitions, ("utilities", utility())]:
        path = ROOT / "plugins" / folder / f"{content['name']}--{VARIANT}"
        found[path.with_suffix(".yml")] = yaml.safe_dump(
            content, sort_keys=True, allow_unicode=True, width=110
        )
        lock = {"plugin_type": folder, **content}
        found[path.with_suffix(".lock")] = json.dumps(lock, indent=2, ensure_ascii=False) + "\n"
    return found


def main() -> int:
    """Write the files, or check them."""
    stale = [
        path
        for path, text in texts().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not up to date: run python scripts/definitions.py")
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(texts()[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
