"""What events of QuickBooks lead to: people edit, delete and merge, and the shim finds just that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from target_quickbooks.errors import TargetError
from target_quickbooks.store import drift_table, lease_table
from target_quickbooks.store.drift_table import Kind, Status
from webhook_shim.checks import Checks
from webhook_shim.companies import Books
from webhook_shim.events import Event, System
from webhook_shim.store import inbox_table
from webhook_shim.store.opening import open_for

REALM = "9341452000000001"
ORGANIZATION = "00802DEMOORGANIZTN01"


def now():
    return datetime.now(UTC)


class Shim:
    """The part of the shim that checks, with the books of a test."""

    def __init__(self, books):
        self.simulator = books.simulator
        self.books = Books(
            name="books",
            title="Books",
            organization_id=ORGANIZATION,
            realm_id=REALM,
            tap_config=books.settings("TAP_BILL_"),
            target_config=books.settings("TARGET_QUICKBOOKS_"),
        )
        self.store = open_for((self.books,))
        self.clock = now()
        self.check = Checks(self.store, now=lambda: self.clock)

    def tell(self, *events):
        """Receive events, each ``vendor.updated 7``, and check them; gives the calls it took."""
        with self.store.writing() as connection:
            for number, event in enumerate(events):
                kind, record_id = event.split()
                name = f"{number}-{datetime.now(UTC).isoformat()}"
                entity = kind.partition(".")[0]
                received = Event(System.QUICKBOOKS, REALM, name, kind, entity, record_id, None)
                inbox_table.put(connection, [received], now=self.clock)
        self.simulator.control.reset_stats()
        self.again = self.check(self.books)
        return self.simulator.control.stats()["quickbooks"]["calls"]

    def held(self, entity):
        return self.simulator.control.records("quickbooks", entity, realm=REALM)

    def vendor(self, name):
        return next(vendor for vendor in self.held("Vendor") if vendor["DisplayName"] == name)

    def waiting(self):
        with self.store.reading() as connection:
            found = inbox_table.waiting(connection, System.QUICKBOOKS, REALM)
        return found.number if found else 0

    def found(self, *statuses):
        with self.store.reading() as connection:
            entries = drift_table.entries(
                connection, self.books.company, statuses=statuses or (Status.OPEN,), limit=1000
            )
        return {(entry.finding.entity, entry.finding.quickbooks_id): entry.finding for entry in entries}


@pytest.fixture
def shim(books, rent):
    """Two vendors and an order in step."""
    bill = books.bill
    vendors = [bill.vendor(name) for name in ("Acme", "Zenith")]
    bill.bill(vendors[0]["id"], "INV-1", [rent])
    assert books.sync().exit_code == 0
    shim = Shim(books)
    yield shim
    shim.store.close()


@pytest.fixture
def vendor(shim):
    return shim.vendor("Acme")


@pytest.fixture
def order(shim):
    [order] = shim.held("PurchaseOrder")
    return order


def test_our_own_writes_are_recognised_and_many_cost_one_call(shim, vendor, order):
    other = shim.vendor("Zenith")
    events = [f"vendor.created {vendor['Id']}", f"vendor.created {other['Id']}"]
    events += [f"purchaseorder.created {order['Id']}"] * 30
    assert shim.tell(*events) == 1
    assert shim.found() == {}
    assert shim.waiting() == 0


def test_events_about_what_is_not_written_cost_nothing(shim):
    assert shim.tell("account.updated 33", "invoice.created 1", "vendor.updated nonsense") == 0
    assert shim.waiting() == 0


def test_an_edit_is_found_and_closed_when_it_is_taken_back(shim, bookkeeper, vendor):
    edited = bookkeeper.edit("Vendor", vendor, CompanyName="Acme Incorporated")
    shim.tell(f"vendor.updated {vendor['Id']}")
    found = shim.found()["Vendor", vendor["Id"]]
    [difference] = found.differences
    assert (found.kind, found.name) == (Kind.CHANGED, "Acme")
    assert (difference.field, difference.before, difference.after) == (
        "CompanyName",
        "Acme",
        "Acme Incorporated",
    )
    bookkeeper.edit("Vendor", edited, CompanyName="Acme")
    shim.tell(f"vendor.updated {vendor['Id']}")
    assert shim.found() == {}
    assert ("Vendor", vendor["Id"]) in shim.found(Status.RESOLVED)


def test_an_edit_of_an_order_is_found(shim, bookkeeper, order):
    bookkeeper.edit("PurchaseOrder", order, Memo="for the office", POStatus="Closed")
    shim.tell(f"purchaseorder.updated {order['Id']}")
    assert [found.field for found in shim.found()["PurchaseOrder", order["Id"]].differences] == ["POStatus"]


def test_an_order_that_was_deleted_is_found(shim, order):
    shim.simulator.control.write_by_hand("PurchaseOrder", operation="delete", record_id=order["Id"])
    shim.tell(f"purchaseorder.deleted {order['Id']}")
    assert shim.found()["PurchaseOrder", order["Id"]].kind is Kind.DELETED


def test_a_vendor_made_inactive_is_found_unless_bill_archived_it_too(books, shim, bookkeeper, vendor):
    bookkeeper.edit("Vendor", vendor, Active=False)
    shim.tell(f"vendor.updated {vendor['Id']}")
    found = shim.found()["Vendor", vendor["Id"]]
    assert found.kind is Kind.INACTIVE
    books.bill.post(f"/v3/vendors/{found.bill_id}/archive")
    shim.tell(f"vendor.updated {vendor['Id']}")
    assert shim.found() == {}


def test_a_merged_vendor_is_found(shim, bookkeeper, vendor):
    other = shim.vendor("Zenith")
    bookkeeper.merge_vendors(losing=vendor, surviving=other)
    shim.tell(f"vendor.merged {other['Id']}", f"vendor.merged {vendor['Id']}")
    assert {key: found.kind for key, found in shim.found().items()} == {("Vendor", vendor["Id"]): Kind.MERGED}


def test_an_orphan_is_noted_until_bill_owns_it(books, shim, bookkeeper):
    made = bookkeeper.write("Vendor", DisplayName="Utility Co")
    shim.tell(f"vendor.created {made['Id']}")
    found = shim.found()["Vendor", made["Id"]]
    assert (found.kind, found.name, found.bill_id) == (Kind.ORPHAN, "Utility Co", "")
    books.bill.vendor("Utility Co")
    assert books.sync().exit_code == 0
    shim.tell(f"vendor.updated {made['Id']}")
    assert shim.found() == {}


def test_while_a_run_is_under_way_nothing_is_judged(shim, vendor, bookkeeper):
    bookkeeper.edit("Vendor", vendor, CompanyName="Other")
    lease_table.acquire(shim.store, f"run:{REALM}", "elsewhere process 1 run x", now=now(), seconds=60)
    assert shim.tell(f"vendor.updated {vendor['Id']}") == 0
    assert shim.again > timedelta()
    assert shim.waiting() == 1
    shim.clock += timedelta(minutes=2)
    assert shim.check(shim.books) is None
    assert ("Vendor", vendor["Id"]) in shim.found()


def test_what_cannot_be_checked_waits(books, shim, vendor):
    books.simulator.control.add_fault("server_error", system="quickbooks", status=503, path="*/query")
    shim.check.stop()  # nobody waits for the retries
    shim.check = Checks(shim.store, now=now)
    shim.check._sleep = _refuse
    with pytest.raises(TargetError):
        shim.tell(f"vendor.updated {vendor['Id']}")
    assert shim.waiting() == 1


def _refuse(_):
    raise TargetError("no time to wait")
