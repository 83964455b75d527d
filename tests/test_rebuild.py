"""A lost store is rebuilt from both books: afterwards a run writes nothing, and nothing is there twice."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from ap_simulator.testing import running
from click.testing import CliRunner
from target_quickbooks.admin import commands


class Keeper:
    """Somebody who lost the store of a company, and mends it from the command line."""

    def __init__(self, books, directory, **policies):
        self.books = books
        self._policies = policies
        self.store = {"store_url": f"sqlite:///{directory / 'new.sqlite3'}"}
        self._file = directory / "bill.jsonl"

    def _env(self):
        own = {"store_url": self.store["store_url"], **self._policies}
        named = {f"TARGET_QUICKBOOKS_{name.upper()}": value for name, value in own.items()}
        return self.books.simulator.env() | named

    def rebuild(self, *arguments, answer=None, streams=None):
        lines = [line for line in self.books.read() if streams is None or _stream(line) in streams]
        text = "".join(f"{line}\n" for line in lines)
        env = self._env()
        runner = CliRunner(env=env)
        source = "-"
        if answer is not None:
            self._file.write_text(text)
            source, text = str(self._file), answer
        command = ["links", "rebuild", "--from", source, *arguments]
        return runner.invoke(commands, command, input=text, env={"COLUMNS": "150"})

    def admin(self, *arguments):
        env = self._env()
        return CliRunner(env=env).invoke(commands, arguments, env={"COLUMNS": "150"})

    def sync(self, **changes):
        """A run that reads all, with the rebuilt store."""
        self.books.simulator.control.reset_stats()
        return self.books.write(self.books.read(), **self.store, **self._policies, **changes)


def _stream(line):
    message = json.loads(line)
    return message.get("stream")


def counts(books):
    return {entity: len(books.stored(entity)) for entity in ("Vendor", "PurchaseOrder")}


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory, books_of):
    """The demo company: one run, the store lost, rebuilt, another run."""
    directory = tmp_path_factory.mktemp("rebuilt")
    with running("demo") as simulator:
        books = books_of(simulator, directory)
        first = books.sync()
        before = counts(books)
        keeper = Keeper(books, directory)
        told = keeper.rebuild("--yes", "--json")
        assert told.exit_code == 0, told.output
        second = keeper.sync()
        yield SimpleNamespace(
            books=books,
            keeper=keeper,
            first=first,
            before=before,
            told=json.loads(told.stdout),
            second=second,
            writes=books.writes(),
        )


def test_after_it_a_run_writes_nothing_and_nothing_is_there_twice(rebuilt):
    assert (rebuilt.writes, counts(rebuilt.books)) == (0, rebuilt.before)
    failed = [run.streams["bills"]["failed"] for run in (rebuilt.first, rebuilt.second)]
    assert failed[0] == failed[1]


def test_everything_written_is_found_and_as_bill_has_it(rebuilt):
    created = {stream: rebuilt.first.streams[stream].get("created", 0) for stream in ("vendors", "bills")}
    adopted = rebuilt.first.streams["vendors"]["updated"]
    found = rebuilt.told["linked"]
    assert found == {"vendors": created["vendors"] + adopted, "bills": created["bills"]}
    assert (rebuilt.told["to_look_at"], rebuilt.told["differing"]) == ([], [])
    assert rebuilt.told["cannot_be_mapped"] == 0


def test_after_it_both_books_agree(rebuilt):
    run = rebuilt.keeper.sync(mode="reconcile")
    assert (run.exit_code, run.report["differences"]) == (0, 0)


def test_its_links_are_in_the_history(rebuilt):
    verified = rebuilt.keeper.admin("audit", "verify")
    assert verified.exit_code == 0, verified.output
    exported = rebuilt.keeper.admin("audit", "export", "--stream", "vendors", "--format", "json")
    rows = json.loads(exported.stdout)
    assert {(row["operation"], row["outcome"]) for row in rows} == {("link", "applied")}
    assert all(row["trigger"].startswith("quickbooks-admin links rebuild") for row in rows)


def test_what_both_books_have_lived_through_costs_no_write(tmp_path, books_of):
    """Voided payments, archived and renamed vendors, an order with another date for closed books, an edit."""
    with running("demo") as simulator:
        books, control = books_of(simulator, tmp_path), simulator.control
        books.sync()
        paid = [one for one in books.held("payments") if one["singleStatus"] in {"PAID", "CLEARED"}]
        for payment in paid[:3]:
            control.set_payment_status(payment["id"], "VOIDED")
        vendors = [vendor for vendor in books.held("vendors") if not vendor["archived"]]
        for vendor in vendors[:3]:
            books.bill.patch(f"/v3/vendors/{vendor['id']}", {"name": f"{vendor['name']} Holdings"})
        for vendor in vendors[20:23]:
            books.bill.post(f"/v3/vendors/{vendor['id']}/archive")
        bills = [bill for bill in books.held("bills") if not bill["archived"]]
        for bill in bills[-3:]:
            books.bill.post(f"/v3/bills/{bill['id']}/archive")
        control.change_profile(book_close_date="2026-12-05")
        coding = bills[-1]["billLineItems"][0]["classifications"]
        books.bill.bill(vendors[5]["id"], "LATE-1", [{"amount": 12, "classifications": coding}])
        books.sync(closed_period="redate")
        order = books.stored("PurchaseOrder")[40]
        control.write_by_hand("PurchaseOrder", record_id=order["Id"], values={"DueDate": "2027-05-05"})

        held = [books.stored(entity) for entity in ("Vendor", "PurchaseOrder")]
        keeper = Keeper(books, tmp_path, closed_period="redate")
        result = told(keeper.rebuild("--yes", "--json"))
        assert (result["to_look_at"], result["cannot_be_mapped"]) == ([], 0)
        fields = {one["quickbooks_id"]: one["fields"] for one in result["differing"]}
        assert fields[order["Id"]] == ["DueDate"]
        keeper.sync()
        assert books.writes() == 0
        assert [books.stored(entity) for entity in ("Vendor", "PurchaseOrder")] == held


# --- after people and BILL have changed things --------------------------------------------------------------


@pytest.fixture
def books(fresh_books):
    return fresh_books


@pytest.fixture
def keeper(books, tmp_path):
    return Keeper(books, tmp_path)


@pytest.fixture
def acme(books):
    return books.bill.vendor("Acme", phone="5125550100")


@pytest.fixture
def order_of(books):
    """The purchase order of a bill as it is now."""

    def find(bill):
        return next(one for one in books.stored("PurchaseOrder") if f"/{bill['id']}]" in one["PrivateNote"])

    return find


@pytest.fixture
def named(books):
    def find(name):
        return next(one for one in books.stored("Vendor") if one["DisplayName"] == name)

    return find


@pytest.fixture
def cost(rent):
    """A line of a bill over some amount."""
    return lambda amount: {**rent, "amount": amount}


def told(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_what_people_edited_stays_and_later_changes_of_bill_are_sent(
    books, keeper, bookkeeper, cost, order_of, named, acme
):
    bill = books.bill.bill(acme["id"], "INV-1", [cost(10), cost(20)])
    books.sync()
    order = order_of(bill)
    lines = [{**one} for one in order["Line"]]
    lines[1]["Description"] = "by hand"
    bookkeeper.edit("PurchaseOrder", order, Line=lines, DocNumber="HAND-1", DueDate="2027-01-31")
    bookkeeper.edit("Vendor", named("Acme"), DisplayName="Acme of Austin")
    edited = order_of(bill)

    result = told(keeper.rebuild("--yes", "--json"))
    assert {(one["stream"], *sorted(one["fields"])) for one in result["differing"]} == {
        ("vendors", "DisplayName"),
        ("bills", "DocNumber", "DueDate", "Line"),
    }
    keeper.sync()
    assert (books.writes(), order_of(bill)) == (0, edited)

    books.bill.patch(f"/v3/vendors/{acme['id']}", {"phone": "5125550199"})
    first, second = bill["billLineItems"]
    books.bill.replace(bill, billLineItems=[{**first, "amount": 15}, second])
    keeper.sync()
    after = order_of(bill)
    assert [float(one["Amount"]) for one in after["Line"]] == [15, 20]
    assert (after["Line"][1]["Description"], after["DocNumber"]) == ("by hand", "HAND-1")
    assert after["DueDate"] == "2027-01-31"
    assert named("Acme of Austin")["PrimaryPhone"] == {"FreeFormNumber": "5125550199"}
    assert len(books.stored("PurchaseOrder")) == 1


def test_differences_are_sent_if_asked_for(books, keeper, bookkeeper, cost, order_of, acme):
    bill = books.bill.bill(acme["id"], "INV-1", [cost(10), cost(20)])
    books.sync()
    order = order_of(bill)
    lines = [{**order["Line"][0], "Amount": 99}, order["Line"][1]]
    bookkeeper.edit("PurchaseOrder", order, DueDate="2027-01-31", Line=lines)
    told(keeper.rebuild("--yes", "--json", "--send-differences"))
    run = keeper.sync()
    assert run.streams["bills"] == {"updated": 1}
    assert order_of(bill)["DueDate"] == "2026-11-30"
    assert [float(one["Amount"]) for one in order_of(bill)["Line"]] == [10, 20]


def test_what_is_out_of_use_stays_known(books, keeper, cost, order_of, acme):
    """Archived vendors and bills come back to the objects that they had."""
    bill = books.bill.bill(acme["id"], "INV-1", [cost(10), cost(20)])
    other = books.bill.vendor("Other")
    books.sync()
    books.bill.post(f"/v3/bills/{bill['id']}/archive")
    books.bill.post(f"/v3/vendors/{other['id']}/archive")
    books.sync()
    told(keeper.rebuild("--yes", "--json"))
    assert "(deleted)" not in keeper.admin("links", "show").output
    keeper.sync()
    assert books.writes() == 0
    books.bill.post(f"/v3/bills/{bill['id']}/restore")
    books.bill.post(f"/v3/vendors/{other['id']}/restore")
    run = keeper.sync()
    assert (run.streams["vendors"], run.streams["bills"]) == (
        {"updated": 1, "skipped": 1},
        {"updated": 1},
    )
    assert order_of(bill)["POStatus"] == "Open"
    assert len(order_of(bill)["Line"]) == 2
    assert len(books.stored("Vendor")) == 2


def test_vendors_of_one_name_and_merged_ones_are_told_apart(books, keeper, cost, bookkeeper, named, acme):
    twin = books.bill.vendor("Acme", phone="5125550177")
    third, survivor = books.bill.vendor("Third"), books.bill.vendor("Survivor")
    for number, vendor in enumerate((acme, twin, third, survivor)):
        books.bill.bill(vendor["id"], f"INV-{number}", [cost(10)])
    books.sync()
    bookkeeper.merge_vendors(losing=named("Third"), surviving=named("Survivor"))
    before = books.stored("Vendor")
    result = told(keeper.rebuild("--yes", "--json"))
    assert [one["bill_id"] for one in result["to_look_at"]] == [third["id"]]
    assert result["linked"] == {"vendors": 4, "bills": 4}
    keeper.sync()
    assert (books.writes(), books.stored("Vendor")) == (0, before)


def test_a_vendor_merged_before_it_had_an_order_is_told_and_taken_for_what_a_person_says(
    books, keeper, cost, bookkeeper, named, acme
):
    """Nothing in QuickBooks bears witness of it."""
    lost = books.bill.vendor("Lost")
    books.bill.bill(acme["id"], "INV-1", [cost(10)])
    books.sync()
    survivor = named("Acme")
    bookkeeper.merge_vendors(losing=named("Lost"), surviving=survivor)
    seen = told(keeper.rebuild("--json"))
    [doubt] = seen["to_look_at"]
    assert (doubt["bill_id"], doubt["quickbooks_id"]) == (lost["id"], "")
    assert "the next run makes it" in doubt["what"]
    result = told(keeper.rebuild("--yes", "--json", "--same-as", f"{lost['id']}={survivor['Id']}"))
    assert (result["linked"], result["not_in_quickbooks"]) == ({"vendors": 2, "bills": 1}, {})
    keeper.sync()
    assert (books.writes(), len(books.stored("Vendor"))) == (0, 1)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("009NOBODY=1", "no vendor 009NOBODY among BILL's records"),
        ("{acme}=999", "no vendor 999 in QuickBooks"),
        ("{acme}", "takes the ids of"),
        ("={acme}", "takes the ids of"),
    ],
)
def test_what_a_person_says_of_vendors_has_to_make_sense(books, keeper, acme, given, problem):
    books.sync()
    refused = keeper.rebuild("--yes", "--json", "--same-as", given.format(acme=acme["id"]))
    assert refused.exit_code == 1
    assert problem in str(refused.exception)
    assert "No such links." in keeper.admin("links", "show").output


def test_a_note_that_was_left_out_stays_left_out(books, keeper, cost, order_of, acme):
    """The order had a bill in QuickBooks when it was paid, and has none any more."""
    control = books.simulator.control
    bill = books.bill.bill(acme["id"], "INV-1", [cost(100)])
    books.sync()
    order = order_of(bill)
    posted = control.bill_order(order["Id"], shares={order["Line"][0]["Id"]: "40"})
    funding = {"type": "BANK_ACCOUNT", "id": books.held("bank_accounts")[0]["id"]}
    paid = {"vendorId": acme["id"], "billId": bill["id"], "amount": 30, "fundingAccount": funding}
    payment = books.bill.post("/v3/payments", paid | {"processingOptions": {"createBill": False}})
    control.set_payment_status(payment["id"], "CLEARED")
    books.sync()
    control.write_by_hand("Bill", "delete", record_id=posted["Id"])
    before = order_of(bill)
    assert "Paid" not in before["PrivateNote"]
    told(keeper.rebuild("--yes", "--json"))
    keeper.sync()
    assert (books.writes(), order_of(bill)) == (0, before)


def test_doubts_are_told_and_settled_by_the_older_order(books, keeper, bookkeeper, cost, order_of, acme):
    bill = books.bill.bill(acme["id"], "INV-1", [cost(10)])
    books.sync()
    order = order_of(bill)
    kept = {name: order[name] for name in ("VendorRef", "APAccountRef", "CurrencyRef", "PrivateNote")}
    lines = [{name: value for name, value in one.items() if name != "Id"} for one in order["Line"]]
    copy = bookkeeper.write("PurchaseOrder", **kept, Line=lines, DocNumber="COPY")
    stray = bookkeeper.write(
        "PurchaseOrder",
        **{**kept, "PrivateNote": order["PrivateNote"].replace(bill["id"], "00nUNKNOWN")},
        Line=lines,
        DocNumber="STRAY",
    )
    result = told(keeper.rebuild("--yes", "--json"))
    doubts = {one["bill_id"]: one for one in result["to_look_at"]}
    assert doubts[bill["id"]]["quickbooks_id"] == order["Id"]
    assert copy["Id"] in doubts[bill["id"]]["what"]
    assert doubts["00nUNKNOWN"]["quickbooks_id"] == stray["Id"]
    keeper.sync()
    assert books.writes() == 0


def test_nothing_is_linked_without_a_yes(books, keeper, cost, acme):
    books.bill.bill(acme["id"], "INV-1", [cost(10)])
    books.sync()
    refused = keeper.rebuild(answer="n\n")
    assert refused.exit_code == 1
    assert "Link 1 vendors and 1 purchase orders?" in refused.output
    assert "No such links." in keeper.admin("links", "show").output
    assert "Linked: 1 vendors, 1 bills." in keeper.rebuild(answer="y\n").output


def test_links_that_are_there_stay(books, keeper, cost, acme):
    books.bill.bill(acme["id"], "INV-1", [cost(10)])
    books.sync()
    told(keeper.rebuild("--yes", "--json"))
    again = told(keeper.rebuild("--yes", "--json"))
    assert (again["linked_already"], again["linked"]) == ({"vendors": 1, "bills": 1}, {})
    assert told(keeper.rebuild("--yes", "--json", "--overwrite"))["linked"] == {"vendors": 1, "bills": 1}


def test_without_what_bills_refer_to_they_are_linked_and_looked_at_again(books, keeper, cost, acme):
    books.bill.bill(acme["id"], "INV-1", [cost(10)])
    books.sync()
    result = told(keeper.rebuild("--yes", "--json", streams={"vendors", "bills"}))
    assert (result["linked"], result["cannot_be_mapped"]) == ({"vendors": 1, "bills": 1}, 1)
    keeper.sync()
    assert books.writes() == 0


def test_without_bills_records_it_only_tells(books, keeper, cost, acme):
    books.bill.bill(acme["id"], "INV-1", [cost(10)])
    books.sync()
    output = keeper.admin("links", "rebuild").output
    assert "00802DEMOORGANIZTN01" in output
    assert "Give BILL's records with --from" in output
    assert "No such links." in keeper.admin("links", "show").output
