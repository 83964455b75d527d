"""Queries over HTTP: filters, orders, paging, inactive records, refusals (manual 3.1 to 3.3)."""

from __future__ import annotations

from decimal import Decimal

import pytest


def names(rows):
    return [row["DisplayName"] for row in rows]


@pytest.fixture
def people(books):
    """Five vendors, made one minute apart."""
    for number, name in enumerate(["Delta", "alpha", "Charlie", "bravo", "Echo"]):
        books.load(
            "Vendor",
            {
                "Id": str(100 + number),
                "DisplayName": name,
                "CompanyName": "Even" if number % 2 == 0 else "Odd",
                "Active": name != "Echo",
                "Balance": Decimal(number),
                "MetaData": {
                    "CreateTime": f"2026-02-01T10:0{number}:00-08:00",
                    "LastUpdatedTime": f"2026-02-02T10:0{number}:00-08:00",
                },
            },
        )
    return books


def test_answer_has_rows_and_their_number(people):
    answer = people.query("select * from Vendor where Id in ('100', '101')")
    assert set(answer) == {"Vendor", "startPosition", "maxResults"}
    assert (answer["startPosition"], answer["maxResults"]) == (1, 2)
    assert names(answer["Vendor"]) == ["Delta", "alpha"]


def test_nothing_found_is_an_empty_object(people):
    assert people.query("select * from Vendor where DisplayName = 'Nobody'") == {}


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("DisplayName = 'ALPHA'", ["alpha"]),
        ("displayname in ('bravo', 'DELTA', 'nobody')", ["Delta", "bravo"]),
        ("DisplayName LIKE 'a%'", ["alpha"]),
        ("DisplayName like '%lt%'", ["Delta"]),
        ("DisplayName like 'ch%e'", ["Charlie"]),
        ("DisplayName like 'Delta'", ["Delta"]),
        ("DisplayName > 'charlie'", ["Hicks Hardware", "Delta"]),
        ("CompanyName = 'even' and Balance > '0'", ["Charlie"]),
        ("Balance >= 1 and Balance < 3", ["alpha", "Charlie"]),
        ("Balance <= '0'", ["Hicks Hardware", "Delta"]),
        ("CompanyName = ' '", []),
        ("GivenName = ' ' and DisplayName < 'b'", ["alpha"]),
        ("Active = false", ["Retired Supplies (deleted)", "Echo (deleted)"]),
        ("Active IN (true, false) and CompanyName = 'Even'", ["Delta", "Charlie", "Echo (deleted)"]),
        ("Active = true and Active = false", []),
        ("Id = '104'", []),
        ("Id = '104' and Active in (true, false)", ["Echo (deleted)"]),
        ("Id in ('100', '103') and Balance > '1'", ["bravo"]),
        (
            "MetaData.CreateTime < '2026-02-01T10:02:00-08:00' and Id in ('100','101','102')",
            ["Delta", "alpha"],
        ),
        ("MetaData.LastUpdatedTime >= '2026-02-02T18:02:00Z'", ["Charlie", "bravo"]),
        ("MetaData.LastUpdatedTime > '2026-02-02T10:02:00'", ["bravo"]),
        ("MetaData.LastUpdatedTime > '2026-02-02'", ["Delta", "alpha", "Charlie", "bravo"]),
    ],
)
def test_filters(people, where, found):
    assert names(people.rows(f"select * from Vendor where {where}")) == found  # noqa: S608
    count = people.query(f"select count(*) from Vendor where {where}")  # noqa: S608
    assert count == {"totalCount": len(found)}


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("DisplayName", ["alpha", "bravo", "Charlie", "Delta"]),
        ("DisplayName desc", ["Delta", "Charlie", "bravo", "alpha"]),
        ("MetaData.LastUpdatedTime DESC", ["bravo", "Charlie", "alpha", "Delta"]),
        ("CompanyName", ["Delta", "Charlie", "alpha", "bravo"]),
    ],
)
def test_orders(people, order, found):
    where = "where MetaData.CreateTime > '2026-02-01'"
    for word in ("ORDERBY", "ORDER BY", "orderby"):
        statement = f"select * from Vendor {where} {word} {order}"  # noqa: S608
        assert names(people.rows(statement)) == found


def test_records_without_a_value_come_first(people):
    people.load("Vendor", {"Id": "200", "DisplayName": "Blank", "Active": True})
    assert names(people.rows("select * from Vendor orderby CompanyName"))[0] == "Blank"
    assert names(people.rows("select * from Vendor orderby CompanyName desc"))[-1] == "Blank"


def test_default_order_by_switch(people):
    assert people.rows("select * from Vendor maxresults 1")[0]["Id"] == people.VENDOR
    people.switch(default_query_order="newest")
    assert names(people.rows("select * from Vendor maxresults 2")) == ["bravo", "Charlie"]
    assert names(people.rows("select * from Vendor where Balance > '0' maxresults 1")) == ["bravo"]


def test_pages(people):
    found = []
    start = 1
    while True:
        paging = f"startposition {start} maxresults 2"
        rows = people.rows(f"select * from Vendor orderby DisplayName {paging}")  # noqa: S608
        found += names(rows)
        start += 2
        if len(rows) < 2:
            break
    assert found == ["alpha", "bravo", "Charlie", "Delta", "Hicks Hardware"]
    answer = people.query("select * from Vendor startposition 3 maxresults 2")
    assert (answer["startPosition"], answer["maxResults"]) == (3, 2)
    assert people.query("select * from Vendor startposition 99") == {}
    assert people.query("select * from Vendor maxresults 0") == {}


def test_default_page_has_a_hundred_rows_and_the_largest_a_thousand(books):
    books.load(
        "Vendor",
        *({"Id": str(1000 + n), "DisplayName": f"V{n:04}", "Active": True} for n in range(1100)),
    )
    assert books.query("select * from Vendor")["maxResults"] == 100
    assert books.query("select * from Vendor maxresults 1000")["maxResults"] == 1000
    error = books.query_error("select * from Vendor maxresults 1001")
    assert error["code"] == "4001"
    books.switch(max_results_over_limit="cap")
    assert books.query("select * from Vendor maxresults 1001")["maxResults"] == 1000


def test_start_position_zero_by_switch(people):
    assert people.query("select * from Vendor startposition 0")["startPosition"] == 1
    people.switch(start_position_zero="reject")
    assert people.query_error("select * from Vendor startposition 0")["code"] == "4001"
    assert people.query_error("select * from Vendor startposition -1")["code"] == "4001"


def test_total_count_of_orders_by_switch(books):
    for _ in range(3):
        books.order()
    statement = "select * from PurchaseOrder maxresults 2"
    assert books.query(statement)["totalCount"] == 2
    books.switch(query_total_count="matching")
    assert books.query(statement)["totalCount"] == 3


@pytest.mark.parametrize(
    ("statement", "detail"),
    [
        (
            "select * from Bill where DepartmentRef = '1'",
            "QueryValidationError: property 'DepartmentRef' is not queryable",
        ),
        (
            "select * from Bill where AccountRef = '1'",
            "QueryValidationError: Property AccountRef not found for Entity",
        ),
        ("select * from Vendor where AcctNum = '1'", "property 'AcctNum' is not queryable"),
        ("select * from Vendor where TaxIdentifier = '1'", "'TaxIdentifier' is not queryable"),
        ("select * from Vendor where PrimaryEmailAddr = 'a'", "is not queryable"),
        ("select * from PurchaseOrder where VendorRef = '41'", "'VendorRef' is not queryable"),
        ("select * from PurchaseOrder where POStatus = 'Open'", "'POStatus' is not queryable"),
        ("select * from PurchaseOrder where PrivateNote = 'x'", "is not queryable"),
        ("select * from Account where AcctNum = '6100'", "'AcctNum' is not queryable"),
        ("select * from Vendor where Id > '5'", "operator '>' is not supported for property 'Id'"),
        ("select * from Vendor where Id like '5%'", "operator 'LIKE'"),
        ("select * from Vendor where Balance like '5%'", "operator 'LIKE'"),
        ("select * from Vendor orderby Id", "property 'Id' is not sortable"),
        ("select * from Bill orderby Balance", "property 'Balance' is not sortable"),
        ("select * from Account orderby AccountType", "is not sortable"),
        ("select * from Vendor where Balance > 'much'", "value 'much' is not valid"),
        ("select * from Vendor where Active = 'maybe'", "value 'maybe' is not valid"),
        ("select * from PurchaseOrder where TxnDate > 'soon'", "value 'soon' is not valid"),
        ("select * from Vendor where MetaData.CreateTime > 'x'", "value 'x' is not valid"),
        ("select * from Nonsense", "Invalid context declaration: Nonsense"),
        ("select Colour from Vendor", "Property Colour not found for Entity"),
    ],
)
def test_statements_that_cannot_be_answered(books, statement, detail):
    error = books.query_error(statement)
    assert (error["code"], error["Message"]) == ("4001", "Invalid query")
    assert detail in error["Detail"]


def test_references_of_an_order_can_be_filtered_by_switch(books):
    order = books.order()
    books.order(POStatus="Closed")
    books.switch(purchase_order_reference_filters=True)
    rows = books.rows("select * from PurchaseOrder where VendorRef = '41' and POStatus = 'Open'")
    assert [row["Id"] for row in rows] == [order["Id"]]


def test_vendor_of_a_payment_by_switch(books):
    statement = "select * from BillPayment where VendorRef = '41'"
    assert books.query(statement) == {}
    books.switch(bill_payment_vendor_filter=False)
    assert books.query_error(statement)["code"] == "4001"


def test_orders_by_number_and_dates(books):
    books.order(DocNumber="PO-1", TxnDate="2026-01-05", DueDate="2026-02-05")
    books.order(DocNumber="po-2", TxnDate="2026-01-06")

    def found(where):
        statement = f"select * from PurchaseOrder where {where}"  # noqa: S608
        return [row["DocNumber"] for row in books.rows(statement)]

    assert found("DocNumber = 'PO-2'") == ["po-2"]
    assert found("DocNumber in ('PO-1', 'PO-9')") == ["PO-1"]
    assert found("TxnDate >= '2026-01-06'") == ["po-2"]
    assert found("TxnDate >= '2026-01-05' and DueDate < '2026-03-01'") == ["PO-1"]
    assert found("TxnDate = '2026-01-05T00:00:00-08:00'") == ["PO-1"]


def test_bills_by_vendor_and_amount(books):
    bill = books.bill(books.account_line(300))
    books.bill(books.account_line(200))
    rows = books.rows("select * from Bill where VendorRef = '41' and TotalAmt > '250.00'")
    assert [row["Id"] for row in rows] == [bill["Id"]]


def test_payments_by_bank_account(books):
    bill = books.bill()
    books.pay(("Bill", bill["Id"], 5))
    statement = "select * from BillPayment where CheckPayment.BankAccountRef = '34'"
    assert len(books.rows(statement)) == 1


def test_accounts_by_type(books):
    rows = books.rows("select * from Account where AccountType = 'Accounts Payable'")
    assert [row["Id"] for row in rows] == [books.PAYABLE]


def test_statement_in_the_body_of_a_post(books):
    for kind in ("application/text", "text/plain", "application/text; charset=utf-8"):
        response = books.call("POST", "query", b"select count(*) from Class", headers={"Content-Type": kind})
        assert books.parsed(response)["QueryResponse"] == {"totalCount": 2}


def test_body_in_another_content_type_is_not_seen(books):
    response = books.call(
        "POST", "query", b"select * from Class", headers={"Content-Type": "application/json"}
    )
    error = books.fault(response)
    assert (error["code"], error["Detail"]) == ("4000", "QueryParserError: null")


def test_new_and_changed_records_are_found_at_once(people):
    statement = "select * from Vendor where CompanyName = 'Odd' orderby DisplayName"
    assert names(people.rows(statement)) == ["alpha", "bravo"]
    people.vendor("Aaron", CompanyName="odd")
    bravo = people.read("Vendor", "103")
    people.write("Vendor", {**bravo, "CompanyName": "Other"})
    assert names(people.rows(statement)) == ["Aaron", "alpha"]
    alpha = people.read("Vendor", "101")
    people.write("Vendor", {**alpha, "Active": False})
    assert names(people.rows(statement)) == ["Aaron"]


def test_equal_statements_with_other_values_are_not_confused(people):
    for value, count in (("Odd", 2), ("Even", 2), ("None", 0), ("Odd", 2)):
        statement = f"select * from Vendor where CompanyName = '{value}' and Balance >= 0"  # noqa: S608
        assert len(people.rows(statement)) == count
