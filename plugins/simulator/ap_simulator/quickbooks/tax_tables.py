"""The tax codes and rates that a new company has, by its country (QuickBooks manual 6.2).

In the US a line is TAX or NON. In Canada, the United Kingdom, Australia and India each line of a
taxed transaction has a tax code, and a code has one or several rates. A selection of the usual
ones; others can be loaded.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

#: Where lines of taxed transactions need a tax code.
TAXED_COUNTRIES: Final = frozenset({"CA", "GB", "AU", "IN"})

_FIRST_CODE: Final = 11
_FIRST_RATE: Final = 21
#: Code, description, and the names and percentages of its rates; without any it is not taxable.
_CODES: Final[dict[str, tuple[tuple[str, str, dict[str, str]], ...]]] = {
    "CA": (
        ("GST", "Goods and services tax", {"GST (ITC)": "5"}),
        ("HST ON", "Harmonized sales tax, Ontario", {"HST (ITC) ON": "13"}),
        ("HST NS", "Harmonized sales tax, Nova Scotia", {"HST (ITC) NS": "14"}),
        ("GST/PST BC", "British Columbia", {"GST (ITC)": "5", "PST BC": "7"}),
        ("GST/QST QC - 9.975", "Quebec", {"GST (ITC)": "5", "QST (ITR)": "9.975"}),
        ("Zero-rated", "Zero-rated supplies", {"GST (ITC) zero": "0"}),
        ("Exempt", "Exempt supplies", {"GST (ITC) exempt": "0"}),
        ("Out of Scope", "No tax", {}),
    ),
    "GB": (
        ("20.0% S", "Standard rate", {"20.0% S (Purchases)": "20"}),
        ("5.0% R", "Reduced rate", {"5.0% R (Purchases)": "5"}),
        ("0.0% Z", "Zero rate", {"0.0% Z (Purchases)": "0"}),
        ("Exempt", "Exempt from VAT", {"Exempt (Purchases)": "0"}),
        ("No VAT", "Outside the scope of VAT", {}),
    ),
    "AU": (
        ("GST on purchases", "Goods and services tax", {"GST (Purchases)": "10"}),
        ("GST on capital", "On capital purchases", {"GST on capital (Purchases)": "10"}),
        ("GST-free purchases", "Free of GST", {"GST-free (Purchases)": "0"}),
        ("Out of Scope", "No tax", {}),
    ),
    "IN": (
        ("18.0% GST", "Within a state", {"9.0% CGST": "9", "9.0% SGST": "9"}),
        ("18.0% IGST", "Between states", {"18.0% IGST": "18"}),
        ("5.0% IGST", "Between states", {"5.0% IGST": "5"}),
        ("0% GST", "Nil rated", {"0% GST": "0"}),
        ("Out of Scope", "No tax", {}),
    ),
}
_IN_THE_US: Final = (
    {"Id": "TAX", "Name": "TAX", "Description": "Taxable", "Taxable": True},
    {"Id": "NON", "Name": "NON", "Description": "Non-Taxable", "Taxable": False},
)


def tax_records(country: str) -> dict[str, list[dict[str, Any]]]:
    """The TaxRate and TaxCode records of a new company, in that order."""
    if country == "US":
        return {"TaxRate": [], "TaxCode": [dict(code) for code in _IN_THE_US]}
    rates: dict[str, dict[str, Any]] = {}
    codes = []
    for number, (name, description, percentages) in enumerate(_CODES.get(country, ()), _FIRST_CODE):
        details = []
        for order, (rate_name, percentage) in enumerate(percentages.items()):
            rate = rates.setdefault(rate_name, _rate(str(_FIRST_RATE + len(rates)), rate_name, percentage))
            ref = {"value": rate["Id"], "name": rate_name}
            details.append(
                {"TaxRateRef": ref, "TaxTypeApplicable": "TaxOnAmount", "TaxOrder": Decimal(order)}
            )
        code: dict[str, Any] = {
            "Id": str(number),
            "Name": name,
            "Description": description,
            "Active": True,
            "Taxable": bool(percentages),
            "TaxGroup": True,
        }
        if details:
            code["PurchaseTaxRateList"] = {"TaxRateDetail": details}
        codes.append(code)
    return {"TaxRate": list(rates.values()), "TaxCode": codes}


def _rate(rate_id: str, name: str, percentage: str) -> dict[str, Any]:
    return {
        "Id": rate_id,
        "Name": name,
        "Description": name,
        "Active": True,
        "RateValue": Decimal(percentage),
        "AgencyRef": {"value": "1"},
        "SpecialTaxType": "ZERO_RATE" if percentage == "0" else "NONE",
        "DisplayType": "ReadOnly",
    }
