"""QuickBooks' refusals in the words of the person who keeps the books."""

from __future__ import annotations

from decimal import Decimal

import pytest
from target_quickbooks.quickbooks.explanations import explain
from target_quickbooks.quickbooks.faults import Fault


@pytest.mark.parametrize(
    ("code", "words", "advice"),
    [
        ("610", "inactive or gone", "active again"),
        ("2500", "inactive or gone", "active again"),
        ("2010", "a field that QuickBooks does not accept", "Report"),
        ("2050", "too long", "Shorten"),
        ("2180", "a name that QuickBooks does not accept", "Change the name"),
        ("5020", "plan or user", "Plus or Advanced"),
        ("6070", "quantity times price", "Correct quantity"),
        ("6100", "tax that QuickBooks does not accept", "tax_code"),
        ("6160", "tax that QuickBooks does not accept", "tax_code"),
        ("6140", "a document number that QuickBooks already uses", "document_number"),
        ("6210", "books are closed", "Reopen the period"),
        ("6220", "open balance", "archived_vendor"),
        ("6240", "another customer, vendor or employee", "Rename"),
        ("6430", "account of a type", "account_map"),
    ],
)
def test_a_known_code_is_told_in_plain_words(code, words, advice):
    explanation = explain(Fault(code, "Message", "Detail"), "bill 'INV-1' of Acme")
    assert explanation.reason.startswith("Bill 'INV-1' of Acme ")
    assert words in explanation.reason
    assert advice in explanation.advice


@pytest.mark.parametrize(
    ("code", "detail", "holder"),
    [
        ("6140", "DocNumber=A is assigned to TxnType=Bill with TxnId=3632", "(transaction 3632)"),
        (
            "6240",
            "Another customer, vendor or employee is already using this name. Id=58",
            "(QuickBooks id 58)",
        ),
    ],
)
def test_who_holds_a_name_or_number_is_told(code, detail, holder):
    assert f" {holder}. QuickBooks said" in explain(Fault(code, "Duplicate", detail), "vendor 'A'").reason
    assert "(" not in explain(Fault(code, "Duplicate", "localisé"), "vendor 'A'").reason


def test_what_quickbooks_said_is_always_told():
    reason = explain(
        Fault("6000", "Business Validation Error", "Choose another account."), "vendor 'A'"
    ).reason
    assert reason.endswith("QuickBooks said: 6000 Business Validation Error - Choose another account.")


@pytest.mark.parametrize("code", ["6000", "2290"])
def test_a_negative_line_is_told_whatever_the_language(code):
    """The texts are localised, and 6000 stands for every rule there is."""
    body = {"Line": [{"Amount": Decimal(5)}, {"Amount": Decimal(-7)}]}
    explanation = explain(Fault(code, "Erreur de validation"), "bill 'INV-1'", body)
    assert "has a negative amount or total" in explanation.reason
    assert "vendor credit" in explanation.advice


def test_a_rule_outside_the_us_may_be_about_tax():
    body = {"Line": [{"Amount": Decimal(5)}], "GlobalTaxCalculation": "NotApplicable"}
    assert "set tax_code and tax_calculation" in explain(Fault("6000", "Rule"), "bill 'INV-1'", body).advice
    assert "tax" not in explain(Fault("6000", "Rule"), "bill 'INV-1'", {"Line": []}).advice


def test_an_unknown_code_is_told_too():
    explanation = explain(Fault("4711", "Something new"), "vendor 'A'")
    assert explanation.code == "quickbooks-4711"
    assert explanation.reason == "Vendor 'A' was refused by QuickBooks. QuickBooks said: 4711 Something new"
    assert explanation.advice


def test_failures_can_be_selected_by_code():
    assert explain(Fault("2500", ""), "vendor 'A'").code == "quickbooks-2500"
