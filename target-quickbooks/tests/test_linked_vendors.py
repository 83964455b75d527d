"""How vendors that were written before stand in QuickBooks, and where merged ones went."""

from __future__ import annotations

from dataclasses import replace

import pytest
from target_quickbooks.changes import link_after
from target_quickbooks.links import Company, Link
from target_quickbooks.mapping.refusal import Refusal
from target_quickbooks.planning import Operation
from target_quickbooks.policies import InactiveVendor, MissingInQuickBooks, Policies
from target_quickbooks.report import RunReport
from target_quickbooks.steps.linked_vendors import LinkedVendors, SeenVendor, Standing
from target_quickbooks.steps.vendor_step import VendorStep, as_last_sent
from target_quickbooks.store import link_table

ACME = Link(
    "Vendor",
    "009A",
    "41",
    "7",
    quickbooks_name="Acme",
    payload_digest="payload",
    source_digest="source",
    desired={"DisplayName": "Acme", "Active": True, "TaxIdentifier": "XXXXXX8777", "AcctNum": "7"},
)
SURVIVOR = {"Id": "58", "SyncToken": "3", "DisplayName": "Acme Corp", "Active": True}


def inactive(vendor_id="41", **members):
    return {"Id": vendor_id, "SyncToken": "8", "DisplayName": "Acme (deleted)", "Active": False, **members}


def order(number, vendor):
    return {"Id": str(number), "SyncToken": "0", "VendorRef": {"value": vendor}}


class Directory:
    """Objects by entity; counts what is asked for."""

    def __init__(self, company, vendors=(), orders=(), others=None):
        self._company = company
        self._objects = {
            "Vendor": {found["Id"]: found for found in vendors},
            "PurchaseOrder": {found["Id"]: found for found in orders},
        }
        self._others = others or {}
        self.asked = []

    def company(self):
        return self._company

    def objects(self, entity, ids):
        self.asked.append((entity, list(ids)))
        return {found: self._objects[entity][found] for found in ids if found in self._objects[entity]}

    def vendors_named(self, _):
        return {}

    def names_held_by_others(self, _):
        return self._others


class Outlet:
    """Takes every change as QuickBooks would, and keeps the links."""

    def __init__(self, store, moment):
        self._store, self._moment = store, moment
        self.changes = []

    def apply(self, submissions, **_):
        for submission in submissions:
            change = submission.change
            self.changes.append(change)
            if change.operation.writes or change.operation is Operation.LINK:
                stored = {"Id": change.quickbooks_id or "99", "SyncToken": "9"}
                with self._store.writing() as connection:
                    link = link_after(change, stored if change.operation.writes else None)
                    link_table.save(connection, submission.company, link, now=self._moment)
        return []

    def pending_links(self, *_):
        return {}


@pytest.fixture
def engine():
    return "sqlite"


@pytest.fixture
def saved(store, pair, moment):
    """Stores links: those given, and of orders that were last sent with vendor 41."""

    def save(*links, orders=0, company=pair):
        sent = [
            Link("PurchaseOrder", f"00n{number}", str(number), "0", desired={"VendorRef": {"value": "41"}})
            for number in range(orders)
        ]
        with store.writing() as connection:
            for link in (*links, *sent):
                link_table.save(connection, company, link, now=moment)

    return save


@pytest.fixture
def quickbooks(store, company, moment):
    """Looks vendors up in a company of these objects."""

    def build(**objects):
        directory, outlet = Directory(company(), **objects), Outlet(store, moment)
        return LinkedVendors(store, directory, outlet, RunReport()), directory, outlet

    return build


@pytest.fixture
def stored(store, pair):
    def find(bill_id="009A"):
        with store.reading() as connection:
            return link_table.find(connection, pair, "Vendor", [bill_id]).get(bill_id)

    return find


def test_a_vendor_that_is_there_is_active(quickbooks, pair):
    vendors, directory, outlet = quickbooks(vendors=[{"Id": "41", "SyncToken": "8"}])
    seen = vendors.look(pair, {"009A": ACME})["009A"]
    assert (seen.standing, seen.link, seen.live["SyncToken"]) == (Standing.ACTIVE, ACME, "8")
    assert directory.asked == [("Vendor", ["41"])]
    assert outlet.changes == []


def test_what_was_active_is_asked_for_again_only_where_it_matters(quickbooks, pair):
    vendors, directory, _ = quickbooks(vendors=[{"Id": "41", "SyncToken": "8"}])
    for again in (False, False, True):
        assert vendors.look(pair, {"009A": ACME}, again=again)["009A"].standing is Standing.ACTIVE
    assert len(directory.asked) == 2


@pytest.mark.parametrize("left", [[], [inactive()]])
def test_a_link_follows_the_orders_of_a_merged_vendor(saved, quickbooks, stored, pair, left):
    saved(ACME, orders=2)
    vendors, _, outlet = quickbooks(vendors=[SURVIVOR, *left], orders=[order(0, "58"), order(1, "58")])
    seen = vendors.look(pair, {"009A": ACME})["009A"]
    assert (seen.standing, seen.live) == (Standing.ACTIVE, SURVIVOR)
    moved = replace(ACME, quickbooks_id="58", sync_token="3", quickbooks_name="Acme Corp", source_digest="")
    assert seen.link == stored() == moved
    [change] = outlet.changes
    assert (change.operation, change.reason) == (Operation.LINK, "merged in QuickBooks into 'Acme Corp'")
    assert [(found.before, found.after) for found in change.differences] == [("41", "58")]


@pytest.mark.parametrize(
    "orders",
    [
        [],
        [order(0, "58"), order(1, "59")],
        [order(0, "41"), order(1, "58")],
        [order(0, "41"), order(1, "41")],
        [order(0, "77"), order(1, "77")],
        [{"Id": "0"}, {"Id": "1"}],
    ],
    ids=["none left", "two vendors", "not all moved", "none moved", "of an unknown vendor", "of no vendor"],
)
@pytest.mark.parametrize(("left", "standing"), [([], Standing.GONE), ([inactive()], Standing.INACTIVE)])
def test_orders_that_do_not_agree_tell_of_no_merge(saved, quickbooks, stored, pair, orders, left, standing):
    saved(ACME, orders=2)
    vendors, _, outlet = quickbooks(vendors=[SURVIVOR, {**SURVIVOR, "Id": "59"}, *left], orders=orders)
    seen = vendors.look(pair, {"009A": ACME})["009A"]
    assert (seen.standing, seen.link) == (standing, ACME)
    assert stored() == ACME
    assert outlet.changes == []


def test_a_vendor_without_an_heir_is_not_looked_for_twice(saved, quickbooks, pair):
    saved(ACME, orders=1)
    vendors, directory, _ = quickbooks(orders=[order(0, "41")])
    for _ in range(2):
        vendors.look(pair, {"009A": ACME})
    assert [entity for entity, _ in directory.asked].count("PurchaseOrder") == 1


def test_a_vendor_that_we_made_inactive_ourselves_is_not_looked_for(saved, quickbooks, pair):
    archived = replace(ACME, desired={**ACME.desired, "Active": False})
    saved(archived, orders=1)
    vendors, directory, _ = quickbooks(vendors=[inactive(), SURVIVOR], orders=[order(0, "58")])
    seen = vendors.look(pair, {"009A": archived})["009A"]
    assert (seen.standing, seen.stopped_by_a_person) == (Standing.INACTIVE, False)
    assert [entity for entity, _ in directory.asked] == ["Vendor"]


@pytest.mark.parametrize("organization", ["00802TESTORGANIZATN1", "00802OTHER"])
def test_a_survivor_that_has_a_bill_vendor_is_shared(saved, quickbooks, stored, pair, organization):
    saved(ACME, orders=1)
    saved(Link("Vendor", "009B", "58", "3"), company=Company(pair.realm_id, organization))
    vendors, _, outlet = quickbooks(vendors=[SURVIVOR], orders=[order(0, "58")])
    assert vendors.look(pair, {"009A": ACME})["009A"].link.reference_only
    assert stored().reference_only
    assert "keeps following the BILL vendor it had" in outlet.changes[0].reason


def test_of_two_vendors_merged_into_a_third_one_is_followed(saved, quickbooks, pair):
    other = replace(ACME, bill_id="009B", quickbooks_id="42")
    saved(ACME, other, orders=1)
    sent = Link("PurchaseOrder", "00n9", "9", "0", desired={"VendorRef": {"value": "42"}})
    saved(sent)
    vendors, _, _ = quickbooks(vendors=[SURVIVOR], orders=[order(0, "58"), order(9, "58")])
    seen = vendors.look(pair, {"009A": ACME, "009B": other})
    assert [found.link.reference_only for found in seen.values()] == [False, True]


# --- bills --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("standing", "has_order", "code"),
    [
        (Standing.ACTIVE, False, None),
        (Standing.INACTIVE, False, "vendor-inactive"),
        (Standing.INACTIVE, True, None),
        (Standing.GONE, False, "vendor-gone"),
        (Standing.GONE, True, "vendor-gone"),
    ],
)
def test_bills_wait_for_their_vendor(standing, has_order, code):
    seen = SeenVendor(ACME, standing)
    if code is None:
        seen.check("bill '1' of Acme", "Acme", has_order=has_order)
        return
    with pytest.raises(Refusal, match=r"^Bill '1' of Acme waits: its vendor 'Acme'") as refused:
        seen.check("bill '1' of Acme", "Acme", has_order=has_order)
    assert refused.value.code == code


RESTORE = Policies(
    inactive_vendor=InactiveVendor.REACTIVATE, missing_in_quickbooks=MissingInQuickBooks.RECREATE
)


@pytest.fixture
def step(store, company, moment):
    def build(policies, **objects):
        outlet = Outlet(store, moment)
        return VendorStep(store, Directory(company(), **objects), outlet, policies, RunReport()), outlet

    return build


def test_a_vendor_that_bills_need_is_made_active_again(saved, step, stored, pair):
    saved(ACME)
    vendors, outlet = step(RESTORE, vendors=[inactive()])
    seen = vendors.ready_for_bills(pair, {"009A": ACME})["009A"]
    assert seen.standing is Standing.ACTIVE
    [change] = outlet.changes
    assert (change.body["Active"], change.body["DisplayName"]) == (True, "Acme")
    assert "TaxIdentifier" not in change.body
    assert stored().payload_digest == ACME.payload_digest


def test_a_vendor_that_bills_need_is_written_anew_as_it_was_last_sent(saved, step, stored, pair):
    """But for the tax id, of which only the end is known."""
    saved(ACME)
    vendors, outlet = step(RESTORE)
    seen = vendors.ready_for_bills(pair, {"009A": ACME})["009A"]
    assert (seen.standing, seen.link.quickbooks_id) == (Standing.ACTIVE, "99")
    [change] = outlet.changes
    assert change.operation is Operation.CREATE
    assert change.body == {"DisplayName": "Acme", "Active": True, "AcctNum": "7"}
    assert stored().payload_digest != ACME.payload_digest


@pytest.mark.parametrize(
    ("live", "standing"), [([], Standing.GONE), ([inactive()], Standing.INACTIVE)], ids=["gone", "inactive"]
)
def test_nothing_is_brought_back_unless_the_policy_says_so(saved, step, pair, live, standing):
    saved(ACME)
    vendors, outlet = step(Policies(), vendors=live)
    assert vendors.ready_for_bills(pair, {"009A": ACME})["009A"].standing is standing
    assert outlet.changes == []


@pytest.mark.parametrize(
    ("live", "operation"),
    [
        ([], Operation.CREATE),
        ([inactive()], Operation.UPDATE),
        ([{**inactive(), "Active": True}], Operation.SKIP),
    ],
    ids=["gone", "inactive", "active"],
)
def test_bringing_back_goes_on_after_a_crash(saved, step, pair, live, operation):
    """What stands for the BILL record is all that an interrupted write leaves."""
    saved(ACME)
    record = as_last_sent(pair, SeenVendor(ACME, Standing.GONE))
    vendors, outlet = step(RESTORE, vendors=live)
    vendors.write(pair, [record])
    assert [change.operation for change in outlet.changes] == [operation]


def test_a_vendor_whose_link_was_forgotten_is_not_brought_back(step, pair):
    vendors, outlet = step(RESTORE)
    vendors.write(pair, [as_last_sent(pair, SeenVendor(ACME, Standing.GONE))])
    assert [change.operation for change in outlet.changes] == [Operation.SKIP]


def test_a_vendor_of_which_nothing_is_known_is_not_brought_back(saved, step, pair):
    bare = Link("Vendor", "009A", "41", "7")
    saved(bare)
    vendors, outlet = step(RESTORE)
    assert vendors.ready_for_bills(pair, {"009A": bare})["009A"].standing is Standing.GONE
    assert outlet.changes == []
