"""The items of a write batch on their way out, and what the answers say about each. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from target_quickbooks.changes import Submission, to_document
from target_quickbooks.mapping.names import comparable
from target_quickbooks.mapping.purchase_order import read_marker
from target_quickbooks.planning import Operation
from target_quickbooks.quickbooks.faults import Fault, Recovery, faults_in
from target_quickbooks.quickbooks.responses import BatchAnswer
from target_quickbooks.store.intent_table import Intent

_PASSING = frozenset({Recovery.RETRY, Recovery.REFRESH})


@dataclass(frozen=True, slots=True)
class Sent:
    """An item of a batch with its intent."""

    submission: Submission
    intent: Intent

    @property
    def creates(self) -> bool:
        """Whether applying it twice would make two objects."""
        return self.submission.change.operation is Operation.CREATE

    @property
    def adds_lines(self) -> bool:
        """Whether it updates an object by lines that it does not have yet."""
        lines = self.submission.change.body.get("Line") or ()
        return not self.creates and any("Id" not in line for line in lines)


@dataclass(frozen=True, slots=True)
class Decided:
    """An item that QuickBooks decided on: the answer, and the faults in it.

    Attributes:
        found: The answer is not the request's own but the object that was found to be there.
        unsure: The refusal may only mean that an earlier attempt was applied.
    """

    item: Sent
    answer: Mapping[str, Any]
    faults: Sequence[Fault] = ()
    found: bool = False
    unsure: bool = False


def intent_of(submission: Submission, request_id: str, number: int, created_at: dt.datetime) -> Intent:
    """What is put on disk before the submission leaves as an item of a request.

    Args:
        submission: The change.
        request_id: Of the request.
        number: The item's number in it, from 1.
        created_at: When it was tried first, by QuickBooks' clock.
    """
    change = submission.change
    return Intent(
        company=submission.company,
        stream=change.item.stream,
        bill_id=change.item.bill_id,
        entity=change.item.mapped.entity,
        operation=str(change.operation),
        payload_digest=change.item.payload_digest,
        request_id=request_id,
        batch_item_id=f"i{number}",
        document=to_document(submission),
        created_at=created_at,
    )


def batch_item(item: Sent) -> dict[str, Any]:
    """The item as it is sent."""
    change = item.submission.change
    # QuickBooks can void payments only; others are changed to what a void makes of them.
    voids = change.operation is Operation.VOID and change.item.mapped.entity == "BillPayment"
    options = {"optionsData": "void"} if voids else {}
    return {
        "bId": item.intent.batch_item_id,
        "operation": "create" if item.creates else "update",
        **options,
        change.item.mapped.entity: change.body,
    }


def decisions(sent: Sequence[Sent], answer: BatchAnswer) -> tuple[list[Decided], list[Sent]]:
    """What QuickBooks decided on, and what it left undecided: everything, if answers are mixed up."""
    decided: list[Decided] = []
    undecided: list[Sent] = []
    for item in sent:
        found = answer.by_id.get(item.intent.batch_item_id, {})
        faults = faults_in(found, tid=answer.tid)
        if _is_decided(item, found, faults):
            decided.append(Decided(item, found, faults))
        else:
            undecided.append(item)
    if answer.mixed_up or _are_mixed_up(decided):
        return [], list(sent)
    return decided, undecided


def _is_decided(item: Sent, answer: Mapping[str, Any], faults: Sequence[Fault]) -> bool:
    """Faults that pass or cannot be read, and an answer without the object, say nothing about the write."""
    if faults:
        return faults[0].recovery not in _PASSING
    if answer.get("Fault") or answer.get("fault"):
        return False
    stored = answer.get(item.submission.item.mapped.entity)
    return isinstance(stored, Mapping) and bool(stored.get("Id"))


def _are_mixed_up(decided: Sequence[Decided]) -> bool:
    """Whether items carry each other's answers: the object of another id, bill, or vendor of the batch.

    Only what must differ counts: after a merge two records may well update one object.
    """
    applied = [
        (one.item, one.answer.get(one.item.submission.item.mapped.entity) or {})
        for one in decided
        if not one.faults
    ]
    if any(
        str(stored["Id"]) != item.submission.change.quickbooks_id
        for item, stored in applied
        if not item.creates
    ):
        return True
    created = [(item, stored) for item, stored in applied if item.creates]
    ids = {(item.intent.entity, str(stored["Id"])) for item, stored in created}
    names = {_name(item.submission.change.body) for item, _ in created}
    return len(ids) < len(created) or any(_is_anothers(item, stored, names) for item, stored in created)


def _is_anothers(item: Sent, stored: Mapping[str, Any], names: set[str]) -> bool:
    mark = read_marker(str(stored.get("PrivateNote") or ""))
    if mark and mark != (item.intent.company.organization_id, item.intent.bill_id):
        return True
    own, name = _name(item.submission.change.body), _name(stored)
    return bool(own) and name != own and name in names


def _name(body: Mapping[str, Any]) -> str:
    return comparable(str(body.get("DisplayName") or ""))
