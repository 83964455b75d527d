"""What the pre-flight finds wrong with a company for the settings of a run."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from target_quickbooks.errors import PreflightFailed
from target_quickbooks.gate import Gate
from target_quickbooks.mapping.chart import Chart, ClassTracking, Entries, Entry, read_company
from target_quickbooks.policies import DocumentNumber, LineClassFrom, LocationFrom, Policies, TaxCalculation
from target_quickbooks.preflight import Bills, describe, examine

NOW = dt.datetime(2026, 12, 16, 12, 0, tzinfo=dt.UTC)
MAPS = ("account_map", "class_map", "location_map", "customer_map", "item_map")


@pytest.fixture
def found(chart):
    """The findings, by severity and code; the company's preferences may be changed."""

    def build(
        policies=None, *, bills=Bills.EXPECTED, grant_ends=None, accounts=None, tax_codes=(), **company
    ):
        lists = replace(chart(**company), tax_codes=Entries("tax code", tax_codes))
        if accounts is not None:
            lists = replace(lists, accounts=Entries("account", accounts))
        return examine(
            lists.company,
            policies or Policies(),
            chart=lists,
            bills=bills,
            grant_ends=grant_ends,
            now=NOW,
        )

    return build


def codes(findings):
    return [finding.code for finding in findings]


def test_nothing_is_wrong_with_a_company_that_has_everything(found):
    assert found().findings == ()


@pytest.mark.parametrize("setting", MAPS)
def test_a_map_that_leads_nowhere_is_an_error(found, setting):
    preflight = found(Policies(**{setting: {"A": "Nowhere to be found"}}))
    (error,) = preflight.errors
    assert error.code == f"{setting.removesuffix('_map')}-map-broken"
    assert error.text == f"{setting} sends 'A' to 'Nowhere to be found', which is not in QuickBooks."
    assert (error.setting, error.advice) == (setting, f"Correct {setting}.")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("account_map", "6100"),
        ("account_map", "61"),
        ("account_map", "travel:airfare"),
        ("class_map", "Sales:West"),
        ("location_map", "300"),
        ("customer_map", "Cool Cars:Job 1"),
        ("item_map", "Pump"),
    ],
)
def test_a_map_may_name_an_id_a_number_or_a_full_name(found, setting, value):
    assert found(Policies(**{setting: {"A": value}})).findings == ()


def test_a_map_to_something_inactive_is_an_error(found):
    (error,) = found(Policies(account_map={"A": "6900"})).errors
    assert error.code == "account-inactive"
    assert error.advice == "Make it active again, or correct account_map."


def test_a_map_that_is_nearly_right_is_told_what_it_may_mean(found):
    (error,) = found(Policies(account_map={"A": "Trvel"})).errors
    assert error.text.endswith("did you mean '6100 Travel'?")


@pytest.mark.parametrize(
    ("tax_code", "code"),
    [("GST", ""), ("3", ""), ("Old GST", "tax-code-unknown"), (None, "tax-code-missing")],
)
def test_a_tax_code_must_be_there_and_active_outside_the_us(found, tax_code, code):
    taxed = Policies(tax_calculation=TaxCalculation.TAX_EXCLUDED, tax_code=tax_code)
    codes_of_company = [Entry("3", "GST", "GST"), Entry("4", "Old GST", "Old GST", active=False)]
    preflight = found(taxed, tax_codes=codes_of_company, country="CA")
    assert codes(preflight.errors) == ([code] if code else [])
    assert codes(found(taxed, tax_codes=codes_of_company, country="US").errors) == []


def test_a_missing_tax_code_is_told_in_a_sentence(found):
    taxed = Policies(tax_calculation=TaxCalculation.TAX_EXCLUDED, tax_code="GTS")
    (error,) = found(taxed, tax_codes=[Entry("3", "GST", "GST")], country="CA").errors
    assert error.text == (
        "Every purchase order needs tax code 'GTS', which is not in QuickBooks; did you mean 'GST'?"
    )
    assert error.setting == "tax_code"


def test_many_keys_to_one_wrong_value_are_one_problem(found):
    (error,) = found(Policies(account_map=dict.fromkeys("ABCD", "XYZ123"))).errors
    assert error.text.startswith("account_map sends 'A' and 'B' and 2 more to 'XYZ123'")


@pytest.mark.parametrize(("value", "code"), [("nix", "account-map-broken"), ("6900", "account-inactive")])
def test_a_default_account_must_be_there_and_active(found, value, code):
    (error,) = found(Policies(default_expense_account=value)).errors
    assert (error.code, error.setting) == (code, "default_expense_account")
    assert error.text.startswith(f"default_expense_account is '{value}', which is ")


@pytest.mark.parametrize(
    ("plan_has_orders", "code"), [(True, "purchase-orders-off"), (False, "no-purchase-orders")]
)
def test_a_company_without_purchase_orders_is_an_error_when_bills_come(found, plan_has_orders, code):
    preferences = {"purchase_orders": False, "plan_has_orders": plan_has_orders}
    assert codes(found(**preferences).errors) == [code]
    possible = found(bills=Bills.POSSIBLE, **preferences)
    assert (codes(possible.errors), codes(possible.warnings)) == ([], [code])
    assert found(bills=Bills.NONE, **preferences).findings == ()


@pytest.mark.parametrize(
    "accounts",
    [
        (),
        (Entry("33", "A/P (deleted)", "A/P (deleted)", active=False, type="Accounts Payable"),),
        (Entry("33", "A/P", "A/P", type="Accounts Payable", currency="EUR"),),
    ],
)
def test_a_company_without_a_payables_account_of_its_own_currency_cannot_take_bills(found, accounts):
    assert codes(found(accounts=accounts).errors) == ["payables-account-missing"]
    assert codes(found(accounts=accounts, bills=Bills.POSSIBLE).warnings) == ["payables-account-missing"]


def test_an_ended_subscription_is_an_error_even_without_bills(found):
    assert codes(found(subscription="EXPIRED", bills=Bills.NONE).errors) == ["subscription-ended"]


@pytest.mark.parametrize(
    "policies", [Policies(class_map={"A": "Gone"}), Policies(line_class_from=LineClassFrom.DEPARTMENT)]
)
def test_classes_that_the_company_does_not_track_are_a_warning(found, policies):
    preflight = found(policies, class_tracking=ClassTracking.OFF)
    assert (codes(preflight.errors), codes(preflight.warnings)) == ([], ["class-tracking-off"])


@pytest.mark.parametrize(
    "policies", [Policies(location_map={"A": "Gone"}), Policies(location_from=LocationFrom.DEPARTMENT)]
)
def test_locations_that_the_company_does_not_track_are_a_warning(found, policies):
    preflight = found(policies, locations=False)
    assert (codes(preflight.errors), codes(preflight.warnings)) == ([], ["locations-off"])


def test_features_that_no_setting_asks_for_may_be_off(found):
    off = {"class_tracking": ClassTracking.OFF, "locations": False}
    assert found(**off).findings == ()
    assert found(Policies(location_from=LocationFrom.NONE, location_map={"A": "B"}), **off).findings == ()


def test_numbers_that_the_company_does_not_take_are_a_warning(found):
    assert codes(found(own_document_numbers=False).warnings) == ["document-numbers-off"]
    auto = Policies(document_number=DocumentNumber.AUTO)
    assert found(auto, own_document_numbers=False).findings == ()


@pytest.mark.parametrize(
    ("days", "said"), [(13.5, "in 13 days, on 2026-12-30"), (1.2, "in 1 day,"), (-3, "in 0 days,")]
)
def test_a_grant_that_soon_ends_is_a_warning(found, days, said):
    (warning,) = found(grant_ends=NOW + dt.timedelta(days=days), bills=Bills.NONE).warnings
    assert warning.code == "grant-ends"
    assert said in warning.text
    assert "quickbooks-admin connect" in warning.advice


def test_a_grant_that_lasts_is_no_finding(found):
    assert found(grant_ends=NOW + dt.timedelta(days=14)).findings == ()


def test_all_problems_are_told_together_errors_first(found):
    preflight = found(
        Policies(account_map={"A": "nix", "B": "6900"}, default_expense_account="nada"),
        grant_ends=NOW,
        purchase_orders=False,
    )
    lines = preflight.problem("the first write").splitlines()
    assert lines[0] == "Stopped before the first write: 4 problems with Test Company or the settings."
    assert [line.split(":")[0] for line in lines[1:]] == ["- error"] * 4 + ["- warning"]
    told = preflight.to_json()
    assert not told["ok"]
    assert [finding["severity"] for finding in told["findings"]] == ["error"] * 4 + ["warning"]
    assert told["company"]["home_currency"] == "USD"


def test_the_company_is_described_in_one_line(company):
    assert describe(company()) == (
        "US, QuickBooks Online Plus, USD only, purchase orders, classes on lines, locations, "
        "numbers taken from bills, books open"
    )
    closed = company(
        book_close_date=dt.date(2026, 9, 30),
        multicurrency=True,
        purchase_orders=False,
        class_tracking=ClassTracking.OFF,
        locations=False,
        own_document_numbers=False,
        plan="",
    )
    assert describe(closed) == (
        "US, plan unknown, USD and other currencies, no purchase orders, no classes, no locations, "
        "numbers of its own, books closed up to 2026-09-30"
    )


@pytest.mark.parametrize(
    ("plan", "has_orders"),
    [
        ("QuickBooks Online Plus", True),
        ("QuickBooks Online Advanced", True),
        ("QuickBooks Online Essentials", False),
        ("QuickBooks Online Simple Start", False),
        ("", True),
    ],
)
def test_the_plan_and_subscription_are_read_from_the_company(plan, has_orders):
    pairs = [{"Name": "OfferingSku", "Value": plan}, {"Name": "SubscriptionStatus", "Value": "PAID"}]
    read = read_company({"CompanyName": "A", "NameValue": pairs}, {})
    assert (read.plan_has_orders, read.purchase_orders, read.subscription) == (has_orders, has_orders, "PAID")


class FakeDirectory:
    def __init__(self, chart):
        self._chart = chart
        self.asked = []

    def company(self):
        self.asked.append("company")
        return self._chart.company

    def chart(self, customers, items):
        self.asked.append(f"chart {' '.join([*customers, *items])}".strip())
        return self._chart

    def tax_codes(self):
        self.asked.append("tax codes")
        return Entries("tax code")


@pytest.fixture
def gate(chart):
    """A gate, what it asked and what it found; the company has no payables account."""

    def build(policies=None, *, country="US", **kwargs):
        directory = FakeDirectory(Chart(company=chart(country=country).company))
        results = []
        made = Gate(
            directory,
            policies or Policies(),
            grant_ends=lambda: None,
            now=lambda: NOW,
            found=results.append,
            **kwargs,
        )
        return made, directory.asked, results

    return build


def test_without_bills_only_the_company_is_asked_and_once(gate):
    made, asked, found = gate(Policies(account_map={"A": "B"}))
    made.open(Bills.NONE)
    made.open(Bills.NONE)
    assert asked == ["company"]
    assert len(found) == 1


def test_bills_that_may_come_are_asked_for_only_if_a_map_is_set(gate):
    made, asked, _ = gate()
    made.open(Bills.POSSIBLE)
    assert asked == ["company"]
    made, asked, found = gate(Policies(customer_map={"A": "C1"}, item_map={"A": "I1"}))
    with pytest.raises(PreflightFailed, match="before the first write: 2 problems"):
        made.open(Bills.POSSIBLE)
    assert asked == ["company", "chart C1 I1"]
    assert [len(found[0].errors), len(found[0].warnings)] == [2, 1]


def test_bills_that_come_late_are_looked_at_before_the_first_of_them(gate):
    made, _, found = gate()
    made.open(Bills.POSSIBLE)
    with pytest.raises(PreflightFailed, match="before the first purchase order: 1 problem with"):
        made.open(Bills.EXPECTED)
    assert len(found) == 2


def test_tax_codes_are_asked_for_only_where_one_is_set_outside_the_us(gate):
    made, asked, _ = gate(Policies(tax_code="GST"), country="CA", stops=False)
    made.open(Bills.EXPECTED)
    assert asked == ["company", "chart", "tax codes"]
    made, asked, _ = gate(Policies(tax_code="GST"), stops=False)
    made.open(Bills.EXPECTED)
    assert asked == ["company", "chart"]


def test_a_plan_goes_on_and_tells(gate):
    made, _, found = gate(stops=False)
    made.open(Bills.EXPECTED)
    assert codes(found[0].errors) == ["payables-account-missing"]
