"""The README's table of settings is made from the code. `python tests/test_readme.py` writes it."""

from __future__ import annotations

import re
from pathlib import Path

from target_quickbooks.target import TargetQuickbooks

README = Path(__file__).parent.parent / "README.md"
BLOCK = re.compile(r"<!-- settings -->.*?<!-- /settings -->", re.DOTALL)


def rows():
    """One row per setting."""
    schema = TargetQuickbooks._get_about_info().settings
    yield "| setting | required | default | what it is |"
    yield "|---|---|---|---|"
    for name, field in schema["properties"].items():
        required = "yes" if name in schema.get("required", ()) else ""
        default = f"`{str(field['default']).lower()}`" if field.get("default") is not None else ""
        secret = " Secret." if field.get("secret") else ""
        about = " ".join((field.get("description") or "").split())
        yield f"| `{name}` | {required} | {default} | {about}{secret} |"


def filled(text):
    """The README with the table as it should be."""
    table = "\n".join(rows())
    return BLOCK.sub(lambda _: f"<!-- settings -->\n{table}\n<!-- /settings -->", text)


def test_the_table_of_settings_is_up_to_date():
    text = README.read_text(encoding="utf-8")
    assert text == filled(text), "run: python target-quickbooks/tests/test_readme.py"


def test_the_readme_names_every_admin_command():
    from target_quickbooks.admin import commands  # noqa: PLC0415

    text = README.read_text(encoding="utf-8")
    for name, command in commands.commands.items():
        for nested in getattr(command, "commands", None) or [None]:
            assert f"quickbooks-admin {name}" + (f" {nested}" if nested else "") in text


if __name__ == "__main__":
    README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")
