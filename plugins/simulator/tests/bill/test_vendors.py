"""Vendors: what a create takes and adds, changes, the archive, bank accounts."""

from __future__ import annotations

import re

import pytest
from ap_simulator.bill.identifiers import Identifiers

ADDRESS = {"line1": "1 Main St", "city": "San Jose", "zipOrPostalCode": "95002", "country": "US"}
BANK_ACCOUNT = {
    "nameOnAccount": "Happy",
    "accountNumber": "111222333",
    "routingNumber": "074000010",
    "type": "CHECKING",
    "ownerType": "BUSINESS",
    "paymentCurrency": "USD",
}


def test_a_create_answers_201_with_what_bill_adds(bill):
    response = bill.call("POST", "vendors", {"name": "Happy Music", "address": ADDRESS})

    assert response.status_code == 201
    vendor = response.json()
    assert re.fullmatch(r"00902[0-9A-Z]{12}[0-9a-z]{3}", vendor["id"])
    assert vendor["archived"] is False
    assert vendor["billCurrency"] == "USD"
    assert vendor["networkStatus"] == "NOT_CONNECTED"
    assert vendor["paymentInformation"]["payeeName"] == "Happy Music"
    assert vendor["address"]["countryName"] == "United States"
    assert vendor["createdTime"] == vendor["updatedTime"]
    assert re.fullmatch(r"2026-06-15T12:00:0\d\.\d{3}\+00:00", vendor["createdTime"])
    assert "shortName" not in vendor
    assert bill.get(f"vendors/{vendor['id']}") == vendor
    assert bill.service.calls.stats()["bill"]["written"] == {"vendors": {"create": 1}}


def test_all_fields_are_kept(bill):
    fields = {
        "shortName": "Happy",
        "accountNumber": "987000654",
        "accountType": "BUSINESS",
        "email": "info@happy.example",
        "phone": "9876543210",
        "billCurrency": "CAD",
        "additionalInfo": {
            "taxId": "999888777",
            "taxIdType": "EIN",
            "track1099": True,
            "leadTimeInDays": 10,
            "combinePayments": True,
            "companyName": "Happy Music Supplies",
        },
    }

    vendor = bill.vendor('Ünï «Happy»: "Müsic"', **fields)

    assert {name: vendor[name] for name in fields} == fields
    assert vendor["name"] == 'Ünï «Happy»: "Müsic"'


def test_ids_come_from_a_seeded_series():
    first, second = (Identifiers("00802TESTORGANIZAT01") for _ in range(2))

    minted = [first.mint("009") for _ in range(100)]

    assert minted == [second.mint("009") for _ in range(100)]
    assert len(set(minted)) == 100
    assert {len(record_id) for record_id in minted} == {20}


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", "", "name: must not be null"),
        ("name", "x" * 256, "name: must have at most 255 characters"),
        ("name", "\ud800", "name: must be valid Unicode"),
        ("address", [], "address: must be an object"),
        ("accountType", "COMPANY", "accountType: must be one of BUSINESS, NONE, PERSON"),
        ("email", "nobody", r"email: must match [^@\s]+@[^@\s]+"),
        ("additionalInfo", {"track1099": "yes"}, "additionalInfo.track1099: must be true or false"),
        ("additionalInfo", {"leadTimeInDays": 1.5}, "additionalInfo.leadTimeInDays: must be a whole number"),
        (
            "additionalInfo",
            {"leadTimeInDays": -1},
            "additionalInfo.leadTimeInDays: must be between 0 and 10000",
        ),
    ],
)
def test_invalid_fields_are_refused(bill, field, value, message):
    body = {"name": "x", "address": ADDRESS, field: value}
    data = b'{"name": "\\ud800", "address": ' + str(ADDRESS).replace("'", '"').encode() + b"}"

    refusal = bill.refused("POST", "vendors", data if value == "\ud800" else body)

    assert refusal == (400, "BDC_1002", message)


def test_a_patch_changes_what_is_sent_and_moves_updated_time(bill):
    vendor = bill.vendor(phone="1", email="a@b.c")
    bill.advance(seconds=5)

    changed = bill.ok(
        "PATCH", f"vendors/{vendor['id']}", {"name": "New", "address": {"city": "Oakland"}, "phone": None}
    )

    assert changed["name"] == "New"
    assert changed["address"] == {**vendor["address"], "city": "Oakland"}
    assert changed["email"] == "a@b.c"
    assert "phone" not in changed
    assert changed["createdTime"] == vendor["createdTime"]
    assert changed["updatedTime"] > vendor["updatedTime"]


def test_required_fields_cannot_be_cleared(bill):
    vendor = bill.vendor()

    assert bill.refused("PATCH", f"vendors/{vendor['id']}", {"name": None})[2] == "name: must not be null"


def test_a_new_name_shows_in_the_vendors_bills_without_touching_them(bill):
    vendor = bill.vendor("Old")
    record = bill.bill(vendor["id"])
    before = bill.get(f"bills/{record['id']}")
    bill.advance(seconds=5)
    bill.ok("PATCH", f"vendors/{vendor['id']}", {"name": "New"})

    after = bill.get(f"bills/{record['id']}")

    assert (before["vendorName"], after["vendorName"]) == ("Old", "New")
    assert after["updatedTime"] == before["updatedTime"]


def test_archive_and_restore_change_once_and_then_nothing(bill):
    path = f"vendors/{bill.vendor()['id']}"
    seen = []
    for action in ("archive", "archive", "restore", "restore"):
        bill.advance(seconds=1)
        seen.append(bill.ok("POST", f"{path}/{action}"))

    assert [record["archived"] for record in seen] == [True, True, False, False]
    assert seen[0] == seen[1]
    assert seen[2] == seen[3]
    assert seen[2]["updatedTime"] > seen[1]["updatedTime"]


def test_a_bulk_create_answers_under_a_key(bill):
    body = [{"name": name, "address": ADDRESS} for name in "ab"]

    response = bill.call("POST", "vendors/bulk", body)

    assert response.status_code == 201
    assert [vendor["name"] for vendor in response.json()["vendors"]] == ["a", "b"]


def test_a_bulk_create_is_all_or_nothing(bill):
    body = [{"name": "a", "address": ADDRESS}, {"name": "b"}, {"name": "c", "address": ADDRESS}]

    response = bill.call("POST", "vendors/bulk", body)

    assert response.status_code == 400
    entries = response.json()
    assert entries[0]["message"] == "[1].address: must not be null"
    assert [entry["code"] for entry in entries[1:]] == ["BDC_1246", "BDC_1246"]
    assert bill.results("vendors") == []
    assert bill.service.calls.stats()["bill"]["written"] == {}


@pytest.mark.parametrize("count", [0, 101])
def test_a_bulk_create_has_1_to_100_items(bill, count):
    body = [{"name": "a", "address": ADDRESS}] * count

    assert bill.refused("POST", "vendors/bulk", body)[2] == "must be an array of 1 to 100"


def test_a_vendors_bank_account(bill):
    vendor = bill.vendor()
    path = f"vendors/{vendor['id']}/bank-account"
    assert bill.refused("GET", path)[:2] == (404, "BDC_1205")

    assert bill.ok("POST", path, BANK_ACCOUNT) == BANK_ACCOUNT
    assert bill.get(path) == BANK_ACCOUNT
    assert bill.get(f"vendors/{vendor['id']}")["paymentInformation"]["payByType"] == "ACH"

    assert bill.call("DELETE", path).status_code == 204
    assert bill.call("DELETE", path).status_code == 404
    assert bill.get(f"vendors/{vendor['id']}")["bankAccountStatus"] == "NO_ACCOUNT"


def test_a_bank_account_needs_its_numbers(bill):
    path = f"vendors/{bill.vendor()['id']}/bank-account"

    assert len(bill.call("POST", path, {}).json()) == 3


def test_automatic_payment_needs_a_trusted_session_if_payments_do(bill):
    bill.switches.mfa_required_for = "payments"
    vendor = bill.vendor()

    refusal = bill.refused("PATCH", f"vendors/{vendor['id']}", {"autoPay": {"enabled": True}})

    assert refusal[:2] == (403, "BDC_1361")
    assert bill.ok("PATCH", f"vendors/{vendor['id']}", {"autoPay": {"enabled": False}})


def test_a_vendors_balance_is_what_its_bills_are_due(bill):
    vendor = bill.vendor()
    path = f"vendors/{vendor['id']}"
    first, second = bill.bill(vendor["id"], 10), bill.bill(vendor["id"], 5)
    assert bill.get(path)["balance"]["amount"] == 15
    assert bill.get(path)["updatedTime"] == vendor["updatedTime"]

    bill.ok("POST", f"bills/{first['id']}/archive")
    bill.ok(
        "PATCH",
        f"bills/{second['id']}",
        {"billLineItems": [{"id": second["billLineItems"][0]["id"], "amount": 7.5}]},
    )

    assert bill.get(path)["balance"]["amount"] == 7.5


def test_a_bill_that_changes_hands_is_owed_to_its_new_vendor(bill):
    old, new = bill.vendor("old"), bill.vendor("new")
    record = bill.bill(old["id"], 10)

    changed = bill.ok("PATCH", f"bills/{record['id']}", {"vendorId": new["id"]})

    assert changed["vendorName"] == "new"
    assert [bill.get(f"vendors/{vendor['id']}")["balance"]["amount"] for vendor in (old, new)] == [0, 10]


def test_a_changed_balance_moves_updated_time_if_switched_so(bill):
    bill.switches.bill_bumps_vendor = True
    vendor = bill.vendor()
    bill.advance(seconds=1)
    bill.bill(vendor["id"])

    assert bill.get(f"vendors/{vendor['id']}")["updatedTime"] > vendor["updatedTime"]
