"""What is to be done about a bill's purchase order: create, update, close, link, skip or block."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from target_quickbooks.changes import Submission, from_document, link_after, to_document
from target_quickbooks.exact_json import from_json, to_json
from target_quickbooks.mapping.chart import ClassTracking
from target_quickbooks.mapping.payload import Mapped
from target_quickbooks.mapping.purchase_order import VendorInQuickBooks, read_marker
from target_quickbooks.order_edits import resolve_order_edits
from target_quickbooks.order_planning import plan_found_order, plan_linked_order, plan_order
from target_quickbooks.planning import Operation, plan_linked
from target_quickbooks.policies import BilledOrder, EditConflict, Policies

BILL = "00n02BILL00000ABC123"
EURO = VendorInQuickBooks("42", "Musik GmbH", "EUR")
SEVERAL = {"multicurrency": True}


@pytest.fixture(scope="session")
def order(map_order, make_item):
    """The item of a BILL bill."""

    def build(*, link=None, archived=False, **bill):
        return make_item(map_order(**bill), bill_id=BILL, stream="bills", link=link, archived=archived)

    return build


@pytest.fixture(scope="session")
def written(order):
    """The link of an order that was created as given, and what QuickBooks answered."""

    def build(**bill):
        change = plan_order(order(**bill), None, "")
        lines = [{**line, "Id": str(number)} for number, line in enumerate(change.body["Line"], start=1)]
        stored = {**change.body, "Id": "257", "SyncToken": "0", "Line": lines}
        return link_after(change, stored), stored

    return build


@pytest.fixture(scope="session")
def replanned(order, written):
    def build(before, after):
        link, _ = written(**before)
        return plan_linked_order(order(link=link, **after), link)

    return build


@pytest.fixture(scope="session")
def lines(bill_line):
    """Lines of the given ids and amounts."""

    def build(**amounts):
        return [bill_line(id=key, amount=Decimal(amount)) for key, amount in amounts.items()]

    return build


def fields(change):
    """What an update changes."""
    return {
        found.field: change.body[found.field] for found in change.differences if found.field in change.body
    }


def test_a_new_order_is_created(order):
    item = order()
    change = plan_order(item, None, "INV-1~ABC123")
    assert (change.operation, change.body) == (Operation.CREATE, item.mapped.payload)


def test_a_paid_bill_is_created_closed(order):
    change = plan_order(order(paymentStatus="PAID"), None, "")
    assert (change.operation, change.body["POStatus"]) == (Operation.CREATE, "Closed")


def test_a_taken_number_is_made_distinct(order):
    change = plan_order(order(), {"Id": "9", "DocNumber": "INV-1"}, "INV-1~ABC123")
    assert (change.operation, change.body["DocNumber"]) == (Operation.CREATE, "INV-1~ABC123")


def test_an_archived_bill_that_was_never_written_is_skipped(order):
    assert plan_order(order(archived=True), None, "").operation is Operation.SKIP


def test_an_unchanged_bill_is_skipped(replanned):
    assert replanned({}, {}).operation is Operation.SKIP


def test_amounts_written_with_more_zeros_are_unchanged(replanned, lines):
    assert (
        replanned({"billLineItems": lines(a="5")}, {"billLineItems": lines(a="5.00")}).operation
        is Operation.SKIP
    )


def test_only_what_changed_is_sent_with_the_required_references(replanned):
    """Sparse updates still need them (QuickBooks manual 6.0.1)."""
    change = replanned({}, {"dueDate": "2027-01-31"})
    assert change.operation is Operation.UPDATE
    assert change.body == {
        "Id": "257",
        "SyncToken": "0",
        "sparse": True,
        "VendorRef": {"value": "41"},
        "APAccountRef": {"value": "33"},
        "DueDate": "2027-01-31",
    }


def test_a_header_change_leaves_the_lines_alone(replanned):
    """The array replaces all lines, so it is only sent when a line changed (manual 6.0.1)."""
    assert "Line" not in replanned({}, {"description": "Other"}).body


def test_a_paid_bill_closes_its_order(replanned):
    change = replanned({}, {"paymentStatus": "PAID"})
    assert (change.operation, fields(change)) == (Operation.CLOSE, {"POStatus": "Closed"})


def test_a_bill_whose_payment_was_voided_opens_its_order_again(replanned):
    change = replanned({"paymentStatus": "PAID"}, {"paymentStatus": "UNPAID"})
    assert (change.operation, fields(change)) == (Operation.UPDATE, {"POStatus": "Open"})


def test_lines_keep_their_ids(replanned, lines):
    """One changed, one removed, one new, and in another order."""
    change = replanned(
        {"billLineItems": lines(a="1", b="2", c="3")}, {"billLineItems": lines(c="3", a="10", d="4")}
    )
    sent = [(line.get("Id"), line["Amount"]) for line in change.body["Line"]]
    assert sent == [("3", 3), ("1", 10), (None, 4)]


def test_the_line_of_a_bill_without_lines_stays_in_place(replanned):
    coded = {"billLineItems": [], "classifications": {"chartOfAccountId": "0ca-travel"}}
    change = replanned({**coded, "amount": 1}, {**coded, "amount": 2})
    assert [line.get("Id") for line in change.body["Line"]] == ["1"]


@pytest.mark.parametrize(
    ("field", "company", "codes"),
    [
        ("DepartmentRef", {}, {"locationId": "loc-austin"}),
        ("ClassRef", {"class_tracking": ClassTracking.PER_DOCUMENT}, {"accountingClassId": "cls-sales"}),
    ],
)
def test_a_reference_of_the_header_is_cleared_by_an_empty_value(replanned, field, company, codes):
    change = replanned({"classifications": codes, "company": company}, {"company": company})
    assert fields(change) == {field: {"value": ""}}


def test_a_reference_of_a_line_is_cleared_with_the_line(replanned, bill_line):
    codes = {"chartOfAccountId": "0ca-travel", "accountingClassId": "cls-sales"}
    change = replanned({"billLineItems": [bill_line(classifications=codes)]}, {})
    [line] = change.body["Line"]
    assert line["AccountBasedExpenseLineDetail"] == {"AccountRef": {"value": "60"}}


def test_a_date_that_bill_no_longer_holds_is_left_as_it_is(replanned):
    """QuickBooks has no empty date; nothing else changed, so nothing is sent."""
    change = replanned({}, {"dueDate": None})
    assert (change.operation, change.quickbooks_id) == (Operation.LINK, "257")


def test_an_order_whose_currency_changes_is_given_up(replanned):
    """QuickBooks fixes an order's currency for life: it is closed, and its note frees the bill."""
    foreign = {"vendor": EURO, "fundingAmount": Decimal("163.90"), "exchangeRate": Decimal("1.1")}
    change = replanned({"company": SEVERAL}, {"company": SEVERAL, **foreign})
    assert change.operation is Operation.CLOSE
    assert fields(change)["POStatus"] == "Closed"
    assert read_marker(fields(change)["PrivateNote"]) is None
    assert change.item.source_digest == ""


def test_a_currency_is_not_sent_again(replanned):
    foreign = {"vendor": EURO, "company": SEVERAL, "fundingAmount": Decimal("163.90")}
    change = replanned(
        {**foreign, "exchangeRate": Decimal("1.1")},
        {**foreign, "fundingAmount": Decimal("178.80"), "exchangeRate": Decimal("1.2")},
    )
    assert fields(change) == {"ExchangeRate": Decimal("1.2")}


# --- found in QuickBooks by the BILL id in the note ---------------------------------------------------------


def as_quickbooks_shows_it(stored):
    """Names beside references, numbers in another form, fields of its own."""
    lines = [{**line, "LineNum": 1, "Received": 0, "Amount": Decimal("149.0")} for line in stored["Line"]]
    vendor = {**stored["VendorRef"], "name": "Happy Music Supplies"}
    return {**stored, "VendorRef": vendor, "Line": lines, "TotalAmt": Decimal("149.0"), "domain": "QBO"}


def test_a_found_order_that_is_as_it_should_be_is_only_linked(order, written):
    _, stored = written()
    change = plan_found_order(order(), as_quickbooks_shows_it(stored), Policies())
    assert (change.operation, change.quickbooks_id, change.sync_token) == (Operation.LINK, "257", "0")


def test_a_found_order_that_differs_is_updated_in_place(order, written, bill_line):
    _, stored = written()
    change = plan_found_order(
        order(billLineItems=[bill_line(amount=Decimal(150))]), as_quickbooks_shows_it(stored), Policies()
    )
    assert change.operation is Operation.UPDATE
    assert [(line["Id"], line["Amount"]) for line in change.body["Line"]] == [("1", 150)]
    assert set(fields(change)) == {"Line"}


def test_a_found_order_of_other_lines_gets_ours(order, written, lines):
    _, stored = written()
    change = plan_found_order(order(billLineItems=lines(a="1", b="2")), stored, Policies())
    assert [line.get("Id") for line in change.body["Line"]] == ["1", None]


def test_a_found_order_that_is_closed_stays_closed(order, written):
    """Nobody knows any more whether a person closed it."""
    _, stored = written()
    change = plan_found_order(order(), {**stored, "POStatus": "Closed"}, Policies())
    assert change.operation is Operation.LINK


def test_a_found_order_of_a_paid_bill_is_closed(order, written):
    _, stored = written()
    change = plan_found_order(order(paymentStatus="PAID"), stored, Policies())
    assert (change.operation, fields(change)) == (Operation.CLOSE, {"POStatus": "Closed"})


@pytest.mark.parametrize(
    ("policy", "operation"), [(BilledOrder.LEAVE, Operation.LINK), (BilledOrder.UPDATE, Operation.UPDATE)]
)
def test_a_found_order_with_a_bill_follows_the_policy(order, written, bill_line, policy, operation):
    _, stored = written()
    live = {**stored, "LinkedTxn": [{"TxnId": "9", "TxnType": "Bill"}]}
    changed = order(billLineItems=[bill_line(amount=Decimal(150))])
    change = plan_found_order(changed, live, Policies(billed_order=policy))
    assert change.operation is operation
    assert ("already has a bill" in change.reason) == (policy is BilledOrder.LEAVE)


# --- edited in QuickBooks -----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def edited(order, written):
    """The plan for a bill that changed, after QuickBooks said that somebody edited its order."""

    def build(live, policy, **after):
        link, stored = written()
        live = {**as_quickbooks_shows_it(stored), "SyncToken": "7", **live}
        return resolve_order_edits(
            plan_linked(order(link=link, **after), link), link, live, Policies(edit_conflict=policy)
        )

    return build


def test_numbers_in_another_form_are_no_edit(edited, bill_line):
    """149.0 for 149.00, and line fields that QuickBooks adds."""
    after = {"billLineItems": [bill_line(amount=Decimal(150))]}
    assert edited({}, EditConflict.HOLD, **after).operation is Operation.UPDATE


def test_what_quickbooks_filled_in_by_itself_is_no_edit(order, written):
    """The bill had no date yet, so QuickBooks took its own."""
    link, stored = written(invoice={"invoiceNumber": "INV-1"})
    live = {**stored, "SyncToken": "7", "TxnDate": "2026-12-16"}
    change = resolve_order_edits(
        plan_linked(order(link=link), link), link, live, Policies(edit_conflict=EditConflict.HOLD)
    )
    assert fields(change) == {"TxnDate": "2026-12-15"}


def test_an_edited_line_is_a_conflict(edited, bill_line):
    live = {"Line": [{"Id": "1", "Amount": Decimal(1)}]}
    change = edited(live, EditConflict.HOLD, billLineItems=[bill_line(amount=Decimal(150))])
    assert (change.code, "line 1 (amount)" in change.reason) == ("edit-conflict", True)


def test_a_removed_line_is_a_conflict(edited, bill_line):
    change = edited({"Line": []}, EditConflict.HOLD, billLineItems=[bill_line(amount=Decimal(150))])
    assert change.code == "edit-conflict"


def test_lines_stay_in_place_after_an_edit_of_something_else(edited, bill_line):
    change = edited({"Memo": "x"}, EditConflict.BILL_WINS, billLineItems=[bill_line(amount=Decimal(150))])
    assert [line["Id"] for line in change.body["Line"]] == ["1"]
    assert change.body["SyncToken"] == "7"


def test_what_only_quickbooks_writes_is_not_sent_back(edited):
    live = {"TotalAmt": Decimal(149), "MetaData": {"CreateTime": "2026-12-16"}, "Memo": "Rear dock"}
    change = edited(live, EditConflict.BILL_WINS, dueDate="2027-01-31")
    assert change.body["Memo"] == "Rear dock"
    assert not {"TotalAmt", "MetaData"} & set(change.body)
    assert all("Received" not in line for line in change.body["Line"])
    assert [line["Id"] for line in change.body["Line"]] == ["1"]


# --- links and documents ------------------------------------------------------------------------------------


def test_the_link_remembers_where_each_line_went(written, lines):
    link, _ = written(billLineItems=lines(a="1", b="2"))
    assert link.line_ids == {"a": "1", "b": "2"}
    assert (link.quickbooks_id, link.sync_token, link.quickbooks_name) == ("257", "0", "INV-1")


def test_an_update_without_lines_keeps_what_is_known_of_them(make_item, written, bill_line):
    """Closing an archived bill maps no lines anew; a line without an id must not shift the others."""
    before = [bill_line(id="", amount=Decimal(1)), bill_line(id="b", amount=Decimal(2))]
    link, stored = written(billLineItems=before)
    closed = {**link.desired, "POStatus": "Closed"}
    mapped = Mapped("PurchaseOrder", closed, "bill", line_keys=tuple(link.line_ids))
    change = plan_linked(make_item(mapped, bill_id=BILL, stream="bills", link=link), link)
    assert change.operation is Operation.CLOSE
    assert link_after(change, {**stored, "SyncToken": "1"}).line_ids == {"#1": "1", "b": "2"}


def test_an_answer_without_lines_keeps_what_is_known_of_them(order, written):
    link, _ = written()
    change = plan_linked(order(link=link, dueDate="2027-01-31"), link)
    assert link_after(change, {"Id": "257", "SyncToken": "1"}).line_ids == {"bli01": "1"}


def test_a_name_longer_than_the_store_keeps_is_cut(order):
    """QuickBooks may add " (deleted)" to a name of full length."""
    change = plan_order(order(), None, "")
    assert len(link_after(change, {"Id": "1", "DisplayName": "x" * 510}).quickbooks_name) == 500


def test_a_change_survives_as_a_document(order, written, pair, bill_record):
    """What an intent keeps is enough to send the change again and to record how it ended."""
    link, _ = written()
    change = plan_linked(order(link=link, dueDate="2027-01-31", paymentStatus="PAID"), link)
    submission = Submission(pair, bill_record(), change)
    document = from_json(to_json(to_document(submission)))
    revived = from_document(pair, "bills", BILL, document)
    assert revived.record == submission.record
    assert revived.change.operation is Operation.CLOSE
    assert revived.change.body == change.body
    assert revived.change.differences == change.differences
    assert (
        link_after(revived.change, {"Id": "257", "SyncToken": "1"}).payload_digest
        == change.item.payload_digest
    )


# --- three ways, field by field -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("live", "after", "word"),
    [
        ({"DueDate": "2027-02-02"}, {"dueDate": "2027-01-31"}, "due date"),
        ({"PrivateNote": "Mine"}, {"description": "Other"}, "memo"),
        ({"TxnDate": "2027-02-02"}, {"invoice": {"invoiceNumber": "INV-1"}}, None),
        ({"VendorRef": {"value": "9"}}, {"vendor": VendorInQuickBooks("43", "Bolt", "USD")}, "vendor"),
        ({"DocNumber": "7"}, {"invoice": {"invoiceNumber": "INV-2", "invoiceDate": "2026-12-15"}}, "number"),
    ],
)
def test_a_field_that_both_sides_changed_is_named_in_words(edited, live, after, word):
    change = edited(live, EditConflict.HOLD, **after)
    if word is None:
        assert change.operation is Operation.LINK
    else:
        assert (change.code, change.reason.endswith(f"both in: {word}.")) == ("edit-conflict", True)
        assert "the next run goes on by itself" in change.advice


@pytest.mark.parametrize(("policy", "due"), [("bill_wins", "2027-01-31"), ("quickbooks_wins", "2027-02-02")])
def test_the_policy_decides_field_by_field(edited, policy, due):
    live = {"DueDate": "2027-02-02"}
    change = edited(live, EditConflict(policy), dueDate="2027-01-31", description="Other")
    assert (change.body["DueDate"], change.body["PrivateNote"][:5]) == (due, "Other")
    assert any("due date" in note for note in change.item.mapped.notes)


def test_what_quickbooks_has_already_takes_no_write(edited):
    assert edited({"DueDate": "2027-01-31"}, EditConflict.HOLD, dueDate="2027-01-31").operation is (
        Operation.LINK
    )


@pytest.mark.parametrize("field", ["VendorRef", "APAccountRef"])
def test_a_required_reference_that_a_person_changed_is_not_changed_back(edited, field):
    change = edited({field: {"value": "9"}}, EditConflict.BILL_WINS, dueDate="2027-01-31")
    assert change.body[field] == {"value": "9"}


def test_a_number_made_distinct_by_us_is_no_edit(order, written):
    link, stored = written()
    link = replace(link, quickbooks_name="INV-1~ABC123")
    live = {**as_quickbooks_shows_it(stored), "DocNumber": "INV-1~ABC123"}
    after = order(link=link, invoice={"invoiceNumber": "INV-2", "invoiceDate": "2026-12-15"})
    hold = Policies(edit_conflict=EditConflict.HOLD)
    change = resolve_order_edits(plan_linked_order(after, link), link, live, hold)
    assert change.body["DocNumber"] == "INV-2"


def test_a_location_that_quickbooks_never_kept_is_no_edit(edited):
    change = edited({}, EditConflict.HOLD, classifications={"locationId": "loc-austin"})
    assert change.body["DepartmentRef"] == {"value": "300"}


def test_the_old_vendors_address_does_not_stay_on_the_order(edited):
    live = {"VendorAddr": {"Line1": "1 Acme Road"}, "POEmail": {"Address": "ap@acme.example"}}
    change = edited(live, EditConflict.BILL_WINS, vendor=VendorInQuickBooks("43", "Bolt", "USD"))
    assert (change.body["VendorAddr"], change.body["POEmail"]) == ({}, {})


def test_tax_that_quickbooks_worked_out_is_not_sent_with_other_amounts(edited, bill_line):
    live = {"TxnTaxDetail": {"TotalTax": Decimal(10)}}
    changed = edited(live, EditConflict.BILL_WINS, billLineItems=[bill_line(amount=Decimal(150))])
    kept = edited(live, EditConflict.BILL_WINS, dueDate="2027-01-31")
    assert ("TxnTaxDetail" in changed.body, "TxnTaxDetail" in kept.body) == (False, True)


def test_lines_that_cannot_be_told_apart_are_one_field(order, written, lines):
    """A link that does not know where each line went."""
    link, stored = written(billLineItems=lines(a="1", b="2"))
    link = replace(link, line_ids={"a": "1"})
    live = {**stored, "Line": [{**line, "Amount": Decimal(9)} for line in stored["Line"]]}
    after = plan_linked_order(order(link=link, billLineItems=lines(a="1", b="3")), link)
    held = resolve_order_edits(after, link, live, Policies(edit_conflict=EditConflict.HOLD))
    assert held.reason.endswith("both in: lines.")
    wins = resolve_order_edits(after, link, live, Policies())
    assert [line["Amount"] for line in wins.body["Line"]] == [1, 3]


@pytest.mark.parametrize(
    "live",
    [
        {"LinkedTxn": [{"TxnId": "9", "TxnType": "Bill"}]},
        {"Line": [{"Id": "1", "Amount": Decimal(149), "Received": Decimal(5)}]},
    ],
)
@pytest.mark.parametrize(
    ("policy", "operation"), [(BilledOrder.LEAVE, Operation.SKIP), (BilledOrder.UPDATE, Operation.UPDATE)]
)
def test_an_order_with_a_bill_follows_the_policy(order, written, live, policy, operation):
    link, stored = written()
    change = plan_linked_order(order(link=link, dueDate="2027-01-31"), link)
    settled = resolve_order_edits(change, link, {**stored, **live}, Policies(billed_order=policy))
    assert settled.operation is operation
    assert ("left as it is (due date would change)" in settled.reason) == (operation is Operation.SKIP)


def test_giving_up_an_order_keeps_what_a_person_wrote_on_it(order, written):
    foreign = {"company": SEVERAL, "vendor": EURO, "fundingAmount": Decimal("163.90")}
    link, stored = written(company=SEVERAL)
    change = plan_linked_order(order(link=link, exchangeRate=Decimal("1.1"), **foreign), link)
    live = {**stored, "PrivateNote": f"Ask Dana\n{stored['PrivateNote']}", "SyncToken": "7"}
    settled = resolve_order_edits(change, link, live, Policies(edit_conflict=EditConflict.HOLD))
    assert settled.operation is Operation.CLOSE
    assert settled.body["PrivateNote"].startswith("Ask Dana")
    assert settled.body["PrivateNote"].endswith(f"[replaced, was BILL 00802TESTORGANIZATN1/{BILL}]")
    assert settled.body["CurrencyRef"] == {"value": "USD"}
