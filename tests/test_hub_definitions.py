"""Meltano Hub would take the definitions: what its schema, its linter and its checks ask for, in our words.

The Hub refuses unknown keys and values, so that each is checked here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from yamllint import linter
from yamllint.config import YamlLintConfig

ROOT = Path(__file__).resolve().parent.parent
VARIANT = "bill-quickbooks"
FILES = sorted((ROOT / "plugins").glob(f"*/*--{VARIANT}.yml"))

SAME = {
    *("commands", "definition", "description", "docs", "domain_url", "executable", "hidden", "keywords"),
    *("label", "log_parser", "logo_url", "maintenance_status", "name", "namespace", "next_steps", "pip_url"),
    *("prereq", "python", "quality", "repo", "requires", "settings", "settings_group_validation"),
    *("settings_preamble", "supported_python_versions", "usage", "variant"),
}
KEYS = {
    "extractors": SAME | {"capabilities", "metadata", "schema", "select"},
    "loaders": SAME | {"capabilities", "dialect", "target_schema"},
    "utilities": SAME | {"ext_repo"},
}
REQUIRED = {
    "extractors": {"name", "namespace", "quality", "variant"},
    "loaders": {"name", "namespace", "quality", "variant"},
    "utilities": {"name", "namespace", "variant"},
}
CAPABILITIES = {
    "extractors": {
        *("about", "activate-version", "batch", "catalog", "discover", "log-based", "properties"),
        *("schema-flattening", "state", "stream-maps", "structured-logging", "test"),
    },
    "loaders": {
        *("about", "activate-version", "batch", "datatype-failsafe", "hard-delete", "schema-flattening"),
        *("soft-delete", "stream-maps", "structured-logging", "target-schema", "validate-records"),
    },
    "utilities": set(),
}
SETTING_KEYS = {
    *("aliases", "description", "docs", "documentation", "env", "hidden", "kind", "label", "name", "oauth"),
    *("options", "placeholder", "sensitive", "tooltip", "value", "value_post_processor", "value_processor"),
}
KINDS = {
    *("array", "boolean", "date_iso8601", "decimal", "email", "file", "hidden", "integer", "oauth", "object"),
    *("options", "password", "string"),
}
#: A text in everything else.
NO_TEXTS = {
    "capabilities": list,
    "commands": dict,
    "keywords": list,
    "settings": list,
    "settings_group_validation": list,
    "supported_python_versions": list,
}
#: How the Hub writes its YAML.
LINTER = """
extends: default
rules:
  braces: {forbid: non-empty}
  document-start: {present: false}
  indentation: {indent-sequences: false, spaces: 2}
  key-ordering: enable
  line-length: disable
  trailing-spaces: disable
  truthy: disable
"""
#: Pictures that the Hub has already; others come along with the definition.
ON_THE_HUB = {"/assets/logos/extractors/quickbooks.png"}


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def kind(path):
    return path.parent.name


@pytest.fixture
def definition(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_there_is_one_for_each_plugin():
    assert [f"{path.parent.name}/{path.stem}" for path in FILES] == [
        f"extractors/tap-bill--{VARIANT}",
        f"loaders/target-quickbooks--{VARIANT}",
        f"utilities/webhook-shim--{VARIANT}",
    ]


def test_keys_are_known_and_of_their_type(kind, definition):
    assert REQUIRED[kind] <= set(definition) <= KEYS[kind]
    wrong = [key for key, value in definition.items() if not isinstance(value, NO_TEXTS.get(key, str))]
    assert wrong == []
    assert definition["variant"] == VARIANT
    assert definition["maintenance_status"] in {"active", "beta", "development", "inactive", "unknown"}
    assert definition.get("quality", "unknown") in {"gold", "silver", "bronze", "unknown"}
    assert set(definition.get("capabilities", ())) <= CAPABILITIES[kind]
    assert all(isinstance(word, str) for word in definition["keywords"])


def test_settings_are_of_known_keys_and_kinds(definition):
    names = [setting["name"] for setting in definition["settings"]]
    assert len(names) == len(set(names))
    for setting in definition["settings"]:
        assert set(setting) <= SETTING_KEYS, setting["name"]
        assert setting["kind"] in KINDS, setting["name"]
        assert isinstance(setting["description"], str), setting["name"]
        assert setting["description"], setting["name"]
        for option in setting.get("options", ()):
            assert set(option) == {"label", "value"}, setting["name"]
            assert all(isinstance(text, str) for text in option.values()), setting["name"]
        if "options" in setting and "value" in setting:
            assert setting["value"] in {option["value"] for option in setting["options"]}, setting["name"]
    for group in definition.get("settings_group_validation", ()):
        assert set(group) <= set(names)


def test_secrets_are_redacted_and_have_no_default(definition):
    """The older kinds `password` and `hidden` are gone in Meltano 4: `sensitive` and `hidden` say it."""
    for setting in definition["settings"]:
        assert setting["kind"] not in {"password", "hidden"}
        assert not (setting.get("sensitive") and "value" in setting), setting["name"]
    secret = {setting["name"] for setting in definition["settings"] if setting.get("sensitive")}
    assert {name for name in secret if name.endswith("_url")} == set()
    words = ("secret", "password", "verifier_token", "encryption_key", "refresh_token", "dev_key")
    named = {setting["name"] for setting in definition["settings"] if setting["name"].endswith(words)}
    assert named == secret


def test_commands_say_what_they_run(definition):
    for name, command in definition.get("commands", {}).items():
        assert {"args", "description"} <= set(command) <= {"args", "description", "executable"}, name
        assert command["description"], name


def test_pythons_are_those_of_the_package(kind, definition):
    folder = ROOT / ("plugins/webhook-shim" if kind == "utilities" else definition["name"])
    project = (folder / "pyproject.toml").read_text(encoding="utf-8")
    assert definition["pip_url"] in project.split('name = "')[1].split('"')[0]
    for python in definition["supported_python_versions"]:
        assert f'"Programming Language :: Python :: {python}"' in project
    assert project.count('"Programming Language :: Python :: 3.') == len(
        definition["supported_python_versions"]
    )


def test_its_logo_is_there(definition):
    logo = definition["logo_url"]
    assert logo in ON_THE_HUB or (ROOT / "plugins" / logo.removeprefix("/assets/")).is_file()


def test_it_is_written_as_the_hub_writes(path):
    problems = list(linter.run(path.read_text(encoding="utf-8"), YamlLintConfig(LINTER)))
    assert [str(problem) for problem in problems] == []


def test_meltanos_lock_file_says_the_same(path, kind, definition):
    lock = json.loads(path.with_suffix(".lock").read_text(encoding="utf-8"))
    assert lock == {"plugin_type": kind, **definition}


def test_everything_generated_is_up_to_date():
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "definitions.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["meltano.yml", "docs/downloads/books.meltano.yml"])
def test_meltanos_schema_holds(name):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "check_jsonschema"),
            *("--builtin-schema", "vendor.meltano", ROOT / name),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_file_of_jobs_is_what_this_project_runs():
    """Strangers get the jobs, schedules and derived plugins of `meltano.yml`."""
    ours = yaml.safe_load((ROOT / "meltano.yml").read_text())
    theirs = yaml.safe_load((ROOT / "docs" / "downloads" / "books.meltano.yml").read_text())
    assert theirs["jobs"] == ours["jobs"]
    assert theirs["schedules"] == ours["schedules"]
    for kind in ("extractors", "loaders"):
        derived = [plugin for plugin in ours["plugins"][kind] if "inherit_from" in plugin]
        assert theirs["plugins"][kind] == derived
