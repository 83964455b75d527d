"""Taxes on purchases (QuickBooks manual 6.0, 6.2, 7.3).

In the US what is sent is kept. Elsewhere each line has a tax code, and TxnTaxDetail follows from
the codes' purchase rates: for each rate the sum of the lines' amounts times its percentage, to the
cent.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any, Final

from ap_simulator.quickbooks.formats import amount, product, quantity
from ap_simulator.quickbooks.problems import RefusedError, business, missing, refused
from ap_simulator.quickbooks.realm import Realm
from ap_simulator.quickbooks.tax_tables import TAXED_COUNTRIES
from ap_simulator.quickbooks.transactions.lines import counts, line_detail
from ap_simulator.quickbooks.writing.context import Write

_ZERO: Final = Decimal(0)
_HUNDRED: Final = Decimal(100)
_CODES_NEEDED: Final = "When you use a GST/HST rate, you need to choose a sales tax code for each line item."


def settle_tax(write: Write) -> None:
    """Settle the tax properties that the company uses.

    Raises:
        RefusedError: 6000 for a line without tax code and 6170 for TxnTaxDetail where tax is not
            applicable, 2020 without GlobalTaxCalculation; each by switch.
    """
    body, profile, switches = write.body, write.realm.profile, write.realm.switches
    if not profile.using_sales_tax:
        body.pop("TxnTaxDetail", None)
    if profile.country == "US":
        body.pop("GlobalTaxCalculation", None)
        return
    if "GlobalTaxCalculation" not in body and switches.global_tax_required:
        raise RefusedError([missing("GlobalTaxCalculation")])
    calculation = body.setdefault("GlobalTaxCalculation", "TaxExcluded")
    if calculation == "NotApplicable":
        if write.sends("TxnTaxDetail") and switches.tax_detail_not_applicable == "6170":
            raise refused("6170", "TxnTaxDetail cannot be sent when GlobalTaxCalculation is NotApplicable.")
        body.pop("TxnTaxDetail", None)
        return
    if not profile.using_sales_tax or profile.country not in TAXED_COUNTRIES:
        return
    if switches.line_tax_codes == "required" and not all(map(_has_code, body["Line"])):
        raise business(_CODES_NEEDED)
    supplied = body.get("TxnTaxDetail", {}) if write.sends("TxnTaxDetail") else {}
    if switches.supplied_tax == "keep" and ("TotalTax" in supplied or "TaxLine" in supplied):
        body["TxnTaxDetail"] = _completed(supplied)
        return
    body["TxnTaxDetail"] = _computed(write.realm, body["Line"], inclusive=_inclusive(write))


def total(realm: Realm, body: dict[str, Any]) -> Decimal:
    """The total of a transaction: its lines, and its tax unless that is within the amounts."""
    lines = sum((line["Amount"] for line in body.get("Line", []) if counts(line)), _ZERO)
    calculation = body.get("GlobalTaxCalculation", "TaxExcluded")
    tax = body.get("TxnTaxDetail", {}).get("TotalTax", _ZERO)
    if calculation == "TaxExcluded":
        return amount(lines + tax)
    if calculation == "TaxInclusive" and realm.switches.tax_inclusive_amounts == "net":
        return amount(lines + tax)
    return amount(lines)


def _inclusive(write: Write) -> bool:
    """Whether the lines' amounts have the tax in them."""
    inclusive = write.body["GlobalTaxCalculation"] == "TaxInclusive"
    return inclusive and write.realm.switches.tax_inclusive_amounts == "gross"


def _has_code(line: dict[str, Any]) -> bool:
    return not counts(line) or "TaxCodeRef" in line_detail(line)


def _completed(detail: dict[str, Any]) -> dict[str, Any]:
    """A tax detail as it was sent, with the sum of its lines if it has no total."""
    lines = detail.get("TaxLine", [])
    return {"TotalTax": amount(sum((line.get("Amount", _ZERO) for line in lines), _ZERO)), **detail}


def _computed(realm: Realm, lines: list[dict[str, Any]], *, inclusive: bool) -> dict[str, Any]:
    """The tax detail that follows from the lines' codes."""
    bases: dict[str, Decimal] = defaultdict(Decimal)
    percentages: dict[str, Decimal] = {}
    for line in lines:
        if not counts(line) or "TaxCodeRef" not in line_detail(line):
            continue
        rates = _rates(realm, line_detail(line)["TaxCodeRef"]["value"])
        share = 1 + sum(rates.values(), _ZERO) / _HUNDRED if inclusive else Decimal(1)
        for rate_id, percentage in rates.items():
            bases[rate_id] += line["Amount"] / share
            percentages[rate_id] = percentage
    tax_lines = []
    total_tax = _ZERO
    for rate_id, base in bases.items():
        tax = product(base, percentages[rate_id] / _HUNDRED)
        total_tax += tax
        tax_lines.append(
            {
                "Amount": amount(tax),
                "DetailType": "TaxLineDetail",
                "TaxLineDetail": {
                    "TaxRateRef": {"value": rate_id},
                    "PercentBased": True,
                    "TaxPercent": quantity(percentages[rate_id]),
                    "NetAmountTaxable": amount(base),
                },
            }
        )
    detail: dict[str, Any] = {"TotalTax": amount(total_tax)}
    return {**detail, "TaxLine": tax_lines} if tax_lines else detail


def _rates(realm: Realm, code_id: str) -> dict[str, Decimal]:
    """The purchase rates of a tax code: percentages by Id of the rate."""
    code = realm.record("TaxCode", code_id)
    details = code.body.get("PurchaseTaxRateList", {}).get("TaxRateDetail", []) if code else []
    rates = {}
    for detail in details:
        rate = realm.record("TaxRate", detail["TaxRateRef"]["value"])
        if rate is not None:
            rates[rate.id] = Decimal(rate.body.get("RateValue", _ZERO))
    return rates
