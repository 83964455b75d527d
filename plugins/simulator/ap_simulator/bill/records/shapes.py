"""Shapes that several kinds of records share: addresses, classifications, enumerations."""

from __future__ import annotations

from typing import Any, Final

from ap_simulator.bill.books import Books
from ap_simulator.bill.records.schema import Number, Object, Text, choice
from ap_simulator.bill.wire import Record

COUNTRY: Final = Text(pattern="[A-Z]{2}")
CURRENCY: Final = Text(pattern="[A-Z]{3}")
EMAIL: Final = Text(longest=320, pattern=r"[^@\s]+@[^@\s]+")
NAME: Final = Text(longest=255)
ID: Final = Text(longest=20)
MONEY: Final = Number()
POSITIVE_MONEY: Final = Number(positive=True)
#: Prices and quantities, of which the product is an amount.
FACTOR: Final = Number(decimals=6)
ACCOUNT_TYPE: Final = choice("NONE", "BUSINESS", "PERSON")
TAX_ID_TYPE: Final = choice("EIN", "SSN", "UNDEFINED")

ADDRESS_FIELDS: Final = {
    "line1": NAME,
    "line2": NAME,
    "city": NAME,
    "stateOrProvince": NAME,
    "zipOrPostalCode": Text(longest=32),
    "country": COUNTRY,
}
ADDRESS: Final = Object(ADDRESS_FIELDS)
FULL_ADDRESS: Final = Object(ADDRESS_FIELDS, ("line1", "city", "zipOrPostalCode", "country"))

#: The collection that each classification's id is of.
CLASSIFICATION_COLLECTIONS: Final = {
    "chartOfAccountId": "chart_of_accounts",
    "accountingClassId": "accounting_classes",
    "departmentId": "departments",
    "employeeId": "employees",
    "jobId": "jobs",
    "locationId": "locations",
    "itemId": "items",
    "customerId": "customers",
}
LINE_CLASSIFICATIONS: Final = Object(dict.fromkeys(CLASSIFICATION_COLLECTIONS, ID))
RECURRING_CLASSIFICATIONS: Final = Object(
    {name: ID for name in CLASSIFICATION_COLLECTIONS if name != "customerId"}
)
BILL_CLASSIFICATIONS: Final = Object(
    dict.fromkeys(("chartOfAccountId", "accountingClassId", "departmentId", "locationId", "itemId"), ID)
)

_COUNTRY_NAMES: Final = {
    "AT": "Austria",
    "AU": "Australia",
    "BR": "Brazil",
    "CA": "Canada",
    "CH": "Switzerland",
    "CN": "China",
    "DE": "Germany",
    "ES": "Spain",
    "FR": "France",
    "GB": "United Kingdom",
    "IE": "Ireland",
    "IN": "India",
    "IT": "Italy",
    "JP": "Japan",
    "MX": "Mexico",
    "NL": "Netherlands",
    "US": "United States",
}


def with_country_name(address: dict[str, Any]) -> dict[str, Any]:
    """The address with `countryName`, which BILL adds; only for the countries known here."""
    name = _COUNTRY_NAMES.get(address.get("country", ""))
    rest = {key: value for key, value in address.items() if key != "countryName"}
    return rest if name is None else {**rest, "countryName": name}


def with_country_names(record: Record) -> Record:
    """The record with `countryName` in all its addresses."""
    result = dict(record)
    for name in ("address", "mailingAddress", "billingAddress", "shippingAddress"):
        if name in record:
            result[name] = with_country_name(record[name])
    return result


def check_classifications(books: Books, classifications: dict[str, Any] | None, where: str) -> None:
    """Make sure that each classification exists.

    Raises:
        Refusal: 400 BDC_1205.
    """
    for name, record_id in (classifications or {}).items():
        if record_id is not None:
            collection = CLASSIFICATION_COLLECTIONS[name]
            books.reference(f"{where}.{name}", collection, record_id)
