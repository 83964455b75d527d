"""The lines of a purchase order: every rule of how a BILL line is coded in QuickBooks."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_quickbooks.mapping.chart import ClassTracking
from target_quickbooks.mapping.refusal import Awaited, Refusal
from target_quickbooks.policies import LineClassFrom, LocationFrom, Policies

CENT = Decimal("0.01")
TRAVEL = {"chartOfAccountId": "0ca-travel"}
SOFTWARE = {"chartOfAccountId": "0ca-software"}
LATER = {"chartOfAccountId": "0ca-later"}
PUMP = {"itemId": "0ii-pump"}
ON_TRAVEL = {"AccountRef": {"value": "60"}}
ON_SOFTWARE = {"AccountRef": {"value": "62"}}
ON_PUMP = {"ItemRef": {"value": "11"}}


@pytest.fixture(scope="session")
def line(map_order, bill_line):
    """Maps a bill of one line, with the given codes on the line and on the bill; returns the line."""

    def build(codes, *, bill=None, policies=None, company=None, **changed):
        coded = bill_line(classifications=codes, **changed)
        order = map_order(
            billLineItems=[coded], classifications=bill or {}, policies=policies, company=company
        )
        return order.payload["Line"][0]

    return build


def detail(payload):
    return payload[payload["DetailType"]]


def test_a_line_on_an_account(line):
    assert line(SOFTWARE) == {
        "Amount": Decimal("149.00"),
        "Description": "Flight",
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": ON_SOFTWARE,
    }


def test_a_line_on_an_item(line):
    payload = line(PUMP)
    assert payload["DetailType"] == "ItemBasedExpenseLineDetail"
    assert detail(payload) == ON_PUMP


def test_item_and_account_agree(line):
    """The item leads to the very account the line is coded to: it is used."""
    assert detail(line({**PUMP, **TRAVEL})) == {"ItemRef": {"value": "11"}}


def test_the_account_wins_over_an_item_that_leads_elsewhere(line):
    codes = {**PUMP, **SOFTWARE}
    assert detail(line(codes)) == ON_SOFTWARE


def test_an_account_line_has_no_quantity(line):
    payload = line(TRAVEL, quantity=Decimal(2), price=Decimal("74.50"))
    assert detail(payload) == ON_TRAVEL


@pytest.mark.parametrize("item", ["0ii-consulting", "0ii-tools", "0ii-unknown"])
def test_an_item_that_cannot_be_used_falls_back_to_the_coded_account_with_a_note(map_order, bill_line, item):
    """Not bought, a category, not in QuickBooks."""
    codes = {"itemId": item, "chartOfAccountId": "0ca-travel"}
    result = map_order(billLineItems=[bill_line(classifications=codes)])
    assert detail(result.payload["Line"][0]) == ON_TRAVEL
    assert len(result.notes) == 1
    assert result.notes[0].startswith("Line 1")


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ("0ii-consulting", "item-not-purchasable"),
        ("0ii-tools", "item-not-purchasable"),
        ("0ii-unknown", "item-unknown"),
    ],
)
def test_an_item_that_cannot_be_used_is_refused_where_there_is_no_account(line, item, code):
    with pytest.raises(Refusal) as refusal:
        line({"itemId": item})
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("codes", "bill", "expected"),
    [
        ({}, SOFTWARE, ON_SOFTWARE),
        ({}, PUMP, ON_PUMP),
        (
            TRAVEL,
            SOFTWARE,
            ON_TRAVEL,
        ),
        (TRAVEL, PUMP, ON_TRAVEL),
        (PUMP, SOFTWARE, ON_PUMP),
    ],
)
def test_what_a_line_is_not_coded_to_comes_from_the_bill(line, codes, bill, expected):
    """But a line's own item is not mixed with the bill's account, nor the other way round."""
    assert detail(line(codes, bill=bill)) == expected


def test_a_line_coded_to_nothing_is_refused(line):
    with pytest.raises(
        Refusal, match="Line 1 of bill 'INV-1' of Happy Music Supplies is coded to no account"
    ) as refusal:
        line({})
    assert refusal.value.code == "account-missing"


@pytest.mark.parametrize("account", [None, "0ca-unknown", "0ca-old"])
def test_the_default_account_takes_what_has_no_usable_account(map_order, bill_line, account):
    """Missing, unknown or inactive; each with a note."""
    lines = [bill_line(classifications={"chartOfAccountId": account})]
    result = map_order(billLineItems=lines, policies=Policies(default_expense_account="6200"))
    assert detail(result.payload["Line"][0]) == ON_SOFTWARE
    assert "default account '6200 Office:Software'" in result.notes[0]


def test_the_default_account_does_not_take_what_has_merely_not_arrived(line):
    with pytest.raises(Refusal) as refusal:
        line(LATER, policies=Policies(default_expense_account="6200"))
    assert refusal.value.awaited == Awaited("chart_of_accounts", "0ca-later")


@pytest.mark.parametrize(("default", "word"), [("9999", "not"), ("Old", "inactive")])
def test_a_default_account_that_cannot_be_used_is_named(line, default, word):
    with pytest.raises(Refusal, match=f"default account '{default}' is {word} in QuickBooks") as refusal:
        line({}, policies=Policies(default_expense_account=default))
    assert refusal.value.code == "default-account-unknown"


def test_a_broken_default_account_does_not_hide_what_is_awaited(line):
    with pytest.raises(Refusal) as refusal:
        line(LATER, policies=Policies(default_expense_account="9999"))
    assert refusal.value.code == "chart_of_accounts-not-seen"


def item_detail(line, *, quantity, price, amount):
    return detail(line(PUMP, quantity=quantity, price=price, amount=amount))


@given(st.decimals(-999, 999, places=3), st.decimals(-9999, 9999, places=5))
def test_quantity_and_price_are_sent_where_they_give_the_amount(line, quantity, price):
    amount = (quantity * price).quantize(CENT, ROUND_HALF_UP)
    sent = item_detail(line, quantity=quantity, price=price, amount=amount)
    assert (sent["Qty"], sent["UnitPrice"]) == (quantity, price)


@given(st.decimals(1, 999, places=2), st.decimals(1, 9999, places=2), st.sampled_from([-1, 1]))
def test_quantity_and_price_are_left_out_where_they_miss_the_amount_by_a_cent(line, quantity, price, cents):
    amount = (quantity * price).quantize(CENT, ROUND_HALF_UP) + cents * CENT
    assert item_detail(line, quantity=quantity, price=price, amount=amount) == ON_PUMP


@pytest.mark.parametrize(
    ("quantity", "price", "amount"),
    [
        (None, Decimal(10), Decimal(10)),
        (Decimal(1), None, Decimal(10)),
        (Decimal("1.000001"), Decimal(10), Decimal(10)),
        (Decimal(3), Decimal("3.33333333"), Decimal(10)),
        (Decimal("9E+12"), Decimal("9E+12"), Decimal(10)),
    ],
)
def test_quantity_and_price_that_quickbooks_cannot_hold_are_left_out(line, quantity, price, amount):
    """Half a pair, more decimals than QuickBooks keeps, a product beyond all bounds."""
    assert item_detail(line, quantity=quantity, price=price, amount=amount) == ON_PUMP


def test_the_class_of_a_line(line):
    payload = line({**TRAVEL, "accountingClassId": "cls-west"})
    assert detail(payload)["ClassRef"] == {"value": "201"}


@pytest.mark.parametrize(
    ("source", "codes"),
    [
        (LineClassFrom.DEPARTMENT, {"departmentId": "0de-sales"}),
        (LineClassFrom.LOCATION, {"locationId": "loc-sales"}),
    ],
)
def test_the_class_may_come_from_another_classification(line, source, codes):
    policies = Policies(line_class_from=source, location_from=LocationFrom.NONE)
    payload = line({**TRAVEL, "accountingClassId": "cls-west", **codes}, policies=policies)
    assert detail(payload)["ClassRef"] == {"value": "200"}


def test_the_bills_class_is_for_lines_without_one(line):
    payload = line(TRAVEL, bill={"accountingClassId": "cls-sales"})
    assert detail(payload)["ClassRef"] == {"value": "200"}


def test_an_unknown_class_is_refused(line):
    """A class cannot be left out: the books would be wrong without anybody knowing."""
    with pytest.raises(Refusal) as refusal:
        line(
            {**TRAVEL, "departmentId": "0de-boston"},
            policies=Policies(line_class_from=LineClassFrom.DEPARTMENT),
        )
    assert refusal.value.code == "class-unknown"


def test_classes_are_not_looked_at_where_the_company_has_none(line):
    codes = {**TRAVEL, "accountingClassId": "cls-never-seen"}
    payload = line(codes, company={"class_tracking": ClassTracking.OFF})
    assert "ClassRef" not in detail(payload)


@pytest.fixture(scope="session")
def one_class_order(map_order, bill_line):
    def build(*classes):
        lines = [
            bill_line(id=str(number), classifications={**TRAVEL, "accountingClassId": name})
            for number, name in enumerate(classes)
        ]
        return map_order(billLineItems=lines, company={"class_tracking": ClassTracking.PER_DOCUMENT})

    return build


def test_the_lines_one_class_becomes_the_documents(one_class_order):
    result = one_class_order("cls-west", None, "cls-west")
    assert result.payload["ClassRef"] == {"value": "201"}
    assert all("ClassRef" not in detail(line) for line in result.payload["Line"])


def test_lines_of_different_classes_leave_the_document_without_one_with_a_note(one_class_order):
    result = one_class_order("cls-west", "cls-sales")
    assert "ClassRef" not in result.payload
    assert result.notes == ("no class: the lines have 2 different ones, the document only one",)


@pytest.mark.parametrize(
    ("codes", "bill", "customer"),
    [
        ({"customerId": "0cu-cars"}, {}, "3"),
        ({"jobId": "job-1"}, {}, "4"),
        ({"customerId": "0cu-cars", "jobId": "job-1"}, {}, "4"),
        ({}, {"customerId": "0cu-cars"}, "3"),
        ({"customerId": "0cu-cars"}, {"jobId": "job-1"}, "3"),
    ],
)
def test_the_customer_or_job_of_a_line(line, codes, bill, customer):
    """The job is the closer one, but the line's own customer goes before the bill's job."""
    assert detail(line({**TRAVEL, **codes}, bill=bill))["CustomerRef"] == {"value": customer}


def test_an_item_line_has_its_customer_and_class_too(line):
    payload = line({"itemId": "0ii-pump", "customerId": "0cu-cars", "accountingClassId": "cls-sales"})
    assert detail(payload) == {
        "ItemRef": {"value": "11"},
        "ClassRef": {"value": "200"},
        "CustomerRef": {"value": "3"},
    }


def test_lines_keep_their_order_and_keys(map_order, bill_line):
    lines = [bill_line(id=name, amount=Decimal(number)) for number, name in enumerate("cab", start=1)]
    result = map_order(billLineItems=lines)
    assert result.line_keys == ("c", "a", "b")
    assert [line["Amount"] for line in result.payload["Line"]] == [1, 2, 3]


def test_a_description_is_cleaned_and_cut(line):
    assert line(TRAVEL, description="a\tb\r\n🚀c")["Description"] == "a b\nc"
    assert len(line(TRAVEL, description="x" * 5000)["Description"]) == 4000
    assert "Description" not in line(TRAVEL, description=" ")


def test_a_record_that_has_not_arrived_is_awaited(line):
    with pytest.raises(
        Refusal, match="refers to 0ca-later of BILL's chart of accounts, which has not arrived"
    ) as refusal:
        line(LATER)
    assert refusal.value.code == "chart_of_accounts-not-seen"
    assert refusal.value.awaited == Awaited("chart_of_accounts", "0ca-later")
