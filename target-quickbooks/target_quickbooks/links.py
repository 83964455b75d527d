"""What a link between a BILL record and its QuickBooks object is. Values only; the store keeps them.

The link, not the name, is identity: it survives renames, merges and re-activation on either side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from target_quickbooks.mapping.names import own_name

_NAME_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Company:
    """The pair of companies a run works for; every link, failure and audit row is keyed by it."""

    realm_id: str
    organization_id: str


@dataclass(frozen=True, slots=True)
class Link:
    """A BILL record, its QuickBooks object, and what was last sent.

    Attributes:
        quickbooks_name: A vendor's own name, or a document's number: see ``name_held``.
        desired: The mapped payload of the last write, tax id left out. Names and document numbers are
            the ones asked for; what QuickBooks or a conflict made of them is in ``quickbooks_name``.
        payload_digest: Keyed fingerprint of the whole mapped payload, tax id included.
        source_digest: Keyed fingerprint of the BILL record itself, to skip unchanged ones unmapped.
        line_ids: BILL line id to QuickBooks line id.
        reference_only: The object follows another BILL record, with which it was merged in QuickBooks; this
            one only tells what others refer to.
    """

    entity: str
    bill_id: str
    quickbooks_id: str
    sync_token: str
    quickbooks_name: str = ""
    payload_digest: str = ""
    source_digest: str = ""
    desired: Mapping[str, Any] = field(default_factory=dict)
    line_ids: Mapping[str, str] = field(default_factory=dict)
    reference_only: bool = False


def name_held(live: Mapping[str, Any]) -> str:
    """What an object of QuickBooks is called in its link: a vendor's own name, or a document's number.

    A vendor that is inactive is called as it was before: "(deleted)" is never sent as part of its name.
    """
    return (own_name(live) or str(live.get("DocNumber") or ""))[:_NAME_LENGTH]
