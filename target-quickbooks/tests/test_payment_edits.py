"""What becomes of a person's memo when payments change the note of an order."""

from __future__ import annotations

from dataclasses import replace

import pytest
from target_quickbooks.changes import link_after
from target_quickbooks.mapping.payment_note import read_note, write_note
from target_quickbooks.mapping.purchase_order import marker
from target_quickbooks.order_edits import resolve_order_edits
from target_quickbooks.order_planning import plan_linked_order, plan_order
from target_quickbooks.planning import Operation
from target_quickbooks.policies import EditConflict, Policies

BILL = "00n02BILL00000ABC123"
MARK = marker("00802TESTORGANIZATN1", BILL)
LINE = "Paid 149.00 on 2026-12-31 by ACH, P1"


@pytest.fixture(scope="module")
def paid(map_order, make_item):
    """The change that a payment makes to an order whose memo in QuickBooks is as given."""

    def build(memo, policy):
        new = make_item(map_order(), bill_id=BILL, stream="bills")
        change = plan_order(new, None, "")
        lines = [{**line, "Id": str(number)} for number, line in enumerate(change.body["Line"], start=1)]
        stored = {**change.body, "Id": "257", "SyncToken": "0", "Line": lines}
        link = link_after(change, stored)
        text = read_note(link.desired["PrivateNote"]).text
        payload = {**link.desired, "PrivateNote": write_note(text, [LINE], MARK), "POStatus": "Closed"}
        item = replace(new, mapped=replace(new.mapped, payload=payload), link=link, payload_digest="paid")
        live = stored | {"PrivateNote": memo}
        return resolve_order_edits(plan_linked_order(item, link), link, live, Policies(edit_conflict=policy))

    return build


@pytest.mark.parametrize("policy", list(EditConflict))
def test_it_stays_whatever_the_policy_for_conflicts_is(paid, policy):
    change = paid(f"Call Dana\n{MARK}", policy)
    assert change.operation is Operation.CLOSE
    assert change.body["PrivateNote"] == f"Call Dana\n{LINE}\n{MARK}"


@pytest.mark.parametrize("memo", ["", f"{MARK} and more"])
def test_the_mark_comes_back_and_is_last(paid, memo):
    note = paid(memo, EditConflict.BILL_WINS).body["PrivateNote"]
    assert note.endswith(f"{LINE}\n{MARK}")


def test_a_memo_that_says_so_already_is_not_sent(paid):
    change = paid(f"Call Dana\n{LINE}\n{MARK}", EditConflict.BILL_WINS)
    assert "PrivateNote" not in [found.field for found in change.differences]
