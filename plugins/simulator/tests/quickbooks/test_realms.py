"""Several companies side by side, and what control and seeding may do with them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from ap_simulator.quickbooks.problems import RefusedError


def test_companies_share_nothing(books, other_books):
    mine, theirs = books.vendor("Same Name"), other_books.vendor("Same Name")
    assert mine["Id"] == theirs["Id"] == "42"
    books.order(DocNumber="7")
    assert other_books.order(DocNumber="7")["Id"] == "1"
    books.write("Vendor", {**mine, "DisplayName": "Other"})
    assert other_books.read("Vendor", theirs["Id"]) == theirs
    books.profile(plan="Essentials")
    assert other_books.order()
    assert len(books.rows("select * from Vendor")) == len(other_books.rows("select * from Vendor"))


@pytest.mark.usefixtures("other_books")
def test_records_for_control_of_one_company_or_all(books):
    books.vendor("Mine")
    control = books.simulator.control
    mine = control.records("quickbooks", "Vendor", realm=books.realm_id)
    assert [v["DisplayName"] for v in mine][-1] == "Mine"
    assert len(control.records("quickbooks", "Vendor")) == len(mine) * 2 - 1


def test_counts(books):
    books.order()
    counts = books.service.counts()[books.realm_id]
    assert counts["PurchaseOrder"] == 1
    assert counts["Vendor"] == 2
    assert "Bill" not in counts


def test_company_cannot_be_opened_twice(books):
    with pytest.raises(ValueError, match="There is a company"):
        books.service.add_realm(realm_id=books.realm_id, company=books.realm.profile)


def test_what_is_not_there(books):
    for act in (
        lambda: books.service.records("9", "Vendor"),
        lambda: books.service.records(books.realm_id, "Nonsense"),
        lambda: books.service.load("9", "Vendor", []),
        lambda: books.service.load(books.realm_id, "Nonsense", []),
        lambda: books.service.change_profile("9", name="x"),
        lambda: books.service.merge_vendors("9", "1", "2"),
    ):
        with pytest.raises(LookupError):
            act()
    with pytest.raises(ValueError, match="without an Id"):
        books.service.load(books.realm_id, "Vendor", [{"DisplayName": "A"}])


class TestLoading:
    def test_loaded_records_are_answered_as_they_are(self, books):
        loaded = {
            "Id": "500",
            "SyncToken": "3",
            "DisplayName": "Loaded",
            "Active": True,
            "Balance": Decimal("12.50"),
            "TaxIdentifier": "123456789",
            "CurrencyRef": {"value": "USD", "name": "whatever"},
            "MetaData": {
                "CreateTime": "2025-06-01T08:00:00Z",
                "LastUpdatedTime": "2025-07-01T08:00:00-07:00",
            },
        }
        books.load("Vendor", loaded)
        assert books.read("Vendor", "500") == {
            **loaded,
            "domain": "QBO",
            "sparse": False,
            "Balance": Decimal("12.5"),
            "TaxIdentifier": "XXXXX6789",
            "CurrencyRef": {"value": "USD", "name": "United States Dollar"},
            "MetaData": {
                "CreateTime": "2025-06-01T01:00:00-07:00",
                "LastUpdatedTime": "2025-07-01T08:00:00-07:00",
            },
        }
        assert books.vendor("Next")["Id"] == "501"
        assert books.written() == {"Vendor": {"create": 1}}

    def test_loading_an_id_again_replaces_the_record(self, books):
        for name in ("One", "Two"):
            books.load("Vendor", {"Id": "500", "DisplayName": name, "Active": True})
        assert books.read("Vendor", "500")["DisplayName"] == "Two"
        assert books.named("Vendor", "One") == []
        assert books.vendor("One")

    def test_what_was_read_can_be_loaded_elsewhere(self, books, other_books):
        bill = books.bill(books.account_line("12.34"), DocNumber="7")
        other_books.load("Bill", bill)
        assert other_books.read("Bill", bill["Id"]) == bill

    def test_loaded_transactions_are_linked(self, books, other_books):
        order = books.order()
        link = [{"TxnId": order["Id"], "TxnType": "PurchaseOrder", "TxnLineId": "1"}]
        bill = books.bill(books.account_line(80, LinkedTxn=link))
        payment = books.pay(("Bill", bill["Id"], 30))
        for entity, record_id in (
            ("PurchaseOrder", order["Id"]),
            ("Bill", bill["Id"]),
            ("BillPayment", payment["Id"]),
        ):
            other_books.load(entity, books.read(entity, record_id))
        body = {"Id": payment["Id"], "SyncToken": "0"}
        other_books.post("billpayment", body, operation="delete")
        opened = other_books.read("Bill", bill["Id"])
        assert opened["Balance"] == 80
        body = {"Id": bill["Id"], "SyncToken": opened["SyncToken"]}
        other_books.post("bill", body, operation="delete")
        assert other_books.read("PurchaseOrder", order["Id"])["POStatus"] == "Open"


class TestMerging:
    def test_transactions_and_balance_move(self, books):
        losing, surviving = books.vendor("Losing"), books.vendor("Surviving")
        ref = {"value": losing["Id"]}
        order, bill = books.order(VendorRef=ref), books.bill(VendorRef=ref)
        books.on_loop(
            lambda world: world.quickbooks.merge_vendors(books.realm_id, losing["Id"], surviving["Id"])
        )
        assert books.fault(books.call("GET", f"vendor/{losing['Id']}"))["code"] == "610"
        for entity, record_id in (("PurchaseOrder", order["Id"]), ("Bill", bill["Id"])):
            shown = books.read(entity, record_id)
            assert shown["VendorRef"] == {"value": surviving["Id"], "name": "Surviving"}
            assert shown["SyncToken"] == "1"
        merged = books.read("Vendor", surviving["Id"])
        assert (merged["Balance"], merged["SyncToken"]) == (200, "1")
        assert books.vendor("Losing")
        event = books.service.events(books.realm_id)[-2]
        assert (event.operation, event.id, event.deleted_id) == (
            "Merge",
            surviving["Id"],
            losing["Id"],
        )

    @pytest.mark.parametrize(("losing", "surviving", "code"), [("41", "41", "2600"), ("41", "999", "610")])
    def test_merges_that_cannot_be(self, books, losing, surviving, code):
        with pytest.raises(RefusedError, match=code):
            books.on_loop(lambda world: world.quickbooks.merge_vendors(books.realm_id, losing, surviving))


def test_events_tell_of_every_change(books):
    heard = []
    books.service.on_event(heard.append)
    bill = books.bill()
    payment = books.pay(("Bill", bill["Id"], 5))
    books.write(
        "BillPayment",
        {"Id": payment["Id"], "SyncToken": "0", "sparse": True},
        operation="update",
        include="void",
    )
    order = books.order(POEmail={"Address": "a@b.example"})
    books.call("POST", f"purchaseorder/{order['Id']}/send", b"")
    books.post("purchaseorder", {"Id": order["Id"], "SyncToken": "1"}, operation="delete")
    books.refused("Vendor", {"DisplayName": "Hicks Hardware"})
    assert [(event.entity, event.operation) for event in heard] == [
        ("Bill", "Create"),
        ("BillPayment", "Create"),
        ("BillPayment", "Void"),
        ("PurchaseOrder", "Create"),
        ("PurchaseOrder", "Emailed"),
        ("PurchaseOrder", "Delete"),
    ]
    assert {event.realm_id for event in heard} == {books.realm_id}
    assert books.service.events() == heard
