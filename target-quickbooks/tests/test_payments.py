"""What is paid of a bill, whatever order its payments are seen in; and what its order's note says of it."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from target_quickbooks.mapping.names import NOTE_LENGTH
from target_quickbooks.mapping.payment_note import edited_note, note_lines, read_note, settled, write_note
from target_quickbooks.mapping.payment_records import observe_bill, observe_credit, observe_payment
from target_quickbooks.mapping.payments import (
    Account,
    Standing,
)
from target_quickbooks.mapping.purchase_order import marker, read_marker
from target_quickbooks.mapping.refusal import Refusal

BILL = "00n02BILL00000ABC123"
MARK = marker("00802TESTORGANIZATN1", BILL)
START = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
FORWARD = ["SCHEDULED", "FUNDING_STARTED", "PROCESSED", "SENT", "DELIVERED", "CLEARED"]
FAILED = ["DISBURSEMENT_FAILED_ACTION_NEEDED", "FUNDING_FAILED_ACTION_NEEDED"]
ENDED = ["CANCELED", "VOIDED", "FUNDING_FAILED_VOIDED"]
statuses = st.sampled_from([*FORWARD, *FAILED, *ENDED, "FUNDS_ESCHEATED", "VOID_PENDING", "SOMETHING_NEW"])
cents = st.integers(1, 100_000).map(lambda number: Decimal(number) / 100)
texts = st.text(st.characters(codec="utf-8", exclude_characters="[]"), max_size=60)


def at(day):
    return START + dt.timedelta(days=day)


def payment_record(ident="stp1", status="CLEARED", amount=Decimal(100), *, day=0, **fields):
    return {
        "id": ident,
        "vendorName": "Happy Music Supplies",
        "amount": amount,
        "billPayments": [{"billId": BILL, "amount": amount}],
        "processDate": "2026-12-31",
        "disbursementType": "ACH",
        "confirmationNumber": f"P24123101 - {ident}",
        "singleStatus": status,
        "updatedTime": at(day).isoformat(),
        **fields,
    }


def bill_record(status="UNPAID", amount=Decimal(100), paid=None, *, day=0):
    told = {} if paid is None else {"paidAmount": paid}
    return {
        "id": BILL,
        "amount": amount,
        "paymentStatus": status,
        "updatedTime": at(day).isoformat(),
        **told,
    }


def payment(*seen, **fields):
    """A payment seen in statuses, each with the day it was seen; its ``updatedTime`` never moves."""
    known = None
    for day, status in seen:
        known = observe_payment(payment_record(status=status, **fields), known, now=at(day))
    return known


def bill(status, *, seen=0, **fields):
    return observe_bill(bill_record(status, **fields), None, now=at(seen))


# --- what is paid -------------------------------------------------------------------------------------------


@given(st.lists(statuses, min_size=1, max_size=12))
def test_the_history_has_each_change_of_status_once_and_ends_with_the_latest(seen):
    found = payment(*enumerate(seen))
    names = [sight.name for sight in found.sights]
    assert names[-1] == seen[-1]
    assert all(one != other for one, other in itertools.pairwise(names))
    assert observe_payment(payment_record(status=seen[-1]), found, now=at(99)) == found


@given(st.lists(statuses, min_size=1, max_size=12), st.sampled_from(["UNPAID", "SCHEDULED"]))
def test_a_bill_learned_unpaid_is_paid_exactly_while_its_payment_is(seen, told):
    account = Account(BILL, bill(told), (payment(*enumerate(seen, start=1)),))
    assert account.is_paid(Decimal(0)) == (account.payments[0].standing is Standing.PAID)


@given(st.lists(statuses, min_size=1, max_size=12))
def test_a_bill_learned_paid_is_open_once_its_payment_is_seen_to_come_to_nothing(seen):
    account = Account(BILL, bill("PAID"), (payment((-1, "CLEARED"), *enumerate(seen, start=1)),))
    assert account.is_paid(Decimal(0)) == (account.payments[0].standing is Standing.PAID)


@given(st.lists(st.tuples(cents, statuses), max_size=6), cents, st.randoms())
def test_neither_order_nor_repetition_of_payments_matters(parts, amount, random):
    records = [payment_record(f"stp{n}", status, paid) for n, (paid, status) in enumerate(parts)]
    arrived = [*records, *records]
    random.shuffle(arrived)
    known = {}
    for record in arrived:
        known[record["id"]] = observe_payment(record, known.get(record["id"]), now=at(1))
    account = Account(BILL, bill("UNPAID", amount=amount), tuple(known[one] for one in sorted(known)))
    paid = sum((paid for paid, status in parts if status in {"CLEARED", "FUNDS_ESCHEATED"}), Decimal(0))
    assert account.paid == paid
    assert account.is_paid(Decimal(0)) == (paid >= amount)


@given(st.lists(st.tuples(cents, statuses), max_size=6))
def test_what_the_bill_says_counts_if_it_was_learned_last(parts):
    known = tuple(
        payment((0, status), ident=f"stp{n}", amount=paid) for n, (paid, status) in enumerate(parts)
    )
    assert not Account(BILL, bill("UNPAID", seen=1), known).is_paid(Decimal(0))
    assert Account(BILL, bill("PAID", seen=1), known).is_paid(Decimal(0))
    told = bill("PARTIALLY_PAID", paid=Decimal("12.34"), seen=1)
    assert Account(BILL, told, known).paid == Decimal("12.34")


def test_payments_that_were_never_tracked_stay_counted():
    """Sixty were paid before ``start_date``; the other forty clear, and are then voided."""
    told = bill("PARTIALLY_PAID", paid=Decimal(60))
    later = {"amount": Decimal(40)}
    sent = payment((0, "SENT"), **later)
    cleared = payment((0, "SENT"), (1, "CLEARED"), **later)
    voided = payment((0, "SENT"), (1, "CLEARED"), (2, "VOIDED"), **later)
    paid = [Account(BILL, told, (one,)).paid for one in (sent, cleared, voided)]
    assert paid == [60, 100, 60]


def test_a_payment_learned_after_its_bill_is_not_counted_twice():
    told = bill("PARTIALLY_PAID", paid=Decimal(60))
    assert Account(BILL, told, (payment((1, "CLEARED"), amount=Decimal(60)),)).paid == Decimal(60)


def test_a_void_that_is_the_first_that_is_heard_of_a_payment_takes_back_what_the_bill_says():
    voided = payment((1, "VOIDED"), day=1)
    assert Account(BILL, bill("PAID"), (voided,)).paid == 0
    earlier = payment((1, "VOIDED"), day=-1)
    assert Account(BILL, bill("PAID"), (earlier,)).paid == 100


def test_without_the_bill_its_payments_are_measured_by_the_order():
    account = Account(BILL, None, (payment((0, "CLEARED")),))
    assert account.is_paid(Decimal(100))
    assert not account.is_paid(Decimal("100.01"))


def test_an_older_version_is_passed_over():
    known = observe_payment(payment_record(status="VOIDED", day=2), None, now=at(2))
    assert observe_payment(payment_record(status="CLEARED", day=1), known, now=at(3)) is known
    told = observe_bill(bill_record("PAID", day=2), None, now=at(2))
    assert observe_bill(bill_record("UNPAID", day=1), told, now=at(3)) is told


def test_a_part_that_a_payment_loses_is_remembered_as_nothing():
    known = payment((0, "CLEARED"))
    moved = observe_payment(
        payment_record(billPayments=[{"billId": "00nOTHER", "amount": Decimal(100)}]), known, now=at(1)
    )
    assert moved.part_of(BILL).amount == 0
    assert {part.bill_id for part in moved.parts} == {BILL, "00nOTHER"}


@pytest.mark.parametrize(
    ("record", "standing"),
    [
        ({"singleStatus": None, "status": "PAID"}, Standing.PAID),
        ({"singleStatus": None, "status": "VOID"}, Standing.ENDED),
        ({"singleStatus": "SENT", "status": "PAID"}, Standing.MOVING),
        ({"singleStatus": None, "status": "APPROVING"}, Standing.MOVING),
        ({"singleStatus": None}, Standing.MOVING),
    ],
)
def test_the_finer_status_goes_before_the_coarser_one(record, standing):
    assert observe_payment({**payment_record(), **record}, None, now=at(0)).standing is standing


def test_an_amount_that_is_none_is_refused():
    with pytest.raises(Refusal, match="Payment stp1: billPayments is not a number"):
        observe_payment(payment_record(amount="many"), None, now=at(0))


# --- vendor credits -----------------------------------------------------------------------------------------


def credit(*uses, ident="vcr1", known=None):
    usage = [{"billId": BILL, "paymentId": paid_by, "amount": amount} for paid_by, amount in uses]
    record = {"id": ident, "referenceNumber": "CR-1", "creditDate": "2026-12-28", "usage": usage}
    return observe_credit(record | {"amount": Decimal(50)}, known)


def with_credit(status="CLEARED", **fields):
    parts = [
        {"billId": BILL, "amount": Decimal(90), "vendorCredits": [{"id": "vcr1", "amount": Decimal(10)}]}
    ]
    return payment((0, status), billPayments=parts, **fields)


def test_a_credit_named_by_its_payment_and_by_itself_counts_once():
    account = Account(BILL, None, (with_credit(),), (credit(("stp1", Decimal(10))),))
    assert account.credited == {"vcr1": 10}
    assert account.is_paid(Decimal(100))


def test_a_credit_of_which_only_the_payment_is_known_counts_until_that_ends():
    assert Account(BILL, None, (with_credit(),)).credited == {"vcr1": 10}
    assert Account(BILL, None, (with_credit("VOIDED"),)).credited == {}


def test_a_released_credit_no_longer_counts_and_its_line_goes():
    used = credit(("stp1", Decimal(10)))
    released = credit(known=used)
    noted = note_lines(Account(BILL, credits=(used,)))
    assert noted == ["Credited 10.00 on 2026-12-28, CR-1"]
    assert note_lines(Account(BILL, credits=(released,)), noted) == []


# --- the note -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "line"),
    [
        ("CLEARED", "Paid 228.99 on 2026-12-31 by ACH, P24123101 - 0411839"),
        ("VOIDED", "Voided 228.99 on 2026-12-31 by ACH, P24123101 - 0411839"),
        ("CANCELED", "Cancelled 228.99 on 2026-12-31 by ACH, P24123101 - 0411839"),
        ("FUNDING_FAILED_ACTION_NEEDED", "Failed 228.99 on 2026-12-31 by ACH, P24123101 - 0411839"),
        ("VOID_PENDING", "Being voided 228.99 on 2026-12-31 by ACH, P24123101 - 0411839"),
    ],
)
def test_each_payment_has_a_line(status, line):
    found = payment((0, status), amount=Decimal("228.99"), confirmationNumber="P24123101 - 0411839")
    assert note_lines(Account(BILL, payments=(found,))) == [line]


@pytest.mark.parametrize("status", FORWARD[:-1])
def test_what_is_on_its_way_is_not_noted(status):
    assert note_lines(Account(BILL, payments=(payment((0, status)),))) == []


@given(
    texts,
    st.lists(st.tuples(statuses, cents, texts), max_size=60),
    st.sampled_from(["", "ACH", "CHECK", "ODD, METHOD"]),
)
def test_the_mark_is_always_last_and_the_note_within_its_bounds(text, seen, method):
    found = tuple(
        payment((0, status), ident=f"stp{n}", amount=paid, confirmationNumber=ref, disbursementType=method)
        for n, (status, paid, ref) in enumerate(seen)
    )
    payload = {"PrivateNote": f"{text * 80}"[:3900], "POStatus": "Open"}
    after = settled(payload, Account(BILL, payments=found), noted=(), mark=MARK, closes=True)
    note = after["PrivateNote"]
    assert len(note) <= NOTE_LENGTH
    assert note.split("\n")[-1] == MARK
    assert read_marker(note) == ("00802TESTORGANIZATN1", BILL)


@given(st.lists(st.tuples(statuses, cents), max_size=20))
def test_settling_twice_changes_nothing(seen):
    found = tuple(payment((0, status), ident=f"stp{n}", amount=paid) for n, (status, paid) in enumerate(seen))
    account = Account(BILL, bill("UNPAID"), found)
    payload = {"PrivateNote": f"December trip\n{MARK}", "POStatus": "Open", "Line": [{"Amount": 100}]}
    once = settled(payload, account, noted=(), mark=MARK, closes=True)
    note = read_note(once["PrivateNote"])
    assert note.text == "December trip"
    again = settled({**once, "PrivateNote": note.text}, account, noted=note.lines, mark=MARK, closes=True)
    assert again == once


@given(st.lists(st.tuples(statuses, cents), min_size=1, max_size=8), st.integers(0, 8))
def test_a_ledger_that_is_lost_and_learned_again_leads_to_the_same_note(seen, count):
    """However many payments have been read so far: lines of the others stay as they are."""
    found = [payment((0, status), ident=f"stp{n}", amount=paid) for n, (status, paid) in enumerate(seen)]
    lines = note_lines(Account(BILL, payments=tuple(found)))
    assert note_lines(Account(BILL, payments=tuple(found[:count])), lines) == lines


def test_long_notes_lose_the_oldest_lines_and_say_so():
    lines = [f"Paid 1.00 on 2026-01-01 by ACH, reference number {number:04}" for number in range(100)]
    note = write_note("x" * 3900, lines, MARK)
    assert len(note) <= NOTE_LENGTH
    assert note.endswith(f"{lines[-1]}\n{MARK}")
    assert "\n... and " in note
    assert lines[0] not in note


@given(texts, texts)
def test_what_a_person_wrote_stays_when_only_payments_change(ours, theirs):
    assume(theirs.strip() and "\n" not in ours + theirs)
    line = "Paid 100.00 on 2026-12-31 by ACH, P1"
    before, after = write_note(ours, [], MARK), write_note(ours, [line], MARK)
    merged = edited_note(f"{before}\n{theirs}", before, after)
    assert merged.endswith(f"{line}\n{MARK}")
    assert theirs.strip() in merged


def test_where_our_own_text_changes_too_it_is_for_the_policy():
    assert edited_note("theirs", write_note("one", [], MARK), write_note("other", [], MARK)) is None


@pytest.mark.parametrize(("closes", "status"), [(True, "Closed"), (False, "Open"), (None, "Odd")])
def test_the_policy_decides_what_a_paid_bill_does(closes, status):
    account = Account(BILL, bill("PAID"))
    after = settled({"POStatus": "Odd", "PrivateNote": MARK}, account, noted=(), mark=MARK, closes=closes)
    assert after["POStatus"] == status
