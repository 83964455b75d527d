"""The README's tables are made from the code. `python tests/test_readme.py` writes them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tap_bill import settings
from tap_bill.streams import STREAMS, OrganizationStream, RecurringBillsStream

README = Path(__file__).parent.parent / "README.md"


def settings_table():
    schema = settings.json_schema()
    yield "| setting | required | default | what it is |"
    yield "|---|---|---|---|"
    for name, field in schema["properties"].items():
        required = "yes" if name in schema["required"] else ""
        default = f"`{field['default']}`" if "default" in field else ""
        choices = ", ".join(f"`{choice}`" for choice in field.get("enum", ()) if choice is not None)
        about = field["description"] + (f" One of {choices}." if choices else "")
        about += " Secret." if field.get("secret") else ""
        yield f"| `{name}` | {required} | {default} | {about} |"


def streams_table():
    yield "| stream | what it is | BILL's list | read |"
    yield "|---|---|---|---|"
    for stream in STREAMS:
        read = {OrganizationStream: "one record", RecurringBillsStream: "whole, compared here"}.get(
            stream, "by `updatedTime`"
        )
        about = re.sub(r"\s*\(BILL manual .*?\)", "", stream.__doc__.splitlines()[0])
        yield f"| `{stream.name}` | {about} | `{stream.path}` | {read} |"


TABLES = {"settings": settings_table, "streams": streams_table}


def filled(text):
    """The README with the tables as they should be."""
    for name, table in TABLES.items():
        block = f"<!-- {name} -->\n" + "\n".join(table()) + f"\n<!-- /{name} -->"
        text = re.sub(
            f"<!-- {name} -->.*?<!-- /{name} -->", lambda _, block=block: block, text, flags=re.DOTALL
        )
    return text


def test_the_tables_are_up_to_date():
    text = README.read_text(encoding="utf-8")
    assert text == filled(text), "run: python tap-bill/tests/test_readme.py"


@pytest.mark.parametrize("name", settings.json_schema()["properties"])
def test_every_setting_is_in_the_readme(name):
    assert f"`{name}`" in README.read_text(encoding="utf-8")


if __name__ == "__main__":
    README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")
