"""Finds the QuickBooks vendor of every BILL vendor, of a store that is lost. Pure.

The orders of its bills tell it; of a vendor without orders, its name, or its details if people changed that.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from target_quickbooks.adoption.likeness import BillVendor, QuickBooksVendor, spelled_alike
from target_quickbooks.mapping.names import comparable

#: Of organization and BILL id.
Key = tuple[str, str]
_ENOUGH_DETAILS = 2


@dataclass(slots=True)
class Pairs:
    """What was found.

    Attributes:
        found: QuickBooks id by vendor.
        shared: Those that are one with another BILL vendor, which alone their QuickBooks vendor follows.
        doubts: What a person should look at, by vendor.
        undecided: Vendors that the orders of their bills disagree about, beyond what a name can settle.
    """

    found: dict[Key, str] = field(default_factory=dict)
    shared: set[Key] = field(default_factory=set)
    doubts: dict[Key, str] = field(default_factory=dict)
    undecided: set[Key] = field(default_factory=set)


def pair_vendors(
    vendors: Sequence[BillVendor],
    held: Mapping[str, QuickBooksVendor],
    witnesses: Mapping[Key, Counter[str]],
    taken: Collection[str] = (),
    told: Mapping[str, str] = MappingProxyType({}),
) -> Pairs:
    """Find the vendors.

    Args:
        vendors: Those of BILL.
        held: Those of QuickBooks by id.
        witnesses: How many orders of a BILL vendor's bills each QuickBooks vendor has.
        taken: Ids of QuickBooks vendors that are linked already.
        told: What a person knows: ids of QuickBooks vendors by those of BILL vendors.
    """
    everyone = {vendor.key: vendor for vendor in vendors}
    pairs = Pairs(found={one.key: told[one.bill_id] for one in vendors if one.bill_id in told})
    by_name: defaultdict[str, list[QuickBooksVendor]] = defaultdict(list)
    for one in held.values():
        by_name[comparable(one.name)].append(one)
    named_by_orders = {quickbooks_id for votes in witnesses.values() for quickbooks_id in votes}
    votes = {
        vendor.key: Counter(
            {one: count for one, count in witnesses.get(vendor.key, {}).items() if one in held}
        )
        for vendor in vendors
    }
    without: defaultdict[str, list[BillVendor]] = defaultdict(list)
    for vendor in vendors:
        if not votes[vendor.key] and not vendor.archived:
            without[comparable(vendor.name)].append(vendor)
    for vendor in vendors:
        if votes[vendor.key] and vendor.key not in pairs.found:
            name = comparable(vendor.name)
            free = [
                one
                for one in by_name[name]
                if one.currency == vendor.currency
                and one.quickbooks_id not in named_by_orders
                and not _is_of_another(one, vendor, without[name])
            ]
            _by_orders(pairs, vendor, votes[vendor.key], held, free)
    gone = {*taken, *pairs.found.values()}
    rest = [one for one in vendors if one.key not in pairs.found and one.key not in pairs.undecided]
    _by_names(pairs, rest, by_name, gone)
    rest = [one for one in rest if one.key not in pairs.found and not one.archived]
    _by_details(pairs, rest, [one for one in held.values() if one.quickbooks_id not in gone])
    rest = [one for one in rest if one.key not in pairs.found]
    _by_names_of_others(pairs, rest, by_name, everyone)
    _share(pairs, everyone, held)
    return pairs


def _by_orders(
    pairs: Pairs,
    vendor: BillVendor,
    votes: Counter[str],
    held: Mapping[str, QuickBooksVendor],
    free: Sequence[QuickBooksVendor],
) -> None:
    """Believe the orders; where they disagree, the name, and then most of them."""
    ours = set(vendor.names())
    named = [one for one in votes if comparable(held[one].name) in ours]
    ranked = votes.most_common()
    told = ", ".join(f"{count} of vendor {one} ({held[one].name})" for one, count in ranked)
    if len(ranked) == 1 and (named or not free):
        pairs.found[vendor.key] = ranked[0][0]
        return
    if len(named) == 1:
        pairs.found[vendor.key] = named[0]
        pairs.doubts[vendor.key] = f"its orders disagree: {told}; its name decides for {named[0]}"
    elif not named and len(free) == 1:
        pairs.found[vendor.key] = free[0].quickbooks_id
        pairs.doubts[vendor.key] = f"its orders are {told}; its name decides for {free[0].quickbooks_id}"
    elif len(ranked) == 1 or ranked[0][1] > ranked[1][1]:
        pairs.found[vendor.key] = ranked[0][0]
        pairs.doubts[vendor.key] = f"its orders disagree: {told}; most of them decide"
    else:
        pairs.undecided.add(vendor.key)
        pairs.doubts[vendor.key] = f"its orders disagree: {told}; nothing decides"


def _share(pairs: Pairs, vendors: Mapping[Key, BillVendor], held: Mapping[str, QuickBooksVendor]) -> None:
    """Of several BILL vendors that are one in QuickBooks, it follows the one that it is named after."""
    sharing: defaultdict[str, list[Key]] = defaultdict(list)
    for key, quickbooks_id in pairs.found.items():
        sharing[quickbooks_id].append(key)
    for quickbooks_id, keys in sharing.items():
        if len(keys) > 1:
            name = comparable(held[quickbooks_id].name)
            first = min(keys, key=lambda one: (name not in vendors[one].names(), one))
            for key in set(keys) - {first}:
                pairs.shared.add(key)
                pairs.doubts[key] = f"one with BILL vendor {first[1]} in QuickBooks, which it follows"


def _by_names(
    pairs: Pairs,
    vendors: Iterable[BillVendor],
    by_name: Mapping[str, Sequence[QuickBooksVendor]],
    gone: set[str],
) -> None:
    """Take what has the name, or the name with an ending that we gave it; the most alike pair first."""
    ranked = sorted(
        (rank, vendor.key, one.quickbooks_id)
        for vendor in vendors
        for place, name in enumerate(vendor.names())
        for one in by_name.get(name, ())
        if one.quickbooks_id not in gone and one.currency == vendor.currency
        for rank in [_rank(vendor, one, place)]
    )
    _take(pairs, ((key, quickbooks_id) for _, key, quickbooks_id in ranked), gone)


def _is_of_another(one: QuickBooksVendor, vendor: BillVendor, namesakes: Sequence[BillVendor]) -> bool:
    """Whether a namesake without orders, which has nothing but its name, is as much like it."""
    return any(
        other.currency == one.currency and _likeness(other, one) >= _likeness(vendor, one)
        for other in namesakes
    )


def _likeness(vendor: BillVendor, one: QuickBooksVendor) -> int:
    """How many details are alike, less those that are not."""
    return len(vendor.details.shared(one.details)) - len(vendor.details.contradicted(one.details))


def _rank(vendor: BillVendor, one: QuickBooksVendor, place: int) -> tuple[bool, bool, int, int]:
    """How little alike they are: one that is active in BILL goes first, then details, then the name."""
    return vendor.archived, vendor.archived is one.active, -_likeness(vendor, one), place


def _by_details(pairs: Pairs, vendors: Sequence[BillVendor], held: Sequence[QuickBooksVendor]) -> None:
    """Take what people renamed: alike in two details, or in one and nearly in name; and nothing else is."""
    by_detail: defaultdict[tuple[str, str], list[QuickBooksVendor]] = defaultdict(list)
    for one in held:
        for pair in _pairs(one):
            by_detail[pair].append(one)
    found: dict[Key, list[str]] = {}
    claims: Counter[str] = Counter()
    for vendor in vendors:
        alike = {one.quickbooks_id: one for pair in _pairs(vendor) for one in by_detail[pair]}
        found[vendor.key] = [one.quickbooks_id for one in alike.values() if _is_alike(vendor, one)]
        claims.update(found[vendor.key])
    for key, ids in found.items():
        if len(ids) == 1 and claims[ids[0]] == 1:
            pairs.found[key] = ids[0]
            pairs.doubts[key] = (
                f"its name in QuickBooks is another one, its details are those of vendor {ids[0]}"
            )


def _is_alike(vendor: BillVendor, one: QuickBooksVendor) -> bool:
    if one.currency != vendor.currency:
        return False
    shared = len(vendor.details.shared(one.details))
    return shared >= _ENOUGH_DETAILS or (shared > 0 and spelled_alike(vendor.name, one.name))


def _by_names_of_others(
    pairs: Pairs,
    vendors: Sequence[BillVendor],
    by_name: Mapping[str, Sequence[QuickBooksVendor]],
    everyone: Mapping[Key, BillVendor],
) -> None:
    """Take what has the name, or it with our ending, though it has the orders of a vendor merged into it."""
    owners: defaultdict[str, list[BillVendor]] = defaultdict(list)
    for key, quickbooks_id in pairs.found.items():
        owners[quickbooks_id].append(everyone[key])
    names = Counter(name for vendor in vendors for name in vendor.names())
    for vendor in vendors:
        for name in vendor.names():
            alike = [one for one in by_name.get(name, ()) if one.currency == vendor.currency]
            theirs = owners[alike[0].quickbooks_id] if len(alike) == 1 and names[name] == 1 else []
            if theirs and all(name not in other.names() for other in theirs):
                pairs.found[vendor.key] = alike[0].quickbooks_id
                break


def _pairs(vendor: BillVendor | QuickBooksVendor) -> Iterator[tuple[str, str]]:
    details = vendor.details
    for name in ("tax_id", "account_number", "email", "phone", "address"):
        if value := getattr(details, name):
            yield name, value


def _take(pairs: Pairs, ranked: Iterable[tuple[Key, str]], gone: set[str]) -> None:
    for key, quickbooks_id in ranked:
        if key not in pairs.found and quickbooks_id not in gone:
            pairs.found[key] = quickbooks_id
            gone.add(quickbooks_id)
