"""A month of simulated life: everything that people, clocks and networks do, and at its end both books agree.

``make test`` lives through a few months, ``make month COUNT=10`` through as many as wanted; ``SEED=...``
repeats one. A failure shows the diary of its month.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import random
import secrets
import sys

import pytest
import time_machine
from ap_simulator.testing import UNLIMITED, running
from tap_bill import client as bill_client
from target_quickbooks import writing
from target_quickbooks.quickbooks import governor, oauth, repeating

from . import in_bill, in_quickbooks, paying
from .checking import check
from .firm import Firm
from .mending import mend, unexplained
from .runs import Runs

GIVEN = os.environ.get("MONTH_SEED")
COUNT = int(os.environ.get("MONTH_COUNT") or 0)
#: The same in every process of a test run.
RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or secrets.token_hex(8)
FIRST = int(GIVEN) if GIVEN else int(RUN[:8], 16) % 10**6
SEEDS = [*([] if GIVEN else [1, 2]), *range(FIRST, FIRST + COUNT)]
DAYS = int(os.environ.get("MONTH_DAYS") or 30)
#: How much more than usual people do.
BUSY = int(os.environ.get("MONTH_BUSY") or 1)
BEGINS = dt.datetime(2026, 11, 16, 8, 30, tzinfo=dt.UTC)
#: What the firm may have set, the usual first.
POLICIES = {
    "edit_conflict": ("bill_wins", "quickbooks_wins", "hold"),
    "closed_period": ("hold", "redate", "fail"),
    "missing_in_quickbooks": ("hold", "recreate"),
    "inactive_vendor": ("hold", "reactivate"),
    "billed_order": ("leave", "update"),
    "archived_vendor": ("deactivate", "leave"),
    "archived_bill": ("close", "leave"),
    "paid_bill": ("close", "leave"),
    "unapproved_bill": ("write", "wait"),
    "denied_bill": ("write", "close"),
    "vendor_conflict": ("adopt", "suffix", "fail"),
    "document_number": ("invoice_number", "bill_id", "auto"),
}
#: Where the services' manuals are silent, the suggested position first.
OPEN_POINTS = {
    "bill.payment_bumps_bill": (True, False),
    "bill.archived_by_default": ("included", "hidden"),
    "bill.recurring_updated_time_filter": ("reject", "accept"),
    "bill.bill_bumps_vendor": (False, True),
    "bill.unset_fields": ("omit", "null"),
    "quickbooks.batch_replay": ("item", "6000"),
    "quickbooks.merged_vendor": ("gone", "inactive"),
    "quickbooks.undocumented_sparse": ("accept", "full"),
    "quickbooks.sparse_nested": ("replace", "merge"),
    "quickbooks.kept_inactive_references": ("accept", "reject"),
    "quickbooks.closed_books_purchase_orders": (False, True),
    "quickbooks.purchase_order_department": ("accept", "drop", "reject"),
    "quickbooks.deactivation_with_balance": ("accept", "6220"),
    "quickbooks.negative_lines": ("total", "accept", "reject"),
    "quickbooks.request_id_failures": (False, True),
    "quickbooks.linking_advances_token": (True, False),
    "quickbooks.unchanged_update_advances_token": (True, False),
    "oauth.rotation": ("daily", "always"),
    "oauth.refresh_invalidates_access": (False, True),
}


@pytest.fixture(autouse=True)
def _hasty(monkeypatch):
    """Waits between attempts are short, limits high, batches small."""
    monkeypatch.setattr(repeating.Attempts, "wait", lambda *_: 0.01)
    monkeypatch.setattr(oauth, "wait_exponential_jitter", lambda **_: lambda _: 0.01)
    monkeypatch.setattr(bill_client, "_FIRST_WAIT", 0.01)
    monkeypatch.setattr(bill_client, "_LONGEST_WAIT", 0.1)
    monkeypatch.setattr(writing, "BATCH_SIZE", 5)
    monkeypatch.setattr(logging.getLogger("tap-bill"), "level", logging.ERROR)
    for buckets in ("REQUESTS", "BATCHES"):
        monkeypatch.setattr(governor, buckets, (governor.Bucket(10**6, 60.0),))


def chosen(choose, table):
    """A position of each, the usual one mostly."""
    return {
        name: values[0] if choose.random() < 0.7 else choose.choice(values) for name, values in table.items()
    }


def live(firm, runs, clock):
    """The days of the month."""
    deeds = in_bill.deeds() | paying.deeds() | in_quickbooks.deeds()
    if firm.policies["unapproved_bill"] == "wait":
        deeds[in_bill.approve] *= 10
    outage = firm.choose.randrange(5, DAYS - 2)
    for deed in (in_bill.new_vendor,) * 8 + (in_bill.new_bill,) * 20:
        deed(firm)
    for day in range(DAYS):
        firm.tell("--- day", day + 1, firm.today)
        for part in range(firm.choose.choice((1, 1, 2))):
            times = firm.choose.randint(3, 9) * BUSY
            for deed in firm.choose.choices(list(deeds), weights=list(deeds.values()), k=times):
                deed(firm)
                clock.shift(dt.timedelta(seconds=firm.choose.randint(1, 900)))
            if day == outage:
                firm.tell("an outage")
                runs.in_an_outage()
            elif part or not firm.chance(0.15):
                runs.random()
            firm.orders()  # none is there twice
        tomorrow = dt.datetime.combine(firm.today + dt.timedelta(days=1), dt.time(7, 30), dt.UTC)
        clock.move_to(tomorrow + dt.timedelta(minutes=firm.choose.randint(0, 120)))


def end(firm, runs):
    """The last runs: what no person touched agrees by itself; the rest once they have mended it."""
    runs.run("sync")
    strange = unexplained(firm, runs.reconcile())
    assert not strange, json.dumps(strange, indent=1, default=str)
    mend(firm, runs)
    check(firm)


def rebuild(firm, runs, directory):
    """The store is lost; one that is rebuilt from both books has nothing to write."""
    held = [firm.in_quickbooks(entity) for entity in ("Vendor", "PurchaseOrder")]
    firm.store = {"store_url": f"sqlite:///{directory / 'new.sqlite3'}"}
    firm.reconnect()
    bill = directory / "bill.jsonl"
    bill.write_text("".join(f"{line}\n" for line in runs._read("sync", None)[0]))
    rebuilding = ("links", "rebuild", "--from", str(bill), "--json")
    seen = firm.admin(*rebuilding)
    assert seen.exit_code == 0, seen.output
    told = firm.admin(*rebuilding, "--yes", *same_as(firm, json.loads(seen.stdout)["to_look_at"]))
    assert told.exit_code == 0, told.output
    firm.tell("rebuilt", told.stdout)
    firm.control.reset_stats()
    runs.run("sync", full=True)
    after = [firm.in_quickbooks(entity) for entity in ("Vendor", "PurchaseOrder")]
    firm.tell("after the rebuilt store:", changes(held, after))
    assert firm.books.writes() == 0
    assert after == held


def same_as(firm, to_look_at):
    """What only a person knows: which vendor those are that were merged before they had an order."""
    missing = [
        one["bill_id"] for one in to_look_at if one["stream"] == "vendors" and not one["quickbooks_id"]
    ]
    known = [bill_id for bill_id in missing if bill_id in firm.moved]
    return [
        word for bill_id in known for word in ("--same-as", f"{bill_id}={firm.heir(firm.moved[bill_id])}")
    ]


def changes(before, after):
    """What of two states of QuickBooks differs."""
    old = {(at, one["Id"]): one for at, records in enumerate(before) for one in records}
    new = {(at, one["Id"]): one for at, records in enumerate(after) for one in records}
    differing = [key for key in sorted({*old, *new}) if old.get(key) != new.get(key)]
    return "\n".join(f"{key}: {_fields(old.get(key, {}), new.get(key, {}))}" for key in differing)


def _fields(old, new):
    return {name: (old.get(name), new.get(name)) for name in {*old, *new} if old.get(name) != new.get(name)}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_month_of_life_ends_in_step_and_a_lost_store_is_rebuilt(new_books, tmp_path, seed):
    choose = random.Random(seed)  # noqa: S311 - choices that a seed repeats
    policies, points = chosen(choose, POLICIES), chosen(choose, OPEN_POINTS)
    with time_machine.travel(BEGINS) as clock, running("empty", switches=UNLIMITED | points) as simulator:
        firm = Firm(new_books(simulator), choose, policies)
        runs = Runs(firm)
        firm.tell(f"SEED={seed}", policies, points)
        try:
            live(firm, runs, clock)
            end(firm, runs)
            rebuild(firm, runs, tmp_path)
        finally:
            sys.stdout.write("\n".join(firm.diary))
