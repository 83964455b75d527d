"""A planned change on its way to QuickBooks: with its company and BILL record, and as a document.

The document is what an intent keeps on disk: all that is needed to send the change again after a crash
and to record how it ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from target_quickbooks.comparison import Difference
from target_quickbooks.links import Company, Link, name_held
from target_quickbooks.mapping.payload import Mapped
from target_quickbooks.planning import Change, Item, Operation
from target_quickbooks.quickbooks.faults import Fault
from target_quickbooks.redaction import last_four


@dataclass(frozen=True, slots=True)
class Submission:
    """A change, the company it belongs to and the BILL record it came from."""

    company: Company
    record: Mapping[str, Any]
    change: Change

    @property
    def item(self) -> Item:
        """The planned record."""
        return self.change.item


@dataclass(frozen=True, slots=True)
class Conflict:
    """A change QuickBooks refused for a reason that planning again may overcome."""

    submission: Submission
    fault: Fault


def to_document(submission: Submission) -> dict[str, Any]:
    """The change as a JSON-like document."""
    change, item = submission.change, submission.item
    return {
        "record": submission.record,
        "operation": str(change.operation),
        "body": change.body,
        "quickbooks_id": change.quickbooks_id,
        "sync_token": change.sync_token,
        "differences": [[found.field, found.before, found.after] for found in change.differences],
        "line_keys": list(change.line_keys),
        "item": {
            "version": item.version,
            "payload_digest": item.payload_digest,
            "source_digest": item.source_digest,
            "archived": item.archived,
        },
        "mapped": {
            "entity": item.mapped.entity,
            "payload": item.mapped.payload,
            "label": item.mapped.label,
            "line_keys": list(item.mapped.line_keys),
        },
    }


def from_document(company: Company, stream: str, bill_id: str, document: Mapping[str, Any]) -> Submission:
    """The change a document was made from; its link is looked up anew by whoever plans it again."""
    mapped, item = document["mapped"], document["item"]
    return Submission(
        company=company,
        record=document["record"],
        change=Change(
            operation=Operation(document["operation"]),
            item=Item(
                stream=stream,
                bill_id=bill_id,
                version=item["version"],
                mapped=Mapped(
                    entity=mapped["entity"],
                    payload=mapped["payload"],
                    label=mapped["label"],
                    line_keys=tuple(mapped["line_keys"]),
                ),
                link=None,
                payload_digest=item["payload_digest"],
                source_digest=item["source_digest"],
                archived=item["archived"],
            ),
            body=document["body"],
            differences=tuple(Difference(*found) for found in document["differences"]),
            quickbooks_id=document["quickbooks_id"],
            sync_token=document["sync_token"],
            line_keys=tuple(document.get("line_keys") or ()),
        ),
    )


def link_after(change: Change, stored: Mapping[str, Any] | None = None) -> Link:
    """The link once a change is in QuickBooks.

    Args:
        change: The change.
        stored: The object as QuickBooks answered it; None if nothing was written.
    """
    if change.moved:
        return change.moved
    item, previous = change.item, change.item.link
    desired = dict(item.mapped.payload)
    if desired.get("TaxIdentifier"):
        desired["TaxIdentifier"] = last_four(str(desired["TaxIdentifier"]))
    line_ids = _line_ids(change, stored)
    source = stored or {}
    return Link(
        entity=item.mapped.entity,
        bill_id=item.bill_id,
        quickbooks_id=str(source.get("Id") or change.quickbooks_id),
        sync_token=str(source.get("SyncToken") or change.sync_token),
        quickbooks_name=name_held(source) or (previous.quickbooks_name if previous else ""),
        payload_digest=item.payload_digest,
        source_digest=item.source_digest,
        desired=desired,
        line_ids=line_ids,
    )


def _line_ids(change: Change, stored: Mapping[str, Any] | None) -> dict[str, str]:
    """Where each line of the bill is in QuickBooks; empty for one that is not there."""
    mapped, previous = change.item.mapped, change.item.link
    known = {**(previous.line_ids if previous else {}), **change.line_ids}
    sent_lines = any(found.field == "Line" for found in change.differences)
    if sent_lines and stored is not None and isinstance(stored.get("Line"), list):
        keys = change.line_keys or mapped.line_keys
        known = {
            key: str(line["Id"]) for key, line in zip(keys, stored["Line"], strict=False) if line.get("Id")
        }
    return {key: known.get(key, "") for key in mapped.line_keys}
