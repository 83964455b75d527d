"""The walk's steps that only link: records are mapped as ever, and nothing is written to QuickBooks.

A link gets what the mapping says as last sent, and the record's fingerprints, so that the next run has
nothing to do. Where QuickBooks holds something else, a person may have changed it, or BILL since the last
write; nothing tells which any more. It stays, unless BILL's values are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

from typing_extensions import override

from target_quickbooks.adoption.held import as_held, differences, keyed, match_lines
from target_quickbooks.changes import Conflict, Submission
from target_quickbooks.comparison import Difference
from target_quickbooks.ledger import CREDITS
from target_quickbooks.links import Company, Link
from target_quickbooks.mapping.names import comparable, without_deleted
from target_quickbooks.mapping.purchase_order import VendorInQuickBooks
from target_quickbooks.mapping.refusal import Refusal
from target_quickbooks.mapping.source import Bill, Kind
from target_quickbooks.outcomes import Outcomes
from target_quickbooks.planning import Change, Item, Operation
from target_quickbooks.steps.linked_vendors import SeenVendor, Standing
from target_quickbooks.steps.order_step import OrderStep
from target_quickbooks.steps.surroundings import Surroundings
from target_quickbooks.steps.vendor_step import VendorStep
from target_quickbooks.store.failure_table import Failure
from target_quickbooks.transaction import BILL, VENDOR_CREDIT

_ARCHIVED = "vendor-archived"


@dataclass(frozen=True, slots=True)
class Differing:
    """A record that QuickBooks holds otherwise."""

    stream: str
    bill_id: str
    quickbooks_id: str
    label: str
    fields: tuple[str, ...]


@dataclass(slots=True)
class Relinked:
    """How relinking is to be done, and what came of it.

    Attributes:
        live: The object of an entity by id, as QuickBooks holds it.
        sends: Whether BILL's values are to be sent by the next run where QuickBooks holds others.
        reason: What the history says of each link.
        linked: How many links were made, by stream.
        differing: What QuickBooks holds otherwise.
        unmapped: How many records could not be mapped; the next run looks at them again.
    """

    live: Callable[[str, str], Mapping[str, Any]]
    sends: bool
    reason: str
    linked: dict[str, int] = field(default_factory=dict)
    differing: list[Differing] = field(default_factory=list)
    unmapped: int = 0

    def plan(self, item: Item | Change) -> Change:
        """The one change that a record gets: its link."""
        bare = item.item if isinstance(item, Change) else item
        if bare.link is None:
            return Change(Operation.SKIP, bare, reason="not in QuickBooks")
        self.linked[bare.stream] = self.linked.get(bare.stream, 0) + 1
        link = bare.link
        change = Change(
            Operation.LINK,
            bare,
            quickbooks_id=link.quickbooks_id,
            sync_token=link.sync_token,
            reason=self.reason,
            moved=link,
        )
        if isinstance(item, Change):
            self.unmapped += item.operation is Operation.BLOCKED
            return change
        return self._as_mapped(change, item, link)

    def _as_mapped(self, change: Change, item: Item, link: Link) -> Change:
        """The link with what BILL wants as last sent, or with what is there."""
        live = self.live(link.entity, link.quickbooks_id)
        ids = match_lines(item.mapped, live) if "Line" in item.mapped.payload else {}
        different = tuple(one for one in differences(item.mapped, live) if not _is_ours(one, item, live))
        if different:
            names = tuple(one.field for one in different)
            found = Differing(item.stream, item.bill_id, link.quickbooks_id, item.mapped.label, names)
            self.differing.append(found)
        if different and self.sends:
            held = as_held(item.mapped, live, different, ids)
            there = {key: line_id for key, line_id in ids.items() if line_id}
            return replace(change, moved=replace(link, desired=held, line_ids=there))
        return replace(change, moved=None, item=replace(item, link=replace(link, line_ids=ids)))


class LinkingOutlet:
    """Records links; whatever else is planned goes nowhere."""

    def __init__(
        self, outcomes: Outcomes, links: Callable[[Company, str, Iterable[str]], dict[str, Link]]
    ) -> None:
        self._outcomes = outcomes
        self._links = links

    def settle_open_intents(self, realm_id: str) -> list[Submission]:
        """What was interrupted is for the next run that writes."""
        del realm_id
        return []

    def apply(self, submissions: Sequence[Submission], *, replan: bool = True) -> list[Conflict]:
        """Record the links."""
        del replan
        self._outcomes.silent([one for one in submissions if one.change.operation is Operation.LINK])
        return []

    def record_failure(self, company: Company, failure: Failure) -> None:
        """Failures are for the next run to find."""

    def pending_links(self, company: Company, entity: str, bill_ids: Iterable[str]) -> dict[str, Link]:
        """Links that are to be made."""
        return self._links(company, entity, bill_ids)


@dataclass(frozen=True, kw_only=True)
class VendorRelinking(VendorStep):
    """Maps vendors, and links them."""

    relinked: Relinked

    @override
    def ready_for_bills(self, company: Company, links: Mapping[str, Link]) -> dict[str, SeenVendor]:
        return {bill_id: SeenVendor(link, Standing.ACTIVE) for bill_id, link in links.items()}

    @override
    def _item(
        self, company: Company, record: Mapping[str, Any], link: Link | None, owners: Any
    ) -> Item | Change:
        if link and link.reference_only:
            return Change(Operation.SKIP, self.bare_item(record, link))
        return super()._item(company, record, link, {})

    @override
    def _plan(self, company: Company, items: Sequence[Item | Change]) -> list[Change]:
        return [self.relinked.plan(item) for item in items]


@dataclass(frozen=True, kw_only=True)
class OrderRelinking(OrderStep):
    """Maps bills, and links their purchase orders."""

    relinked: Relinked

    @cached_property
    @override
    def _vendors(self) -> VendorStep:
        return VendorRelinking(**{member.name: getattr(self, member.name) for member in fields(self)})

    @override
    def _is_active(self, bill: Bill) -> bool:
        """All are mapped: what is out of use needs to be known as it was last sent."""
        return True

    @override
    def _item(
        self,
        company: Company,
        record: Mapping[str, Any],
        link: Link | None,
        bill: Bill,
        around: Surroundings | None,
    ) -> Item | Change:
        if link:
            link = keyed(link, [line.id for line in bill.lines])
            used = replace(bill, archived=False, approval_status="APPROVED")
            item = super()._item(company, record, link, used, around)
            if isinstance(item, Item):
                live = self.relinked.live(link.entity, link.quickbooks_id)
                ids = match_lines(item.mapped, live)
                link = replace(link, desired=item.mapped.payload, line_ids=ids)
        return super()._item(company, record, link, bill, around)

    @override
    def _vendor(self, bill: Bill, around: Surroundings, *, has_order: bool) -> VendorInQuickBooks:
        """The bill's vendor, also if it was archived after the order was written."""
        try:
            return super()._vendor(bill, around, has_order=has_order)
        except Refusal as refusal:
            seen = around.vendors.get(bill.vendor_id)
            if refusal.code != _ARCHIVED or seen is None:
                raise
            reference = around.references.get((Kind.VENDOR, bill.vendor_id))
            currency = (reference.currency if reference else "") or around.chart.company.home_currency
            return VendorInQuickBooks(seen.link.quickbooks_id, bill.vendor_name, currency)

    @override
    def _plan(self, company: Company, items: Sequence[Item | Change], given_up: Any = ()) -> list[Change]:
        return [self.relinked.plan(item) for item in items]

    @override
    def _replace(self, company: Company, pending: Any, items: Any) -> None:
        """Nothing is given up."""


class BillRelinking(OrderRelinking):
    """Maps bills, and links them with bills of QuickBooks."""

    entity = BILL.entity
    transaction = BILL


class CreditRelinking(OrderRelinking):
    """Maps vendor credits, and links them."""

    stream = CREDITS
    entity = VENDOR_CREDIT.entity
    transaction = VENDOR_CREDIT


def _is_ours(found: Difference, item: Item, live: Mapping[str, Any]) -> bool:
    """Whether a name or number differs because the one asked for was taken, or by what QuickBooks adds."""
    if found.field == "DisplayName":
        wanted, name = comparable(str(found.after)), comparable(without_deleted(str(found.before or "")))
        endings = ("(vendor)", f"({item.bill_id[-6:].casefold()})")
        currency = (live.get("CurrencyRef") or {}).get("value")
        return name == wanted or any(
            name == f"{wanted} {ending}" for ending in (*endings, f"({str(currency).casefold()})")
        )
    if found.field == "DocNumber":
        return f"~{item.bill_id[-6:]}" in str(found.before or "")
    return False
