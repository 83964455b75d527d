"""One command over two companies, with the real Meltano: each has its own bookmarks, tokens and outcomes."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from ap_simulator.testing import running
from target_quickbooks.store.cipher import Cipher
from target_quickbooks.store.database import open_store
from webhook_shim.events import Event, System
from webhook_shim.store import inbox_table
from webhook_shim.store.migrations import upgrade

FIRST, SECOND = "north", "south"
ORGANIZATIONS = {FIRST: "00802DEMOORGANIZTN01", SECOND: "00802SECONDCOMPANY01"}
REALMS = {FIRST: "9341452000000001", SECOND: "9341452000000002"}
VENDORS = 3
#: What a list says of a company; the rest is the project's.
LISTED = ("TAP_BILL_ORGANIZATION_ID", "TARGET_QUICKBOOKS_REALM_ID", "TARGET_QUICKBOOKS_REFRESH_TOKEN")

pytestmark = [pytest.mark.meltano, pytest.mark.timeout(600)]


class Firm:
    """Two companies of one project; the session file is the project's, so that both use the same."""

    def __init__(self, simulator, new_project, books_of, directory):
        self.control = simulator.control
        added = self.control.add_company(
            organization_id=ORGANIZATIONS[SECOND], realm_id=REALMS[SECOND], name="South", vendors=VENDORS
        )
        variables = {FIRST: simulator.env(), SECOND: added}
        self.project = new_project(simulator)
        self.environ = {
            "WEBHOOK_SHIM_COMPANIES": "companies.json",
            **{
                f"TOKEN_OF_{name.upper()}": found["TARGET_QUICKBOOKS_REFRESH_TOKEN"]
                for name, found in variables.items()
            },
        }
        listed = [
            {
                "name": name,
                "variables": {one: found[one] for one in LISTED[:2]}
                | {LISTED[2]: f"${{TOKEN_OF_{name.upper()}}}"},
            }
            for name, found in variables.items()
        ]
        (self.project.directory / "companies.json").write_text(json.dumps(listed))
        self.users = {}
        for name, found in variables.items():
            own = SimpleNamespace(env=lambda found=found: simulator.env() | found, control=self.control)
            self.users[name] = books_of(own, directory)
        env = simulator.env()
        self.store = open_store(
            env["TARGET_QUICKBOOKS_STORE_URL"], Cipher((env["TARGET_QUICKBOOKS_ENCRYPTION_KEY"],))
        )
        with self.store.writing() as connection:
            upgrade(connection)

    def run(self):
        return self.project.meltano(
            "invoke", "webhook-shim:run", "sync", "--parallel", "2", COLUMNS="120", **self.environ
        )

    def receive(self, event_id):
        """The same event for each."""
        for organization_id in ORGANIZATIONS.values():
            event = Event(System.BILL, organization_id, event_id, "vendor.updated", "vendor", "v", None)
            with self.store.writing() as connection:
                inbox_table.put(connection, [event], now=datetime.now(UTC))

    def waiting(self):
        """The companies that have unsettled events."""
        with self.store.reading() as connection:
            return {
                name
                for name, organization_id in ORGANIZATIONS.items()
                if inbox_table.waiting(connection, System.BILL, organization_id)
            }

    def vendors(self, name):
        return len(self.control.records("quickbooks", "Vendor", realm=REALMS[name]))

    def bookmarks(self):
        """How far the vendors of each company are read, by Meltano's states."""
        found = {}
        for path in (self.project.directory / ".simulator" / "state").glob("*/state.json"):
            state = json.loads(path.read_text())["completed"]["singer_state"]["bookmarks"]
            found[path.parent.name.rpartition(":")[2]] = state["vendors"]
        return found


@pytest.fixture
def firm(new_project, books_of, tmp_path):
    with running("empty", vendors=VENDORS) as simulator:
        firm = Firm(simulator, new_project, books_of, tmp_path)
        yield firm
        firm.store.close()


def test_both_run_and_one_that_fails_leaves_the_other_alone(firm):
    firm.receive("first")
    done = firm.run()
    assert done.returncode == 0, done.stderr
    assert firm.waiting() == set()
    for name in (FIRST, SECOND):
        assert firm.vendors(name) == VENDORS
        assert re.search(rf"{name} .*done .* {VENDORS} ", done.stdout), done.stdout
    before = firm.bookmarks()
    assert set(before) == {FIRST, SECOND}
    assert {name: read["organization_id"] for name, read in before.items()} == ORGANIZATIONS

    firm.control.disconnect(REALMS[SECOND])
    for user in firm.users.values():
        user.bill.vendor("New on both")
    firm.receive("second")
    done = firm.run()
    assert done.returncode == 1, done.stderr
    assert re.search(rf"{FIRST} .*done ", done.stdout), done.stdout
    assert re.search(rf"{SECOND} .*failed ", done.stdout), done.stdout
    assert (firm.vendors(FIRST), firm.vendors(SECOND)) == (VENDORS + 1, VENDORS)
    assert firm.waiting() == {SECOND}
    after = firm.bookmarks()
    assert after[SECOND] == before[SECOND]
    assert after[FIRST] != before[FIRST]
