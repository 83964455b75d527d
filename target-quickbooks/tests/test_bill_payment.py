"""What pays which bill how far: payments and credits as bill payments, whatever BILL says of them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_quickbooks.mapping.bill_payment import (
    PaidFrom,
    Room,
    Settlement,
    Share,
    check,
    is_voided_payment,
    map_settlement,
    missing,
    rate_of,
    settlement_by_credit,
    settlement_of,
)
from target_quickbooks.mapping.chart import Entry
from target_quickbooks.mapping.payment_records import observe_credit, observe_payment
from target_quickbooks.mapping.payments import Standing
from target_quickbooks.mapping.refusal import Refusal

BANK = Entry("35", "Checking", "Checking", type="Bank")
CARD = Entry("42", "Visa", "Visa", type="Credit Card")
cents = st.integers(0, 50_000).map(lambda number: Decimal(number) / 100)
bills = st.sampled_from(["b1", "b2", "b3"])
credit_ids = st.sampled_from(["c1", "c2"])
shares = st.builds(Share, bills, cents, st.lists(st.tuples(credit_ids, cents), max_size=2).map(tuple))


def payment_of(record, moment):
    whole = {"id": "stp1", "vendorId": "009", "vendorName": "Acme", "singleStatus": "CLEARED", **record}
    return observe_payment(whole, None, now=moment)


def settlement(**fields):
    values = {
        "id": "stp1",
        "vendor_id": "009",
        "vendor_name": "Acme",
        "money": Decimal(100),
        "date": "2026-12-31",
        "method": "ACH",
        "reference": "P24123101 - 0411839",
        "standing": Standing.PAID,
        "version": "",
        "shares": (Share("b1", Decimal(100)),),
    }
    return Settlement(**values | fields)


def paid_from(**fields):
    values = {
        "organization_id": "008",
        "vendor_id": "41",
        "payables_id": "33",
        "account": BANK,
        "bills": {"b1": "201", "b2": "202"},
        "credits": {"c1": "301"},
    }
    return PaidFrom(**values | fields)


# --- room ---------------------------------------------------------------------------------------------------


@given(
    wanted=st.lists(st.lists(shares, max_size=3, unique_by=lambda one: one.bill_id).map(tuple), max_size=5),
    left=st.dictionaries(bills, cents),
    credited=st.dictionaries(credit_ids, cents),
)
def test_no_bill_is_paid_beyond_its_amount_and_no_credit_used_beyond_its_own(wanted, left, credited):
    room = Room(dict(left), dict(credited))
    taken = [share for one in wanted for share in room.take(settlement(shares=one))]
    for bill_id in ("b1", "b2", "b3"):
        paid = sum((share.amount for share in taken if share.bill_id == bill_id), Decimal(0))
        assert paid <= left.get(bill_id, Decimal(0))
        assert room.bills.get(bill_id, Decimal(0)) == left.get(bill_id, Decimal(0)) - paid
    for credit_id in ("c1", "c2"):
        used = sum(
            (amount for share in taken for one, amount in share.credits if one == credit_id), Decimal(0)
        )
        assert used <= credited.get(credit_id, Decimal(0))


@given(st.lists(shares, min_size=1, max_size=3, unique_by=lambda one: one.bill_id).map(tuple))
def test_what_fits_is_taken_whole(wanted):
    room = Room(
        dict.fromkeys(("b1", "b2", "b3"), Decimal(10_000)), dict.fromkeys(("c1", "c2"), Decimal(10_000))
    )
    taken = {share.bill_id: share.amount for share in room.take(settlement(shares=wanted))}
    assert taken == {share.bill_id: share.amount for share in wanted if share.amount}


@given(
    wanted=st.lists(shares, min_size=1, max_size=3, unique_by=lambda one: one.bill_id).map(tuple),
    left=st.dictionaries(bills, cents),
    credited=st.dictionaries(credit_ids, cents),
)
def test_lines_never_come_to_more_than_the_money_that_moves(wanted, left, credited):
    """Bills less credits: QuickBooks refuses a payment whose lines are more than its total."""
    money = sum((share.money for share in wanted), Decimal(0))
    taken = Room(dict(left), dict(credited)).take(settlement(shares=wanted, money=money))
    paid = sum((share.amount for share in taken), Decimal(0))
    used = sum((amount for share in taken for _, amount in share.credits), Decimal(0))
    assert paid - used <= money


# --- reading ------------------------------------------------------------------------------------------------


def test_a_payment_of_several_bills_has_a_share_of_each(moment):
    parts = [{"billId": "b2", "amount": 30}, {"billId": "b1", "amount": Decimal("70.50")}]
    found = settlement_of(payment_of({"amount": Decimal("100.50"), "billPayments": parts}, moment), {})
    assert found.shares == (Share("b1", Decimal("70.50")), Share("b2", Decimal(30)))
    assert (found.money, found.bill_ids, found.credit_ids) == (Decimal("100.50"), ("b1", "b2"), ())


def test_a_credit_that_was_read_tells_itself_where_it_is_used(moment):
    part = {
        "billId": "b1",
        "amount": 80,
        "vendorCredits": [{"id": "c1", "amount": 20}, {"id": "c9", "amount": 5}],
    }
    payment = payment_of({"amount": 80, "billPayments": [part]}, moment)
    usage = [{"billId": "b1", "paymentId": "stp1", "amount": 15}]
    credit = observe_credit({"id": "c1", "vendorId": "009", "amount": 40, "usage": usage}, None)
    found = settlement_of(payment, {"c1": credit})
    assert found.shares == (Share("b1", Decimal(80), (("c1", Decimal(15)), ("c9", Decimal(5)))),)


def test_a_credit_used_without_a_payment_settles_by_itself():
    usage = [{"billId": "b1", "amount": 15}, {"billId": "b2", "paymentId": "stp1", "amount": 5}]
    credit = observe_credit({"id": "c1", "vendorId": "009", "amount": 40, "usage": usage}, None)
    found = settlement_by_credit(credit)
    assert (found.money, found.standing, found.is_payment) == (0, Standing.PAID, False)
    assert found.shares == (Share("b1", Decimal(0), (("c1", Decimal(15)),)),)


def test_a_credit_that_is_used_no_more_comes_to_nothing():
    before = observe_credit({"id": "c1", "usage": [{"billId": "b1", "amount": 15}]}, None)
    credit = observe_credit({"id": "c1", "usage": [], "updatedTime": "2"}, before)
    assert settlement_by_credit(credit).standing is Standing.ENDED


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"shares": (Share("b1", Decimal(101)),)}, "payment-does-not-add-up"),
        ({"shares": (Share("b1", Decimal("0.005")),)}, "fraction-of-a-cent"),
    ],
)
def test_parts_that_do_not_fit_the_whole_are_refused(fields, code):
    with pytest.raises(Refusal) as refused:
        check(settlement(**fields))
    assert refused.value.code == code


def test_what_is_not_in_quickbooks_is_waited_for():
    both = settlement(shares=(Share("b1", Decimal(80), (("c1", Decimal(20)),)),))
    first = missing(both, [], [])
    assert (first.awaited.stream, first.awaited.bill_id) == ("bills", "b1")
    second = missing(both, ["b1"], [])
    assert (second.awaited.stream, second.awaited.bill_id) == ("vendor_credits", "c1")
    assert missing(both, ["b1"], ["c1"]) is None


# --- mapping ------------------------------------------------------------------------------------------------


def test_a_check_is_not_to_be_printed_and_its_note_has_the_id():
    mapped = map_settlement(settlement(), [Share("b1", Decimal(100))], paid_from())
    assert mapped.payload["CheckPayment"] == {"BankAccountRef": {"value": "35"}, "PrintStatus": "NotSet"}
    assert mapped.payload["PrivateNote"] == "BILL payment by ach, P24123101 - 0411839\n[BILL 008/stp1]"
    assert mapped.payload["DocNumber"] == "P24123101 - 0411839"
    assert mapped.payload["Line"] == [
        {"Amount": Decimal(100), "LinkedTxn": [{"TxnId": "201", "TxnType": "Bill"}]}
    ]
    assert mapped.line_keys == ("201",)


def test_a_card_is_named_as_such():
    mapped = map_settlement(settlement(), [Share("b1", Decimal(100))], paid_from(account=CARD))
    assert mapped.payload["PayType"] == "CreditCard"
    assert mapped.payload["CreditCardPayment"] == {"CCAccountRef": {"value": "42"}}


def test_a_credit_used_for_two_bills_is_one_line():
    used = [Share("b1", Decimal(60), (("c1", Decimal(10)),)), Share("b2", Decimal(40), (("c1", Decimal(5)),))]
    lines = map_settlement(settlement(), used, paid_from()).payload["Line"]
    assert [(line["LinkedTxn"][0]["TxnId"], line["Amount"]) for line in lines] == [
        ("201", Decimal(70)),
        ("202", Decimal(45)),
        ("301", Decimal(15)),
    ]


def test_what_is_paid_too_much_is_told():
    mapped = map_settlement(settlement(), [Share("b1", Decimal(60))], paid_from())
    assert mapped.payload["TotalAmt"] == Decimal(100)
    assert mapped.notes == ("40.00 more than is to be paid, left with the vendor as a credit",)


def test_nothing_left_to_pay_is_refused():
    with pytest.raises(Refusal, match="finds nothing to pay"):
        map_settlement(settlement(), [], paid_from())


@pytest.mark.parametrize(
    ("funding", "rates", "expected"),
    [
        (Decimal(110), ["1.2"], Decimal("1.1000000")),
        (None, ["1.2", "1.2"], Decimal("1.2")),
        (None, ["1.2", "1.3"], None),
        (None, [], None),
    ],
)
def test_the_rate_is_what_bill_paid_else_that_of_the_bills(funding, rates, expected):
    assert rate_of(settlement(funding=funding), [Decimal(rate) for rate in rates]) == expected


def test_a_reference_cannot_pass_for_our_mark():
    mapped = map_settlement(settlement(reference="[BILL 1/2]"), [Share("b1", Decimal(100))], paid_from())
    assert mapped.payload["PrivateNote"].count("[BILL") == 1


def test_a_void_payment_is_known_by_what_is_left_of_it():
    assert is_voided_payment({"TotalAmt": 0, "Line": []})
    assert not is_voided_payment({"TotalAmt": 0, "Line": [{"Amount": 5}]})
    assert not is_voided_payment({"TotalAmt": 5, "Line": []})
