"""What people do inside QuickBooks and BILL, done through the control API."""

from __future__ import annotations

from decimal import Decimal

import pytest
import requests
from ap_simulator.company.identities import DEMO
from ap_simulator.control_client import ControlError
from ap_simulator.testing import running


@pytest.fixture
def control(simulator):
    return simulator.control


def vendor(control, name="Hicks Hardware", **values):
    return control.write_by_hand("Vendor", "create", values={"DisplayName": name, **values})


def expense_account(control):
    return next(a["Id"] for a in control.records("quickbooks", "Account") if a["AccountType"] == "Expense")


def line(account, amount):
    detail = {"AccountRef": {"value": account}}
    return {
        "Amount": amount,
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": detail,
    }


def order(control, vendor_id, *amounts, **values):
    account = expense_account(control)
    lines = [line(account, amount) for amount in amounts or (100,)]
    body = {
        "VendorRef": {"value": vendor_id},
        "CurrencyRef": {"value": "USD"},
        "Line": lines,
        **values,
    }
    accounts = control.records("quickbooks", "Account")
    payable = next(a for a in accounts if a["AccountType"] == "Accounts Payable")
    body["APAccountRef"] = {"value": payable["Id"]}
    return control.write_by_hand("PurchaseOrder", "create", values=body)


def stored(control, entity, record_id):
    found = control.records("quickbooks", entity, record_id=record_id)
    return found[0] if found else None


def cdc(simulator, entities):
    token = requests.post(
        simulator.token_url,
        data={"grant_type": "refresh_token", "refresh_token": DEMO.refresh_token},
        auth=(DEMO.client_id, DEMO.client_secret),
        timeout=10,
    ).json()["access_token"]
    since = simulator.control.clock().date().isoformat()
    answer = requests.get(
        f"{simulator.url}/v3/company/{DEMO.realm_id}/cdc",
        params={"entities": entities, "changedSince": since},
        headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
        timeout=10,
    )
    return answer.json()["CDCResponse"][0]["QueryResponse"][0][entities]


def test_a_merged_vendor_is_gone_and_its_orders_are_the_survivors(simulator, control):
    survivor, merged = vendor(control, "Hicks"), vendor(control, "Hicks Hardware")
    mine = order(control, merged["Id"])
    kept = control.merge_vendors(survivor["Id"], merged["Id"])
    assert kept["Id"] == survivor["Id"]
    moved = stored(control, "PurchaseOrder", mine["Id"])
    assert moved["VendorRef"]["value"] == survivor["Id"]
    assert stored(control, "Vendor", merged["Id"]) is None
    assert {"status": "Deleted", "domain": "QBO", "Id": merged["Id"]}.items() <= cdc(simulator, "Vendor")[
        -1
    ].items()


def test_an_edit_by_hand_keeps_the_rest_where_the_api_would_not(control):
    """A form sends all of its fields, whatever the API makes of ``sparse``."""
    control.set_switches({"quickbooks.undocumented_sparse": "full"})
    made = vendor(control, AcctNum="A-1")
    edited = control.write_by_hand("Vendor", record_id=made["Id"], values={"DisplayName": "Hicks"})
    assert (edited["DisplayName"], edited["AcctNum"]) == ("Hicks", "A-1")


def test_a_merged_vendor_is_inactive_by_switch(control):
    control.set_switches({"quickbooks.merged_vendor": "inactive"})
    survivor, merged = vendor(control, "Hicks"), vendor(control, "Hicks Hardware")
    control.merge_vendors(survivor["Id"], merged["Id"])
    left = stored(control, "Vendor", merged["Id"])
    assert (left["Active"], left["DisplayName"]) == (False, "Hicks Hardware (deleted)")


def test_the_profile_is_what_preferences_say(control):
    profile = control.change_profile(plan="Essentials", book_close_date="2026-01-31", multicurrency=True)
    assert (profile["plan"], profile["book_close_date"]) == ("Essentials", "2026-01-31")
    preferences = control.records("quickbooks", "Preferences")[0]
    assert preferences["AccountingInfoPrefs"]["BookCloseDate"] == "2026-01-31"
    assert preferences["CurrencyPrefs"]["MultiCurrencyEnabled"] is True
    assert control.change_profile(book_close_date=None)["book_close_date"] is None
    assert "BookCloseDate" not in control.records("quickbooks", "Preferences")[0]["AccountingInfoPrefs"]


def test_a_vendor_is_made_inactive_and_active_again(control):
    mine = vendor(control)
    inactive = control.set_active("Vendor", mine["Id"], active=False)
    assert (inactive["Active"], inactive["DisplayName"]) == (False, "Hicks Hardware (deleted)")
    assert control.set_active("Vendor", mine["Id"], active=True)["Active"] is True


def test_an_account_is_renamed(control):
    account = expense_account(control)
    changed = control.write_by_hand("Account", record_id=account, values={"Name": "Sundries"})
    assert (changed["Name"], changed["SyncToken"]) == ("Sundries", "1")


def test_an_order_and_a_vendor_without_transactions_are_deleted(simulator, control):
    mine = vendor(control)
    ordered = order(control, mine["Id"])
    with pytest.raises(ControlError, match="can only be made inactive"):
        control.delete_by_hand("Vendor", mine["Id"])
    assert control.delete_by_hand("PurchaseOrder", ordered["Id"])["status"] == "Deleted"
    assert control.delete_by_hand("Vendor", mine["Id"])["status"] == "Deleted"
    assert stored(control, "Vendor", mine["Id"]) is None
    assert cdc(simulator, "Vendor")[-1]["status"] == "Deleted"


def test_an_order_billed_in_full_closes_and_opens_when_the_bill_is_deleted(control):
    ordered = order(control, vendor(control)["Id"], Decimal("60.10"), 40)
    bill = control.bill_order(ordered["Id"], number="INV-1", day="2026-03-01")
    assert (bill["TotalAmt"], bill["DocNumber"], bill["TxnDate"]) == (
        Decimal("100.10"),
        "INV-1",
        "2026-03-01",
    )
    closed = stored(control, "PurchaseOrder", ordered["Id"])
    assert closed["POStatus"] == "Closed"
    assert closed["LinkedTxn"] == [{"TxnId": bill["Id"], "TxnType": "Bill"}]
    assert [entry["Received"] for entry in closed["Line"]] == [Decimal("60.10"), 40]
    control.delete_by_hand("Bill", bill["Id"])
    assert stored(control, "PurchaseOrder", ordered["Id"])["POStatus"] == "Open"


def test_an_order_billed_in_part_stays_open(control):
    ordered = order(control, vendor(control)["Id"], 60, 40)
    bill = control.bill_order(ordered["Id"], shares={"1": "15.50"})
    assert bill["TotalAmt"] == Decimal("15.5")
    half = stored(control, "PurchaseOrder", ordered["Id"])
    assert (half["POStatus"], half["Line"][0]["Received"]) == ("Open", Decimal("15.5"))
    rest = control.bill_order(ordered["Id"])
    assert rest["TotalAmt"] == Decimal("84.5")
    assert stored(control, "PurchaseOrder", ordered["Id"])["POStatus"] == "Closed"
    with pytest.raises(ControlError, match="Nothing of purchase order"):
        control.bill_order(ordered["Id"])


def test_an_item_line_is_billed_by_quantity(control):
    items = control.records("quickbooks", "Item")
    item = next(i["Id"] for i in items if "ExpenseAccountRef" in i)
    detail = {"ItemRef": {"value": item}, "Qty": 4, "UnitPrice": Decimal("12.75")}
    item_line = {
        "Amount": 51,
        "DetailType": "ItemBasedExpenseLineDetail",
        "ItemBasedExpenseLineDetail": {**detail, "UnitPrice": 12.75},
    }
    ordered = order(control, vendor(control)["Id"], Line=[item_line])
    bill = control.bill_order(ordered["Id"], shares={"1": 3})
    assert bill["TotalAmt"] == Decimal("38.25")
    assert stored(control, "PurchaseOrder", ordered["Id"])["Line"][0]["Received"] == 3


def test_deeds_count_apart_from_what_clients_write(control):
    vendor(control)
    stats = control.stats()["quickbooks"]
    assert (stats["written"], stats["by_hand"]) == ({}, {"Vendor": {"create": 1}})
    assert (stats["calls"], stats["write_calls"]) == (0, 0)


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("quickbooks/merge_vendors", {"survivor": "1"}, "merged is missing"),
        ("quickbooks/merge_vendors", {"survivor": "1", "merged": "2"}, "610"),
        ("quickbooks/profile", {}, "nothing is to change"),
        ("quickbooks/profile", {"plan": "Free"}, "plan cannot be 'Free'"),
        ("quickbooks/profile", {"plan": "Plus", "realm_id": "9"}, "no QuickBooks company 9"),
        ("quickbooks/write", {"entity": "Invoice"}, "There is no entity Invoice"),
        ("quickbooks/write", {"entity": "Vendor", "operation": "create"}, "6080"),
        ("quickbooks/write", {"entity": "Vendor", "operation": "merge"}, "operation cannot be"),
        ("quickbooks/bill_order", {"order_id": "77"}, "610"),
        ("bill/payment_status", {"payment_id": "stp", "status": "VOIDED"}, "BDC_1205"),
        ("bill/payment_status", {"payment_id": "s", "status": "V", "organization_id": "9"}, "no company 9"),
        ("bill/bill_status", {"bill_id": "00n"}, "BDC_1205"),
    ],
)
def test_a_deed_that_cannot_be_done_says_why(simulator, path, body, words):
    answer = requests.post(f"{simulator.url}/__control/{path}", json=body, timeout=10)
    assert answer.status_code == 400
    assert words in answer.json()["error"]


@pytest.fixture(scope="module")
def demo():
    with running("demo") as simulator:
        yield simulator


def scheduled(control):
    payments = control.records("bill", "payments")
    return next(p for p in payments if p["singleStatus"] == "SCHEDULED" and p["billPayments"])


def bill_record(control, bill_id):
    return control.records("bill", "bills", record_id=bill_id)[0]


def test_a_payment_moves_forth_and_back_and_its_bill_follows(demo):
    control = demo.control
    payment = scheduled(control)
    bill_id = payment["billPayments"][0]["billId"]
    due = bill_record(control, bill_id)["dueAmount"]
    for status in ("FUNDING_STARTED", "PROCESSED", "CLEARED"):
        control.set_payment_status(payment["id"], status)
    paid = bill_record(control, bill_id)
    assert paid["paidAmount"] >= payment["billPayments"][0]["amount"]
    control.set_payment_status(payment["id"], "DISBURSEMENT_FAILED_ACTION_NEEDED")
    assert bill_record(control, bill_id)["paidAmount"] < paid["paidAmount"]
    voided = control.set_payment_status(payment["id"], "VOIDED")
    assert (voided["status"], voided["singleStatus"]) == ("VOID", "VOIDED")
    opened = bill_record(control, bill_id)
    assert opened["dueAmount"] == due + payment["billPayments"][0]["amount"]


def test_a_bill_is_approved_denied_made_a_draft_and_active_again(demo):
    control = demo.control
    bill = next(b for b in control.records("bill", "bills") if not b["archived"])
    approved = control.set_bill_status(bill["id"], approval_status="APPROVED")
    assert approved["approvalStatus"] == "APPROVED"
    assert [entry["status"] for entry in approved["approvers"]] == ["APPROVED"]
    denied = control.set_bill_status(bill["id"], approval_status="DENIED")
    assert {entry["status"] for entry in denied["approvers"]} == {"DENIED"}
    assert denied["updatedTime"] > bill["updatedTime"]
    draft = control.set_bill_status(bill["id"], record_status="DRAFT")
    assert (draft["archived"], draft["recordStatus"]) == (True, "DRAFT")
    active = control.set_bill_status(bill["id"], record_status="ACTIVE", approval_status="UNASSIGNED")
    assert (active["archived"], active["approvers"]) == (False, [])


@pytest.mark.parametrize("status", ["approval_status", "record_status"])
def test_a_status_that_is_none_is_refused(demo, status):
    bill = demo.control.records("bill", "bills")[0]
    with pytest.raises(ControlError, match="must be one of"):
        demo.control.set_bill_status(bill["id"], **{status: "PERHAPS"})
