"""How the walk's steps plan again what QuickBooks refused: a fake outlet answers with scripted refusals."""

from __future__ import annotations

import pytest
from target_quickbooks.changes import Conflict
from target_quickbooks.links import Link
from target_quickbooks.mapping.names import comparable
from target_quickbooks.mapping.source import Kind, read_reference
from target_quickbooks.planning import Operation
from target_quickbooks.policies import (
    DeniedBill,
    MissingInQuickBooks,
    Policies,
    UnapprovedBill,
    VendorConflict,
)
from target_quickbooks.quickbooks.faults import Fault
from target_quickbooks.report import RunReport
from target_quickbooks.steps.order_step import OrderStep
from target_quickbooks.steps.vendor_step import VendorStep
from target_quickbooks.store import link_table, reference_table

NAME = "Happy Music Supplies"
STALE, NAME_TAKEN, NUMBER_TAKEN, NO_LOCATION = (Fault(code, "") for code in ("5010", "6240", "6140", "2010"))


class ScriptedOutlet:
    """Refuses the first changes with the given faults and takes the rest."""

    def __init__(self, *faults):
        self.faults = list(faults)
        self.changes = []

    def apply(self, submissions, *, replan=True):
        conflicts = []
        for submission in submissions:
            self.changes.append(submission.change)
            if submission.change.operation.writes and self.faults:
                conflicts.append(Conflict(submission, self.faults.pop(0)))
        return conflicts if replan else []

    def pending_links(self, *_):
        return {}

    @property
    def last(self):
        return self.changes[-1]


class FakeDirectory:
    """A QuickBooks company of the given objects; ``later`` is what its orders are once they were read.

    Vendors asked for by id are there and active unless ``live`` says what there is.
    """

    def __init__(self, chart, *, vendors=(), others=(), orders=(), later=(), live=None):
        self._chart = chart
        self._vendors = {comparable(vendor["DisplayName"]): vendor for vendor in vendors}
        self._others = {comparable(name): f"customer '{name}' (58)" for name in others}
        self._orders = [list(later or orders), list(orders)]
        self._live = None if live is None else {found["Id"]: found for found in live}

    def company(self):
        return self._chart.company

    def chart(self, *_):
        return self._chart

    def vendors_named(self, names):
        wanted = {comparable(name) for name in names}
        return {name: vendor for name, vendor in self._vendors.items() if name in wanted}

    def names_held_by_others(self, _):
        return self._others

    def numbered(self, _, numbers):
        orders = self._orders.pop() if len(self._orders) > 1 else self._orders[0]
        return {number: [found for found in orders if found["DocNumber"] == number] for number in numbers}

    def objects(self, entity, ids):
        if entity == "Vendor" and self._live is None:
            return {found: {"Id": found, "SyncToken": "0", "Active": True} for found in ids}
        live = self._live or {}
        return {found: live[found] for found in ids if found in live}


@pytest.fixture
def engine():
    return "sqlite"


@pytest.fixture
def vendor_step(store, chart):
    def build(*faults, policies=None, **quickbooks):
        outlet = ScriptedOutlet(*faults)
        directory = FakeDirectory(chart(), **quickbooks)
        return VendorStep(store, directory, outlet, policies or Policies(), RunReport()), outlet

    return build


@pytest.fixture
def order_step(store, chart, pair, moment, vendor_record):
    """A step for bills whose vendor is linked and whose account is known."""
    with store.writing() as connection:
        link_table.save(connection, pair, Link("Vendor", vendor_record()["id"], "41", "0"), now=moment)
        reference_table.save(
            connection,
            pair.organization_id,
            [
                read_reference(Kind.VENDOR, vendor_record()),
                read_reference(Kind.ACCOUNT, {"id": "0ca-travel", "name": "Travel"}),
                read_reference(Kind.LOCATION, {"id": "loc-austin", "name": "Austin"}),
            ],
        )

    def build(*faults, policies=None, **quickbooks):
        outlet = ScriptedOutlet(*faults)
        directory = FakeDirectory(chart(), **quickbooks)
        return OrderStep(store, directory, outlet, policies or Policies(), RunReport()), outlet

    return build


def test_the_last_of_two_versions_in_one_window_counts(vendor_step, pair, vendor_record):
    step, outlet = vendor_step()
    step.write(pair, [vendor_record(name="Old"), vendor_record(name="New")])
    assert [change.body["DisplayName"] for change in outlet.changes] == ["New"]


def test_two_new_vendors_of_one_name_become_two(vendor_step, pair, vendor_record):
    step, outlet = vendor_step()
    step.write(pair, [vendor_record(id="00902A"), vendor_record(id="00902B")])
    assert [change.body["DisplayName"] for change in outlet.changes] == [NAME, f"{NAME} (Vendor)"]


def test_two_vendors_do_not_adopt_one(vendor_step, pair, vendor_record):
    twin = {"Id": "137", "SyncToken": "4", "DisplayName": NAME}
    step, outlet = vendor_step(vendors=[twin])
    step.write(pair, [vendor_record(id="00902A"), vendor_record(id="00902B")])
    assert [change.operation for change in outlet.changes] == [Operation.UPDATE, Operation.CREATE]


def test_a_name_held_by_a_customer_gets_the_plainest_suffix(vendor_step, pair, vendor_record):
    step, outlet = vendor_step(NAME_TAKEN, others=[NAME])
    step.write(pair, [vendor_record()])
    assert outlet.last.body["DisplayName"] == f"{NAME} (Vendor)"


def test_every_refusal_of_a_name_leads_to_another_one(vendor_step, pair, vendor_record):
    """Nobody can be found who holds them."""
    step, outlet = vendor_step(NAME_TAKEN, NAME_TAKEN, NAME_TAKEN)
    step.write(pair, [vendor_record()])
    names = [change.body.get("DisplayName") for change in outlet.changes]
    assert names == [NAME, f"{NAME} (Vendor)", f"{NAME} (000001)", None]
    assert outlet.last.code == "name-taken"


def test_a_suffix_that_is_refused_beside_a_twin_is_not_tried_again(
    vendor_step, store, pair, moment, vendor_record
):
    with store.writing() as connection:
        link_table.save(connection, pair, Link("Vendor", "00902OTHER", "137", "0"), now=moment)
    twin = {"Id": "137", "SyncToken": "4", "DisplayName": NAME}
    step, outlet = vendor_step(NAME_TAKEN, vendors=[twin])
    step.write(pair, [vendor_record()])
    assert [change.body["DisplayName"] for change in outlet.changes] == [
        f"{NAME} (Vendor)",
        f"{NAME} (000001)",
    ]


def test_an_adoption_that_came_too_late_adopts_what_is_there_now(vendor_step, pair, vendor_record):
    """Another name would make a second vendor of one that exists."""
    twin = {"Id": "137", "SyncToken": "5", "DisplayName": NAME}
    step, outlet = vendor_step(STALE, STALE, vendors=[twin])
    step.write(pair, [vendor_record()])
    assert [change.quickbooks_id for change in outlet.changes] == ["137", "137", "137"]


def test_an_inactive_twin_that_cannot_come_back_is_given_up(vendor_step, pair, vendor_record):
    """A customer has taken the name meanwhile."""
    twin = {"Id": "137", "SyncToken": "4", "DisplayName": NAME, "Active": False}
    step, outlet = vendor_step(NAME_TAKEN, NAME_TAKEN, vendors=[twin], others=[NAME])
    step.write(pair, [vendor_record()])
    assert [change.operation for change in outlet.changes] == [
        Operation.UPDATE,
        Operation.UPDATE,
        Operation.CREATE,
    ]
    assert outlet.last.body["DisplayName"] != NAME


def test_a_linked_vendor_that_is_gone_is_blocked(vendor_step, store, pair, moment, vendor_record):
    with store.writing() as connection:
        link_table.save(connection, pair, Link("Vendor", vendor_record()["id"], "137", "0"), now=moment)
    step, outlet = vendor_step(live=[])
    step.write(pair, [vendor_record()])
    assert outlet.last.code == "gone-in-quickbooks"
    assert f"links move {vendor_record()['id']}" in outlet.last.advice


def linked_as(store, pair, moment, vendor_record, **desired):
    """Stores the link of the vendor of the tests, active and of that name when it was last sent."""
    link = Link("Vendor", vendor_record()["id"], "137", "0", desired={"DisplayName": NAME, **desired})
    with store.writing() as connection:
        link_table.save(connection, pair, link, now=moment)


def test_a_rename_that_is_refused_is_tried_again_where_nobody_holds_the_name(
    vendor_step, store, pair, moment, vendor_record
):
    """Its holder may have been renamed by the same batch."""
    linked_as(store, pair, moment, vendor_record)
    step, outlet = vendor_step(NAME_TAKEN, NAME_TAKEN)
    step.write(pair, [vendor_record(name="New")])
    names = [change.body["DisplayName"] for change in outlet.changes]
    assert names == ["New", "New", "New (Vendor)"]


def test_a_rename_to_a_customers_name_gets_a_suffix_at_once(vendor_step, store, pair, moment, vendor_record):
    linked_as(store, pair, moment, vendor_record)
    step, outlet = vendor_step(NAME_TAKEN, others=["New"])
    step.write(pair, [vendor_record(name="New")])
    assert [change.body["DisplayName"] for change in outlet.changes] == ["New", "New (Vendor)"]


def test_a_refused_rename_names_the_holder_that_only_quickbooks_knows(
    vendor_step, store, pair, moment, vendor_record
):
    linked_as(store, pair, moment, vendor_record)
    taken = Fault("6240", "Duplicate Name Exists Error", "already using this name. Id=77")
    policies = Policies(vendor_conflict=VendorConflict.FAIL)
    step, outlet = vendor_step(taken, taken, policies=policies)
    step.write(pair, [vendor_record(name="New")])
    assert outlet.last.code == "name-taken"
    assert outlet.last.reason.endswith("already used in QuickBooks: QuickBooks id 77.")


def follower_of(store, pair, moment, vendor_record, owner_id="00902OWNER"):
    """Stores two links to one vendor; that of the tests only resolves references."""
    shared = {"quickbooks_id": "137", "sync_token": "0", "desired": {"DisplayName": NAME, "Active": True}}
    with store.writing() as connection:
        link_table.save(connection, pair, Link("Vendor", owner_id, **shared), now=moment)
        follower = Link("Vendor", vendor_record()["id"], **shared, reference_only=True)
        link_table.save(connection, pair, follower, now=moment)


def test_a_vendor_that_follows_another_is_skipped_once(vendor_step, store, pair, moment, vendor_record):
    follower_of(store, pair, moment, vendor_record)
    step, outlet = vendor_step()
    step.write(pair, [vendor_record(name="New")])
    assert outlet.last.operation is Operation.SKIP
    assert "BILL vendor 00902OWNER, which alone it follows" in outlet.last.reason


def test_a_shared_vendor_is_not_deactivated(vendor_step, store, pair, moment, vendor_record):
    follower_of(store, pair, moment, vendor_record)
    step, outlet = vendor_step()
    step.write(pair, [vendor_record(id="00902OWNER", archived=True)])
    assert "Active" not in {found.field for found in outlet.last.differences}


def test_a_taken_number_that_is_not_ours_is_made_distinct(order_step, pair, bill_record):
    step, outlet = order_step(NUMBER_TAKEN)
    step.write(pair, [bill_record()])
    assert [change.body["DocNumber"] for change in outlet.changes] == ["INV-1", "INV-1~ABC123"]


def found_order(note, **members):
    return {"Id": "257", "SyncToken": "3", "DocNumber": "INV-1", "PrivateNote": note, **members}


def test_an_order_that_carries_our_bills_id_is_taken_over(order_step, pair, bill_record):
    """The store was lost, or an answer was."""
    note = f"[BILL {pair.organization_id}/{bill_record()['id']}]"
    step, outlet = order_step(orders=[found_order(note)])
    step.write(pair, [bill_record()])
    assert (outlet.last.operation, outlet.last.quickbooks_id) == (Operation.UPDATE, "257")


def test_taking_an_order_over_too_late_takes_over_what_is_there_now(order_step, pair, bill_record):
    """It must not be sent with the same stale token again."""
    order = found_order(f"[BILL {pair.organization_id}/{bill_record()['id']}]")
    step, outlet = order_step(STALE, orders=[order], later=[{**order, "SyncToken": "9"}])
    step.write(pair, [bill_record()])
    assert [change.body["SyncToken"] for change in outlet.changes] == ["3", "9"]


def test_a_location_that_orders_do_not_take_is_left_out(order_step, pair, bill_record):
    step, outlet = order_step(NO_LOCATION)
    step.write(pair, [bill_record(classifications={"locationId": "loc-austin"})])
    assert ["DepartmentRef" in change.body for change in outlet.changes] == [True, False]


def test_a_location_that_a_found_order_does_not_take_is_left_out(order_step, pair, bill_record):
    order = found_order(f"[BILL {pair.organization_id}/{bill_record()['id']}]")
    step, outlet = order_step(NO_LOCATION, orders=[order])
    step.write(pair, [bill_record(classifications={"locationId": "loc-austin"})])
    assert [change.quickbooks_id for change in outlet.changes] == ["257", "257"]
    assert ["DepartmentRef" in change.body for change in outlet.changes] == [True, False]


def test_a_bill_waits_for_its_vendor(order_step, pair, bill_record):
    step, outlet = order_step()
    step.write(pair, [bill_record(vendorId="00902LATER")])
    assert (outlet.last.operation, outlet.last.code) == (Operation.BLOCKED, "vendor-awaited")
    assert outlet.last.awaited.bill_id == "00902LATER"


def test_a_draft_is_never_written(order_step, pair, bill_record):
    step, outlet = order_step()
    step.write(pair, [bill_record(recordStatus="DRAFT")])
    assert outlet.last.operation is Operation.SKIP


@pytest.mark.parametrize(
    ("policies", "status", "operation"),
    [
        (Policies(), "DENIED", Operation.CREATE),
        (Policies(denied_bill=DeniedBill.CLOSE), "DENIED", Operation.SKIP),
        (Policies(), "ASSIGNED", Operation.CREATE),
        (Policies(unapproved_bill=UnapprovedBill.WAIT), "ASSIGNED", Operation.SKIP),
        (Policies(unapproved_bill=UnapprovedBill.WAIT), "UNASSIGNED", Operation.SKIP),
        (Policies(unapproved_bill=UnapprovedBill.WAIT), None, Operation.SKIP),
        (Policies(unapproved_bill=UnapprovedBill.WAIT), "APPROVED", Operation.CREATE),
        (
            Policies(unapproved_bill=UnapprovedBill.WAIT, denied_bill=DeniedBill.WRITE),
            "DENIED",
            Operation.CREATE,
        ),
    ],
)
def test_approval_decides_by_policy(order_step, pair, bill_record, policies, status, operation):
    step, outlet = order_step(policies=policies)
    step.write(pair, [bill_record(approvalStatus=status)])
    assert outlet.last.operation is operation


@pytest.fixture
def written_order(store, pair, moment, bill_record):
    """The link of a bill's order, closed or open, as last sent."""

    def build(**desired):
        note = f"[BILL {pair.organization_id}/{bill_record()['id']}]"
        sent = {"VendorRef": {"value": "41"}, "PrivateNote": note, "POStatus": "Open", **desired}
        link = Link("PurchaseOrder", bill_record()["id"], "257", "0", quickbooks_name="INV-1", desired=sent)
        with store.writing() as connection:
            link_table.save(connection, pair, link, now=moment)

    return build


@pytest.mark.parametrize(
    ("policy", "bill", "operation"),
    [
        ("hold", {}, Operation.BLOCKED),
        ("recreate", {}, Operation.CREATE),
        ("hold", {"archived": True}, Operation.SKIP),
        ("recreate", {"archived": True}, Operation.SKIP),
        ("hold", {"paymentStatus": "PAID"}, Operation.SKIP),
        ("recreate", {"paymentStatus": "PAID"}, Operation.CREATE),
    ],
)
def test_a_deleted_order_follows_the_policy(
    order_step, written_order, pair, bill_record, policy, bill, operation
):
    """One that is to be closed needs no decision."""
    written_order()
    step, outlet = order_step(policies=Policies(missing_in_quickbooks=MissingInQuickBooks(policy)))
    step.write(pair, [bill_record(**bill)])
    assert outlet.last.operation is operation
    if operation is Operation.BLOCKED:
        assert "purchase order INV-1 was deleted in QuickBooks" in outlet.last.reason


def test_an_order_that_was_given_up_is_not_the_bills(order_step, written_order, pair, bill_record):
    """A run was interrupted after it closed the old order: the bill counts as not written."""
    note = f"[replaced, was BILL {pair.organization_id}/{bill_record()['id']}]"
    written_order(PrivateNote=note, POStatus="Closed")
    step, outlet = order_step()
    step.write(pair, [bill_record()])
    assert [change.operation for change in outlet.changes] == [Operation.CREATE]


def test_a_number_that_was_made_distinct_and_is_taken_again_is_counted_on(order_step, pair, bill_record):
    step, outlet = order_step(NUMBER_TAKEN, NUMBER_TAKEN, NUMBER_TAKEN)
    step.write(pair, [bill_record()])
    numbers = [change.body["DocNumber"] for change in outlet.changes]
    assert numbers == ["INV-1", "INV-1~ABC123", "INV-1~ABC123-2", "INV-1~ABC123-3"]


def test_an_order_with_a_bill_is_told_in_the_report(order_step, written_order, pair, bill_record):
    written_order()
    billed = {"LinkedTxn": [{"TxnId": "9", "TxnType": "Bill"}]}
    live = {"Id": "257", "SyncToken": "4", "VendorRef": {"value": "41"}, **billed}
    vendor = {"Id": "41", "SyncToken": "0", "DisplayName": NAME, "Active": True}
    step, outlet = order_step(live=[live, vendor])
    step.write(pair, [bill_record()])
    assert outlet.last.operation is Operation.SKIP
    [text] = step.report.notes["bills", "bill 'INV-1' of Happy Music Supplies"]
    assert "already has a bill in QuickBooks and is left as it is" in text
