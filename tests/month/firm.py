"""A firm with its books on both sides, and what its people do not forget: what they changed by hand."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ap_simulator.control_client import ControlError
from click.testing import CliRunner
from target_quickbooks.admin import commands
from target_quickbooks.mapping.purchase_order import read_marker

REALM = "9341452000000001"
ORGANIZATION = "00802DEMOORGANIZTN01"
#: Lists of QuickBooks that orders refer to, and what their entries are called by.
LISTS = {
    "Account": "Name",
    "Class": "Name",
    "Department": "Name",
    "Item": "Name",
    "Customer": "DisplayName",
    "Vendor": "DisplayName",
}


@dataclass
class Firm:
    """Everything that the days of a month have in common.

    Attributes:
        books: Both sides, and the plugins between them.
        choose: All choices; a seed repeats them.
        policies: Settings of the target.
        store: Of the target.
        diary: What happened, for whoever reads a failure.
        edited: Fields of purchase orders, by id, that people changed in QuickBooks.
        called: What people called an entry of a list of QuickBooks before they renamed it.
        merged: Where vendors of QuickBooks went, by id.
        moved: The vendors of QuickBooks that people let stand for BILL's, by BILL id.
        closes: Every last day of closed books so far.
        looked_at: Bills that people looked at to mend a difference.
        settled: Bills of which they undid an edit that was in conflict with BILL.
    """

    books: Any
    choose: Any
    policies: dict[str, str]
    store: dict[str, str] = field(default_factory=dict)
    diary: list[str] = field(default_factory=list)
    edited: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    called: dict[tuple[str, str], str] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    closes: list[str] = field(default_factory=list)
    looked_at: set[str] = field(default_factory=set)
    settled: set[str] = field(default_factory=set)

    @property
    def control(self):
        return self.books.simulator.control

    @property
    def today(self):
        return self.control.clock().date()

    def heir(self, vendor_id):
        """The vendor of QuickBooks that this one has become part of; itself if none."""
        while vendor_id in self.merged:
            vendor_id = self.merged[vendor_id]
        return vendor_id

    def tell(self, *words):
        self.diary.append(" ".join(str(word) for word in words))

    def in_bill(self, collection):
        """BILL's records as they are."""
        return self.books.simulator.on_loop(lambda world: list(world.bill.records(ORGANIZATION, collection)))

    def in_quickbooks(self, entity):
        """QuickBooks' records as they are."""
        return self.books.simulator.on_loop(lambda world: list(world.quickbooks.records(REALM, entity)))

    def orders(self):
        """Purchase orders that stand for bills, by BILL id; each once, or it is a failure."""
        found = {}
        for order in self.in_quickbooks("PurchaseOrder"):
            mark = read_marker(order.get("PrivateNote") or "")
            if mark:
                assert mark[1] not in found, (
                    f"bill {mark[1]} has orders {found[mark[1]]['Id']} and {order['Id']}"
                )
                found[mark[1]] = order
        return found

    def ask(self, call, *arguments, **fields):
        """Ask BILL for something; None if BILL refuses it."""
        try:
            return call(*arguments, **plain(fields))
        except AssertionError as refusal:
            if ": 400 " not in str(refusal):
                raise
            return None

    def by_hand(self, entity, operation="update", **more):
        """Do something in QuickBooks; None if QuickBooks refuses it."""
        try:
            return self.control.write_by_hand(entity, operation, **more)
        except ControlError as refusal:
            self.tell("QuickBooks refuses to", operation, entity, more.get("record_id", ""), refusal)
            return None

    def reconnect(self):
        """Connect the target to the company anew."""
        client_id = self.books.simulator.env()["TARGET_QUICKBOOKS_CLIENT_ID"]
        grant = {"realm_id": REALM, "client_id": client_id}
        token = self.books.simulator.on_loop(lambda world: world.oauth.grant(**grant))
        self.store["refresh_token"] = token

    def admin(self, *arguments, text=None):
        """Run a command of the target's command line."""
        named = {
            f"TARGET_QUICKBOOKS_{name.upper()}": value for name, value in (self.policies | self.store).items()
        }
        env = self.books.simulator.env() | named | {"COLUMNS": "150"}
        return CliRunner(env=env).invoke(commands, arguments, input=text)

    def pick(self, records):
        """One of the records; None if there is none."""
        found = list(records)
        return self.choose.choice(found) if found else None

    def chance(self, share):
        return self.choose.random() < share


def plain(value):
    """What JSON can carry: amounts as numbers."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value
