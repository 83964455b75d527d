"""What people change in QuickBooks after a run is found by the next one, and follows the policies."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3

import pytest
from click.testing import CliRunner
from target_quickbooks.admin import commands
from target_quickbooks.drift import search

REALM = "9341452000000001"


def again(books, **settings):
    """A run to which BILL sends nothing new."""
    lines = [line for line in books.read(books.state) if json.loads(line)["type"] != "RECORD"]
    return books.write(lines, **settings)


def only(records):
    assert len(records) == 1, records
    return records[0]


class Drift:
    """The store's drift, and the books."""

    def __init__(self, books):
        self.books = books
        self.path = books.settings("TARGET_QUICKBOOKS_")["store_url"].removeprefix("sqlite:///")

    def vendor(self, name):
        return only([vendor for vendor in self.books.stored("Vendor") if vendor["DisplayName"] == name])

    def rows(self, statement, *values):
        connection = sqlite3.connect(self.path)
        try:
            with connection:
                return connection.execute(statement, values).fetchall()
        finally:
            connection.close()

    def due(self, *, known_until=None):
        """As if the last search was longer ago."""
        long_ago = "2020-01-01T00:00:00.000000+00:00"
        self.rows("UPDATE drift_searches SET searched_at = ?", long_ago)
        if known_until:
            text = known_until.astimezone(dt.UTC).isoformat(timespec="microseconds")
            self.rows("UPDATE drift_searches SET known_until = ?", text)

    def crash(self, run, **settings):
        """A run that dies in the middle, which leaves nobody who holds its place."""
        with pytest.raises(ZeroDivisionError):
            run(**settings)
        self.rows("DELETE FROM leases")

    def count_anew(self):
        """Count calls from now on, in a second that nobody has used up."""
        self.books.simulator.control.advance(2)
        self.books.simulator.control.reset_stats()

    def look(self, **settings):
        """A run that looks, because it is due."""
        self.due()
        self.count_anew()
        return again(self.books, **settings)

    def found(self, status="open"):
        return {
            (kind, entity, quickbooks_id)
            for kind, entity, quickbooks_id in self.rows(
                "SELECT kind, entity, quickbooks_id FROM drift WHERE status = ?", status
            )
        }

    def fields(self):
        [(text,)] = self.rows("SELECT differences FROM drift WHERE status = 'open'")
        return {one["field"]: (one["before"], one["after"]) for one in json.loads(text)}

    def delete(self, order):
        self.books.simulator.control.write_by_hand("PurchaseOrder", operation="delete", record_id=order["Id"])

    def admin(self, *arguments, **settings):
        env = {
            name: value for name, value in self.books.simulator.env().items() if name.startswith("TARGET_")
        }
        changed = {f"TARGET_QUICKBOOKS_{name.upper()}": value for name, value in settings.items()}
        return CliRunner(env=env | changed).invoke(commands, ["drift", *arguments])


@pytest.fixture
def books(fresh_books):
    return fresh_books


@pytest.fixture
def drift(books, rent):
    """Two vendors and an order in step."""
    vendors = [books.bill.vendor(name, phone="5125550100") for name in ("Acme", "Zenith")]
    books.bill.bill(vendors[0]["id"], "INV-1", [rent])
    assert books.sync().exit_code == 0
    return Drift(books)


@pytest.fixture
def acme(drift):
    return drift.vendor("Acme")


@pytest.fixture
def zenith(drift):
    return drift.vendor("Zenith")


@pytest.fixture
def order(drift):
    return only(drift.books.stored("PurchaseOrder"))


def test_our_own_writes_are_no_drift_and_looking_costs_one_call(books, drift):
    drift.due(known_until=dt.datetime.now(dt.UTC) - dt.timedelta(days=1))
    drift.count_anew()
    assert again(books).exit_code == 0
    assert (books.calls(), drift.found()) == (1, set())


def test_it_is_looked_once_in_so_many_hours(books, drift, bookkeeper, order):
    bookkeeper.edit("PurchaseOrder", order, PrivateNote="by hand")
    books.simulator.control.reset_stats()
    again(books)
    assert (books.calls(), drift.found()) == (0, set())
    drift.due()
    again(books, drift_check_hours=0)
    assert (books.calls(), drift.found()) == (0, set())
    drift.rows(
        "UPDATE drift_searches SET searched_at = ?",
        (dt.datetime.now(dt.UTC) - dt.timedelta(hours=2)).isoformat(),
    )
    again(books)
    assert drift.found() == set()
    again(books, drift_check_hours=1)
    assert drift.found() == {("changed", "PurchaseOrder", order["Id"])}


def test_an_edit_is_noted_and_left(books, drift, bookkeeper, order):
    bookkeeper.edit("PurchaseOrder", order, TxnDate="2026-11-05")
    run = drift.look()
    assert drift.found() == {("changed", "PurchaseOrder", order["Id"])}
    assert drift.fields() == {"TxnDate": ("2026-11-01", "2026-11-05")}
    assert (books.calls(), books.writes(), run.exit_code) == (1, 0, 0)
    assert only(run.report["notes"])["label"] == "1 changed in QuickBooks"
    assert drift.look().report["notes"] == []


def test_a_rename_is_noted_and_closed_when_it_is_taken_back(drift, bookkeeper, acme):
    renamed = bookkeeper.edit("Vendor", acme, DisplayName="Acme of Austin")
    drift.look()
    assert drift.fields() == {"DisplayName": ("Acme", "Acme of Austin")}
    bookkeeper.edit("Vendor", renamed, DisplayName="Acme")
    drift.look()
    assert (drift.found(), drift.found("resolved")) == (set(), {("changed", "Vendor", acme["Id"])})


def test_a_deleted_order_waits_for_a_person_unless_it_is_to_be_recreated(books, drift, order):
    drift.delete(order)
    run = drift.look()
    assert (run.exit_code, drift.found()) == (0, {("deleted", "PurchaseOrder", order["Id"])})
    assert books.stored("PurchaseOrder") == []
    run = again(books, missing_in_quickbooks="recreate")  # not due, but an open entry is followed
    anew = only(books.stored("PurchaseOrder"))
    assert run.streams["restored_orders"] == {"created": 1}
    assert {key: anew[key] for key in ("DocNumber", "TotalAmt", "VendorRef", "PrivateNote")} == {
        key: order[key] for key in ("DocNumber", "TotalAmt", "VendorRef", "PrivateNote")
    }
    assert (drift.found(), drift.found("resolved")) == (set(), {("deleted", "PurchaseOrder", order["Id"])})
    assert books.sync(full=True, missing_in_quickbooks="recreate").written() == 0
    assert len(books.stored("PurchaseOrder")) == 1


def test_a_vendor_made_inactive_is_made_active_again_where_policies_say_so(books, drift, bookkeeper, zenith):
    bookkeeper.edit("Vendor", zenith, Active=False)
    drift.look()
    assert drift.found() == {("inactive", "Vendor", zenith["Id"])}
    again(books, inactive_vendor="reactivate")
    back = only([vendor for vendor in books.stored("Vendor") if vendor["Id"] == zenith["Id"]])
    assert (back["Active"], back["DisplayName"]) == (True, "Zenith")
    assert drift.found() == set()
    bookkeeper.edit("Vendor", back, Active=False)
    drift.look(inactive_vendor="reactivate")
    assert drift.found() == set()
    assert all(vendor["Active"] for vendor in books.stored("Vendor"))


@pytest.mark.parametrize("merged_vendor", ["gone", "inactive"])
def test_a_merge_moves_the_link_and_leaves_its_orders_in_order(
    books, drift, bookkeeper, acme, zenith, merged_vendor
):
    books.simulator.control.set_switches({"quickbooks.merged_vendor": merged_vendor})
    bookkeeper.merge_vendors(losing=acme, surviving=zenith)
    drift.look()
    assert (drift.found(), drift.found("resolved")) == (set(), {("merged", "Vendor", acme["Id"])})
    drift.look()
    assert drift.found() == set()


def test_what_both_sides_put_out_of_use_is_no_drift(books, drift, order, bookkeeper, zenith):
    vendor = only([one for one in books.held("vendors") if one["name"] == "Zenith"])
    bookkeeper.edit("Vendor", zenith, Active=False)
    books.bill.post(f"/v3/vendors/{vendor['id']}/archive")
    bill = only(books.held("bills"))
    books.bill.post(f"/v3/bills/{bill['id']}/archive")
    drift.delete(order)
    drift.due()
    books.sync()
    assert drift.found() == set()


def test_a_person_agrees_to_what_quickbooks_holds(drift, bookkeeper, order):
    edited = bookkeeper.edit("PurchaseOrder", order, TxnDate="2026-11-05")
    drift.look()
    done = drift.admin("accept", "1", "--reason", "as the vendor has it")
    assert done.output == f"1: PurchaseOrder {order['Id']} 'INV-1' stays as it is in QuickBooks\n"
    assert drift.found("accepted") == {("changed", "PurchaseOrder", order["Id"])}
    [(detail,)] = drift.rows("SELECT detail FROM audit WHERE operation = 'accept'")
    assert detail == "as the vendor has it"
    drift.look()
    assert drift.found() == set()
    bookkeeper.edit("PurchaseOrder", edited, TxnDate="2026-11-06")
    drift.look()
    assert drift.found() == {("changed", "PurchaseOrder", order["Id"])}


def test_a_person_has_ours_sent_again(books, drift, bookkeeper, acme, zenith, order):
    bookkeeper.edit(
        "PurchaseOrder",
        order,
        TxnDate="2026-11-05",
        Line=[{**order["Line"][0], "Amount": 1}],
        DueDate="2026-12-05",
    )
    bookkeeper.edit("Vendor", acme, DisplayName="Acme of Austin", PrimaryPhone={"FreeFormNumber": "1"})
    bookkeeper.edit("Vendor", zenith, Active=False)
    drift.look()
    done = drift.admin("resolve", "1", "2", "3")
    assert (done.exit_code, done.output.count("is as it was last sent")) == (0, 3), done.output
    now = {key: value for key, value in only(books.stored("PurchaseOrder")).items() if key in order}
    kept = ("TxnDate", "DueDate", "TotalAmt", "DocNumber", "VendorRef", "PrivateNote")
    assert {key: now[key] for key in kept} == {key: order[key] for key in kept}
    assert sorted(vendor["DisplayName"] for vendor in books.stored("Vendor")) == ["Acme", "Zenith"]
    assert all(vendor["Active"] for vendor in books.stored("Vendor"))
    assert (drift.found(), len(drift.found("resolved"))) == (set(), 3)
    assert books.sync(full=True).written() == 0


@pytest.mark.parametrize("changes", [{}, {"DisplayName": "Zenith of Austin"}])
def test_a_vendor_archived_in_bill_is_deactivated_again_under_its_own_name(
    books, drift, bookkeeper, zenith, changes
):
    """What QuickBooks writes behind the name of something inactive is never sent back as part of it."""
    vendor = only([one for one in books.held("vendors") if one["name"] == "Zenith"])
    books.bill.post(f"/v3/vendors/{vendor['id']}/archive")
    books.sync()
    inactive = only(books.stored("Vendor", record_id=zenith["Id"]))
    bookkeeper.edit("Vendor", inactive, Active=True, **changes)
    drift.look()
    done = drift.admin("resolve", "1")
    assert "is as it was last sent" in done.output, done.output
    again = only(books.stored("Vendor", record_id=zenith["Id"]))
    assert (again["Active"], again["DisplayName"]) == (False, inactive["DisplayName"])
    assert books.sync(full=True).written() == 0
    assert books.write(books.read(), mode="reconcile").report["in_step"]


def test_a_vendor_changed_while_inactive_is_in_order_once_it_is_active_again(
    books, drift, bookkeeper, zenith
):
    """Nobody renamed it: it has its name back."""
    vendor = only([one for one in books.held("vendors") if one["name"] == "Zenith"])
    bookkeeper.edit("Vendor", zenith, Active=False)
    books.bill.patch(f"/v3/vendors/{vendor['id']}", {"phone": "5125550199"})
    books.sync()
    inactive = only(books.stored("Vendor", record_id=zenith["Id"]))
    bookkeeper.edit("Vendor", inactive, Active=True)
    drift.look()
    assert (drift.vendor("Zenith")["Active"], drift.found()) == (True, set())


def test_an_order_whose_vendor_was_merged_stays_with_the_survivor_when_ours_is_sent_again(
    books, drift, bookkeeper, acme, zenith, order
):
    bookkeeper.merge_vendors(losing=acme, surviving=zenith)
    moved = only(books.stored("PurchaseOrder"))
    bookkeeper.edit("PurchaseOrder", moved, DueDate="2031-12-05")
    drift.look()
    [(number,)] = drift.rows("SELECT id FROM drift WHERE status = 'open'")
    done = drift.admin("resolve", str(number))
    assert done.exit_code == 0, done.output
    now = only(books.stored("PurchaseOrder"))
    assert (now["DueDate"], now["VendorRef"]["value"]) == (order["DueDate"], zenith["Id"])


def test_a_person_has_a_deleted_order_written_anew(books, drift, order):
    drift.delete(order)
    assert drift.admin("find").exit_code == 0
    done = drift.admin("resolve", "1")
    assert (done.exit_code, len(books.stored("PurchaseOrder"))) == (0, 1), done.output
    assert drift.admin("resolve", "1").exit_code == 1


def test_what_cannot_be_sent_again_still_differs_and_is_told(drift, bookkeeper, acme, order):
    drift.delete(order)
    bookkeeper.edit("Vendor", acme, Active=False)
    drift.look()
    [(number,)] = drift.rows("SELECT id FROM drift WHERE entity = 'PurchaseOrder'")
    done = drift.admin("resolve", str(number))
    assert done.exit_code == 1
    assert "still differs: Purchase order 'INV-1' waits: its vendor 'Acme' is inactive" in done.output


def test_find_tells_what_it_found_without_a_run(books, drift, bookkeeper, order):
    bookkeeper.edit("PurchaseOrder", order, TxnDate="2026-11-05")
    drift.count_anew()
    told = json.loads(drift.admin("find", "--json").output)
    assert [(one["kind"], one["fields"]) for one in told["new"]] == [("changed", ["TxnDate"])]
    assert (books.calls(), told["complete"], told["unknown_since"]) == (1, True, None)
    assert json.loads(drift.admin("find", "--json").output)["new"] == []
    [entry] = json.loads(drift.admin("list", "--json").output)
    shown = json.loads(drift.admin("show", str(entry["id"])).output)
    assert shown["differences"] == [
        {"field": "TxnDate", "last_written": "2026-11-01", "in_quickbooks": "2026-11-05"}
    ]
    assert "TxnDate" in drift.admin("list").output


def test_what_is_more_than_thirty_days_ago_is_told_to_be_unknown(books, drift, order):
    books.simulator.control.advance(31 * 86400)
    books.simulator.control.write_by_hand(
        "PurchaseOrder", record_id=order["Id"], values={"TxnDate": "2026-11-05"}
    )
    run = drift.look()
    assert drift.found() == {("changed", "PurchaseOrder", order["Id"])}
    notes = {note["label"]: note["notes"] for note in run.report["notes"]}
    assert "mode: reconcile" in notes["changes made in QuickBooks"][0]
    assert "changes made in QuickBooks" not in {note["label"] for note in drift.look().report["notes"]}


def test_behind_more_than_a_thousand_changes_nothing_is_hidden(books, drift, bookkeeper, acme, order):
    """What others changed fills the answer, in which QuickBooks puts deletions last."""
    start = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    moments = [
        (start + dt.timedelta(seconds=number)).isoformat(timespec="seconds") for number in range(1_050)
    ]
    copied = {name: order[name] for name in ("SyncToken", "VendorRef", "APAccountRef", "Line", "TotalAmt")}
    others = [
        {**copied, "Id": str(10_000 + number), "MetaData": {"CreateTime": at, "LastUpdatedTime": at}}
        for number, at in enumerate(moments)
    ]
    books.simulator.on_loop(lambda world: world.quickbooks.load(REALM, "PurchaseOrder", others))
    bookkeeper.edit("Vendor", acme, CompanyName="Acme of Austin")
    drift.delete(order)
    drift.due(known_until=start)
    drift.look()
    assert drift.found() == {("deleted", "PurchaseOrder", order["Id"]), ("changed", "Vendor", acme["Id"])}
    assert books.calls() == 6  # both together, each alone, two pages, the linked order


def test_a_crash_between_answer_and_store_loses_nothing(books, drift, bookkeeper, order, monkeypatch):
    bookkeeper.edit("PurchaseOrder", order, TxnDate="2026-11-05")
    with monkeypatch.context() as broken:
        broken.setattr(search.drift_table, "note", lambda *_, **__: 1 / 0)
        drift.crash(drift.look)
    assert drift.found() == set()
    again(books)
    assert drift.found() == {("changed", "PurchaseOrder", order["Id"])}


def test_a_crash_after_an_order_was_written_anew_writes_no_second_one(books, drift, order, monkeypatch):
    drift.delete(order)
    with monkeypatch.context() as broken:
        broken.setattr(search.Search, "look_again", lambda *_: 1 / 0)
        drift.crash(drift.look, missing_in_quickbooks="recreate")
    again(books, missing_in_quickbooks="recreate")
    assert (len(books.stored("PurchaseOrder")), drift.found()) == (1, set())


def test_quickbooks_that_does_not_tell_lets_the_run_go_on(books, drift, bookkeeper, order):
    bookkeeper.edit("PurchaseOrder", order, TxnDate="2026-11-05")
    books.simulator.control.add_fault("server_error", path="*/cdc*", status=500)
    run = drift.look(max_retry_seconds=0)
    assert run.exit_code == 0
    assert "the next run tries again" in run.report["notes"][0]["notes"][0]
    books.simulator.control.clear_faults()
    again(books)
    assert drift.found() == {("changed", "PurchaseOrder", order["Id"])}


@pytest.mark.parametrize("policy", ["hold", "recreate"])
def test_bills_drift_as_orders_do_where_they_are_bills(books, rent, bookkeeper, policy):
    """Where payables are kept in QuickBooks."""
    settings = {"transaction_type": "bill", "post_payments": "never"}
    vendor = books.bill.vendor("Acme")
    for number in ("INV-1", "INV-2"):
        books.bill.bill(vendor["id"], number, [rent])
    assert books.sync(**settings).exit_code == 0
    drift = Drift(books)
    kept, gone = sorted(books.stored("Bill"), key=lambda bill: bill["DocNumber"])
    bookkeeper.edit("Bill", kept, TxnDate="2026-11-05")
    books.simulator.control.delete_by_hand("Bill", gone["Id"])
    drift.look(**settings)
    edited = ("changed", "Bill", kept["Id"])
    assert drift.found() == {edited, ("deleted", "Bill", gone["Id"])}
    again(books, **settings, missing_in_quickbooks=policy)
    assert drift.found() == ({edited} if policy == "recreate" else {edited, ("deleted", "Bill", gone["Id"])})
    assert len(books.stored("Bill")) == (2 if policy == "recreate" else 1)
    [(number,)] = drift.rows("SELECT id FROM drift WHERE quickbooks_id = ?", kept["Id"])
    assert drift.admin("resolve", str(number), **settings).exit_code == 0
    dates = {bill["TxnDate"] for bill in books.stored("Bill")}
    assert dates == {kept["TxnDate"]}


@pytest.mark.parametrize("way", ["resolve", "recreate"])
def test_what_bill_changed_meanwhile_follows_what_was_last_sent(books, drift, order, acme, rent, way):
    """BILL does not send again what failed: its failure must not go with the vendor that is brought back."""
    drift.delete(order)
    books.simulator.control.delete_by_hand("Vendor", acme["Id"])
    vendor = only([one for one in books.held("vendors") if one["name"] == "Acme"])
    books.bill.patch(f"/v3/vendors/{vendor['id']}", {"phone": "5125550177"})
    assert books.sync().exit_code == 1
    if way == "resolve":
        drift.admin("find")
        numbers = [str(number) for (number,) in drift.rows("SELECT id FROM drift WHERE entity = 'Vendor'")]
        assert drift.admin("resolve", *numbers).exit_code == 0
    else:
        books.bill.bill(vendor["id"], "INV-2", [rent])
        books.sync(missing_in_quickbooks="recreate")
    made = only([one for one in books.stored("Vendor") if one["DisplayName"] == "Acme"])
    assert (made["Id"] != acme["Id"], made["PrimaryPhone"]) == (True, {"FreeFormNumber": "5125550177"})
    assert drift.rows("SELECT bill_id FROM failures WHERE stream = 'vendors' AND status <> 'resolved'") == []
