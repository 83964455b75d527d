"""Which filters and orders each list takes."""

from __future__ import annotations

import pytest

PATHS = {
    "vendors": "vendors",
    "customers": "customers",
    "bills": "bills",
    "payments": "payments",
    "recurring_bills": "recurringbills",
    "vendor_credits": "vendor-credits",
    "chart_of_accounts": "classifications/chart-of-accounts",
    "accounting_classes": "classifications/accounting-classes",
    "departments": "classifications/departments",
    "locations": "classifications/locations",
    "items": "classifications/items",
    "jobs": "classifications/jobs",
    "employees": "classifications/employees",
    "users": "users",
    "roles": "roles",
    "bank_accounts": "funding-accounts/banks",
}
CLASSIFICATIONS = [path for path in PATHS.values() if path.startswith("classifications")]
SORTS = {
    "vendors": "archived name shortName email phone billCurrency createdTime updatedTime",
    "customers": "archived name companyName email phone fax description invoiceCurrency createdTime "
    "updatedTime",
    "bills": "archived fundingAmount exchangeRate description dueDate createdTime updatedTime",
    "recurringbills": "archived",
    "payments": "description processDate amount confirmationNumber onlinePayment createdTime updatedTime "
    "disbursementStatus",
    "users": "archived firstName lastName createdTime updatedTime",
    "classifications/employees": "archived firstName lastName createdTime updatedTime",
    "classifications/departments": "archived name description createdTime updatedTime",
}
UPDATED = 'updatedTime:gte:"2026-01-01T00:00:00.000Z"'


def status(client, path, **params):
    return client.call("GET", path, params=params).status_code


@pytest.mark.parametrize("path", PATHS.values())
def test_every_list_can_be_filtered_by_id_and_is_asked_for_newest_first(bill, path):
    assert (
        status(
            bill, path, filters="id:eq:x", sort="createdTime:desc" if path != "recurringbills" else "archived"
        )
        == 200
    )


@pytest.mark.parametrize("path", SORTS)
def test_a_list_sorts_by_its_documented_fields_and_no_others(bill, path):
    documented = SORTS[path].split()
    everything = {name for names in SORTS.values() for name in names.split()} | {"id", "nonsense"}

    accepted = {name for name in everything if status(bill, path, sort=name) == 200}

    assert accepted == set(documented)


@pytest.mark.parametrize(
    "sort", ["name:up", "name:ASC", ":desc", "name desc", "name:asc,createdTime:asc", "name:asc:x"]
)
def test_a_sort_that_is_not_the_grammar_is_refused(bill, sort):
    assert bill.refused("GET", "vendors", params={"sort": sort})[2].startswith("sort: ")


@pytest.mark.parametrize(("direction", "names"), [("asc", ["a", "b"]), ("desc", ["b", "a"])])
def test_a_sort_without_direction_has_the_switches_one(bill, direction, names):
    bill.switches.default_sort_direction = direction
    for name in "ba":
        bill.vendor(name)

    assert [vendor["name"] for vendor in bill.results("vendors", sort="name")] == names


def test_several_sort_keys_can_be_switched_on(bill):
    bill.switches.multiple_sort_keys = "accept"
    for name, phone in (("b", "1"), ("a", "1"), ("c", "2")):
        bill.vendor(name, phone=phone)

    found = bill.results("vendors", sort="phone:desc,name:asc")

    assert [vendor["name"] for vendor in found] == ["c", "a", "b"]


def test_recurring_bills_refuse_updated_time_unless_switched_on(bill):
    assert status(bill, "recurringbills", filters=UPDATED) == 400
    assert status(bill, "recurringbills", sort="updatedTime:asc") == 400
    assert status(bill, "recurringbills", sort="createdTime:desc") == 400

    bill.switches.recurring_updated_time_filter = "accept"

    assert status(bill, "recurringbills", filters=UPDATED, sort="updatedTime:asc") == 200


@pytest.mark.parametrize(
    ("switch", "path"),
    [
        ("vendor_credit_time_filter", "vendor-credits"),
        ("payment_time_filter", "payments"),
        *(("classification_time_filter", path) for path in CLASSIFICATIONS),
    ],
)
def test_undocumented_time_filters_can_be_switched_off(bill, switch, path):
    assert status(bill, path, filters=UPDATED) == 200

    setattr(bill.switches, switch, "reject")

    assert status(bill, path, filters=UPDATED) == 400
    assert status(bill, path, sort="updatedTime:asc") == 200


@pytest.mark.parametrize("path", ["vendors", "bills", "customers"])
def test_documented_time_filters_cannot_be_switched_off(bill, path):
    for switch in ("vendor_credit_time_filter", "payment_time_filter", "classification_time_filter"):
        setattr(bill.switches, switch, "reject")

    assert status(bill, path, filters=UPDATED) == 200


def test_the_boundary_of_gte_is_included(bill):
    vendor = bill.vendor()
    moment = vendor["updatedTime"].replace("+00:00", "Z")

    assert bill.results("vendors", filters=f'updatedTime:gte:"{moment}"') == [
        bill.get(f"vendors/{vendor['id']}")
    ]
    assert bill.results("vendors", filters=f'updatedTime:gt:"{moment}"') == []


def test_archived_records_are_shown_unless_filtered_out(bill):
    kept, gone = bill.vendor("kept"), bill.vendor("gone")
    bill.ok("POST", f"vendors/{gone['id']}/archive")

    assert {vendor["name"] for vendor in bill.results("vendors")} == {"kept", "gone"}
    assert [v["id"] for v in bill.results("vendors", filters="archived:eq:false")] == [kept["id"]]


def test_archived_records_can_be_hidden_by_a_switch(bill):
    bill.switches.archived_by_default = "hidden"
    gone = bill.vendor("gone")
    bill.ok("POST", f"vendors/{gone['id']}/archive")

    assert bill.results("vendors") == []
    assert [v["id"] for v in bill.results("vendors", filters="archived:eq:true")] == [gone["id"]]


def test_bank_accounts_take_both_names_of_their_id(bill):
    (account,) = bill.results("funding-accounts/banks")

    assert bill.results("funding-accounts/banks", filters=f"bankAccountId:eq:{account['id']}") == [account]


def test_customers_are_filtered_by_the_country_of_their_billing_address(bill):
    for name, country in (("here", "US"), ("there", "CA")):
        bill.ok("POST", "customers", {"name": name, "billingAddress": {"country": country}})

    found = bill.results("customers", filters="address.country:eq:CA")

    assert [customer["name"] for customer in found] == ["there"]


def test_unset_fields_are_left_out_or_null(bill):
    bill.load("vendors", {"id": "00902VENDOR000000001", "name": "Bare"})
    assert bill.results("vendors") == [{"id": "00902VENDOR000000001", "name": "Bare"}]

    bill.switches.unset_fields = "null"

    (vendor,) = bill.results("vendors")
    assert vendor["name"] == "Bare"
    assert vendor["shortName"] is None
    assert bill.get(f"vendors/{vendor['id']}") == vendor


def test_times_can_end_in_z(bill):
    vendor = bill.vendor("2026-01-01T00:00:00.000+00:00 is no time")
    assert vendor["createdTime"].endswith("+00:00")
    bill.switches.time_form = "z"
    expected = vendor["createdTime"].replace("+00:00", "Z")

    assert bill.results("vendors")[0]["createdTime"] == expected
    assert bill.get(f"vendors/{vendor['id']}")["createdTime"] == expected
    assert bill.get(f"vendors/{vendor['id']}")["name"] == vendor["name"]


def test_numbers_can_be_masked(bill):
    vendor = bill.vendor(
        additionalInfo={"taxId": "999888777"},
        paymentInformation={
            "bankAccount": {"nameOnAccount": "x", "accountNumber": "111222333", "routingNumber": "1"}
        },
    )
    assert bill.results("vendors")[0]["additionalInfo"]["taxId"] == "999888777"

    bill.switches.sensitive_numbers = "masked"

    for shown in (bill.results("vendors")[0], bill.get(f"vendors/{vendor['id']}")):
        assert shown["additionalInfo"]["taxId"] == "*****8777"
        assert shown["paymentInformation"]["bankAccount"]["accountNumber"] == "*****2333"
    assert bill.get(f"organizations/{bill.ORGANIZATION}")["taxId"] == "*****3333"


def test_loaded_times_take_the_form_of_the_manual(bill):
    bill.load(
        "vendors",
        {
            "id": "00902VENDOR000000001",
            "createdTime": "2026-01-01T01:00:00Z",
            "updatedTime": "2026-01-01T01:00:00.5+01:00",
        },
    )

    (vendor,) = bill.results("vendors")

    assert vendor["createdTime"] == "2026-01-01T01:00:00.000+00:00"
    assert vendor["updatedTime"] == "2026-01-01T00:00:00.500+00:00"
