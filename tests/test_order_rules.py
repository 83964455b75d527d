"""Bills against the rules of the QuickBooks company: amounts, books, numbers, currencies, tracking, tax."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

REALM = "9341452000000001"


@pytest.fixture
def books(fresh_books):
    """A company without vendors and bills; the server is shared, the company is new."""
    return fresh_books


@pytest.fixture
def control(books):
    """What people do inside both systems."""
    return books.simulator.control


@pytest.fixture
def account(books):
    """An ordinary account of BILL."""
    return next(
        record["id"]
        for record in books.held("chart_of_accounts")
        if not record["archived"] and record["account"]["type"] == "EXPENSE"
    )


@pytest.fixture
def add(books, account):
    """A bill of lines of the given amounts; the vendor is made if it is not given."""

    def build(*amounts, number="INV-1", vendor=None, codes=(), **fields):
        owner = vendor or books.bill.vendor(f"Vendor of {number}")
        coding = [{"chartOfAccountId": account, **code} for code in codes or [{}] * len(amounts)]
        lines = [
            {"amount": amount, "classifications": code} for amount, code in zip(amounts, coding, strict=True)
        ]
        return books.bill.bill(owner["id"], number, lines, **fields)

    return build


def only(records):
    assert len(records) == 1, records
    return records[0]


def order(books):
    return only(books.stored("PurchaseOrder"))


def notes(run):
    return " | ".join(text for found in run.report["notes"] for text in found["notes"])


def change(books, bill, **fields):
    """A person corrects the bill in BILL."""
    return books.bill.replace(bill, billLineItems=bill["billLineItems"], **fields)


# --- amounts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amounts", "rule", "written"),
    [
        ((100, 0), "reject", True),
        ((0,), "total", True),
        ((100, -10), "total", True),
        ((100, -10), "reject", False),
        ((10, -10), "total", True),
        ((10, -30), "total", False),
        ((10, -30), "accept", True),
    ],
)
def test_zero_and_negative_amounts_are_written_where_quickbooks_takes_them(
    books, control, add, amounts, rule, written
):
    control.set_switches({"quickbooks.negative_lines": rule})
    bill = add(*amounts)
    run = books.sync()
    if written:
        assert run.exit_code == 0, run.reasons
        assert [line["Amount"] for line in order(books)["Line"]] == list(amounts)
    else:
        assert "has a negative amount or total" in run.reasons[bill["id"]]
        assert "vendor credit" in only(run.report["failures"])["advice"]


# --- closed books -------------------------------------------------------------------------------------------


@pytest.fixture
def close(control):
    """Closes the books up to a day, for purchase orders, too; nothing reopens them."""
    control.set_switches({"quickbooks.closed_books_purchase_orders": True})
    return lambda day: control.change_profile(book_close_date=day)


@pytest.mark.parametrize("policy", ["hold", "redate"])
def test_a_change_of_an_order_in_a_closed_period_is_held_until_it_is_reopened(books, close, add, policy):
    """An order that lies in the period cannot even be moved out of it."""
    bill = add(100)
    books.sync()
    close("2026-11-30")
    change(books, bill, description="Corrected")
    run = books.sync(closed_period=policy)
    assert "closed in QuickBooks (closed up to 2026-11-30)" in run.reasons[bill["id"]]
    assert "Reopen the period" in only(run.report["failures"])["advice"]
    close(None)
    assert books.sync(closed_period=policy).exit_code == 0
    assert "Corrected" in order(books)["PrivateNote"]


def test_a_change_of_an_order_in_a_closed_period_fails_for_good_when_the_policy_says_so(books, close, add):
    bill = add(100)
    books.sync()
    close("2026-11-30")
    change(books, bill, description="Corrected")
    assert bill["id"] in books.sync(closed_period="fail").reasons
    close(None)
    nothing_new = [found for found in books.read() if json.loads(found)["type"] != "RECORD"]
    assert books.write(nothing_new, closed_period="fail").written() == 0


@pytest.mark.parametrize("policy", ["hold", "redate", "fail"])
def test_an_order_in_a_closed_period_cannot_be_closed(books, close, add, policy):
    bill = add(100)
    books.sync()
    close("2026-11-30")
    books.bill.post(f"/v3/bills/{bill['id']}/archive")
    run = books.sync(closed_period=policy)
    assert (run.exit_code, order(books)["POStatus"]) == (1, "Open")
    close(None)
    books.sync()
    books.sync(full=True)
    assert order(books)["POStatus"] == "Closed"


def test_a_bill_that_moves_into_a_closed_period_is_dated_after_it(books, close, add):
    bill = add(100, invoice={"invoiceNumber": "INV-1", "invoiceDate": "2026-12-05"})
    books.sync()
    close("2026-11-30")
    change(books, bill, invoice={"invoiceNumber": "INV-1", "invoiceDate": "2026-11-05"})
    run = books.sync(closed_period="redate")
    assert (run.exit_code, order(books)["TxnDate"]) == (0, "2026-12-01"), run.reasons


@pytest.mark.parametrize("conflicts", ["bill_wins", "quickbooks_wins", "hold"])
def test_a_date_that_was_moved_by_us_is_no_edit(books, close, add, conflicts):
    close("2026-11-30")
    bill = add(100)
    settings = {"closed_period": "redate", "edit_conflict": conflicts}
    books.sync(**settings)
    assert order(books)["TxnDate"] == "2026-12-01"
    moved = change(books, bill, invoice={"invoiceNumber": "INV-1", "invoiceDate": "2026-11-05"})
    run = books.sync(**settings)
    assert (run.exit_code, order(books)["TxnDate"]) == (0, "2026-12-01"), run.reasons
    change(books, moved, invoice={"invoiceNumber": "INV-1", "invoiceDate": "2026-12-09"})
    run = books.sync(**settings)
    assert (run.exit_code, order(books)["TxnDate"]) == (0, "2026-12-09"), run.reasons


# --- document numbers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("custom", [True, False])
@pytest.mark.parametrize("policy", ["invoice_number", "bill_id", "auto"])
def test_the_number_follows_the_company_and_the_setting(books, control, add, custom, policy):
    control.change_profile(custom_txn_numbers=custom)
    first, second = add(1, number="INV-1"), add(2, number="INV-1")
    run = books.sync(document_number=policy)
    assert run.exit_code == 0, run.reasons
    found = {stored["TotalAmt"]: stored.get("DocNumber") for stored in books.stored("PurchaseOrder")}
    if not custom:
        assert all(number.isdigit() for number in found.values())
        assert len(set(found.values())) == 2
    elif policy == "invoice_number":
        assert sorted(found.values(), key=len) == ["INV-1", found[2] if found[1] == "INV-1" else found[1]]
        assert any(
            number == f"INV-1~{bill['id'][-6:]}" for bill in (first, second) for number in found.values()
        )
    elif policy == "bill_id":
        assert found == {1: first["id"], 2: second["id"]}
    else:
        assert found == {1: None, 2: None}
    assert books.sync(full=True, document_number=policy).written() == 0


def test_a_long_number_is_shortened_and_stays_unlike_others(books, add):
    add(1, number="2026-CONTRACT-0004711-A"), add(2, number="2026-CONTRACT-0004711-B")
    assert books.sync().exit_code == 0
    numbers = {stored["DocNumber"] for stored in books.stored("PurchaseOrder")}
    assert len(numbers) == 2
    assert all(len(number) <= 21 and number.startswith("2026-CONTRACT") for number in numbers)


def test_a_changed_number_that_is_taken_is_made_unlike_it(books, add):
    vendor = books.bill.vendor("Acme")
    add(1, number="INV-1", vendor=vendor)
    bill = add(2, number="INV-2", vendor=vendor)
    books.sync()
    changed = change(books, bill, invoice={"invoiceNumber": "INV-1", "invoiceDate": "2026-11-01"})
    run = books.sync()
    assert run.exit_code == 0, run.reasons
    numbers = {stored["TotalAmt"]: stored["DocNumber"] for stored in books.stored("PurchaseOrder")}
    assert numbers == {1: "INV-1", 2: f"INV-1~{bill['id'][-6:]}"}
    change(books, changed, invoice={"invoiceNumber": "INV-3", "invoiceDate": "2026-11-01"})
    assert books.sync(edit_conflict="hold").exit_code == 0


# --- currencies ---------------------------------------------------------------------------------------------


def test_bills_in_several_currencies_have_their_rate_and_payables_account(books, add):
    add(100, number="US-1")
    add(250, number="EU-1", vendor=books.bill.vendor("Lyon", billCurrency="EUR"), exchangeRate=1.08)
    run = books.sync()
    assert run.exit_code == 0, run.reasons
    found = {stored["CurrencyRef"]["value"]: stored for stored in books.stored("PurchaseOrder")}
    assert found["EUR"]["ExchangeRate"] == Decimal("1.08")
    assert found["EUR"]["APAccountRef"] != found["USD"]["APAccountRef"]


def test_a_vendor_abroad_that_is_paid_in_the_home_currency_needs_no_rate(books, add):
    address = {"line1": "1 Rue", "city": "Lyon", "zipOrPostalCode": "69001", "country": "FR"}
    add(100, vendor=books.bill.vendor("Lyon", address=address, billCurrency="USD"))
    assert books.sync().exit_code == 0
    assert order(books)["CurrencyRef"]["value"] == "USD"


def test_a_home_currency_that_bill_knows_no_rates_to_refuses_foreign_bills(books, control, add):
    """A rate of 1 would be wrong, and QuickBooks would take it."""
    control.change_profile(home_currency="CAD")
    bill = add(100)
    run = books.sync()
    assert bill["id"] in run.reasons
    assert books.stored("PurchaseOrder") == []


# --- classes and locations ----------------------------------------------------------------------------------


@pytest.fixture
def coded(books, add):
    """A bill whose two lines are coded to everything."""

    def names(kind, entity):
        known = {stored["FullyQualifiedName"] for stored in books.stored(entity) if stored["Active"]}
        return next(found["id"] for found in books.held(kind) if found["name"] in known)

    code = {
        "accountingClassId": names("accounting_classes", "Class"),
        "departmentId": books.held("departments")[0]["id"],
        "locationId": names("locations", "Department"),
    }
    bill = add(10, 20, codes=[code, code])
    assert bill
    return code


def own(books, source, code, *kinds):
    """Settings by which a BILL classification leads to some class or location of QuickBooks."""
    ids = {"accounting_class": "accountingClassId", "department": "departmentId", "location": "locationId"}
    maps = {"class_map": "Class", "location_map": "Department"}
    return {
        name: {code[ids[source]]: next(s["Id"] for s in books.stored(entity) if s["Active"])}
        for name, entity in maps.items()
        if name in kinds
    }


@pytest.mark.parametrize(
    ("tracking", "source"),
    [
        ("line", "accounting_class"),
        ("line", "department"),
        ("line", "location"),
        ("transaction", "accounting_class"),
        ("off", "accounting_class"),
    ],
)
def test_classes_follow_the_company_and_the_setting(books, control, coded, tracking, source):
    control.change_profile(class_tracking=tracking)
    maps = own(books, source, coded, "class_map")
    run = books.sync(line_class_from=source, location_from="none", **maps)
    assert run.exit_code == 0, run.reasons
    stored = order(books)
    on_lines = ["ClassRef" in line["AccountBasedExpenseLineDetail"] for line in stored["Line"]]
    assert (on_lines, "ClassRef" in stored) == ([tracking == "line"] * 2, tracking == "transaction")


@pytest.mark.parametrize(
    ("tracked", "source"),
    [(True, "location"), (True, "department"), (True, "none"), (False, "location")],
)
def test_locations_follow_the_company_and_the_setting(books, control, coded, tracked, source):
    control.change_profile(track_departments=tracked, class_tracking="off")
    maps = own(books, source, coded, "location_map") if source != "none" else {}
    run = books.sync(location_from=source, **maps)
    assert run.exit_code == 0, run.reasons
    assert ("DepartmentRef" in order(books)) == (tracked and source != "none")


# --- tax outside the US -------------------------------------------------------------------------------------


@pytest.mark.parametrize("country", ["GB", "FR"])
def test_outside_the_us_an_order_has_no_tax_by_default(books, control, add, country):
    control.change_profile(country=country)
    bill = add(100, 20)
    run = books.sync()
    assert run.exit_code == 0, run.reasons
    stored = order(books)
    assert (stored["GlobalTaxCalculation"], stored["TotalAmt"]) == ("NotApplicable", 120)
    change(books, bill, description="Corrected")
    assert books.sync().exit_code == 0
    assert books.sync(full=True).written() == 0


@pytest.mark.parametrize(("calculation", "total"), [("tax_excluded", 144), ("tax_inclusive", 120)])
def test_a_tax_code_is_put_on_every_line(books, control, add, calculation, total):
    control.change_profile(country="GB")
    bill = add(100, 20)
    settings = {"tax_code": "20.0% S", "tax_calculation": calculation}
    run = books.sync(**settings)
    assert run.exit_code == 0, run.reasons
    assert order(books)["TotalAmt"] == total
    assert order(books)["TxnTaxDetail"]["TotalTax"] == total - (100 if total == 120 else 120)
    changed = books.bill.replace(bill, billLineItems=[{**bill["billLineItems"][0], "amount": 200}])
    assert changed
    assert books.sync(**settings).exit_code == 0
    assert order(books)["TotalAmt"] == (240 if total == 144 else 200)
    assert books.sync(full=True, **settings).written() == 0


def test_tax_can_be_switched_off_again(books, control, add):
    control.change_profile(country="GB")
    add(100)
    books.sync(tax_code="20.0% S", tax_calculation="tax_excluded")
    assert books.sync(full=True).exit_code == 0
    assert (order(books)["GlobalTaxCalculation"], order(books)["TotalAmt"]) == ("NotApplicable", 100)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"tax_calculation": "tax_excluded"}, "needs a tax code"),
        ({"tax_calculation": "tax_excluded", "tax_code": "20.0% SS"}, "did you mean '20.0% S'"),
    ],
)
def test_a_tax_code_that_is_missing_or_unknown_stops_the_run(books, control, add, settings, reason):
    control.change_profile(country="GB")
    add(100)
    run = books.sync(**settings)
    assert run.exit_code == 1
    assert reason in run.error
    assert books.sync(tax_code="20.0% S", tax_calculation="tax_excluded").streams["bills"] == {"created": 1}


def test_in_the_us_tax_settings_change_nothing(books, add):
    add(100)
    assert books.sync(tax_code="GST", tax_calculation="tax_excluded").exit_code == 0
    assert "GlobalTaxCalculation" not in order(books)
