"""The README's table of settings is the settings; run this file to write it anew."""

from __future__ import annotations

from pathlib import Path

from webhook_shim.settings import PREFIX, SETTINGS

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN = "<!-- settings: made from webhook_shim/settings.py by tests/test_readme.py -->\n"
END = "<!-- end of settings -->"


def table():
    rows = ["| setting | default | |", "|---|---|---|"]
    for setting in SETTINGS:
        default = "" if setting.default is None else f"`{str(setting.default).lower()}`"
        rows.append(f"| `{setting.name}` | {default} | {setting.description} |")
    return "\n".join(rows) + "\n"


def with_table(text):
    before, rest = text.split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END, 1)[1]


def test_the_readme_tells_every_setting_as_it_is():
    text = README.read_text()
    assert with_table(text) == text


def test_secrets_are_marked_as_such():
    assert {setting.variable for setting in SETTINGS if setting.kind == "password"} == {
        f"{PREFIX}PASSWORD",
        f"{PREFIX}QUICKBOOKS_VERIFIER_TOKEN",
    }


if __name__ == "__main__":
    README.write_text(with_table(README.read_text()))
