"""Rules of CompanyInfo, Preferences, CompanyCurrency and ExchangeRate (QuickBooks manual 6.7, 6.8).

An update of the first two changes the company's profile, which the rules of all others read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from typing_extensions import override

from ap_simulator.quickbooks.currencies import CURRENCIES
from ap_simulator.quickbooks.entities import ENTITIES
from ap_simulator.quickbooks.formats import pacific_date
from ap_simulator.quickbooks.problems import feature_off, refused
from ap_simulator.quickbooks.profile import (
    RealmProfile,
    company_info,
    preferences,
    with_company_info,
    with_preferences,
)
from ap_simulator.quickbooks.realm import Realm
from ap_simulator.quickbooks.store.record import Record
from ap_simulator.quickbooks.writing.context import PlainRules, Write

SINGLETON_ID: Final = "1"


def singletons(realm: Realm, profile: RealmProfile) -> dict[str, dict[str, Any]]:
    """The bodies of CompanyInfo and Preferences that say what a profile says."""
    return {
        "CompanyInfo": company_info(profile),
        "Preferences": preferences(profile, order_flag=realm.switches.purchase_order_flag),
    }


def show_profile(realm: Realm, profile: RealmProfile) -> None:
    """Change a company's profile from outside the API; the sections that say so follow."""
    before, after = singletons(realm, realm.profile), singletons(realm, profile)
    realm.profile = profile
    for name, sections in after.items():
        record = realm.record(name, SINGLETON_ID)
        changed = {key: value for key, value in sections.items() if value != before[name].get(key)}
        if record is not None and changed:
            realm.change(ENTITIES[name], record, {**record.body, **changed})


class CompanyRules(PlainRules):
    """CompanyInfo and Preferences."""

    def prepare(self, write: Write) -> None:
        """At most one way to track classes."""
        accounting = write.body.get("AccountingInfoPrefs", {})
        if accounting.get("ClassTrackingPerTxn") and accounting.get("ClassTrackingPerTxnLine"):
            raise refused(
                "2600",
                "Invalid Request Conflict Element in Request : ClassTrackingPerTxn and "
                "ClassTrackingPerTxnLine cannot both be true",
            )
        if write.sparse and write.sends("OtherPrefs"):
            pairs = {pair["Name"]: pair for pair in _pairs(write.stored) + _pairs(write.body)}
            write.body["OtherPrefs"] = {"NameValue": list(pairs.values())}

    @override
    def settle(self, write: Write, record: Record) -> None:
        """The profile follows."""
        realm = write.realm
        if write.entity.name == "CompanyInfo":
            realm.profile = with_company_info(realm.profile, record.body)
        else:
            realm.profile = with_preferences(realm.profile, record.body)


class CompanyCurrencyRules(PlainRules):
    """The currencies of a multicurrency company."""

    def prepare(self, write: Write) -> None:
        """A known currency, once."""
        realm, body = write.realm, write.body
        if not realm.profile.multicurrency:
            raise feature_off()
        code = body["Code"]
        others = realm.tables["CompanyCurrency"].find("Code", code.casefold())
        if any(other is not write.before for other in others):
            raise refused("630", f"Duplicate Object : the company has {code} already.")
        body.setdefault("Name", CURRENCIES[code])
        body.setdefault("Active", True)


class ExchangeRateRules(PlainRules):
    """Rates to the home currency."""

    def prepare(self, write: Write) -> None:
        """A currency of a multicurrency company, as of a day."""
        realm, body = write.realm, write.body
        if not realm.profile.multicurrency:
            raise feature_off()
        body["TargetCurrencyCode"] = realm.profile.home_currency
        body.setdefault("AsOfDate", pacific_date(realm.clock.now()).isoformat())

    @override
    def settle(self, write: Write, record: Record) -> None:
        """Transactions that bring no rate take this one."""
        realm, body = write.realm, record.body
        rates = {**realm.profile.exchange_rates, body["SourceCurrencyCode"]: body["Rate"]}
        realm.profile = replace(realm.profile, exchange_rates=rates)


def _pairs(body: Mapping[str, Any]) -> list[dict[str, str]]:
    """The named values of Preferences, of which a sparse update may bring a few."""
    pairs: list[dict[str, str]] = body.get("OtherPrefs", {}).get("NameValue", [])
    return [pair for pair in pairs if "Name" in pair]
