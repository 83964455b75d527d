"""Settings: the schema that users see, and the typed form that the code reads."""

from __future__ import annotations

import enum
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk.configuration._dict_config import parse_environment_config
from target_quickbooks.errors import SettingsError
from target_quickbooks.policies import (
    ArchivedBill,
    ArchivedVendor,
    BilledOrder,
    ClosedPeriod,
    DeniedBill,
    DocumentNumber,
    EditConflict,
    InactiveVendor,
    LineClassFrom,
    LocationFrom,
    MissingInQuickBooks,
    PaidBill,
    Policies,
    PostPayments,
    TaxCalculation,
    TransactionType,
    UnapprovedBill,
    VendorConflict,
)
from target_quickbooks.settings import from_config
from target_quickbooks.settings_schema import CONFIG_SCHEMA, Mode

REQUIRED = {
    "client_id": "client",
    "client_secret": "very-secret-client",
    "realm_id": "9341452000000001",
    "encryption_key": "very-secret-key",
}
ENUMS = {
    "mode": Mode,
    "vendor_conflict": VendorConflict,
    "edit_conflict": EditConflict,
    "closed_period": ClosedPeriod,
    "document_number": DocumentNumber,
    "archived_vendor": ArchivedVendor,
    "inactive_vendor": InactiveVendor,
    "missing_in_quickbooks": MissingInQuickBooks,
    "archived_bill": ArchivedBill,
    "paid_bill": PaidBill,
    "unapproved_bill": UnapprovedBill,
    "transaction_type": TransactionType,
    "post_payments": PostPayments,
    "denied_bill": DeniedBill,
    "billed_order": BilledOrder,
    "tax_calculation": TaxCalculation,
    "line_class_from": LineClassFrom,
    "location_from": LocationFrom,
}
MAPS = ["account_map", "class_map", "location_map", "customer_map", "item_map"]
SECRETS = {"client_secret", "refresh_token", "encryption_key"}
PROPERTIES = CONFIG_SCHEMA["properties"]


def read(**changed):
    return from_config({**REQUIRED, **changed}, default_store_url="sqlite:///default.sqlite3")


def chosen(settings, name):
    return getattr(settings if name == "mode" else settings.policies, name)


def test_what_is_not_set_has_its_default():
    settings = read()
    assert settings.policies == Policies()
    assert settings.api_url == "https://quickbooks.api.intuit.com"
    assert settings.token_url == "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"
    assert settings.store_url == "sqlite:///default.sqlite3"
    assert (settings.mode, settings.refresh_token, settings.report_path) == (Mode.SYNC, None, None)
    assert (settings.fail_on_failed_records, settings.ignore_unknown_streams) == (True, False)
    assert (settings.max_retry_seconds, settings.wait_for_run_seconds) == (300, 600)
    assert settings.user_agent


def test_null_is_the_same_as_not_set():
    """Meltano and hand-written configurations may say so."""
    assert read(**dict.fromkeys(set(PROPERTIES) - set(REQUIRED))) == read()


@pytest.mark.parametrize("name", ENUMS)
def test_the_documented_default_is_the_real_one(name):
    default = PROPERTIES[name]["default"]
    assert chosen(read(), name) == default
    assert f"`{default}`" in PROPERTIES[name]["description"]


@pytest.mark.parametrize("name", ENUMS)
def test_every_value_of_a_choice_can_be_set_and_is_told(name):
    allowed = [value for value in PROPERTIES[name]["enum"] if value is not None]
    assert set(allowed) == set(ENUMS[name])
    for value in allowed:
        assert chosen(read(**{name: value}), name) == value


def test_every_choice_of_the_policies_is_a_setting():
    choices = {name for name, value in _members(Policies()).items() if isinstance(value, enum.Enum)}
    assert choices == set(ENUMS) - {"mode"}


def _members(values):
    return {name: getattr(values, name) for name in values.__slots__}


def test_secrets_are_marked_as_such():
    assert {name for name, schema in PROPERTIES.items() if schema.get("secret")} == SECRETS


def test_every_setting_is_titled_and_described():
    assert all(schema.get("title") and schema.get("description") for schema in PROPERTIES.values())


def test_only_what_cannot_be_guessed_is_required():
    assert set(CONFIG_SCHEMA["required"]) == set(REQUIRED)


def test_no_secret_is_shown():
    settings = read(
        refresh_token="very-secret-seed", store_url="postgresql://user:very-secret-password@host/database"
    )
    assert "very-secret" not in repr(settings)


@pytest.mark.parametrize("name", MAPS)
def test_maps_are_read_as_texts(name):
    assert getattr(read(**{name: {"6100": 62}}).policies, name) == {"6100": "62"}


def test_several_keys_are_given_newest_first():
    assert read(encryption_key=" new , old,").encryption_keys == ("new", "old")


def test_the_sandbox_has_its_own_address():
    assert read(environment="sandbox").api_url == "https://sandbox-quickbooks.api.intuit.com"
    assert read(environment="sandbox", api_url="http://127.0.0.1:8095/").api_url == "http://127.0.0.1:8095"


@pytest.mark.parametrize("realm_id", ["9341452000000001", " 9341 4520 0000 0001 ", "9341452000000001\n"])
def test_a_company_id_may_be_copied_as_quickbooks_shows_it(realm_id):
    assert read(realm_id=realm_id).realm_id == "9341452000000001"


@pytest.mark.parametrize("realm_id", ["", "company", "934-145", "../9341452", "٣٤٥"])
def test_what_is_no_company_id_is_told(realm_id):
    with pytest.raises(SettingsError, match="realm_id"):
        read(realm_id=realm_id)


@pytest.mark.parametrize("name", ["api_url", "token_url"])
@pytest.mark.parametrize(
    "url",
    [
        "quickbooks.test",
        "ftp://quickbooks.test",
        "http://",
        "https:///v3",
        "http://[bad",
        "http://host:port",
        "https://a b",
        "file:///etc/passwd",
    ],
)
def test_what_is_no_address_is_told(name, url):
    with pytest.raises(SettingsError, match=name):
        read(**{name: url})


@given(st.text(max_size=30))
def test_any_address_is_read_or_told(url):
    try:
        settings = read(api_url=url)
    except SettingsError:
        return
    assert settings.api_url.startswith(("http", "HTTP"))


def test_settings_from_the_environment(monkeypatch, tmp_path):
    """As the SDK reads them: texts, numbers, truth values and JSON objects."""
    prefix = "TARGET_QUICKBOOKS_"
    given_values = {
        **REQUIRED,
        "account_map": json.dumps({"6100": "Travel"}),
        "vendor_conflict": "fail",
        "fail_on_failed_records": "false",
        "ignore_unknown_streams": "TRUE",
        "max_retry_seconds": "7",
        "wait_for_run_seconds": "0",
        "report_path": str(tmp_path / "report.json"),
    }
    for name, value in given_values.items():
        monkeypatch.setenv(prefix + name.upper(), value)
    settings = from_config(
        parse_environment_config(CONFIG_SCHEMA, prefix, dotenv_path=tmp_path / "none"), default_store_url=""
    )
    assert settings.policies.account_map == {"6100": "Travel"}
    assert settings.policies.vendor_conflict is VendorConflict.FAIL
    assert (settings.fail_on_failed_records, settings.ignore_unknown_streams) == (False, True)
    assert (settings.max_retry_seconds, settings.wait_for_run_seconds) == (7, 0)
    assert settings.report_path == Path(tmp_path / "report.json")


def test_what_is_not_set_is_named():
    """Also where nobody checked the configuration before, as when the webhook shim asks Meltano for it."""
    with pytest.raises(SettingsError, match="client_secret, encryption_key of target-quickbooks must be set"):
        from_config({"client_id": "id", "realm_id": "1", "encryption_key": ""}, default_store_url="sqlite://")
