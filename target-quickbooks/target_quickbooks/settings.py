"""The settings of one run in the types they mean. Their names and descriptions are in ``settings_schema``."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

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
from target_quickbooks.settings_schema import Mode

_REQUIRED = ("client_id", "client_secret", "realm_id", "encryption_key")
_E = TypeVar("_E", bound=enum.StrEnum)

_PRODUCTION_API = "https://quickbooks.api.intuit.com"
_SANDBOX_API = "https://sandbox-quickbooks.api.intuit.com"
_TOKEN_URL = "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one run, typed. ``repr`` never shows a secret."""

    client_id: str
    client_secret: str = field(repr=False)
    realm_id: str
    encryption_keys: tuple[str, ...] = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    api_url: str = _PRODUCTION_API
    token_url: str = _TOKEN_URL
    store_url: str = field(default="", repr=False)
    mode: Mode = Mode.SYNC
    policies: Policies = field(default_factory=Policies)
    fail_on_failed_records: bool = True
    ignore_unknown_streams: bool = False
    report_path: Path | None = None
    adoptions_path: Path | None = None
    user_agent: str = "target-quickbooks"
    max_retry_seconds: int = 300
    wait_for_run_seconds: int = 600
    drift_check_hours: int = 24


def from_config(config: Mapping[str, Any], *, default_store_url: str) -> Settings:
    """Turn validated configuration into typed settings.

    Args:
        config: The plugin's configuration, already validated against ``CONFIG_SCHEMA``.
        default_store_url: Used when ``store_url`` is not set.

    Raises:
        SettingsError: A value passes the schema but cannot be used.
    """
    missing = [name for name in _REQUIRED if not config.get(name)]
    if missing:
        raise SettingsError(f"{', '.join(missing)} of target-quickbooks must be set.")
    realm_id = "".join(str(config["realm_id"]).split())
    if not (realm_id.isascii() and realm_id.isdecimal()):
        msg = f"realm_id '{realm_id}' is not a company id: it is the number QuickBooks shows as company id."
        raise SettingsError(msg)
    sandbox = config.get("environment") == "sandbox"
    keys = tuple(key.strip() for key in str(config["encryption_key"]).split(",") if key.strip())
    report, retry = config.get("report_path"), config.get("max_retry_seconds")
    wait, adoptions = config.get("wait_for_run_seconds"), config.get("adoptions_path")
    drift = config.get("drift_check_hours")
    return Settings(
        client_id=str(config["client_id"]),
        client_secret=str(config["client_secret"]),
        realm_id=realm_id,
        encryption_keys=keys,
        refresh_token=config.get("refresh_token") or None,
        api_url=_url(config.get("api_url"), _SANDBOX_API if sandbox else _PRODUCTION_API, "api_url"),
        token_url=_url(config.get("token_url"), _TOKEN_URL, "token_url"),
        store_url=config.get("store_url") or default_store_url,
        mode=Mode(config.get("mode") or Mode.SYNC),
        policies=_policies(config),
        fail_on_failed_records=config.get("fail_on_failed_records") is not False,
        ignore_unknown_streams=bool(config.get("ignore_unknown_streams", False)),
        report_path=Path(report) if report else None,
        adoptions_path=Path(adoptions) if adoptions else None,
        user_agent=config.get("user_agent") or "target-quickbooks",
        max_retry_seconds=300 if retry is None else int(retry),
        wait_for_run_seconds=600 if wait is None else int(wait),
        drift_check_hours=24 if drift is None else int(drift),
    )


def _url(value: str | None, default: str, name: str) -> str:
    url = (value or default).strip().rstrip("/")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(character.isspace() for character in url):
        msg = f"{name} '{url}' is not an http(s) URL."
        raise SettingsError(msg)
    return url


def _policies(config: Mapping[str, Any]) -> Policies:
    def chosen(name: str, values: type[_E], default: _E) -> _E:
        return values(config.get(name) or default)

    def mapped(name: str) -> dict[str, str]:
        return {str(key): str(value) for key, value in (config.get(name) or {}).items()}

    return Policies(
        account_map=mapped("account_map"),
        class_map=mapped("class_map"),
        location_map=mapped("location_map"),
        customer_map=mapped("customer_map"),
        item_map=mapped("item_map"),
        default_expense_account=config.get("default_expense_account") or None,
        line_class_from=chosen("line_class_from", LineClassFrom, LineClassFrom.ACCOUNTING_CLASS),
        location_from=chosen("location_from", LocationFrom, LocationFrom.LOCATION),
        vendor_conflict=chosen("vendor_conflict", VendorConflict, VendorConflict.ADOPT),
        edit_conflict=chosen("edit_conflict", EditConflict, EditConflict.BILL_WINS),
        closed_period=chosen("closed_period", ClosedPeriod, ClosedPeriod.HOLD),
        document_number=chosen("document_number", DocumentNumber, DocumentNumber.INVOICE_NUMBER),
        archived_vendor=chosen("archived_vendor", ArchivedVendor, ArchivedVendor.DEACTIVATE),
        inactive_vendor=chosen("inactive_vendor", InactiveVendor, InactiveVendor.HOLD),
        missing_in_quickbooks=chosen("missing_in_quickbooks", MissingInQuickBooks, MissingInQuickBooks.HOLD),
        archived_bill=chosen("archived_bill", ArchivedBill, ArchivedBill.CLOSE),
        paid_bill=chosen("paid_bill", PaidBill, PaidBill.CLOSE),
        unapproved_bill=chosen("unapproved_bill", UnapprovedBill, UnapprovedBill.WRITE),
        denied_bill=chosen("denied_bill", DeniedBill, DeniedBill.WRITE),
        billed_order=chosen("billed_order", BilledOrder, BilledOrder.LEAVE),
        tax_code=config.get("tax_code") or None,
        tax_calculation=chosen("tax_calculation", TaxCalculation, TaxCalculation.NOT_APPLICABLE),
        transaction_type=chosen("transaction_type", TransactionType, TransactionType.PURCHASE_ORDER),
        post_payments=chosen("post_payments", PostPayments, PostPayments.CLEARED),
        payment_account=(config.get("payment_account") or "").strip() or None,
    )
