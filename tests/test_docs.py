"""The documentation holds: it builds, loads nothing from elsewhere, and every command it shows exists."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import click
import pytest
import yaml
from ap_simulator.cli import main as simulator_commands
from tap_bill.tap import TapBill
from target_quickbooks.admin import commands as admin_commands
from target_quickbooks.target import TargetQuickbooks
from webhook_shim.cli import commands as shim_commands

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PICTURES = DOCS / "pictures"
MOST_BYTES = 150_000
PAGES = sorted(
    [
        *DOCS.rglob("*.md"),
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
        *(
            ROOT / folder / "README.md"
            for folder in ("tap-bill", "target-quickbooks", "plugins/simulator", "plugins/webhook-shim")
        ),
    ]
)
PROGRAMS = {
    "tap-bill": TapBill.cli,
    "target-quickbooks": TargetQuickbooks.cli,
    "quickbooks-admin": admin_commands,
    "webhook-shim": shim_commands,
    "ap-simulator": simulator_commands,
}
BLOCK = re.compile(
    r"^ *```(?:bash|console|shell|text title=\"crontab\")[^\n]*\n(.*?)^ *```", re.DOTALL | re.MULTILINE
)
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
#: What separates commands on a line.
SEPARATORS = {"|", "&&", ";", "||"}

#: Run by Meltano's own Python: its commands and their options.
MELTANO_COMMANDS = """
import json, sys
import click
from meltano.cli import cli

def told(command):
    options = [name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)]
    nested = {}
    if isinstance(command, click.Group):
        context = click.Context(command)
        nested = {name: told(command.get_command(context, name)) for name in command.list_commands(context)}
    return {"options": options, "commands": nested}

json.dump(told(cli), sys.stdout)
"""


@dataclass(frozen=True)
class Shown:
    """A command as a page shows it."""

    page: str
    words: tuple[str, ...]

    def __str__(self):
        return f"{self.page}: {' '.join(self.words)}"


def shown_on(path):
    """The commands of a page, in blocks and in sentences."""
    text = path.read_text(encoding="utf-8")
    lines = [
        line.strip().removeprefix("$ ")
        for block in BLOCK.findall(text)
        for line in block.replace("\\\n", " ").splitlines()
    ]
    lines += [span for span in SPAN.findall(text) if " " in span]
    for line in lines:
        yield from commands_of(line, str(path.relative_to(ROOT)))


def commands_of(line, page):
    """The commands of a line, without variables before them and what is redirected behind them."""
    try:
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;")
        lexer.whitespace_split = True
        words = list(lexer)
    except ValueError:  # a sentence, with an apostrophe
        return
    command = []
    for word in [*words, ";"]:
        if word in SEPARATORS:
            while command and re.match(r"^[A-Z_]+=", command[0]):
                command.pop(0)
            if command and command[0].rpartition("/")[2] in {*PROGRAMS, "meltano", "make"}:
                cut = next((place for place, found in enumerate(command) if found[0] in "<>"), len(command))
                yield Shown(page, (command[0].rpartition("/")[2], *command[1:cut]))
            command = []
        else:
            command.append(word)


ALL_SHOWN = sorted({shown for path in PAGES if path.exists() for shown in shown_on(path)}, key=str)


def check_click(command, words):
    """Whether a command of a program exists, with the options it is given."""
    context = click.Context(command)
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    options |= set(command.get_help_option_names(context))
    rest = list(words)
    if isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        nested = command.get_command(context, rest[0])
        assert nested, f"there is no command {rest[0]}"
        check_click(nested, rest[1:])
        return
    for word in rest:
        if word.startswith("-") and word != "-":
            assert word.partition("=")[0] in options, f"there is no option {word}"


@pytest.fixture(scope="module")
def meltano():
    python = ROOT / ".venv-meltano" / "bin" / "python"
    done = subprocess.run(
        [python, "-c", MELTANO_COMMANDS], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def project():
    """What the project's `meltano.yml` and the definitions know by name."""
    settings = yaml.safe_load((ROOT / "meltano.yml").read_text())
    definitions = [yaml.safe_load(path.read_text()) for path in (ROOT / "plugins").glob("*/*.yml")]
    plugins = [plugin["name"] for kind in settings["plugins"].values() for plugin in kind]
    return {
        "plugins": {*plugins, "target-jsonl", "meltano"},
        "jobs": {job["name"] for job in settings["jobs"]},
        "schedules": {schedule["name"] for schedule in settings["schedules"]},
        "environments": {environment["name"] for environment in settings["environments"]},
        "commands": {definition["name"]: definition.get("commands", {}) for definition in definitions},
        "settings": {
            definition["name"]: {setting["name"] for setting in definition["settings"]}
            for definition in definitions
        },
    }


@pytest.mark.parametrize("shown", [found for found in ALL_SHOWN if found.words[0] in PROGRAMS], ids=str)
def test_a_command_of_ours_exists(shown):
    words = shown.words[1:]
    if "..." not in words[:1]:
        check_click(PROGRAMS[shown.words[0]], [word for word in words if word != "..."])


@pytest.mark.parametrize("shown", [found for found in ALL_SHOWN if found.words[0] == "make"], ids=str)
def test_a_target_of_make_exists(shown):
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = [word for word in shown.words[1:] if "=" not in word and word.isidentifier()]
    assert set(named) <= set(targets)


@pytest.mark.parametrize("shown", [found for found in ALL_SHOWN if found.words[0] == "meltano"], ids=str)
def test_a_command_of_meltano_exists(shown, meltano, project):
    known, path, operands = meltano, [], []
    for word in shown.words[1:]:
        name, _, value = word.partition("=")
        if word.startswith("--") and not (path[:1] == ["invoke"] and operands):
            assert name in known["options"], f"there is no option {word}"
            assert name != "--environment" or value in project["environments"]
        elif not operands and word in known["commands"]:
            known = known["commands"][word]
            path.append(word)
        else:
            operands.append(word)
    assert path, "there is no such command"
    check_operands(path, [word for word in operands if word != "..."], project)


def check_operands(path, operands, project):
    match path, operands:
        case ["run"], blocks:
            named = {block for block in blocks if not block.startswith("-")}
            assert named <= project["plugins"] | project["jobs"]
        case ["invoke"], [name, *rest]:
            plugin, _, command = name.partition(":")
            assert plugin in project["plugins"]
            if command:
                defined = project["commands"][plugin][command]
                program = defined.get("executable", plugin)
                check_click(PROGRAMS[program], [*shlex.split(defined["args"]), *rest])
        case ["config", "set"], [plugin, setting, *_]:
            assert setting in project["settings"][plugin]
        case ["config", "test" | "print"], [plugin]:
            assert plugin in project["plugins"]
        case ["schedule", "run"], [name]:
            assert name in project["schedules"]
        case ["add"], [*_, plugin]:
            assert plugin in project["plugins"]


def every_command(name, command):
    """Each command of a program with the words that lead to it."""
    yield name, command
    for nested in getattr(command, "commands", {}):
        yield from every_command(f"{name} {nested}", command.commands[nested])


@pytest.mark.parametrize(
    ("name", "command"),
    [pytest.param(*found, id=found[0]) for program in PROGRAMS.items() for found in every_command(*program)],
)
def test_help_has_examples_that_exist(name, command):
    """Each program has some, and those of its commands exist, too."""
    examples = (command.help or "").partition("Examples:")[2].strip().splitlines()
    assert examples or " " in name
    for example in examples:
        for shown in commands_of(example.strip(), f"{name} --help"):
            if shown.words[0] in PROGRAMS:
                check_click(PROGRAMS[shown.words[0]], shown.words[1:])


@pytest.mark.parametrize(
    "line",
    [
        "quickbooks-admin failures lst",
        "quickbooks-admin failures list --cod x",
        "tap-bill --config=ENV | target-quickbooks --confg=ENV",
        "A=b webhook-shim serve --prot 1",
    ],
)
def test_a_wrong_command_would_be_noticed(line):
    *_, wrong = commands_of(line, "a page")
    with pytest.raises(AssertionError, match="there is no"):
        check_click(PROGRAMS[wrong.words[0]], wrong.words[1:])


def test_commands_were_found():
    """The search for them works: each program is shown somewhere."""
    assert {shown.words[0] for shown in ALL_SHOWN} == {*PROGRAMS, "meltano", "make"}


def test_what_is_made_from_the_code_is_up_to_date():
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "docs.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "name",
    [name for name, field in TargetQuickbooks.config_jsonschema["properties"].items() if "enum" in field],
)
def test_every_policy_is_explained(name):
    """But what only says where or how to run."""
    text = (DOCS / "policies.md").read_text()
    assert name in {"environment", "mode"} or f"<!-- made: policy-{name} -->" in text


# --- the pages


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    place = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", place],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stderr
    return place


class Loads(HTMLParser):
    """Collects what a page loads by itself."""

    def __init__(self):
        super().__init__()
        self.loads = []
        self.without_text = []

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag in {"script", "img", "iframe", "source", "video", "audio", "embed"} and found.get("src"):
            self.loads.append(found["src"])
        if tag == "link" and found.get("rel") not in {"canonical", "next", "prev"}:
            self.loads.append(found.get("href") or "")
        if tag == "img" and not found.get("alt"):
            self.without_text.append(found.get("src"))


def test_pages_load_nothing_from_elsewhere(site):
    """They can be read offline, and nobody learns who reads them."""
    pages = list(site.rglob("*.html"))
    assert len(pages) > 15
    for page in pages:
        parser = Loads()
        parser.feed(page.read_text(encoding="utf-8"))
        outside = [url for url in parser.loads if re.match(r"(?:https?:)?//", url)]
        assert outside == [], page
        assert parser.without_text == [], page
    for sheet in site.rglob("*.css"):
        assert "url(http" not in sheet.read_text(encoding="utf-8"), sheet


def test_every_page_is_in_the_navigation():
    config = (ROOT / "mkdocs.yml").read_text()
    for path in DOCS.rglob("*.md"):
        assert f": {path.relative_to(DOCS)}\n" in config, f"name {path.name} in the nav of mkdocs.yml"


def test_pictures_are_small_and_shown():
    text = "".join(path.read_text() for path in DOCS.rglob("*.md"))
    found = list(PICTURES.iterdir())
    assert found
    for path in found:
        assert path.stat().st_size <= MOST_BYTES, path.name
        assert f"(pictures/{path.name})" in text, path.name
