"""The Meltano Hub definition agrees with the tap."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from tap_bill import settings
from tap_bill.tap import TapBill

FOLDER = Path(__file__).parents[2] / "plugins" / "extractors"
# The values that the Hub's schema allows.
KINDS = {
    "oauth",
    "hidden",
    "password",
    "date_iso8601",
    "file",
    "email",
    "integer",
    "options",
    "object",
    "array",
    "boolean",
    "string",
    "decimal",
}
CAPABILITIES = {
    "properties",
    "catalog",
    "discover",
    "state",
    "about",
    "stream-maps",
    "schema-flattening",
    "activate-version",
    "batch",
    "test",
    "log-based",
    "structured-logging",
}
KEYS = {
    "capabilities",
    "description",
    "docs",
    "domain_url",
    "executable",
    "keywords",
    "label",
    "log_parser",
    "logo_url",
    "maintenance_status",
    "name",
    "namespace",
    "pip_url",
    "quality",
    "repo",
    "settings",
    "settings_group_validation",
    "supported_python_versions",
    "variant",
}


@pytest.fixture(scope="module")
def text():
    return (FOLDER / "tap-bill--bill-quickbooks.yml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def definition(text):
    return yaml.safe_load(text)


@pytest.fixture(scope="module")
def about():
    return TapBill._get_about_info()


@pytest.fixture(scope="module")
def defined(definition):
    return {setting["name"]: setting for setting in definition["settings"]}


def test_the_settings_are_those_of_the_tap(defined, about):
    assert list(defined) == list(about.settings["properties"])
    assert set(settings.json_schema()["properties"]) < set(defined)


def test_each_setting_says_what_the_tap_says(defined, about):
    for name, schema in about.settings["properties"].items():
        setting = defined[name]
        choices = [choice for choice in schema.get("enum", ()) if choice is not None]
        assert setting["description"] == schema["description"], name
        assert setting["label"] == schema["title"], name
        assert setting.get("value") == schema.get("default"), name
        assert setting.get("sensitive", False) == bool(schema.get("secret")), name
        assert [option["value"] for option in setting.get("options", ())] == choices, name


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        # The Hub's own tool takes every name with id, key, token or secret for a password.
        ("organization_id", "string"),
        ("username", "string"),
        ("environment", "options"),
        ("hourly_limit", "options"),
        ("page_size", "integer"),
        ("lookback_seconds", "integer"),
        ("max_concurrency", "integer"),
        ("max_retry_seconds", "integer"),
        ("start_date", "date_iso8601"),
        ("session_path", "string"),
        ("stream_maps", "object"),
    ],
)
def test_kinds_are_what_they_mean(defined, name, kind):
    assert defined[name]["kind"] == kind


def test_only_secrets_are_sensitive(defined):
    assert {name for name, setting in defined.items() if setting.get("sensitive")} == {
        "dev_key",
        "password",
        "encryption_key",
    }


def test_required_settings_are_the_group(definition):
    assert definition["settings_group_validation"] == [settings.json_schema()["required"]]


def test_the_hub_would_take_it(definition, about):
    """Its schema rejects unknown keys and values."""
    assert set(definition) <= KEYS
    assert set(definition["capabilities"]) <= CAPABILITIES
    assert set(definition["capabilities"]) == {str(capability) for capability in about.capabilities}
    assert {setting["kind"] for setting in definition["settings"]} <= KINDS
    assert definition["maintenance_status"] in {"active", "beta", "development", "inactive", "unknown"}
    assert definition["quality"] in {"gold", "silver", "bronze", "unknown"}
    assert definition["supported_python_versions"] == list(about.supported_python_versions)
    assert definition["name"] == definition["executable"] == "tap-bill"
    assert definition["namespace"] == "tap_bill"


def test_keys_are_in_alphabetical_order(text, definition):
    """As its linter demands."""
    assert not text.startswith("---")
    assert list(definition) == sorted(definition)
    for setting in definition["settings"]:
        assert list(setting) == sorted(setting)


def test_meltanos_lock_file_says_the_same(definition):
    lock = json.loads((FOLDER / "tap-bill--bill-quickbooks.lock").read_text(encoding="utf-8"))
    assert lock.pop("plugin_type") == "extractors"
    assert lock == definition
