"""What bodies may contain: kinds, lengths, formats, and several errors at once (manual 6.0, 7.3)."""

from __future__ import annotations

from decimal import Decimal

import pytest

BROKEN_JSON = "Property Name:failed to parse json object; a property specified is unsupported or invalid"


def test_unknown_property_is_named_in_part(books):
    error = books.refused("Vendor", {"DisplayName": "A", "BillableStatusOfIt": 1})
    assert error["code"] == "2010"
    assert error["Message"] == "Request has invalid or unsupported property"
    assert error["Detail"] == (
        'Property Name:Unrecognized field "BillableSt specified is unsupported or invalid'
    )


def test_unknown_property_may_be_ignored(books):
    books.switch(unknown_property="ignore")
    assert "Nonsense" not in books.vendor(Nonsense=1)


def test_misplaced_property_inside_a_line_breaks_the_whole_body(books):
    line = books.account_line(5, detail={"DepartmentRef": {"value": books.BERLIN}})
    error = books.refused("PurchaseOrder", books.order_body(line))
    assert (error["code"], error["Detail"]) == ("2010", BROKEN_JSON)


@pytest.mark.parametrize(
    "body",
    [
        {"PrimaryEmailAddr": "a@b.example"},
        {"DisplayName": ["A"]},
        {"Active": 1},
        {"TermRef": "3"},
        {"TermRef": {"value": {"value": "3"}}},
        {"OtherContactInfo": {}},
        {"Balance": True},
        [],
        "text",
    ],
)
def test_values_of_the_wrong_json_kind(books, body):
    error = books.refused("Vendor", body)
    assert (error["code"], error["Detail"]) == ("2010", BROKEN_JSON)


@pytest.mark.parametrize("status", ["", "open", "Done"])
def test_wrong_enumeration(books, status):
    body = books.order_body(POStatus=status)
    assert books.refused("PurchaseOrder", body)["Detail"] == BROKEN_JSON
    books.switch(bad_enumeration="2170")
    assert books.refused("PurchaseOrder", body)["code"] == "2170"


def test_scalars_are_taken_in_another_spelling(books):
    vendor = books.vendor(AcctNum=4711, Active="true", BillRate="12.50", Mobile=None)
    assert vendor["AcctNum"] == "4711"
    assert vendor["Active"] is True
    assert vendor["BillRate"] == Decimal("12.5")


@pytest.mark.parametrize(
    ("field", "limit"),
    [
        ("Title", 16),
        ("GivenName", 100),
        ("DisplayName", 500),
        ("CompanyName", 100),
        ("PrintOnCheckName", 100),
        ("AcctNum", 100),
        ("TaxIdentifier", 20),
    ],
)
def test_text_lengths(books, field, limit):
    body = {"DisplayName": "Length"}
    assert books.write("Vendor", {**body, field: "x" * limit})[field] is not None
    error = books.refused("Vendor", {**body, field: "x" * (limit + 1)})
    assert error["code"] == "2050"
    assert error["element"] == field
    assert error["Detail"] == (
        "String length specified does not match the supported length. "
        f"Min:0 Max:{limit} supported. Supplied length:{limit + 1}"
    )


def test_several_problems_come_in_one_fault(books):
    body = {
        "DisplayName": "x" * 501,
        "PrimaryEmailAddr": {"Address": "nobody"},
        "WebAddr": {"URI": "no address"},
        "BillRate": "much",
    }
    errors = books.faults(books.call("POST", "vendor", body))
    assert [error["code"] for error in errors] == ["2050", "2210", "2200", "2080"]
    errors = books.faults(books.call("POST", "bill", {"DueDate": "soon"}))
    assert [(e["code"], e["element"]) for e in errors] == [
        ("2020", "VendorRef"),
        ("2020", "Line"),
        ("2060", "DueDate"),
    ]
    assert errors[0]["Detail"] == "Required parameter VendorRef is missing in the request"


@pytest.mark.parametrize("address", ["nobody", "a@b", "a b@c.example", "@c.example", "a@.example."])
def test_bad_email(books, address):
    error = books.refused("Vendor", {"DisplayName": "A", "PrimaryEmailAddr": {"Address": address}})
    assert error["code"] == "2210"
    assert error["Detail"].endswith(f"Supplied value:{address}")


@pytest.mark.parametrize("address", ["", "nobody"])
def test_bad_email_of_an_order(books, address):
    error = books.refused("PurchaseOrder", books.order_body(POEmail={"Address": address}))
    assert error["code"] == "6000"
    assert error["Detail"] == "Business Validation Error: Please enter a valid email address."


@pytest.mark.parametrize(
    ("value", "code"),
    [("2026-3-2", "2060"), ("02/03/2026", "2060"), ("2026-02-30", "2070"), ("tomorrow", "2060")],
)
def test_bad_dates(books, value, code):
    assert books.refused("PurchaseOrder", books.order_body(TxnDate=value))["code"] == code


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (Decimal("10.001"), "2100"),
        ("NaN", "2080"),
        ("1e400", "2090"),
        (Decimal(10**15), "2090"),
        ("ten", "2080"),
    ],
)
def test_bad_amounts(books, value, code):
    line = {**books.account_line(1), "Amount": value}
    assert books.refused("PurchaseOrder", books.order_body(line))["code"] == code


@pytest.mark.parametrize("name", ["bell \x07", "bin \U0001f5d1"])
def test_unsupported_characters(books, name):
    assert books.refused("Vendor", {"DisplayName": name})["code"] == "2040"


def test_four_byte_characters_by_switch(books):
    books.switch(four_byte_characters="accept")
    assert books.vendor("bin \U0001f5d1")["DisplayName"] == "bin \U0001f5d1"


def test_message_for_names_as_documented(books):
    books.switch(forbidden_name_message="documented")
    assert books.refused("Vendor", {"DisplayName": "a:b"})["Message"] == "Invalid String Range"


def test_empty_values_are_not_stored(books):
    vendor = books.vendor(AcctNum="", BillAddr={}, TermRef={"value": ""}, Fax={"FreeFormNumber": ""})
    assert {"AcctNum", "BillAddr", "TermRef", "Fax"}.isdisjoint(vendor)


@pytest.mark.parametrize("body", [b"{", b"not json", b'{"DisplayName": NaN}', b"[" * 100_000, b""])
def test_body_that_is_no_json(books, body):
    response = books.call("POST", "vendor", body, headers={"Content-Type": "application/json"})
    assert books.fault(response)["code"] == "2010"


@pytest.mark.parametrize("body", [b'{"DisplayName": "\xff"}', b'{"DisplayName": "\x00"}'])
def test_body_that_is_no_text(books, body):
    response = books.call("POST", "vendor", body, headers={"Content-Type": "application/json"})
    assert books.fault(response)["code"] == "500"


@pytest.mark.parametrize("status", [415, 400, 406])
def test_wrong_content_type(books, status):
    books.switch(wrong_content_type_status=status)
    response = books.call("POST", "vendor", b"<Vendor/>", headers={"Content-Type": "application/xml"})
    assert books.fault(response, status=status)["code"] == "1050"


def test_content_type_may_carry_a_charset(books):
    headers = {"Content-Type": "application/json; charset=utf-8"}
    response = books.call("POST", "vendor", b'{"DisplayName": "A"}', headers=headers)
    assert response.status_code == 200
