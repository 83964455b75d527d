"""The tax of a purchase order outside the US (QuickBooks manual 6.2): one code for all lines.

In the US there is none on purchases. BILL's amounts are what is paid, so that by default an order has no tax
and the total of its bill.
"""

from __future__ import annotations

from dataclasses import dataclass

from target_quickbooks.mapping.chart import Chart
from target_quickbooks.mapping.names import sentence_start
from target_quickbooks.mapping.refusal import Refusal
from target_quickbooks.mapping.resolution import did_you_mean
from target_quickbooks.policies import Policies, TaxCalculation

_CALCULATIONS = {
    TaxCalculation.NOT_APPLICABLE: "NotApplicable",
    TaxCalculation.TAX_EXCLUDED: "TaxExcluded",
    TaxCalculation.TAX_INCLUSIVE: "TaxInclusive",
}


@dataclass(frozen=True, slots=True)
class Tax:
    """What an order says of tax.

    Attributes:
        calculation: ``GlobalTaxCalculation``; empty where it must not be sent.
        code: Id of the tax code of each line; empty for none.
    """

    calculation: str = ""
    code: str = ""


def tax_of(chart: Chart, policies: Policies, what: str) -> Tax:
    """The tax of an order.

    Raises:
        Refusal: A tax code is needed, and none is set or the one that is set cannot be used.
    """
    if chart.company.in_us:
        return Tax()
    calculation = _CALCULATIONS[policies.tax_calculation]
    if policies.tax_calculation is TaxCalculation.NOT_APPLICABLE:
        return Tax(calculation)
    wanted, subject = policies.tax_code, sentence_start(what)
    if not wanted:
        raise Refusal(
            "tax-code-missing",
            f"{subject} needs a tax code: {chart.company.name} is outside the US and tax_calculation is "
            f"{policies.tax_calculation}.",
            advice="Set tax_code to a purchase tax code of QuickBooks, or tax_calculation to not_applicable.",
        )
    entry = chart.tax_codes.find(wanted)
    if entry is None or not entry.active:
        state = "is inactive in QuickBooks." if entry else "is not in QuickBooks"
        reason = f"{subject} needs tax code '{wanted}', which {state}"
        raise Refusal(
            "tax-code-unknown",
            reason if entry else f"{reason}{did_you_mean(chart.tax_codes, wanted)}",
            advice="Correct the setting tax_code.",
        )
    return Tax(calculation, entry.id)
