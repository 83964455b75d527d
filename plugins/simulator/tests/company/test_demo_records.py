"""The demo company as a whole: determinism, numbers, references, sums."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from decimal import ROUND_HALF_UP, Decimal

import pytest
import simplejson
from ap_simulator.bill.identifiers import PREFIXES
from ap_simulator.bill.records.payment_statuses import DEAD, IN_PROCESS, PAID, SINGLE_STATUSES
from ap_simulator.bill.rendering import FIELDS
from ap_simulator.company.demo import demo_company

CENT = Decimal("0.01")
CLASSIFICATIONS = {
    "chartOfAccountId": "chart_of_accounts",
    "accountingClassId": "accounting_classes",
    "departmentId": "departments",
    "locationId": "locations",
    "itemId": "items",
    "jobId": "jobs",
    "employeeId": "employees",
    "customerId": "customers",
}


def fingerprint(company):
    content = {"bill": company.bill, "quickbooks": company.quickbooks}
    text = simplejson.dumps(content, use_decimal=True, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def total(amounts):
    return sum(amounts, Decimal(0))


def test_same_seed_makes_the_same_company(demo):
    assert fingerprint(demo_company(seed=1)) == fingerprint(demo)


def test_other_seed_makes_other_bills_under_the_same_ids(demo):
    other = demo_company(seed=2)
    assert fingerprint(other) != fingerprint(demo)
    for collection in ("vendors", "bills", "vendor_credits", "recurring_bills"):
        ids = [{record["id"] for record in company.bill[collection]} for company in (demo, other)]
        assert ids[0] == ids[1]


@pytest.mark.parametrize("seed", range(3, 9))
def test_every_seed_makes_a_whole_company(seed):
    company = demo_company(seed=seed)
    assert len(company.bill["bills"]) == 600
    assert {payment["singleStatus"] for payment in company.bill["payments"]} == SINGLE_STATUSES
    for bill in company.bill["bills"]:
        assert bill["dueAmount"] >= 0
        assert bill["amount"] == bill["paidAmount"] + bill["scheduledAmount"] + bill["dueAmount"]


def test_numbers(demo):
    counts = {collection: len(records) for collection, records in demo.bill.items()}
    assert counts["vendors"] == 120
    assert counts["bills"] == 600
    assert counts["employees"] == len(demo.quickbooks["Employee"]) == 40
    assert counts["locations"] == len(demo.quickbooks["Department"]) == 4
    assert counts["payments"] > 450
    assert counts["recurring_bills"] == 15
    assert counts["vendor_credits"] == 10


def test_ids_are_unique_and_of_bills_form(demo):
    for collection, records in demo.bill.items():
        ids = [record["id"] for record in records]
        assert len(set(ids)) == len(ids)
        for record_id in ids:
            assert len(record_id) == 20
            assert record_id.startswith(PREFIXES[collection])


def test_line_ids_are_unique(demo):
    ids = [
        line["id"]
        for records, name in (
            (demo.bill["bills"], "billLineItems"),
            (demo.bill["recurring_bills"], "recurringBillLineItems"),
            (demo.bill["vendor_credits"], "vendorCreditLineItems"),
            (demo.bill["payments"], "billPayments"),
        )
        for record in records
        for line in record[name]
    ]
    assert len(set(ids)) == len(ids)


def test_records_have_bills_fields_and_none_unset(demo):
    def check(value, path):
        assert value is not None, path
        if isinstance(value, dict):
            for name, part in value.items():
                check(part, f"{path}.{name}")
        elif isinstance(value, list):
            for part in value:
                check(part, path)
        else:
            assert not isinstance(value, float), path

    for collection, records in demo.bill.items():
        for record in records:
            assert set(record) <= set(FIELDS[collection])
            check(record, collection)
            assert {"id", "createdTime", "updatedTime"} <= set(record)


def test_times_are_in_order_and_within_the_period(demo):
    for collection, records in demo.bill.items():
        for record in records:
            created, updated = record["createdTime"], record["updatedTime"]
            assert created <= updated <= "2026-10-31T23:00:00.000+00:00", (collection, record["id"])
            assert len(created) == len("2026-10-31T23:00:00.000+00:00")


def test_bills_cover_twelve_months(bills):
    months = Counter(bill["invoice"]["invoiceDate"][:7] for bill in bills.values())
    assert len(months) == 12
    assert min(months) == "2025-11"
    assert max(months) == "2026-10"
    assert min(months.values()) >= 20


def test_bills_have_1_to_12_lines(bills):
    counts = Counter(len(bill["billLineItems"]) for bill in bills.values())
    assert set(counts) >= {1, 2, 3, 4, 5, 12}
    assert max(counts) == 12


def test_every_reference_in_bill_leads_somewhere(demo):
    ids = {name: {record["id"] for record in records} for name, records in demo.bill.items()}

    def check(classifications):
        for name, value in classifications.items():
            assert value in ids[CLASSIFICATIONS[name]]

    for collection, lines in (
        ("bills", "billLineItems"),
        ("recurring_bills", "recurringBillLineItems"),
        ("vendor_credits", "vendorCreditLineItems"),
    ):
        for record in demo.bill[collection]:
            assert record["vendorId"] in ids["vendors"]
            check(record.get("classifications", {}))
            for line in record[lines]:
                check(line.get("classifications", {}))
    for payment in demo.bill["payments"]:
        assert payment["vendorId"] in ids["vendors"]
        for part in payment["billPayments"]:
            assert part["billId"] in ids["bills"]
            assert {used["id"] for used in part["vendorCredits"]} <= ids["vendor_credits"]
    for name in ("chart_of_accounts", "accounting_classes", "departments", "items", "jobs"):
        for record in demo.bill[name]:
            assert record.get("parentId", record["id"]) in ids[name]


def test_all_classifications_are_in_use(bills):
    used = {
        name
        for bill in bills.values()
        for line in bill["billLineItems"]
        for name in line.get("classifications", {})
    }
    assert used == set(CLASSIFICATIONS)


def test_vendor_names_on_documents(demo, vendors):
    for collection in ("bills", "payments"):
        for record in demo.bill[collection]:
            assert record["vendorName"] == vendors[record["vendorId"]]["name"]


def test_bill_amount_is_the_sum_of_its_lines(bills):
    for bill in bills.values():
        assert bill["amount"] == total(line["amount"] for line in bill["billLineItems"])
        assert bill["amount"] == bill["amount"].quantize(CENT)


def test_funding_amount_is_amount_times_rate(bills, payments, vendors):
    for record in (*bills.values(), *payments.values()):
        currency = vendors[record["vendorId"]]["billCurrency"]
        assert (record["exchangeRate"] == 1) == (currency == "USD")
        funding = (record["amount"] * record["exchangeRate"]).quantize(CENT, ROUND_HALF_UP)
        assert record["fundingAmount"] == funding


def test_payments_account_for_what_bills_say(bills, payments):
    paid, scheduled, credited = defaultdict(Decimal), defaultdict(Decimal), defaultdict(Decimal)
    in_process = set()
    for payment in payments.values():
        status = payment["singleStatus"]
        assert payment["amount"] == total(part["amount"] for part in payment["billPayments"])
        for part in payment["billPayments"]:
            bill = bills[part["billId"]]
            assert bill["vendorId"] == payment["vendorId"]
            assert bill["updatedTime"] >= payment["updatedTime"]
            if status in DEAD:
                assert part["vendorCredits"] == []
                continue
            credit = total(used["amount"] for used in part["vendorCredits"])
            credited[bill["id"]] += credit
            if status in PAID:
                paid[bill["id"]] += part["amount"] + credit
            else:
                scheduled[bill["id"]] += part["amount"]
                in_process |= {bill["id"]} if status in IN_PROCESS else set()
    for bill in bills.values():
        assert bill["paidAmount"] == paid[bill["id"]]
        assert bill["scheduledAmount"] == scheduled[bill["id"]]
        assert bill["creditAmount"] == credited[bill["id"]]
        assert bill["dueAmount"] == bill["amount"] - bill["paidAmount"] - bill["scheduledAmount"]
        assert bill["paymentStatus"] == expected_status(bill, in_process=bill["id"] in in_process)


def expected_status(bill, *, in_process):
    if bill["recordStatus"].startswith("DRAFT"):
        return "UNDEFINED"
    if bill["dueAmount"] == 0 and bill["scheduledAmount"] == 0:
        return "PAID"
    if bill["dueAmount"] > 0 and bill["paidAmount"] > 0:
        return "PARTIALLY_PAID"
    if bill["scheduledAmount"] > 0:
        return "IN_PROCESS" if in_process and bill["dueAmount"] == 0 else "SCHEDULED"
    return "UNPAID"


def test_only_active_bills_that_nobody_objects_to_are_paid(bills):
    for bill in bills.values():
        if bill["archived"] or bill["approvalStatus"] in {"DENIED", "ASSIGNED", "APPROVING"}:
            assert bill["paidAmount"] == bill["scheduledAmount"] == 0


def test_payments_and_bills_in_every_status(bills, payments):
    assert {payment["singleStatus"] for payment in payments.values()} == SINGLE_STATUSES
    assert {payment["status"] for payment in payments.values()} == {
        "APPROVING",
        "SCHEDULED",
        "PAID",
        "VOID",
        "CANCELLED",
    }
    assert {bill["paymentStatus"] for bill in bills.values()} == {
        "UNPAID",
        "PARTIALLY_PAID",
        "PAID",
        "SCHEDULED",
        "IN_PROCESS",
        "UNDEFINED",
    }
    assert {bill["recordStatus"] for bill in bills.values()} == {
        "ACTIVE",
        "INACTIVE",
        "DRAFT",
        "DRAFT_DELETED",
    }
    assert {bill["approvalStatus"] for bill in bills.values()} == {
        "UNASSIGNED",
        "ASSIGNED",
        "APPROVING",
        "APPROVED",
        "DENIED",
    }


def test_all_but_active_bills_count_as_archived(bills):
    for bill in bills.values():
        assert bill["archived"] == (bill["recordStatus"] != "ACTIVE")


def test_payment_dates_follow_from_one_another(bills, payments):
    for payment in payments.values():
        made = payment["createdTime"][:10]
        assert payment["processDate"] >= made
        for part in payment["billPayments"]:
            assert bills[part["billId"]]["createdTime"] < payment["createdTime"]
        if payment["singleStatus"] != "SCHEDULED":
            assert payment["processDate"] <= "2026-10-31"


def test_several_ways_of_paying(payments):
    assert {"ACH", "CHECK", "VIRTUAL_CARD", "RPPS", "OFFLINE", "INTERNATIONAL_E_PAYMENT"} <= {
        payment["disbursementType"] for payment in payments.values()
    }
    assert {payment["onlinePayment"] for payment in payments.values()} == {True, False}


def test_vendor_balance_is_what_is_due(bills, vendors):
    due = defaultdict(Decimal)
    for bill in bills.values():
        if not bill["archived"]:
            due[bill["vendorId"]] += bill["dueAmount"]
    for vendor in vendors.values():
        assert vendor["balance"]["amount"] == due[vendor["id"]]


def test_credits_are_used_as_far_as_they_say(demo, bills, payments):
    statuses = Counter(credit["status"] for credit in demo.bill["vendor_credits"])
    assert statuses == {"FULLY_APPLIED": 3, "PARTIALLY_APPLIED": 3, "NOT_APPLIED": 4}
    for credit in demo.bill["vendor_credits"]:
        assert credit["amount"] == total(line["amount"] for line in credit["vendorCreditLineItems"])
        assert credit["appliedAmount"] == total(use["amount"] for use in credit["usage"])
        for use in credit["usage"]:
            assert bills[use["billId"]]["vendorId"] == credit["vendorId"]
            (part,) = payments[use["paymentId"]]["billPayments"]
            assert part["vendorCredits"] == [{"id": credit["id"], "amount": use["amount"]}]


def test_recurring_bills_brought_forth_bills_like_themselves(demo, bills):
    generated = 0
    for recurring in demo.bill["recurring_bills"]:
        amounts = [line["amount"] for line in recurring["recurringBillLineItems"]]
        alike = [
            bill
            for bill in bills.values()
            if bill["vendorId"] == recurring["vendorId"]
            and bill["invoice"].get("invoiceNumber") == bill["dueDate"]
            and [line["amount"] for line in bill["billLineItems"]] == amounts
        ]
        generated += len(alike)
        following = recurring["schedule"].get("nextDueDate", "9999")
        assert all(bill["dueDate"] < following for bill in alike)
    assert generated == 139


def test_no_recurring_bill_falls_due_in_the_next_years(demo):
    """The demo stays as it is on whatever day it is run."""
    for recurring in demo.bill["recurring_bills"]:
        if not recurring["archived"]:
            assert recurring["schedule"].get("nextDueDate", "9999") > "2031-01-01"
