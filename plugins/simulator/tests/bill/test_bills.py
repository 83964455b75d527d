"""Bills: creates, changes, replacements, the archive, derived amounts."""

from __future__ import annotations

from decimal import Decimal

import pytest


def body(vendor_id, **fields):
    return {
        "vendorId": vendor_id,
        "dueDate": "2026-12-31",
        "invoice": {"invoiceNumber": "202601", "invoiceDate": "2026-12-15"},
        "billLineItems": [{"amount": 149}, {"amount": Decimal("79.99")}],
        **fields,
    }


@pytest.fixture
def vendor(bill):
    return bill.vendor()


def test_a_create_derives_amounts_and_statuses(bill, vendor):
    record = bill.ok("POST", "bills", body(vendor["id"]))

    assert record["amount"] == record["dueAmount"] == record["fundingAmount"] == Decimal("228.99")
    assert record["paidAmount"] == record["scheduledAmount"] == record["creditAmount"] == 0
    assert record["paymentStatus"] == "UNPAID"
    assert record["approvalStatus"] == "UNASSIGNED"
    assert (record["archived"], record["recordStatus"]) == (False, "ACTIVE")
    assert record["createdBy"].startswith("006")
    assert record["id"].startswith("00n")
    assert all(line["id"].startswith("bli") for line in record["billLineItems"])


def test_amounts_keep_their_cents_on_the_wire(bill, vendor):
    response = bill.call("POST", "bills", body(vendor["id"], billLineItems=[{"amount": Decimal("0.10")}]))

    assert b'"amount":0.10' in response.content
    assert b'"dueAmount":0.10' in bill.call("GET", "bills").content


def test_a_new_bill_is_answered_without_vendor_name_and_then_with_it(bill, vendor):
    record = bill.ok("POST", "bills", body(vendor["id"]))

    assert "vendorName" not in record
    assert bill.get(f"bills/{record['id']}")["vendorName"] == vendor["name"]
    assert bill.results("bills")[0]["vendorName"] == vendor["name"]


def test_a_new_bill_shows_its_approvers_if_asked_to(bill, vendor):
    plain = bill.ok("POST", "bills", body(vendor["id"]))
    asked = bill.ok("POST", "bills", body(vendor["id"]), params={"billApprovals": "true"})

    assert "approvers" not in plain
    assert asked["approvers"] == []


def test_quantity_times_price_is_the_amount(bill, vendor):
    lines = [{"quantity": 3, "price": Decimal("0.335")}, {"quantity": 2, "price": 5, "amount": 10}]

    record = bill.ok("POST", "bills", body(vendor["id"], billLineItems=lines))

    assert [line["amount"] for line in record["billLineItems"]] == [Decimal("1.00"), Decimal(10)]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"vendorId": None}, "vendorId: must not be null"),
        ({"dueDate": "31.12.2026"}, "dueDate: must be a date yyyy-MM-dd"),
        ({"dueDate": "2026-02-30"}, "dueDate: must be a date yyyy-MM-dd"),
        ({"dueDate": "9999-12-31"}, "dueDate: must be a date yyyy-MM-dd"),
        ({"invoice": {"invoiceNumber": "1"}}, "invoice.invoiceDate: must not be null"),
        ({"billLineItems": []}, "billLineItems: must have 1 to 1000 entries"),
        ({"billLineItems": {}}, "billLineItems: must be an array"),
        ({"billLineItems": [{}]}, "billLineItems[0].amount: must not be null"),
        ({"billLineItems": [{"amount": "5"}]}, "billLineItems[0].amount: must be a number"),
        ({"billLineItems": [{"amount": True}]}, "billLineItems[0].amount: must be a number"),
        (
            {"billLineItems": [{"amount": Decimal("0.001")}]},
            "billLineItems[0].amount: must have at most 2 decimals",
        ),
        ({"billLineItems": [{"amount": 10**12}]}, "billLineItems[0].amount: must be less than 1000000000000"),
        (
            {"billLineItems": [{"amount": 5, "quantity": 2, "price": 3}]},
            "billLineItems[0].amount: must be quantity times price, 6.00",
        ),
    ],
)
def test_invalid_bills_are_refused(bill, vendor, fields, message):
    assert bill.refused("POST", "bills", body(vendor["id"], **fields)) == (400, "BDC_1002", message)


@pytest.mark.parametrize(
    "fields",
    [
        {"vendorId": "00902NOSUCHVENDOR001"},
        {"payFromChartOfAccountId": "0ca02NOSUCHACCOUNT01"},
        {"classifications": {"departmentId": "0de02NOSUCHDEPARTM01"}},
        {"billLineItems": [{"amount": 1, "classifications": {"customerId": "0cu02NOSUCHCUSTOME01"}}]},
        {"billLineItems": [{"amount": 1, "id": "bli02NOSUCHLINE00001"}]},
        {"vendorCredits": [{"id": "vcr02NOSUCHCREDIT001", "amount": 1}]},
    ],
)
def test_a_bill_cannot_name_what_does_not_exist(bill, vendor, fields):
    assert bill.refused("POST", "bills", body(vendor["id"], **fields))[:2] == (400, "BDC_1205")
    assert bill.results("bills") == []


def test_classifications_of_every_kind_are_kept(bill, vendor):
    def made(path, **fields):
        return bill.ok("POST", path, fields)["id"]

    line = {
        "chartOfAccountId": made("classifications/chart-of-accounts", name="a", account={"type": "EXPENSE"}),
        "accountingClassId": made("classifications/accounting-classes", name="a"),
        "departmentId": made("classifications/departments", name="a"),
        "employeeId": made("classifications/employees", firstName="a", lastName="b"),
        "jobId": made("classifications/jobs", name="a"),
        "locationId": made("classifications/locations", name="a"),
        "itemId": made("classifications/items", name="a", type="SERVICE"),
        "customerId": made("customers", name="a"),
    }

    record = bill.bill(vendor["id"], billLineItems=[{"amount": 1, "classifications": line}])

    assert record["billLineItems"][0]["classifications"] == line


def test_a_patch_changes_lines_by_id_and_keeps_the_others(bill, vendor):
    record = bill.bill(vendor["id"], 10, 20)
    first, second = record["billLineItems"]
    bill.advance(seconds=5)

    changed = bill.ok(
        "PATCH",
        f"bills/{record['id']}",
        {"billLineItems": [{"id": second["id"], "amount": 25, "description": "more"}]},
    )

    assert changed["billLineItems"] == [first, {**second, "amount": 25, "description": "more"}]
    assert changed["amount"] == changed["dueAmount"] == 35
    assert changed["updatedTime"] > record["updatedTime"]
    assert changed["vendorName"] == vendor["name"]


def test_a_patch_adds_lines_without_an_id(bill, vendor):
    record = bill.bill(vendor["id"], 10)

    changed = bill.ok("PATCH", f"bills/{record['id']}", {"billLineItems": [{"amount": 5}]})

    assert [line["amount"] for line in changed["billLineItems"]] == [10, 5]
    assert changed["amount"] == 15


def test_patching_one_factor_of_a_line_moves_its_amount(bill, vendor):
    record = bill.bill(vendor["id"], billLineItems=[{"quantity": 2, "price": 5}])
    line_id = record["billLineItems"][0]["id"]
    path = f"bills/{record['id']}"

    more = bill.ok("PATCH", path, {"billLineItems": [{"id": line_id, "quantity": 3}]})
    alone = bill.ok("PATCH", path, {"billLineItems": [{"id": line_id, "amount": 4}]})

    assert more["amount"] == 15
    assert alone["billLineItems"] == [{"id": line_id, "amount": 4}]


def test_a_put_drops_lines_and_fields_that_are_not_sent(bill, vendor):
    record = bill.bill(vendor["id"], 10, 20, description="old", purchaseOrderNumber="PO-1")
    kept = record["billLineItems"][1]

    replaced = bill.ok(
        "PUT",
        f"bills/{record['id']}",
        body(vendor["id"], billLineItems=[{"id": kept["id"], "amount": 21}, {"amount": 1}]),
    )

    assert replaced["billLineItems"][0]["id"] == kept["id"]
    assert [line["amount"] for line in replaced["billLineItems"]] == [21, 1]
    assert replaced["amount"] == 22
    assert "description" not in replaced
    assert "purchaseOrderNumber" not in replaced
    assert (replaced["id"], replaced["createdTime"]) == (record["id"], record["createdTime"])


def test_a_put_needs_what_a_create_needs(bill, vendor):
    record = bill.bill(vendor["id"])

    assert len(bill.call("PUT", f"bills/{record['id']}", {}).json()) == 4


def test_the_same_line_cannot_be_put_twice(bill, vendor):
    record = bill.bill(vendor["id"], 10)
    line = {"id": record["billLineItems"][0]["id"], "amount": 1}

    refusal = bill.refused("PUT", f"bills/{record['id']}", body(vendor["id"], billLineItems=[line, line]))

    assert refusal[:2] == (400, "BDC_1205")


def test_archive_and_restore_keep_record_status_in_step(bill, vendor):
    path = f"bills/{bill.bill(vendor['id'])['id']}"

    def after(action):
        record = bill.ok("POST", f"{path}/{action}")
        return record["archived"], record["recordStatus"]

    assert after("archive") == (True, "INACTIVE")
    assert after("archive") == (True, "INACTIVE")
    assert after("restore") == (False, "ACTIVE")
    assert after("restore") == (False, "ACTIVE")


def test_drafts_count_as_archived_and_stay_so(bill, vendor):
    times = {"createdTime": "2026-01-01T00:00:00.000+00:00", "updatedTime": "2026-01-01T00:00:00.000+00:00"}
    draft = {
        "id": "00n02DRAFT0000000001",
        "archived": True,
        "recordStatus": "DRAFT",
        "vendorId": vendor["id"],
        **times,
    }
    bill.load("bills", draft)
    path = f"bills/{draft['id']}"

    assert bill.ok("POST", f"{path}/archive")["recordStatus"] == "DRAFT_DELETED"
    restored = bill.ok("POST", f"{path}/restore")
    assert (restored["archived"], restored["recordStatus"]) == (True, "DRAFT")
    assert len(bill.results("bills", filters="archived:eq:true")) == 1


def test_a_bulk_create_answers_a_bare_array(bill, vendor):
    response = bill.call("POST", "bills/bulk", [body(vendor["id"]), body(vendor["id"])])

    assert response.status_code == 201
    assert [record["amount"] for record in response.json()] == [228.99, 228.99]


def test_a_bulk_create_of_bills_is_all_or_nothing(bill, vendor):
    response = bill.call("POST", "bills/bulk", [body(vendor["id"]), body("00902NOSUCHVENDOR001")])

    assert response.status_code == 400
    assert [entry["code"] for entry in response.json()] == ["BDC_1205", "BDC_1246"]
    assert bill.results("bills") == []
    assert bill.get(f"vendors/{vendor['id']}")["balance"]["amount"] == 0


def test_foreign_bills_have_the_rate_they_were_given(bill):
    vendor = bill.vendor(billCurrency="EUR")

    plain = bill.bill(vendor["id"], 10)
    rated = bill.bill(vendor["id"], 10, exchangeRate=Decimal("1.1"))

    assert "fundingAmount" not in plain
    assert (rated["exchangeRate"], rated["fundingAmount"]) == (Decimal("1.1"), Decimal("11.00"))


def test_bills_are_filtered_by_vendor_and_due_date(bill, vendor):
    other = bill.vendor("other")
    early = bill.bill(vendor["id"], dueDate="2026-07-01")
    bill.bill(vendor["id"], dueDate="2026-09-01")
    bill.bill(other["id"], dueDate="2026-07-01")

    found = bill.results("bills", filters=f"vendorId:eq:{vendor['id']},dueDate:lt:2026-08-01")

    assert [record["id"] for record in found] == [early["id"]]


def test_a_loaded_bill_without_lines_keeps_its_amount(bill, vendor):
    times = {"createdTime": "2026-01-01T00:00:00.000+00:00", "updatedTime": "2026-01-01T00:00:00.000+00:00"}
    loaded = {"id": "00n02LOADED000000001", "vendorId": vendor["id"], "amount": 12, "dueAmount": 12, **times}
    bill.load("bills", loaded)

    changed = bill.ok("PATCH", f"bills/{loaded['id']}", {"description": "new"})

    assert (changed["amount"], changed["dueAmount"]) == (12, 12)
