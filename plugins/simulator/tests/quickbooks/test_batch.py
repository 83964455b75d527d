"""Batch requests: items, faults of items, whole refusals, order (QuickBooks manual 4)."""

from __future__ import annotations

import pytest


def create(bid, name, **fields):
    return {"bId": bid, "operation": "create", "Vendor": {"DisplayName": name, **fields}}


def code(answer):
    (error,) = answer["Fault"]["Error"]
    return error["code"]


def test_every_kind_of_item(books):
    order = books.order()
    answers = books.batch(
        create("bid1", "Smith Family Store"),
        {
            "bId": "bid2",
            "operation": "delete",
            "PurchaseOrder": {"Id": order["Id"], "SyncToken": "0"},
        },
        {
            "bId": "bid3",
            "operation": "update",
            "Vendor": {"Id": books.VENDOR, "SyncToken": "0", "sparse": True, "AcctNum": "7"},
        },
        {"bId": "bid4", "Query": "select * from Vendor where DisplayName = 'Hicks Hardware'"},
        {"bId": "bid5", "Query": "select count(*) from Class"},
    )
    assert [answer["bId"] for answer in answers] == ["bid1", "bid2", "bid3", "bid4", "bid5"]
    assert answers[0]["Vendor"] == books.read("Vendor", answers[0]["Vendor"]["Id"])
    assert answers[1]["PurchaseOrder"] == {"status": "Deleted", "domain": "QBO", "Id": order["Id"]}
    assert answers[2]["Vendor"]["AcctNum"] == "7"
    assert answers[3]["QueryResponse"]["maxResults"] == 1
    assert answers[4]["QueryResponse"] == {"totalCount": 2}
    assert books.written() == {
        "PurchaseOrder": {"create": 1, "delete": 1},
        "Vendor": {"create": 1, "update": 1},
    }


def test_faults_are_the_items_own(books):
    answers = books.batch(
        create("1", "Good"),
        create("2", "Hicks Hardware"),
        create("3", "Bad:Name"),
        {"bId": "4", "operation": "update", "Vendor": {"Id": "999", "SyncToken": "0"}},
        {"bId": "5", "operation": "update", "Vendor": {"Id": books.VENDOR, "SyncToken": "9"}},
        {"bId": "6", "Query": "select"},
        create("7", "Also Good"),
    )
    assert [code(a) if "Fault" in a else "ok" for a in answers] == [
        *("ok", "6240", "2180", "610", "5010", "4000", "ok"),
    ]
    fault = answers[1]["Fault"]
    assert fault["type"] == "ValidationFault"
    assert set(fault["Error"][0]) == {"Message", "Detail", "code", "element"}
    assert books.written() == {"Vendor": {"create": 2}}


def test_two_items_of_one_name_or_one_version(books):
    answers = books.batch(create("1", "Same"), create("2", "same"))
    assert [code(a) if "Fault" in a else "ok" for a in answers] == ["ok", "6240"]
    update = {"operation": "update", "Vendor": {"Id": books.VENDOR, "SyncToken": "0", "sparse": True}}
    answers = books.batch({"bId": "1", **update}, {"bId": "2", **update})
    assert [code(a) if "Fault" in a else "ok" for a in answers] == ["ok", "5010"]


def test_items_in_random_order(books):
    books.switch(batch_order="random", batch_seed=3)
    answers = books.batch(*(create(str(n), f"Vendor {n}") for n in range(10)))
    assert [answer["bId"] for answer in answers] == [str(n) for n in range(10)]
    ids = [int(answer["Vendor"]["Id"]) for answer in answers]
    assert sorted(ids) != ids
    assert sorted(ids) == list(range(min(ids), min(ids) + 10))


def test_thirty_items_are_the_most(books):
    items = [create(str(n), f"Vendor {n}") for n in range(31)]
    assert len(books.batch(*items[:30])) == 30
    error = books.fault(books.call("POST", "batch", {"BatchItemRequest": items}))
    assert (error["code"], error["Message"]) == ("1040", "Batch size exceeds allowed limit")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"BatchItemRequest": []}, "2020"),
        ({}, "2020"),
        ([], "2010"),
        ({"BatchItemRequest": ["x"]}, "2010"),
        ({"BatchItemRequest": {"bId": "1"}}, "2010"),
        ({"Items": []}, "2010"),
        ({"BatchItemRequest": [{"Query": "select * from Vendor"}]}, "2020"),
        ({"BatchItemRequest": [create("1", "A"), create("1", "B")]}, "2600"),
        ({"BatchItemRequest": [create({"x": 1}, "A")]}, "2010"),
    ],
)
def test_requests_that_are_refused_whole(books, body, error):
    assert books.fault(books.call("POST", "batch", body))["code"] == error
    assert books.written() == {}


@pytest.mark.parametrize(
    ("item", "error"),
    [
        ({"operation": "create", "Nonsense": {}}, "2000"),
        ({"operation": "create"}, "2010"),
        ({"operation": "create", "Vendor": {}, "Bill": {}}, "2010"),
        ({"Vendor": {"DisplayName": "A"}}, "2020"),
        ({"operation": "create", "Vendor": "A"}, "2010"),
        ({"operation": "delete", "Vendor": {"Id": "41", "SyncToken": "0"}}, "500"),
        ({"operation": "revert", "Vendor": {"Id": "41", "SyncToken": "0"}}, "500"),
        ({"CDCQuery": {"Entities": "Vendor"}}, "500"),
        ({"Query": "select * from Vendor maxresults 2000"}, "4001"),
    ],
)
def test_items_that_cannot_be_carried_out(books, item, error):
    (answer,) = books.batch({"bId": "1", **item})
    assert answer["bId"] == "1"
    assert code(answer) == error


def test_void_and_other_options(books):
    bill = books.bill()
    payment = books.pay(("Bill", bill["Id"], 5))
    (answer,) = books.batch(
        {
            "bId": "1",
            "operation": "update",
            "optionsData": "void",
            "BillPayment": {"Id": payment["Id"], "SyncToken": "0", "sparse": True},
        }
    )
    assert answer["BillPayment"]["PrivateNote"] == "Voided"
    books.order(DocNumber="7")
    order = {"operation": "create", "PurchaseOrder": books.order_body(DocNumber="7")}
    first, second = books.batch(
        {"bId": "1", **order}, {"bId": "2", **order, "optionsData": "allowDuplicateDocNum"}
    )
    assert code(first) == "6140"
    assert second["PurchaseOrder"]["DocNumber"] == "7"


def test_a_thousand_objects_are_the_most(books):
    books.load(
        "Vendor",
        *({"Id": str(1000 + n), "DisplayName": f"V{n}", "Active": True} for n in range(700)),
    )
    query = {"Query": "select * from Vendor maxresults 700"}
    answers = books.batch({"bId": "1", **query}, {"bId": "2", **query})
    assert [code(a) if "Fault" in a else "ok" for a in answers] == ["ok", "10100"]


def test_batch_of_queries_is_no_write_call(books):
    books.batch({"bId": "1", "Query": "select * from Class"})
    assert books.simulator.control.stats()["quickbooks"]["write_calls"] == 0
    books.batch(create("1", "A"))
    assert books.simulator.control.stats()["quickbooks"]["write_calls"] == 1


def test_create_in_a_batch_shows_the_tax_identifier_once(books):
    (answer,) = books.batch(create("1", "A", TaxIdentifier="123456789"))
    assert answer["Vendor"]["TaxIdentifier"] == "123456789"
    assert books.read("Vendor", answer["Vendor"]["Id"])["TaxIdentifier"] == "XXXXX6789"
