"""Recurring bills, and the bills they bring forth."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from ap_simulator.bill.records.calendar_days import business_days_after, next_turn


def body(vendor_id, **schedule):
    return {
        "vendorId": vendor_id,
        "description": "Rent",
        "schedule": {
            "period": "MONTHLY",
            "frequency": 1,
            "nextDueDate": "2026-07-01",
            "daysInAdvance": 5,
            **schedule,
        },
        "recurringBillLineItems": [{"amount": 19.99, "description": "Monthly"}, {"amount": 5}],
    }


@pytest.fixture
def vendor(bill):
    return bill.vendor()


def made(client, vendor, **schedule):
    return client.ok("POST", "recurringbills", body(vendor["id"], **schedule))


def go_to(client, day):
    client.on_loop(lambda service: service.clock.set(datetime.fromisoformat(day).replace(tzinfo=UTC)))
    client.headers = client.session()


def bills_of(client):
    return client.results("bills", sort="dueDate:asc", max=100)


def test_a_recurring_bill_is_kept(bill, vendor):
    record = made(bill, vendor)

    assert record["id"].startswith("btp")
    assert record["recurringBillLineItems"][0]["id"].startswith("rbl")
    assert record["schedule"]["nextDueDate"] == "2026-07-01"
    assert record["archived"] is False
    assert "amount" not in record
    assert bill.results("recurringbills", filters=f"vendorId:eq:{vendor['id']}") == [record]


def test_no_bill_before_its_day(bill, vendor):
    made(bill, vendor)

    go_to(bill, "2026-06-25T23:59:00")

    assert bills_of(bill) == []


def test_the_bill_comes_days_in_advance(bill, vendor):
    record = made(bill, vendor)

    go_to(bill, "2026-06-26T08:00:00")

    (brought,) = bills_of(bill)
    assert brought["dueDate"] == "2026-07-01"
    assert brought["invoice"] == {"invoiceNumber": "2026-07-01", "invoiceDate": "2026-06-26"}
    assert brought["amount"] == Decimal("24.99")
    assert brought["description"] == "Rent"
    assert brought["createdTime"] == "2026-06-26T00:00:00.000+00:00"
    assert brought["billLineItems"][0]["id"].startswith("bli")
    moved = bill.get(f"recurringbills/{record['id']}")
    assert moved["schedule"]["nextDueDate"] == "2026-08-01"
    assert moved["updatedTime"] == "2026-06-26T00:00:00.000+00:00"


def test_a_long_absence_is_made_up_for(bill, vendor):
    made(bill, vendor, period="WEEKLY", frequency=2)

    go_to(bill, "2026-08-20T00:00:00")

    due = [record["dueDate"] for record in bills_of(bill)]
    assert due == ["2026-07-01", "2026-07-15", "2026-07-29", "2026-08-12"]


def test_what_is_stored_is_made_up_for_as_well(bill, vendor):
    made(bill, vendor)

    bill.on_loop(lambda service: service.clock.set(datetime(2026, 6, 26, tzinfo=UTC)))

    stored = bill.on_loop(lambda service: service.records(bill.ORGANIZATION, "bills"))
    assert [record["dueDate"] for record in stored] == ["2026-07-01"]


def test_nothing_comes_after_the_end_date(bill, vendor):
    record = made(bill, vendor, endDate="2026-08-15")

    go_to(bill, "2027-01-01T00:00:00")

    assert [found["dueDate"] for found in bills_of(bill)] == ["2026-07-01", "2026-08-01"]
    assert "nextDueDate" not in bill.get(f"recurringbills/{record['id']}")["schedule"]


def test_the_last_of_the_month_stays_the_last(bill, vendor):
    made(bill, vendor, nextDueDate="2026-08-31", daysInAdvance=0)

    go_to(bill, "2027-03-31T00:00:00")

    due = [record["dueDate"] for record in bills_of(bill)]
    assert due[:3] == ["2026-08-31", "2026-09-30", "2026-10-31"]
    assert due[-2:] == ["2027-02-28", "2027-03-31"]


def test_an_archived_one_brings_nothing_forth(bill, vendor):
    record = made(bill, vendor)
    path = f"recurringbills/{record['id']}"
    assert bill.ok("POST", f"{path}/archive")["archived"] is True

    go_to(bill, "2026-07-10T00:00:00")
    assert bills_of(bill) == []

    bill.ok("POST", f"{path}/restore")
    (brought,) = bills_of(bill)
    assert brought["createdTime"] == bill.get(path)["updatedTime"]


def test_a_bill_is_never_dated_before_somebody_looked(bill, vendor):
    made(bill, vendor, nextDueDate="2026-06-01", daysInAdvance=0)

    (brought,) = bills_of(bill)

    assert brought["dueDate"] == "2026-06-01"
    assert brought["createdTime"] >= vendor["createdTime"]


def test_a_patch_moves_the_schedule(bill, vendor):
    record = made(bill, vendor)
    path = f"recurringbills/{record['id']}"

    changed = bill.ok("PATCH", path, {"schedule": {"nextDueDate": "2026-09-15"}})
    go_to(bill, "2026-09-10T00:00:00")

    assert changed["schedule"] == {**record["schedule"], "nextDueDate": "2026-09-15"}
    assert [found["dueDate"] for found in bills_of(bill)] == ["2026-09-15"]
    assert bill.get(path)["schedule"]["nextDueDate"] == "2026-10-15"


def test_a_patch_changes_lines_by_id(bill, vendor):
    record = made(bill, vendor)
    first, second = record["recurringBillLineItems"]

    changed = bill.ok(
        "PATCH",
        f"recurringbills/{record['id']}",
        {"recurringBillLineItems": [{"id": first["id"], "amount": 22.99}]},
    )

    lines = changed["recurringBillLineItems"]
    assert [(line["id"], float(line["amount"])) for line in lines] == [
        (first["id"], 22.99),
        (second["id"], 5),
    ]


def test_a_put_replaces(bill, vendor):
    record = made(bill, vendor)
    sent = body(vendor["id"], period="YEARLY")
    del sent["description"]

    replaced = bill.ok(
        "PUT", f"recurringbills/{record['id']}", {**sent, "recurringBillLineItems": [{"amount": 1}]}
    )

    assert replaced["schedule"]["period"] == "YEARLY"
    assert len(replaced["recurringBillLineItems"]) == 1
    assert "description" not in replaced


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ({"period": "NONE"}, "schedule.period: must be one of DAILY, MONTHLY, WEEKLY, YEARLY"),
        ({"frequency": 0}, "schedule.frequency: must be between 1 and 1000"),
        ({"nextDueDate": None}, "schedule.nextDueDate: must not be null"),
    ],
)
def test_invalid_schedules_are_refused(bill, vendor, schedule, message):
    assert bill.refused("POST", "recurringbills", body(vendor["id"], **schedule))[2] == message


def test_its_vendor_and_bank_account_have_to_exist(bill, vendor):
    sent = body(vendor["id"]) | {"paymentInformation": {"bankAccountId": "bac02NOSUCHACCOUNT01"}}

    assert bill.refused("POST", "recurringbills", sent)[1] == "BDC_1205"
    assert bill.refused("POST", "recurringbills", body("00902NOSUCHVENDOR001"))[1] == "BDC_1205"


def test_the_prefix_of_line_ids_is_a_switch(bill, vendor):
    bill.switches.recurring_line_prefix = "bti"

    assert made(bill, vendor)["recurringBillLineItems"][0]["id"].startswith("bti")


def test_loaded_recurring_bills_bring_bills_forth_too(bill, vendor):
    times = {"createdTime": "2026-01-01T00:00:00.000+00:00", "updatedTime": "2026-01-01T00:00:00.000+00:00"}
    record = {"id": "btp02LOADED000000001", "archived": False, **body(vendor["id"]), **times}
    bill.load("recurring_bills", record)

    go_to(bill, "2026-06-27T00:00:00")

    assert [found["dueDate"] for found in bills_of(bill)] == ["2026-07-01"]


def test_one_that_names_an_unknown_vendor_does_not_disturb_the_others(bill, vendor):
    times = {"createdTime": "2026-01-01T00:00:00.000+00:00", "updatedTime": "2026-01-01T00:00:00.000+00:00"}
    orphan = {"id": "btp02LOADED000000001", **body("00902NOSUCHVENDOR001", nextDueDate="2026-06-20"), **times}
    bill.load("recurring_bills", orphan)
    made(bill, vendor)

    go_to(bill, "2026-06-27T00:00:00")

    assert [found["vendorId"] for found in bills_of(bill)] == [vendor["id"]]


@pytest.mark.parametrize(
    ("period", "frequency", "expected"),
    [
        ("DAILY", 3, date(2026, 2, 3)),
        ("WEEKLY", 1, date(2026, 2, 7)),
        ("MONTHLY", 1, date(2026, 2, 28)),
        ("MONTHLY", 13, date(2027, 2, 28)),
        ("YEARLY", 2, date(2028, 1, 31)),
        ("NONE", 1, None),
    ],
)
def test_turns(period, frequency, expected):
    assert next_turn(date(2026, 1, 31), period=period, frequency=frequency, anchor=31) == expected


def test_business_days_leave_weekends_out():
    friday = date(2026, 6, 12)

    assert business_days_after(friday, 0) == friday
    assert business_days_after(friday, 1) == date(2026, 6, 15)
    assert business_days_after(friday, 6) == date(2026, 6, 22)
