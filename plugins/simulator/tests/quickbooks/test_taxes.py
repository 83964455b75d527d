"""Taxes of companies outside the US."""

from __future__ import annotations

from decimal import Decimal

import pytest


@pytest.fixture
def canada(open_books):
    return open_books(country="CA", home_currency="USD")


def code(books, name):
    return next(row["Id"] for row in books.rows("select * from TaxCode") if row["Name"] == name)


def taxed(books, amount, name):
    return books.account_line(amount, detail={"TaxCodeRef": {"value": code(books, name)}})


def test_a_company_has_the_tax_codes_and_rates_of_its_country(canada):
    codes = {row["Name"]: row for row in canada.rows("select * from TaxCode")}
    assert {"GST", "HST ON", "GST/QST QC - 9.975", "Exempt"} <= set(codes)
    details = codes["GST/QST QC - 9.975"]["PurchaseTaxRateList"]["TaxRateDetail"]
    rates = {row["Id"]: row for row in canada.rows("select * from TaxRate")}
    values = [rates[detail["TaxRateRef"]["value"]]["RateValue"] for detail in details]
    assert values == [5, Decimal("9.975")]
    assert details[1]["TaxRateRef"]["name"] == "QST (ITR)"
    assert canada.read("TaxRate", details[0]["TaxRateRef"]["value"])["Name"] == "GST (ITC)"


@pytest.mark.parametrize("country", ["CA", "GB", "AU", "IN"])
def test_a_line_without_a_tax_code_is_refused(open_books, country):
    books = open_books(country=country, home_currency="USD")
    for entity, body in (("PurchaseOrder", books.order_body()), ("Bill", books.bill_body())):
        fault = books.refused(entity, body)
        assert fault["code"] == "6000"
        assert "you need to choose a sales tax code for each line item" in fault["Detail"]


def test_a_line_without_a_tax_code_is_accepted_elsewhere(open_books):
    books = open_books(country="DE", home_currency="USD")
    assert books.order()["GlobalTaxCalculation"] == "TaxExcluded"


def test_a_line_without_a_tax_code_is_accepted_by_switch(canada):
    canada.switch(line_tax_codes="optional")
    assert canada.order()["TotalAmt"] == 80


@pytest.mark.parametrize("fields", [{"GlobalTaxCalculation": "NotApplicable"}, {}])
def test_a_line_needs_no_tax_code_where_tax_does_not_apply(canada, fields):
    if not fields:
        canada.profile(using_sales_tax=False)
    order = canada.order(**fields)
    assert order["TotalAmt"] == 80
    assert "TxnTaxDetail" not in order


def test_tax_is_added_for_each_rate_to_the_cent(canada):
    lines = [taxed(canada, "33.33", "GST/QST QC - 9.975"), taxed(canada, 100, "GST")]
    order = canada.order(*lines)
    gst, qst = order["TxnTaxDetail"]["TaxLine"]
    assert (gst["Amount"], gst["TaxLineDetail"]["NetAmountTaxable"]) == (Decimal("6.67"), Decimal("133.33"))
    assert (qst["Amount"], qst["TaxLineDetail"]["TaxPercent"]) == (Decimal("3.32"), Decimal("9.975"))
    assert qst["DetailType"] == "TaxLineDetail"
    assert order["TxnTaxDetail"]["TotalTax"] == Decimal("9.99")
    assert order["TotalAmt"] == Decimal("143.32")
    assert order["GlobalTaxCalculation"] == "TaxExcluded"


def test_tax_within_the_amounts(canada):
    order = canada.order(taxed(canada, 105, "GST"), GlobalTaxCalculation="TaxInclusive")
    assert order["TotalAmt"] == 105
    assert order["TxnTaxDetail"]["TotalTax"] == 5
    assert order["TxnTaxDetail"]["TaxLine"][0]["TaxLineDetail"]["NetAmountTaxable"] == 100


def test_inclusive_amounts_can_be_net_by_switch(canada):
    canada.switch(tax_inclusive_amounts="net")
    order = canada.order(taxed(canada, 100, "GST"), GlobalTaxCalculation="TaxInclusive")
    assert (order["TotalAmt"], order["TxnTaxDetail"]["TotalTax"]) == (105, 5)


def test_a_code_without_rates_has_no_tax(canada):
    order = canada.order(taxed(canada, 80, "Out of Scope"))
    assert (order["TotalAmt"], order["TxnTaxDetail"]) == (80, {"TotalTax": 0})


def test_tax_follows_an_update_of_lines_and_of_the_calculation(canada):
    order = canada.order(taxed(canada, 100, "GST"))
    key = {"Id": order["Id"], "sparse": True}
    more = canada.write("PurchaseOrder", {**key, "SyncToken": "0", "Line": [taxed(canada, 200, "HST ON")]})
    assert (more["TotalAmt"], more["TxnTaxDetail"]["TotalTax"]) == (226, 26)
    none = canada.write("PurchaseOrder", {**key, "SyncToken": "1", "GlobalTaxCalculation": "NotApplicable"})
    assert none["TotalAmt"] == 200
    assert "TxnTaxDetail" not in none


def test_a_bill_is_taxed_and_owed_with_its_tax(canada):
    bill = canada.bill(taxed(canada, 100, "HST ON"))
    assert (bill["TotalAmt"], bill["Balance"]) == (113, 113)
    assert canada.read("Vendor", canada.VENDOR)["Balance"] == 113


def test_tax_that_was_sent_is_kept_or_by_switch_computed(canada):
    line, detail = taxed(canada, 100, "GST"), {"TotalTax": Decimal("4.99")}
    assert canada.order(line, TxnTaxDetail=detail)["TotalAmt"] == Decimal("104.99")
    canada.switch(supplied_tax="compute")
    assert canada.order(line, TxnTaxDetail=detail)["TotalAmt"] == 105


def test_tax_detail_where_tax_does_not_apply(canada):
    body = canada.order_body(GlobalTaxCalculation="NotApplicable", TxnTaxDetail={"TotalTax": 5})
    assert canada.refused("PurchaseOrder", body)["code"] == "6170"
    canada.switch(tax_detail_not_applicable="drop")
    assert "TxnTaxDetail" not in canada.write("PurchaseOrder", body)


def test_the_calculation_is_required_by_switch(canada):
    canada.switch(global_tax_required=True)
    fault = canada.refused("PurchaseOrder", canada.order_body(taxed(canada, 1, "GST")))
    assert (fault["code"], fault["element"]) == ("2020", "GlobalTaxCalculation")


@pytest.mark.parametrize(("switch", "expected"), [("2500", "2500"), ("6160", "6160")])
def test_an_unknown_tax_code(canada, switch, expected):
    canada.switch(bad_tax_code=switch)
    line = canada.account_line(1, detail={"TaxCodeRef": {"value": "999"}})
    assert canada.refused("PurchaseOrder", canada.order_body(line))["code"] == expected


def test_a_company_that_moves_abroad_has_the_codes_there(books):
    books.profile(country="GB")
    assert "20.0% S" in {row["Name"] for row in books.rows("select * from TaxCode")}
    fault = books.refused("PurchaseOrder", books.order_body())
    assert fault["code"] == "6000"
