"""Accounts, classes and the rest of the classifications; customers; vendor credits."""

from __future__ import annotations

import pytest

BODIES = {
    "chart-of-accounts": {"name": "Prepaid", "account": {"type": "EXPENSE", "number": "1-020"}},
    "accounting-classes": {"name": "Prepaid", "shortName": "P"},
    "departments": {"name": "Prepaid", "description": "d"},
    "locations": {"name": "Prepaid"},
    "items": {"name": "Prepaid", "type": "SALES_TAX", "percentage": 3},
    "jobs": {"name": "Prepaid"},
    "employees": {"firstName": "James", "lastName": "Milner"},
}
KEYS = {
    "chart-of-accounts": "chartOfAccounts",
    "accounting-classes": "accountingClasses",
    "departments": "departments",
    "locations": "locations",
    "items": "items",
    "jobs": "jobs",
    "employees": "employees",
}
PREFIXES = {
    "chart-of-accounts": "0ca",
    "accounting-classes": "cls",
    "departments": "0de",
    "locations": "loc",
    "items": "0ii",
    "jobs": "job",
    "employees": "emp",
}


def create(client, kind, **fields):
    return client.ok("POST", f"classifications/{kind}", {**BODIES[kind], **fields})


def account(client, name, parent=None):
    return create(client, "chart-of-accounts", name=name, **({"parentId": parent["id"]} if parent else {}))


@pytest.mark.parametrize("kind", BODIES)
def test_a_classification_is_created_changed_archived_and_restored(bill, kind):
    record = create(bill, kind)
    path = f"classifications/{kind}/{record['id']}"

    assert record["id"].startswith(PREFIXES[kind])
    assert BODIES[kind].items() <= record.items()
    assert bill.ok("PATCH", path, {"shortName" if kind != "chart-of-accounts" else "description": "new"})
    assert bill.ok("POST", f"{path}/archive")["archived"] is True
    assert bill.ok("POST", f"{path}/restore")["archived"] is False
    assert bill.results(f"classifications/{kind}") == [bill.get(path)]


@pytest.mark.parametrize("kind", BODIES)
def test_bulk_requests_answer_under_the_plural(bill, kind):
    path = f"classifications/{kind}/bulk"
    name = "firstName" if kind == "employees" else "name"

    made = bill.ok("POST", path, [BODIES[kind], BODIES[kind]])[KEYS[kind]]
    changed = bill.ok("PATCH", path, [{"id": record["id"], name: "new"} for record in made])[KEYS[kind]]
    ids = ",".join(record["id"] for record in made)
    archived = bill.ok("POST", f"{path}/archive", params={"ids": ids})[KEYS[kind]]
    restored = bill.ok("POST", f"{path}/restore", params=[("ids", record["id"]) for record in made])[
        KEYS[kind]
    ]

    assert len(made) == 2
    assert [record[name] for record in changed] == ["new", "new"]
    assert [record["archived"] for record in archived] == [True, True]
    assert [record["archived"] for record in restored] == [False, False]


def test_bulk_changes_are_all_or_nothing(bill):
    record = create(bill, "jobs")

    response = bill.call(
        "PATCH", "classifications/jobs/bulk", [{"id": record["id"], "name": "new"}, {"id": "job02NONE"}, {}]
    )

    assert response.status_code == 400
    assert [entry["code"] for entry in response.json()] == ["BDC_1205", "BDC_1002", "BDC_1246"]
    assert bill.get(f"classifications/jobs/{record['id']}") == record


def test_at_most_50_classifications_in_bulk(bill):
    response = bill.call("POST", "classifications/jobs/bulk", [BODIES["jobs"]] * 51)

    assert bill.error(response)[2] == "must be an array of 1 to 50"


@pytest.mark.parametrize("kind", BODIES)
def test_required_fields(bill, kind):
    assert bill.call("POST", f"classifications/{kind}", {}).status_code == 400


def test_an_account_type_has_to_be_known(bill):
    body = {"name": "x", "account": {"type": "SAVINGS"}}

    assert (
        "account.type: must be one of" in bill.refused("POST", "classifications/chart-of-accounts", body)[2]
    )


def test_a_parent_has_to_exist(bill):
    body = {"name": "x", "parentId": "0de02NOSUCHDEPARTM01"}

    assert bill.refused("POST", "classifications/departments", body)[:2] == (400, "BDC_1205")


def test_archiving_a_parent_account_archives_all_below_it(bill):
    parent = account(bill, "parent")
    child = account(bill, "child", parent)
    grandchild = account(bill, "grandchild", child)
    other = account(bill, "other")
    bill.advance(seconds=1)

    bill.ok("POST", f"classifications/chart-of-accounts/{parent['id']}/archive")

    found = {record["name"]: record for record in bill.results("classifications/chart-of-accounts")}
    assert {name for name, record in found.items() if record["archived"]} == {"parent", "child", "grandchild"}
    assert found["child"]["updatedTime"] > child["updatedTime"]
    assert found["grandchild"]["updatedTime"] > grandchild["updatedTime"]
    assert found["other"] == other


def test_restoring_a_parent_account_restores_it_alone(bill):
    parent = account(bill, "parent")
    child = account(bill, "child", parent)
    path = "classifications/chart-of-accounts"
    bill.ok("POST", f"{path}/{parent['id']}/archive")

    bill.ok("POST", f"{path}/{parent['id']}/restore")

    assert bill.get(f"{path}/{parent['id']}")["archived"] is False
    assert bill.get(f"{path}/{child['id']}")["archived"] is True


def test_accounts_that_are_their_own_parents_do_not_loop(bill):
    first = account(bill, "first")
    second = account(bill, "second", first)
    path = "classifications/chart-of-accounts"
    bill.ok("PATCH", f"{path}/{first['id']}", {"parentId": second["id"]})

    bill.ok("POST", f"{path}/{first['id']}/archive")

    assert all(record["archived"] for record in bill.results(path))


def test_children_of_other_classifications_stay(bill):
    parent = create(bill, "departments")
    child = create(bill, "departments", parentId=parent["id"])

    bill.ok("POST", f"classifications/departments/{parent['id']}/archive")

    assert bill.get(f"classifications/departments/{child['id']}")["archived"] is False


def test_the_cascade_and_the_parent_link_are_switches(bill):
    bill.switches.parent_account_archives_children = False
    bill.switches.parent_account_visible = False
    parent = account(bill, "parent")
    child = account(bill, "child", parent)
    path = "classifications/chart-of-accounts"

    bill.ok("POST", f"{path}/{parent['id']}/archive")

    assert bill.get(f"{path}/{child['id']}")["archived"] is False
    assert "parentId" not in bill.get(f"{path}/{child['id']}")
    assert all("parentId" not in record for record in bill.results(path))


def test_customers(bill):
    record = bill.ok(
        "POST",
        "customers",
        {
            "name": "Paperless Band",
            "contact": {"firstName": "Check", "lastName": "Mailworth"},
            "billingAddress": {"city": "San Jose", "country": "US"},
        },
    )
    path = f"customers/{record['id']}"
    changed = bill.ok("PATCH", path, {"name": "New", "contact": {"lastName": "Other"}})

    assert record["id"].startswith("0cu")
    assert record["billingAddress"]["countryName"] == "United States"
    assert changed["contact"] == {"firstName": "Check", "lastName": "Other"}
    assert bill.ok("POST", f"{path}/archive")["archived"] is True
    assert bill.ok("POST", f"{path}/restore")["archived"] is False
    assert bill.refused("POST", "customers", {})[2] == "name: must not be null"


def credit_body(vendor, **fields):
    return {
        "vendorId": vendor["id"],
        "referenceNumber": "C-1",
        "creditDate": "2026-12-28",
        "vendorCreditLineItems": [{"amount": 14.99, "description": "Drum sticks"}, {"amount": 50}],
        **fields,
    }


def test_vendor_credits(bill):
    vendor = bill.vendor()
    record = bill.ok("POST", "vendor-credits", credit_body(vendor))
    path = f"vendor-credits/{record['id']}"
    first = record["vendorCreditLineItems"][0]

    assert record["id"].startswith("vcr")
    assert first["id"].startswith("vci")
    assert float(record["amount"]) == 64.99
    assert (record["status"], record["appliedAmount"]) == ("NOT_APPLIED", 0)
    assert "usage" not in record
    assert bill.get(path)["usage"] == []

    changed = bill.ok("PATCH", path, {"vendorCreditLineItems": [{"id": first["id"], "amount": 15}]})
    assert changed["amount"] == 65
    replaced = bill.ok("PUT", path, credit_body(vendor, vendorCreditLineItems=[{"amount": 1}]))
    assert replaced["amount"] == 1
    assert bill.ok("POST", f"{path}/archive")["archived"] is True


def test_vendor_credits_in_bulk(bill):
    vendor = bill.vendor()
    made = bill.ok("POST", "vendor-credits/bulk", [credit_body(vendor)] * 2)["vendorCredits"]
    patches = [{"id": record["id"], "description": "new"} for record in made]
    puts = [{**credit_body(vendor), "id": record["id"], "description": "put"} for record in made]

    assert all("usage" not in record for record in made)
    changed = bill.ok("PATCH", "vendor-credits/bulk", patches)["vendorCredits"]
    assert [record["description"] for record in changed] == ["new", "new"]
    replaced = bill.ok("PUT", "vendor-credits/bulk", puts)["vendorCredits"]
    assert [record["description"] for record in replaced] == ["put", "put"]
    ids = {"ids": ",".join(record["id"] for record in made)}
    archived = bill.ok("POST", "vendor-credits/bulk/archive", params=ids)["vendorCredits"]
    assert [record["archived"] for record in archived] == [True, True]
    assert bill.call("POST", "vendor-credits/bulk/restore", params=ids).status_code == 404


def test_a_credit_cannot_shrink_below_what_is_applied(bill):
    vendor = bill.vendor()
    credit = bill.ok("POST", "vendor-credits", credit_body(vendor))
    bill.bill(vendor["id"], vendorCredits=[{"id": credit["id"], "amount": 20}])

    body = credit_body(vendor, vendorCreditLineItems=[{"amount": 19}])

    assert bill.call("PUT", f"vendor-credits/{credit['id']}", body).status_code == 400


def test_a_credits_references_have_to_exist(bill):
    vendor = bill.vendor()
    body = credit_body(vendor, applyToChartOfAccountId="0ca02NOSUCHACCOUNT01")

    assert bill.refused("POST", "vendor-credits", body)[:2] == (400, "BDC_1205")
