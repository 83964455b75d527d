"""A plan says what the next run does, and leaves no trace of having been made."""

from __future__ import annotations

import contextlib
import importlib.resources
import json
import random
import re
import subprocess
from collections import Counter
from decimal import Decimal

import pytest
import sqlalchemy as sa
from ap_simulator.testing import running
from jsonschema import Draft202012Validator
from target_quickbooks import target, walk
from target_quickbooks.store.tables import metadata

SCHEMA = json.loads((importlib.resources.files("target_quickbooks") / "report.schema.json").read_text())
DONE = {"create": "created", "update": "updated", "close": "closed", "link": "linked"}
#: Renewed tokens and counted calls are kept by whoever calls QuickBooks.
KEPT_BY_ALL = {"connections", "leases", "quotas"}
ENTITIES = ("Vendor", "PurchaseOrder", "Customer", "Bill")


@pytest.fixture(autouse=True)
def _in_one_go(monkeypatch):
    monkeypatch.setattr(target, "_FLUSH_AFTER_SECONDS", 3600)


@pytest.fixture(scope="module")
def server():
    with running("empty") as simulator:
        yield simulator


@pytest.fixture
def books(server, new_books):
    """A company without vendors and bills; the server is shared, the company is new."""
    server.control.reset(switches={})
    server.control.reset_stats()
    return new_books(server)


@pytest.fixture
def line(books):
    """A line on one of a few accounts."""
    accounts = [
        record["id"]
        for record in books.held("chart_of_accounts")
        if not record["archived"] and record["account"]["type"] == "EXPENSE"
    ]

    def build(amount=120.50, account=0, **fields):
        return {"amount": amount, "classifications": {"chartOfAccountId": accounts[account]}, **fields}

    return build


def dump(books):
    """All that the store holds, besides tokens and call counts."""
    engine = sa.create_engine(books.settings("TARGET_QUICKBOOKS_")["store_url"])
    with engine.connect() as connection:
        rows = {
            table.name: [tuple(row) for row in connection.execute(sa.select(table))]
            for table in metadata.sorted_tables
            if table.name not in KEPT_BY_ALL
        }
    engine.dispose()
    return rows


def quickbooks(books):
    return {entity: books.stored(entity) for entity in ENTITIES}


def plan_of(books, **settings):
    """A plan of what the next run would do, checked against the schema."""
    run = books.write(books.read(books.state), mode="plan", **settings)
    Draft202012Validator(SCHEMA).validate(run.report)
    assert run.states == []
    return run


def planned(run):
    return Counter(
        (DONE[entry["operation"]], entry["stream"], entry["id"])
        for entry in run.report["plan"]
        if entry["operation"] != "blocked"
    )


def done(run):
    assert run.report["written_left_out"] == 0
    return Counter((found["done"], found["stream"], found["id"]) for found in run.report["written"])


def refused(run):
    """Why records were refused; ids of what the run itself creates are not known to a plan."""
    return {
        (found["stream"], found["id"]): (found["code"], re.sub(r" \(\d+\)", "", found["reason"]))
        for found in run.report["failures"]
    }


def entry_of(plan, bill_id, operation="update"):
    (found,) = [
        entry for entry in plan.report["plan"] if entry["id"] == bill_id and entry["operation"] == operation
    ]
    return found


def fields(entry):
    return {found["field"]: (found["before"], found["after"]) for found in entry["fields"]}


class People:
    """Random work of people in BILL and in QuickBooks."""

    def __init__(self, books, bookkeeper, line, seed):
        self.books, self.bookkeeper, self.line = books, bookkeeper, line
        self.random = random.Random(seed)  # noqa: S311 - choices that a seed repeats
        self.number = 0

    def name(self):
        """A new name, or one that is around already."""
        self.number += 1
        names = [vendor["name"] for vendor in self.books.held("vendors")]
        return self.random.choice([*names[-2:], f"Vendor {self.number}", f"Vendor {self.number} & Söhne"])

    def some(self, records):
        return self.random.choice(records) if records else None

    def lines(self):
        return [
            self.line(
                self.random.randrange(1, 50000) / 100, self.random.randrange(4), description=f"Line {number}"
            )
            for number in range(self.random.randrange(1, 4))
        ]

    def add_vendor(self):
        extra = self.random.choice(
            [{}, {"additionalInfo": {"taxId": f"12-34{self.random.randrange(10**5):05}"}}]
        )
        self.books.bill.vendor(self.name(), **extra)

    def edit_vendor(self, vendor):
        change = self.random.choice(
            [{"phone": f"512555{self.random.randrange(10**4):04}"}, {"name": self.name()}]
        )
        self.books.bill.patch(f"/v3/vendors/{vendor['id']}", change)

    def add_bill(self, vendor):
        number = self.random.choice([f"INV-{self.random.randrange(30)}", "A number far beyond 21 characters"])
        with contextlib.suppress(AssertionError):  # BILL refuses a number twice for one vendor
            self.books.bill.bill(vendor["id"], number, self.lines())

    def edit_bill(self, bill):
        kept = [dict(line) for line in bill["billLineItems"]]
        self.random.shuffle(kept)
        if self.random.random() < 0.5:
            kept[0]["amount"] = self.random.randrange(1, 50000) / 100
            kept[0].pop("price", None)
            kept[0].pop("quantity", None)
        self.books.bill.replace(bill, billLineItems=[*kept[: self.random.randrange(1, 3)], *self.lines()[:1]])

    def describe_bill(self, bill):
        self.books.bill.patch(f"/v3/bills/{bill['id']}", {"description": f"Text {self.random.randrange(99)}"})

    def archive_bill(self, bill):
        self.books.bill.post(f"/v3/bills/{bill['id']}/archive")

    def work_in_bill(self):
        vendors = [vendor for vendor in self.books.held("vendors") if not vendor["archived"]]
        bills = [bill for bill in self.books.held("bills") if not bill["archived"]]
        vendor, bill = self.some(vendors), self.some(bills)
        deeds = [self.add_vendor]
        if vendor:
            deeds += [lambda: self.edit_vendor(vendor), *[lambda: self.add_bill(vendor)] * 2]
        if bill:
            deeds += [
                lambda act=act: act(bill) for act in (self.edit_bill, self.describe_bill, self.archive_bill)
            ]
        self.random.choice(deeds)()

    def work_in_quickbooks(self):
        vendors = [vendor for vendor in self.books.stored("Vendor") if vendor["Active"]]
        orders = self.books.stored("PurchaseOrder")
        vendor, order = self.some(vendors), self.some(orders)
        deeds = []
        if self.number:
            deeds += [self.take_name]
        if vendor:
            deeds += [
                lambda: self.bookkeeper.edit("Vendor", vendor, Notes=f"Note {self.random.randrange(99)}"),
                lambda: self.bookkeeper.edit("Vendor", vendor, AcctNum=f"{self.random.randrange(99)}"),
            ]
        if order:
            deeds += [
                lambda: self.bookkeeper.edit(
                    "PurchaseOrder", order, Memo=f"Memo {self.random.randrange(99)}"
                ),
                lambda: self.bookkeeper.edit("PurchaseOrder", order, POStatus="Closed"),
            ]
        if deeds:
            self.random.choice(deeds)()

    def take_name(self):
        """A customer or vendor of a name that the next vendor may get."""
        entity = self.random.choice(["Customer", "Vendor"])
        name = f"Vendor {self.number + self.random.randrange(1, 3)}"
        taken = {found["DisplayName"] for kind in ("Customer", "Vendor") for found in self.books.stored(kind)}
        if name not in taken:
            self.bookkeeper.write(entity, DisplayName=name)


def settings_of(seed):
    """Policies that differ from one seed to the next."""
    chosen = random.Random(seed)  # noqa: S311 - choices that a seed repeats
    return {
        "edit_conflict": chosen.choice(["bill_wins", "quickbooks_wins", "hold"]),
        "vendor_conflict": chosen.choice(["adopt", "suffix", "fail"]),
        "document_number": chosen.choice(["invoice_number", "bill_id", "auto"]),
        "archived_bill": chosen.choice(["close", "leave"]),
    }


@pytest.mark.parametrize("seed", range(3))
def test_a_plan_is_what_the_next_run_does(books, bookkeeper, line, seed):
    people = People(books, bookkeeper, line, seed)
    settings = settings_of(seed)
    for _ in range(2):
        for _ in range(12):
            people.work_in_bill()
            if people.random.random() < 0.4:
                people.work_in_quickbooks()
        plan = plan_of(books, **settings)
        run = books.sync(**settings)
        assert planned(plan) == done(run)
        assert refused(plan) == refused(run)
        assert plan.streams == run.streams
        assert_told_as_it_is(books, plan)


def assert_told_as_it_is(books, plan):
    """What the plan said that there would be is what there is."""
    links = {
        (found["stream"], found["id"]): found["quickbooks_id"]
        for found in plan.report["plan"]
        if found["quickbooks_id"] not in (None, "(new)")
    }
    stored = {
        kind: {found["Id"]: found for found in books.stored(kind)} for kind in ("Vendor", "PurchaseOrder")
    }
    last = {(entry["stream"], entry["id"]): entry for entry in plan.report["plan"]}
    for key, entry in last.items():
        if entry["operation"] not in {"update", "close"} or key not in links:
            continue
        found = stored[entry["entity"]][links[key]]
        for name, (_, after) in fields(entry).items():
            if isinstance(after, str) and not name.endswith("Ref") and name != "TaxIdentifier":
                assert found[name] == after, (entry["label"], name)
        if entry["amount"] is not None:
            assert found["TotalAmt"] == Decimal(str(entry["amount"]))


def test_a_plan_leaves_no_trace_and_is_the_same_twice(books, bookkeeper, line):
    people = People(books, bookkeeper, line, 7)
    for _ in range(10):
        people.work_in_bill()
    first = plan_of(books)
    assert set(dump(books)) >= {"links", "runs", "references_seen"}
    assert not any(rows for name, rows in dump(books).items() if name not in {"secrets", "audit_tails"})
    books.sync()
    for _ in range(10):
        people.work_in_bill()
    store, held, writes = dump(books), quickbooks(books), books.writes()
    plans = [plan_of(books) for _ in range(2)]
    assert (dump(books), quickbooks(books), books.writes()) == (store, held, writes)
    assert first.report["plan"] != plans[0].report["plan"]
    for key in ("plan", "totals", "preflight", "streams", "failures", "notes", "written"):
        assert plans[0].report[key] == plans[1].report[key], key


def test_updates_are_told_against_what_quickbooks_holds_now(books, bookkeeper, line):
    vendor = books.bill.vendor("Acme", phone="5125550001", additionalInfo={"taxId": "12-3456789"})
    bill = books.bill.bill(vendor["id"], "INV-1", [line(10, description="A"), line(20, 1), line(30)])
    books.sync()
    (held,) = [found for found in books.stored("Vendor") if found["DisplayName"] == "Acme"]
    bookkeeper.edit("Vendor", held, PrimaryPhone={"FreeFormNumber": "(512) 555-7777"})
    books.bill.patch(
        f"/v3/vendors/{vendor['id']}", {"phone": "5125550002", "additionalInfo": {"taxId": "98-7654321"}}
    )
    first, second, _ = bill["billLineItems"]
    books.bill.replace(
        bill, billLineItems=[first | {"amount": 15}, second | line(20, 2), line(7, description="New")]
    )
    plan = plan_of(books)
    told = fields(entry_of(plan, vendor["id"]))
    assert told["PrimaryPhone"][0] == {"FreeFormNumber": "(512) 555-7777"}
    assert told["PrimaryPhone"][1] == {"FreeFormNumber": "5125550002"}
    assert [value[-5:] for value in told["TaxIdentifier"]] == ["X6789", "X4321"]
    assert "7654321" not in json.dumps(plan.report)
    order = entry_of(plan, bill["id"])
    assert [(found["kind"], found["line"]["amount"]) for found in order["lines"]] == [
        ("changed", 15),
        ("changed", 20),
        ("added", 7),
        ("removed", 30),
    ]
    changes = [[change["field"] for change in found["fields"]] for found in order["lines"]]
    assert changes == [["amount"], ["account"], [], []]
    accounts = {
        f"{found.get('AcctNum', '')} {found['FullyQualifiedName']}".strip()
        for found in books.stored("Account")
    }
    assert {order["lines"][1]["fields"][0]["before"], order["lines"][1]["fields"][0]["after"]} <= accounts
    assert (order["amount_before"], order["amount"]) == (60, 42)
    assert plan.report["totals"]["by_currency"] == [
        {
            "vendor": "",
            "currency": "USD",
            "created": 0,
            "created_amount": 0,
            "changed": 1,
            "changed_by": -18,
        }
    ]


def test_a_bill_that_comes_before_its_vendor_is_planned_once_the_vendor_is(books, line, monkeypatch):
    """As a run does, which tries at its end again what waited."""
    vendor = books.bill.vendor("Acme")
    books.bill.bill(vendor["id"], "INV-1", [line()])
    monkeypatch.setattr(walk, "WINDOW", 1)
    lines = books.read()
    bills = [text for text in lines if '"stream":"bills"' in text.replace(" ", "")]
    lines = [*bills, *(text for text in lines if text not in bills)]
    plan = books.write(lines, mode="plan")
    run = books.write(lines)
    assert planned(plan) == done(run)
    assert plan.streams == run.streams
    assert refused(plan) == refused(run) == {}


def test_a_name_that_a_customer_holds_is_foreseen(books, bookkeeper):
    bookkeeper.write("Customer", DisplayName="Dana Whit")
    vendor = books.bill.vendor("Dana Whit")
    plan = plan_of(books)
    assert fields(entry_of(plan, vendor["id"], "create"))["DisplayName"] == (None, "Dana Whit (Vendor)")
    books.sync()
    assert "Dana Whit (Vendor)" in {found["DisplayName"] for found in books.stored("Vendor")}


@pytest.mark.parametrize("name", ["page.html", "page.HTM"])
def test_a_page_is_written_for_people(books, line, tmp_path, name):
    vendor = books.bill.vendor("<b>Acme</b> & Sons")
    books.bill.bill(vendor["id"], "INV-1", [line()])
    page = tmp_path / name
    for mode, words in (("plan", "To create"), ("sync", "Written")):
        books.write(books.read(), mode=mode, report_path=str(page))
        html = page.read_text()
        assert html.startswith("<!doctype html>")
        assert words in html
        assert "&lt;b&gt;Acme&lt;/b&gt; &amp; Sons" in html
        assert "<b>Acme" not in html


def test_a_report_that_cannot_be_written_does_not_hide_the_run(books, tmp_path):
    books.bill.vendor("Acme")
    run = books.write(books.read(), report_path=str(tmp_path / "no such directory" / "report.json"))
    assert run.exit_code == 0
    assert "Acme" in {found["DisplayName"] for found in books.stored("Vendor")}


def test_a_browser_reads_the_page_as_text(books, line, tmp_path, chromium):
    vendor = books.bill.vendor(
        "<img src=x onerror=document.title='taken'><script>document.title='taken'</script>"
    )
    books.bill.bill(vendor["id"], "INV-1", [line()])
    page = tmp_path / "plan.html"
    books.write(books.read(), mode="plan", report_path=str(page))
    shown = subprocess.run(
        [
            chromium,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={tmp_path}",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    assert "<title>Plan - Larkfield Software Services</title>" in shown
    assert "onerror=document.title" in shown
    assert "<img" not in shown
    assert "<script" not in shown
