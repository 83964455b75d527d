"""A QuickBooks company whose people typed vendors and orders by hand gets no twins of them."""

from __future__ import annotations

import csv
import io
import json
from types import SimpleNamespace

import pytest
from ap_simulator.testing import running
from click.testing import CliRunner
from target_quickbooks.admin import commands

VENDORS, TYPED = 120, 90


def spelled(number, name):
    """As people type a name that they do not look up."""
    stem = name.removesuffix(" LLC")
    return (f"{stem}, LLC", f"{stem} Llc.", f"The {stem} L.L.C", stem.replace("Number", "Numbr"))[number % 4]


def propose(books, directory):
    """The proposals, and the file they would be in."""
    env = books.simulator.env() | {"TARGET_QUICKBOOKS_STORE_URL": f"sqlite:///{directory / 'store.sqlite3'}"}
    lines = "".join(f"{line}\n" for line in books.read())
    done = CliRunner(env=env).invoke(commands, ["links", "propose", "--from", "-"], input=lines)
    assert done.exit_code == 0, done.output
    return list(csv.DictReader(io.StringIO(done.stdout)))


def save(rows, path):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


@pytest.fixture
def books(fresh_books):
    return fresh_books


@pytest.fixture
def store(tmp_path):
    return {"store_url": f"sqlite:///{tmp_path / 'store.sqlite3'}"}


def typed_by_hand(books, vendor, name, *, with_details):
    """A vendor as a bookkeeper entered it; the id that it got."""
    values = {"DisplayName": name, "CurrencyRef": {"value": "USD"}}
    if with_details:
        values |= {"PrimaryEmailAddr": {"Address": vendor["email"]}, "AcctNum": vendor["accountNumber"]}
    return books.simulator.control.write_by_hand("Vendor", "create", values=values)["Id"]


@pytest.fixture(scope="module")
def firm(tmp_path_factory, books_of):
    """120 vendors in BILL, of which 90 are in QuickBooks under slightly different names."""
    directory = tmp_path_factory.mktemp("firm")
    with running("empty", vendors=VENDORS) as simulator:
        books = books_of(simulator, directory)
        vendors = books.held("vendors")
        for number, vendor in enumerate(vendors):
            books.bill.patch(f"/v3/vendors/{vendor['id']}", {"name": f"{vendor['name']} Number {number} LLC"})
        vendors = books.held("vendors")
        truth = {
            vendor["id"]: typed_by_hand(
                books, vendor, spelled(number, vendor["name"]), with_details=number % 3 == 0
            )
            for number, vendor in enumerate(vendors[:TYPED])
        }
        yield SimpleNamespace(books=books, truth=truth, rows=propose(books, directory), directory=directory)


def test_every_typed_vendor_is_proposed_first_with_evidence(firm):
    first = {}
    for row in firm.rows:
        first.setdefault(row["bill_id"], row)
    missed = [firm.truth[one] for one in firm.truth if first[one]["quickbooks_id"] != firm.truth[one]]
    assert missed == []
    assert all(row["evidence"] and row["confidence"] in {"high", "medium", "low"} for row in firm.rows)
    assert all(row["decision"] == "" for row in firm.rows), "no name is exactly the same"


def test_without_confirmation_none_is_linked_and_with_it_there_are_no_twins(firm, tmp_path):
    books, control = firm.books, firm.books.simulator.control
    before = books.stored("Vendor")
    assert len(before) == TYPED
    undecided = save(firm.rows, tmp_path / "undecided.csv")
    run = books.write(books.read(), adoptions_path=undecided)
    proposed = {row["bill_id"] for row in firm.rows}
    assert run.streams["vendors"]["failed"] == len(proposed)
    assert {failure["code"] for failure in run.report["failures"]} == {"adoption-undecided"}
    untouched = {vendor["Id"]: vendor for vendor in books.stored("Vendor")}
    assert all(untouched[vendor["Id"]] == vendor for vendor in before)

    decided = [{**row, "decision": decision(firm, row)} for row in firm.rows]
    confirmed = save(decided, tmp_path / "confirmed.csv")
    run = books.write(books.read(), adoptions_path=confirmed)
    assert (run.exit_code, run.streams["vendors"].get("failed", 0)) == (0, 0)
    assert len(books.stored("Vendor")) == VENDORS
    names = {vendor["Id"]: vendor["DisplayName"] for vendor in books.stored("Vendor")}
    wanted = {vendor["id"]: vendor["name"] for vendor in books.held("vendors")}
    assert {names[firm.truth[one]] for one in firm.truth} == {wanted[one] for one in firm.truth}

    control.reset_stats()
    run = books.write(books.read(), adoptions_path=confirmed)
    assert (books.writes(), run.streams["vendors"]) == (0, {"skipped": VENDORS})


def decision(firm, row):
    """What a person says who knows the vendors."""
    if row["bill_id"] not in firm.truth:
        return "new"
    return "link" if row["quickbooks_id"] == firm.truth[row["bill_id"]] else ""


def test_a_plan_shows_what_would_be_taken_over(books, tmp_path, store):
    acme = books.bill.vendor("Acme Supply")
    typed = typed_by_hand(books, acme, "Acme Supply Co.", with_details=False)
    without = books.write(books.read(), mode="plan", **store)
    assert [entry["operation"] for entry in without.report["plan"]] == ["create"]
    rows = [{**row, "decision": "link"} for row in propose(books, tmp_path)]
    path = save(rows, tmp_path / "adoptions.csv")
    planned = books.write(books.read(), mode="plan", adoptions_path=path, **store)
    [entry] = planned.report["plan"]
    assert (entry["operation"], entry["quickbooks_id"]) == ("update", typed)


def test_an_order_typed_by_hand_becomes_the_bills(books, bookkeeper, rent, tmp_path, store):
    acme = books.bill.vendor("Acme Supply", email="ap@acme.example", accountNumber="4711")
    bill = books.bill.bill(acme["id"], "INV-7", [rent])
    vendor = typed_by_hand(books, acme, "ACME SUPPLY, INC", with_details=True)
    account = next(one for one in books.stored("Account") if one["AccountType"] == "Expense")
    payables = next(one for one in books.stored("Account") if one["AccountType"] == "Accounts Payable")
    typed = bookkeeper.write(
        "PurchaseOrder",
        VendorRef={"value": vendor},
        APAccountRef={"value": payables["Id"]},
        CurrencyRef={"value": "USD"},
        DocNumber="INV-7",
        Line=[
            {
                "Amount": rent["amount"],
                "DetailType": "AccountBasedExpenseLineDetail",
                "AccountBasedExpenseLineDetail": {"AccountRef": {"value": account["Id"]}},
            }
        ],
    )
    rows = propose(books, tmp_path)
    assert [(row["stream"], row["quickbooks_id"], row["confidence"]) for row in rows] == [
        ("vendors", vendor, "high"),
        ("bills", typed["Id"], "high"),
    ]
    path = save([{**row, "decision": "link"} for row in rows], tmp_path / "adoptions.csv")
    run = books.write(books.read(), adoptions_path=path, **store)
    assert run.exit_code == 0, run.reasons
    [order] = books.stored("PurchaseOrder")
    assert (order["Id"], order["PrivateNote"].endswith(f"/{bill['id']}]")) == (typed["Id"], True)
    assert len(books.stored("Vendor")) == 1
    books.simulator.control.reset_stats()
    books.write(books.read(), adoptions_path=path, **store)
    assert books.writes() == 0


def test_new_means_a_vendor_of_its_own_and_skip_means_none(books, tmp_path, store):
    acme, other = books.bill.vendor("Acme Supply"), books.bill.vendor("Other Supply")
    for vendor in (acme, other):
        typed_by_hand(books, vendor, vendor["name"], with_details=False)
    said = {acme["id"]: "new", other["id"]: "skip"}
    rows = propose(books, tmp_path)
    assert {row["decision"] for row in rows if row["bill_name"] == row["quickbooks_name"]} == {"link"}
    path = save([{**row, "decision": said[row["bill_id"]]} for row in rows], tmp_path / "adoptions.csv")
    run = books.write(books.read(), adoptions_path=path, **store)
    assert run.streams["vendors"] == {"created": 1, "skipped": 1}
    names = sorted(vendor["DisplayName"] for vendor in books.stored("Vendor"))
    assert names == ["Acme Supply", "Acme Supply (Vendor)", "Other Supply"]


def test_a_file_that_says_nothing_clear_stops_the_run_before_it_begins(books, tmp_path):
    path = tmp_path / "adoptions.json"
    path.write_text(json.dumps([{"bill_id": "x"}]), encoding="utf-8")
    books.bill.vendor("Acme")
    run = books.write(books.read(), adoptions_path=str(path))
    assert (run.exit_code, "row 1" in run.error, books.stored("Vendor")) == (1, True, [])


def test_a_plan_writes_the_proposals_where_there_is_no_file_yet(books, tmp_path, store):
    acme = books.bill.vendor("Acme Supply")
    typed = typed_by_hand(books, acme, "Acme Supply Co.", with_details=False)
    path = tmp_path / "adoptions.csv"
    run = books.write(books.read(), mode="plan", adoptions_path=str(path), **store)
    assert [entry["operation"] for entry in run.report["plan"]] == ["create"]
    [row] = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")))
    assert (row["bill_id"], row["quickbooks_id"], row["decision"]) == (acme["id"], typed, "")
    save([{**row, "decision": "link"}], path)
    again = books.write(books.read(), mode="plan", adoptions_path=str(path), **store)
    assert [entry["operation"] for entry in again.report["plan"]] == ["update"]
    assert "link" in path.read_text(encoding="utf-8"), "a plan leaves a person's decisions alone"


def test_a_run_without_its_file_does_not_begin(books, tmp_path):
    books.bill.vendor("Acme")
    run = books.write(books.read(), adoptions_path=str(tmp_path / "none.csv"))
    assert (run.exit_code, "cannot be read" in run.error, books.stored("Vendor")) == (1, True, [])
