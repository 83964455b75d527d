"""The plug is pulled at random moments: nothing twice, nothing missing, the history whole.

``make test`` pulls it a few times; ``make soak SEED=1 COUNT=200`` as often as wanted, over loads of 500
vendors and 2,000 bills. Half of the kills are SIGKILL, half SIGTERM. Every kill is followed by a rerun. A
failure names the seed that repeats its choices.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from ap_simulator.testing import UNLIMITED, running
from target_quickbooks.mapping.purchase_order import read_marker

SEED = int(os.environ.get("SOAK_SEED") or secrets.randbelow(10**6))
SOAK = int(os.environ.get("SOAK_KILLS") or 0)
KILLS = SOAK or 6
VENDORS, BILLS = (500, 2000) if SOAK else (40, 40)
#: At most so many writes between two kills.
STRETCH = (VENDORS + BILLS) // 6
ANSWER_SECONDS = 0.03
#: The target with its own limits lifted, as the simulator's are.
TARGET = """
from target_quickbooks.quickbooks import governor
governor.REQUESTS = governor.BATCHES = (governor.Bucket(10**6, 60.0),)
from target_quickbooks.target import TargetQuickbooks
TargetQuickbooks.cli()
"""


class Load:
    """One load of BILL records into QuickBooks, by as many runs as it takes."""

    def __init__(self, books, directory, choose):
        self.books = books
        self.choose = choose
        self._directory = directory
        self._store = Path(books.settings("TARGET_QUICKBOOKS_")["store_url"].removeprefix("sqlite:///"))

    def begin(self):
        """New companies, a new store, and BILL filled."""
        self.books.simulator.control.reset()
        self.books.simulator.control.reset_stats()
        self.books.simulator.control.set_latency(system="quickbooks", per_call_ms=int(ANSWER_SECONDS * 1000))
        for path in self._store.parent.glob(f"{self._store.name}*"):
            path.unlink()
        self.books.state = None
        account = next(
            record["id"]
            for record in self.books.held("chart_of_accounts")
            if not record["archived"] and record["account"]["type"] == "EXPENSE"
        )
        line = {"amount": 12.34, "classifications": {"chartOfAccountId": account}}
        vendors = [self.books.bill.vendor(f"Vendor {number:04}")["id"] for number in range(VENDORS)]
        for number in range(BILLS):
            self.books.bill.bill(vendors[number % VENDORS], f"INV-{number}", [line])

    def run(self, signum=None):
        """A run from the last bookmark; whether it came to its end before the signal."""
        lines = self._directory / "lines"
        lines.write_text("".join(f"{line}\n" for line in self.books.read(self.books.state)))
        with (
            lines.open("rb") as source,
            (self._directory / "states").open("wb") as states,
            (self._directory / "log").open("wb") as log,
        ):
            target = subprocess.Popen(
                [sys.executable, "-c", TARGET, "--config=ENV"],
                env=os.environ | self.books.simulator.env(),
                stdin=source,
                stdout=states,
                stderr=log,
            )
            try:
                if signum:
                    self._wait_for_the_moment(target)
                    target.send_signal(signum)
                code = target.wait(timeout=600)
            finally:
                target.kill()
                target.wait()
        complaints = (self._directory / "log").read_text()
        assert "Traceback" not in complaints, complaints
        expected = {0} if signum is None else {0, 128 + signum, -signum}
        assert code in expected, (code, complaints[-2000:])
        for line in (self._directory / "states").read_text().splitlines():
            self.books.state = json.loads(line)
        self._let_leases_run_out()
        return code == 0

    def created(self):
        written = self.books.simulator.control.stats()["quickbooks"]["written"]
        return sum(written.get(entity, {}).get("create", 0) for entity in ("Vendor", "PurchaseOrder"))

    def check(self, *, complete):
        """Nothing twice and no link astray; if complete, nothing missing either. The history is whole."""
        vendors = {
            vendor["Id"]: vendor["DisplayName"]
            for vendor in self.books.stored("Vendor")
            if vendor["DisplayName"].startswith("Vendor ")
        }
        orders = {
            order["Id"]: read_marker(order["PrivateNote"])[1] for order in self.books.stored("PurchaseOrder")
        }
        assert max(Counter(orders.values()).values(), default=1) == 1
        assert max(Counter(vendors.values()).values(), default=1) == 1
        links = self._links() if self._store_is_made() else {"Vendor": {}, "PurchaseOrder": {}}
        for entity, held in (("Vendor", vendors), ("PurchaseOrder", orders)):
            assert set(links[entity].values()) <= set(held)
            assert len(set(links[entity].values())) == len(links[entity])
        assert all(orders[found] == bill_id for bill_id, found in links["PurchaseOrder"].items())
        names = {vendor["id"]: vendor["name"] for vendor in self.books.held("vendors")}
        assert all(vendors[found] == names[bill_id] for bill_id, found in links["Vendor"].items())
        if complete:
            assert set(links["Vendor"]) == set(names)
            assert set(links["PurchaseOrder"]) == {bill["id"] for bill in self.books.held("bills")}
            assert set(links["Vendor"].values()) == set(vendors)
            assert set(links["PurchaseOrder"].values()) == set(orders)
        if self._store_is_made():
            self._verify_audit()

    def _wait_for_the_moment(self, target):
        """Some writes after now and before, while or after their answer is sent; or some time."""
        if self.choose.random() < 0.25:
            give_up, enough = time.monotonic() + self.choose.uniform(0.3, 4), sys.maxsize
        else:
            give_up, enough = time.monotonic() + 60, self.created() + self.choose.randint(1, STRETCH)
        while target.poll() is None and time.monotonic() < give_up and self.created() < enough:
            time.sleep(0.002)
        time.sleep(self.choose.uniform(0, 2 * ANSWER_SECONDS))

    def _links(self):
        links = {"Vendor": {}, "PurchaseOrder": {}}
        for entity, bill_id, quickbooks_id in self._sql("SELECT entity, bill_id, quickbooks_id FROM links"):
            links[entity][bill_id] = quickbooks_id
        return links

    def _let_leases_run_out(self):
        """What a killed process held, it holds for a while; as if that while had passed."""
        if self._store_is_made():
            self._sql("DELETE FROM leases")

    def _store_is_made(self):
        """A run may be killed before it has made its store, or any table in it."""
        return self._store.exists() and bool(self._sql("SELECT 1 FROM sqlite_master LIMIT 1"))

    def _sql(self, statement):
        connection = sqlite3.connect(self._store, timeout=30)
        try:
            with connection:
                return connection.execute(statement).fetchall()
        finally:
            connection.close()

    def _verify_audit(self):
        found = subprocess.run(
            ["quickbooks-admin", "audit", "verify"],
            env=os.environ
            | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
            | self.books.simulator.env(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert found.returncode == 0, found.stdout + found.stderr


def tell(line):
    """For the reader of a soak, and of a failure."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def test_nothing_is_doubled_or_lost_whenever_the_plug_is_pulled(new_books, tmp_path):
    tell(f"SEED={SEED} COUNT={KILLS}")
    choose = random.Random(SEED)  # noqa: S311 - choices that a seed repeats
    kills = Counter()
    with running("empty", switches=UNLIMITED) as simulator:
        load = Load(new_books(simulator), tmp_path, choose)
        while kills.total() < KILLS:
            load.begin()
            finished = False
            while not finished and kills.total() < KILLS:
                signum = (signal.SIGKILL, signal.SIGTERM)[kills.total() % 2]
                finished = load.run(signum)
                kills[signum] += not finished
                load.check(complete=finished)
                tell(f"{kills.total()} kills, {load.created()} created")
            if not finished:
                load.run()
                load.check(complete=True)
            load.run()
            assert load.created() == VENDORS + BILLS, "a rerun writes nothing"
    assert abs(kills[signal.SIGKILL] - kills[signal.SIGTERM]) <= 1
