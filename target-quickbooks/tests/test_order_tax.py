"""The tax of an order outside the US, and rates where the home currency is not BILL's."""

from __future__ import annotations

from decimal import Decimal

import pytest
from target_quickbooks.mapping.chart import Entries, Entry
from target_quickbooks.mapping.purchase_order import OrderContext, VendorInQuickBooks, map_bill
from target_quickbooks.mapping.refusal import Refusal
from target_quickbooks.mapping.source import read_bill
from target_quickbooks.policies import Policies, TaxCalculation

CODES = Entries(
    "tax code",
    (
        Entry("11", "20.0% S", "20.0% S"),
        Entry("12", "5.0% R", "5.0% R"),
        Entry("13", "Old (deleted)", "Old (deleted)", active=False),
    ),
)
EXCLUDED, INCLUSIVE = TaxCalculation.TAX_EXCLUDED, TaxCalculation.TAX_INCLUSIVE


@pytest.fixture(scope="session")
def taxed(context, bill_record):
    """Maps a bill in a company of the given country."""

    def build(country="GB", **policies):
        around = context(policies=Policies(**policies), country=country)
        chart = around.chart.__class__(
            around.chart.company, around.chart.accounts, around.chart.classes, tax_codes=CODES
        )
        surroundings = OrderContext(around.organization_id, chart, around.references, around.policies)
        vendor = VendorInQuickBooks("41", "Happy Music Supplies", "USD")
        return map_bill(read_bill(bill_record()), vendor, surroundings).payload

    return build


def code_of(payload):
    return payload["Line"][0]["AccountBasedExpenseLineDetail"].get("TaxCodeRef")


@pytest.mark.parametrize("country", ["US", "USA", "United States"])
def test_in_the_us_nothing_is_said_of_tax(taxed, country):
    payload = taxed(country, tax_code="20.0% S", tax_calculation=EXCLUDED)
    assert ("GlobalTaxCalculation" in payload, code_of(payload)) == (False, None)


@pytest.mark.parametrize("country", ["GB", "CAN", "Australia"])
def test_elsewhere_there_is_no_tax_by_default(taxed, country):
    payload = taxed(country, tax_code="20.0% S")
    assert (payload["GlobalTaxCalculation"], code_of(payload)) == ("NotApplicable", None)


@pytest.mark.parametrize(("policy", "sent"), [(EXCLUDED, "TaxExcluded"), (INCLUSIVE, "TaxInclusive")])
@pytest.mark.parametrize("code", ["20.0% S", "20.0% s", "11"])
def test_a_code_is_found_by_name_or_id(taxed, policy, sent, code):
    payload = taxed(tax_code=code, tax_calculation=policy)
    assert (payload["GlobalTaxCalculation"], code_of(payload)) == (sent, {"value": "11"})


@pytest.mark.parametrize(
    ("code", "failure", "reason"),
    [
        (None, "tax-code-missing", "Test Company is outside the US and tax_calculation is tax_excluded"),
        ("20% S", "tax-code-unknown", "is not in QuickBooks; did you mean '20.0% S'"),
        ("Old", "tax-code-unknown", "is inactive in QuickBooks"),
    ],
)
def test_a_code_that_cannot_be_used_is_told(taxed, code, failure, reason):
    with pytest.raises(Refusal, match="Bill 'INV-1' of Happy Music Supplies needs") as refusal:
        taxed(tax_code=code, tax_calculation=EXCLUDED)
    assert refusal.value.code == failure
    assert reason in refusal.value.reason
    assert "tax_code" in refusal.value.advice


def test_a_rate_to_another_home_currency_is_never_made_up(map_order):
    """BILL says 1 for every bill in US dollars, which is no rate to Canadian ones."""
    dollars = {"fundingAmount": Decimal("149.00"), "exchangeRate": Decimal(1)}
    company = {"multicurrency": True, "home_currency": "EUR"}
    with pytest.raises(Refusal, match="BILL knows rates to USD only") as refusal:
        map_order(vendor=VendorInQuickBooks("41", "Acme", "USD"), company=company, **dollars)
    assert refusal.value.code == "exchange-rate-unknown"


def test_bills_in_a_home_currency_other_than_bills_need_no_rate(map_order):
    company = {"multicurrency": True, "home_currency": "EUR"}
    payload = map_order(vendor=VendorInQuickBooks("42", "Musik", "EUR"), company=company).payload
    assert ("ExchangeRate" in payload, payload["CurrencyRef"]) == (False, {"value": "EUR"})
