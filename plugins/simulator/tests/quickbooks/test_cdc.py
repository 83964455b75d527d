"""Change data capture (QuickBooks manual 3.4)."""

from __future__ import annotations

import pytest


def changes(books, entities, since="2026-03-02T11:00:00-08:00"):
    answer = books.get("cdc", entities=entities, changedSince=since)
    assert set(answer) == {"CDCResponse", "time"}
    (response,) = answer["CDCResponse"]
    return response["QueryResponse"]


def test_changes_come_by_entity_with_the_deleted_last(books):
    vendor = books.vendor()
    first, second = books.order(), books.order()
    books.post("purchaseorder", {"Id": first["Id"], "SyncToken": "0"}, operation="delete")
    assert changes(books, "Vendor,PurchaseOrder") == [
        {"Vendor": [vendor], "startPosition": 1, "maxResults": 1},
        {
            "PurchaseOrder": [
                second,
                {
                    "status": "Deleted",
                    "domain": "QBO",
                    "Id": first["Id"],
                    "MetaData": {"LastUpdatedTime": "2026-03-02T12:00:00-08:00"},
                },
            ],
            "startPosition": 1,
            "maxResults": 2,
            "totalCount": 2,
        },
    ]


def test_entity_without_changes_is_an_empty_object(books):
    books.vendor()
    assert changes(books, "Bill, Vendor , bill")[0] == {}
    assert len(changes(books, "Bill,Vendor")) == 2
    books.switch(cdc_unchanged="omit")
    assert len(changes(books, "Bill,Vendor")) == 1


def test_deactivated_vendors_are_ordinary_changes(books):
    body = {"Id": books.VENDOR, "SyncToken": "0", "sparse": True, "Active": False}
    books.write("Vendor", body)
    (group,) = changes(books, "Vendor")
    assert group["Vendor"][0]["Active"] is False


def test_changes_are_in_the_order_of_time(books):
    first, second = books.vendor("A"), books.vendor("B")
    books.advance(minutes=1)
    books.write("Vendor", {**first, "AcctNum": "1"})
    (group,) = changes(books, "Vendor")
    assert [vendor["Id"] for vendor in group["Vendor"]] == [second["Id"], first["Id"]]


def test_balance_moves_a_vendor_into_the_changes(books):
    books.bill()
    (group,) = changes(books, "Vendor")
    assert [(v["Id"], v["SyncToken"]) for v in group["Vendor"]] == [(books.VENDOR, "0")]


def test_only_changes_since_the_moment(books):
    books.vendor("Before")
    books.advance(seconds=10)
    vendor = books.vendor("After")
    (group,) = changes(books, "Vendor", "2026-03-02T12:00:10-08:00")
    assert [v["Id"] for v in group["Vendor"]] == [vendor["Id"]]


@pytest.mark.parametrize(
    ("since", "zone", "count"),
    [
        ("2026-03-02T12:00:00", "pacific", 1),
        ("2026-03-02T12:00:01", "pacific", 0),
        ("2026-03-02T12:00:01", "utc", 1),
        ("2026-03-02", "pacific", 1),
        ("2026-03-02T20:00:00Z", "utc", 1),
    ],
)
def test_times_without_an_offset(books, since, zone, count):
    books.switch(naive_times=zone)
    books.vendor()
    (group,) = changes(books, "Vendor", since)
    assert group.get("maxResults", 0) == count


@pytest.mark.parametrize("since", ["2026-01-31T11:59:59-08:00", "2026-01-30", "2020-01-01"])
def test_more_than_thirty_days_back(books, since):
    response = books.call("GET", "cdc", entities="Vendor", changedSince=since)
    assert books.fault(response)["code"] == "2190"


def test_thirty_days_back(books):
    assert changes(books, "Vendor", "2026-01-31T12:00:00-08:00")
    assert changes(books, "Vendor", "2026-01-31")


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"entities": "Vendor"}, "2020"),
        ({"changedSince": "2026-03-01"}, "2020"),
        ({"entities": "Vendor", "changedSince": "lately"}, "2060"),
        ({"entities": "Nonsense", "changedSince": "2026-03-01"}, "2000"),
        ({"entities": "TaxCode", "changedSince": "2026-03-01"}, "2000"),
    ],
)
def test_bad_parameters(books, parameters, code):
    assert books.fault(books.call("GET", "cdc", **parameters))["code"] == code


def test_a_thousand_objects_are_the_most(books):
    meta = {"CreateTime": "2026-03-02T11:30:00-08:00"}

    def many(first, **body):
        return ({"Id": str(first + n), "MetaData": meta, **body} for n in range(600))

    books.load("Vendor", *({**v, "DisplayName": v["Id"]} for v in many(1000)))
    books.load("Class", *({**c, "Name": c["Id"], "FullyQualifiedName": c["Id"]} for c in many(2000)))
    assert [group["maxResults"] for group in changes(books, "Vendor,Class")] == [600, 400]
    books.switch(cdc_limit="entity")
    assert [group["maxResults"] for group in changes(books, "Vendor,Class")] == [600, 600]


def test_orders_of_a_plan_without_them(books):
    books.profile(plan="Essentials")
    response = books.call("GET", "cdc", entities="PurchaseOrder", changedSince="2026-03-01")
    assert books.fault(response)["code"] == "5020"
