"""The companies behind the running services: what was made is what the APIs answer and accept."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import simplejson
from ap_simulator.company.build import CompanySizeError, populate
from ap_simulator.company.demo import EXPECTED_REFUSALS, SPECIAL_BILLS, SPECIAL_VENDORS
from ap_simulator.company.identities import DEMO
from ap_simulator.testing import UNLIMITED, running
from ap_simulator.world import create_world
from intuitlib.client import AuthClient
from intuitlib.enums import Scopes

SECOND_REALM = "9341452000000099"
SECOND_ORGANIZATION = "00802SECONDORGANIZ01"
BILL_PATHS = {
    "vendors": "vendors",
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
    "customers": "customers",
}


def parsed(response):
    return simplejson.loads(response.text, use_decimal=True)


class Bill:
    """A session with the simulated BILL."""

    def __init__(self, simulator, organization_id=DEMO.organization_id):
        self.url = f"{simulator.bill_url}/v3"
        self.http = requests.Session()
        login = {
            "username": DEMO.username,
            "password": DEMO.password,
            "organizationId": organization_id,
            "devKey": DEMO.dev_key,
        }
        self.login = self.http.post(f"{self.url}/login", json=login).json()
        self.http.headers.update({"sessionId": self.login["sessionId"], "devKey": DEMO.dev_key})

    def all(self, path):
        params, found = {"max": "100"}, []
        while True:
            answer = parsed(self.http.get(f"{self.url}/{path}", params=params))
            found += answer["results"]
            if "nextPage" not in answer:
                return found
            params["page"] = answer["nextPage"]

    def post(self, path, body):
        text = simplejson.dumps(body, use_decimal=True)
        return self.http.post(f"{self.url}/{path}", data=text, headers={"Content-Type": "application/json"})


class QuickBooks:
    """A session with the simulated QuickBooks."""

    def __init__(self, simulator, realm_id=DEMO.realm_id, refresh_token=DEMO.refresh_token):
        answer = requests.post(
            simulator.token_url,
            data={"grant_type": "refresh_token", "refresh_token": refresh_token},
            auth=(DEMO.client_id, DEMO.client_secret),
            timeout=30,
        ).json()
        self.url = f"{simulator.quickbooks_url}/v3/company/{realm_id}"
        self.http = requests.Session()
        self.http.headers.update(
            {"Authorization": f"Bearer {answer['access_token']}", "Accept": "application/json"}
        )

    def post(self, path, body):
        response = self.http.post(
            f"{self.url}/{path}",
            params={"minorversion": "75"},
            data=simplejson.dumps(body, use_decimal=True),
            headers={"Content-Type": "application/json"},
        )
        return response.status_code, parsed(response)

    def batch(self, entity, bodies):
        """Create many, 30 at a time; what came of each, in order."""
        outcomes = []
        for start in range(0, len(bodies), 30):
            items = [
                {"bId": str(number), "operation": "create", entity: body}
                for number, body in enumerate(bodies[start : start + 30])
            ]
            status, answer = self.post("batch", {"BatchItemRequest": items})
            assert status == 200, answer
            by_id = {item["bId"]: item for item in answer["BatchItemResponse"]}
            outcomes += [by_id[str(number)] for number in range(len(items))]
        return outcomes

    def query(self, statement):
        response = self.http.get(f"{self.url}/query", params={"query": statement})
        return parsed(response)["QueryResponse"]


@pytest.fixture(scope="module")
def demo_served():
    with running("demo", seed=1, switches=UNLIMITED) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def bill(demo_served):
    return Bill(demo_served)


@pytest.fixture(scope="module")
def quickbooks(demo_served):
    return QuickBooks(demo_served)


@pytest.mark.parametrize("collection", BILL_PATHS)
def test_bill_answers_every_record_as_it_was_made(demo, bill, collection):
    answered = {record["id"]: record for record in bill.all(BILL_PATHS[collection])}
    made = {record["id"]: record for record in demo.bill[collection]}
    assert answered == made


def test_login_tells_the_demo_user(bill):
    assert bill.login["organizationId"] == DEMO.organization_id
    assert bill.login["userId"] == DEMO.user_id


def test_organization_is_the_company(demo, bill):
    answer = bill.http.get(f"{bill.url}/organizations/{DEMO.organization_id}")
    assert parsed(answer) == demo.organization


def test_users_have_roles_that_exist(demo_served):
    roles = {role["id"]: role["type"] for role in demo_served.control.records("bill", "roles")}
    users = demo_served.control.records("bill", "users")
    assert len(users) == 3
    assert all(roles[user["role"]["id"]] == user["role"]["type"] for user in users)


def test_quickbooks_answers_every_record(demo, quickbooks):
    for entity, records in demo.quickbooks.items():
        statement = f"select * from {entity} where Active in (true, false) maxresults 1000"  # noqa: S608
        answer = quickbooks.query(statement)
        answered = {record["Id"]: record for record in answer[entity]}
        assert set(answered) == {record["Id"] for record in records}
        for record in records:
            shown = answered[record["Id"]]
            assert shown["MetaData"] == record["MetaData"]
            assert shown["SyncToken"] == record["SyncToken"]


def test_inactive_twin_is_marked_and_hidden(quickbooks):
    hidden = quickbooks.query("select * from Vendor where DisplayName like 'Fennimore%'")
    assert hidden == {}
    shown = quickbooks.query("select * from Vendor where Active = false")
    assert [vendor["DisplayName"] for vendor in shown["Vendor"]] == ["Fennimore Security Systems (deleted)"]


def test_consent_page_offers_the_company(demo_served):
    redirect_uri = DEMO.redirect_uris[1]
    form = {
        "client_id": DEMO.client_id,
        "response_type": "code",
        "scope": "com.intuit.quickbooks.accounting",
        "redirect_uri": redirect_uri,
        "state": "state",
    }
    url = f"{demo_served.url}/connect/oauth2"
    page = requests.get(url, params=form, timeout=30).text
    assert re.search(r"Larkfield Software Services\s+<span", page)
    answer = requests.post(
        url,
        data={**form, "realm_id": DEMO.realm_id, "decision": "connect"},
        allow_redirects=False,
        timeout=30,
    )
    assert answer.headers["location"].startswith(redirect_uri)
    assert parse_qs(urlsplit(answer.headers["location"]).query)["realmId"] == [DEMO.realm_id]


def test_intuits_own_client_connects_to_the_company_and_uses_it(demo_served):
    client = AuthClient(
        client_id=DEMO.client_id,
        client_secret=DEMO.client_secret,
        redirect_uri=DEMO.redirect_uris[0],
        environment=f"{demo_served.url}/.well-known/openid_sandbox_configuration/",
    )
    parameters = parse_qs(urlsplit(client.get_authorization_url([Scopes.ACCOUNTING])).query)
    form = {name: values[0] for name, values in parameters.items()}
    answer = requests.post(
        client.auth_endpoint,
        data={**form, "realm_id": DEMO.realm_id, "decision": "connect"},
        allow_redirects=False,
        timeout=30,
    )
    callback = parse_qs(urlsplit(answer.headers["location"]).query)
    client.get_bearer_token(callback["code"][0], realm_id=callback["realmId"][0])

    def company_name():
        url = f"{demo_served.quickbooks_url}/v3/company/{client.realm_id}/companyinfo/{client.realm_id}"
        headers = {"Authorization": f"Bearer {client.access_token}", "Accept": "application/json"}
        response = requests.get(url, headers=headers, timeout=30)
        return response.status_code, response.json().get("CompanyInfo", {}).get("CompanyName")

    assert company_name() == (200, DEMO.company_name)
    client.refresh()
    assert company_name() == (200, DEMO.company_name)
    assert client.revoke()
    assert company_name()[0] in {401, 403}


def reference(value):
    return {"value": value}


def shown_name(name):
    """A vendor name in which QuickBooks finds nothing to refuse."""
    plain = re.sub(r"\s+", " ", name.replace(":", " -")).strip()
    return "".join(letter for letter in plain if letter <= "\uffff").strip()


class PlainMapping:
    """The simplest mapping that is right: number, then full name; nothing is looked up twice."""

    def __init__(self, demo, quickbooks):
        self.bill = {name: {r["id"]: r for r in records} for name, records in demo.bill.items()}
        self.entries = {
            entity: quickbooks.query(f"select * from {entity} maxresults 1000")[entity]  # noqa: S608
            for entity in ("Account", "Class", "Department", "Customer", "Item")
        }
        self.by_name = {
            entity: {entry["FullyQualifiedName"]: entry for entry in entries}
            for entity, entries in self.entries.items()
        }
        self.by_number = {entry["AcctNum"]: entry for entry in self.entries["Account"] if "AcctNum" in entry}
        self.payables = {
            entry["CurrencyRef"]["value"]: entry["Id"]
            for entry in self.entries["Account"]
            if entry["AccountType"] == "Accounts Payable"
        }

    def full_name(self, collection, record_id):
        record = self.bill[collection][record_id]
        parent = record.get("parentId")
        return f"{self.full_name(collection, parent)}:{record['name']}" if parent else record["name"]

    def named(self, entity, collection, record_id):
        return reference(self.by_name[entity][self.full_name(collection, record_id)]["Id"])

    def account(self, record_id):
        number = self.bill["chart_of_accounts"][record_id]["account"].get("number")
        found = self.by_number.get(number) or self.by_name["Account"].get(
            self.full_name("chart_of_accounts", record_id)
        )
        return reference(found["Id"]) if found else None

    def vendor(self, record, taken):
        name = shown_name(record["name"])
        if name.casefold() in taken:
            name = f"{name} ({record['id'][-4:]})"
        taken.add(name.casefold())
        return {"DisplayName": name, "CurrencyRef": reference(record["billCurrency"])}

    def line(self, line, header):
        coding = {**header, **line.get("classifications", {})}
        if "itemId" in line.get("classifications", {}) and "chartOfAccountId" not in line["classifications"]:
            coding.pop("chartOfAccountId", None)
        detail = {}
        if "accountingClassId" in coding:
            detail["ClassRef"] = self.named("Class", "accounting_classes", coding["accountingClassId"])
        if "jobId" in coding:
            detail["CustomerRef"] = self.named("Customer", "jobs", coding["jobId"])
        elif "customerId" in coding:
            detail["CustomerRef"] = self.named("Customer", "customers", coding["customerId"])
        if "chartOfAccountId" in coding:
            account = self.account(coding["chartOfAccountId"])
            if account is None:
                return None
            kind, detail["AccountRef"] = "AccountBasedExpenseLineDetail", account
        else:
            kind = "ItemBasedExpenseLineDetail"
            detail["ItemRef"] = self.named("Item", "items", coding["itemId"])
            detail |= {"Qty": line["quantity"], "UnitPrice": line["price"]}
        return {"Amount": line["amount"], "DetailType": kind, kind: detail}

    def order(self, bill, vendor_id, number):
        currency = self.bill["vendors"][bill["vendorId"]]["billCurrency"]
        header = bill.get("classifications", {})
        order = {
            "DocNumber": f"D{number}",
            "TxnDate": bill["invoice"]["invoiceDate"],
            "VendorRef": reference(vendor_id),
            "APAccountRef": reference(self.payables[currency]),
            "CurrencyRef": reference(currency),
            "ExchangeRate": bill["exchangeRate"],
            "Line": [self.line(line, header) for line in bill["billLineItems"]],
        }
        if "locationId" in header:
            order["DepartmentRef"] = self.named("Department", "locations", header["locationId"])
        return order


def test_every_active_bill_but_the_refused_becomes_a_purchase_order(demo):
    """Both sides fit together: a plain mapping gets through, to the cent."""
    with running("demo", seed=1, switches=UNLIMITED) as simulator:
        quickbooks = QuickBooks(simulator)
        mapping = PlainMapping(demo, quickbooks)
        taken = {
            record["DisplayName"].casefold()
            for entity in ("Vendor", "Customer", "Employee")
            for record in demo.quickbooks[entity]
        }
        vendors = [record for record in demo.bill["vendors"] if not record["archived"]]
        created = quickbooks.batch("Vendor", [mapping.vendor(record, taken) for record in vendors])
        vendor_ids = {
            record["id"]: outcome["Vendor"]["Id"] for record, outcome in zip(vendors, created, strict=True)
        }
        bills = [bill for bill in demo.bill["bills"] if not bill["archived"]]
        orders = [
            mapping.order(bill, vendor_ids[bill["vendorId"]], number) for number, bill in enumerate(bills)
        ]
        refused = {bill["id"] for bill, order in zip(bills, orders, strict=True) if None in order["Line"]}
        sent = [(bill, order) for bill, order in zip(bills, orders, strict=True) if bill["id"] not in refused]
        outcomes = quickbooks.batch("PurchaseOrder", [order for _, order in sent])
        for (bill, _), outcome in zip(sent, outcomes, strict=True):
            assert "PurchaseOrder" in outcome, (bill, outcome)
            assert outcome["PurchaseOrder"]["TotalAmt"] == bill["amount"]
        # The plain mapping sees active accounts only, so both causes look alike to it.
        assert refused == {refusal.bill_id for refusal in EXPECTED_REFUSALS}


def test_quickbooks_side_would_be_accepted_if_it_were_posted(demo, demo_served):
    """Every list entry of the demo can be created by the API in a company of the same kind."""
    world = demo_served.world
    token = demo_served.on_loop(
        lambda world: (
            world.quickbooks.add_realm(realm_id=SECOND_REALM, company=demo.profile),
            world.oauth.grant(realm_id=SECOND_REALM, client_id=DEMO.client_id),
        )[1]
    )
    assert world.quickbooks.realm(SECOND_REALM)
    second = QuickBooks(demo_served, SECOND_REALM, token)
    new_ids = {}

    def moved(entity, name, value):
        target = {"ParentRef": entity}.get(name, "Account")
        return reference(new_ids[target, value["value"]])

    for entity in ("Account", "Class", "Department", "Term", "Item", "Customer", "Employee", "Vendor"):
        for record in demo.quickbooks[entity]:
            body = {
                name: moved(entity, name, value) if name.endswith("Ref") and name != "CurrencyRef" else value
                for name, value in record.items()
                if name not in {"Id", "SyncToken", "MetaData", "domain", "sparse"}
            }
            status, answer = second.post(entity.lower(), body)
            assert status == 200, (body, answer)
            new_ids[entity, record["Id"]] = answer[entity]["Id"]
            for name, value in body.items():
                if name not in {"BillAddr", "Name", "DisplayName", "FullyQualifiedName"} and (
                    not name.endswith("Ref")
                ):
                    assert answer[entity].get(name, value) == value, (entity, name, answer)


def test_bill_side_would_be_accepted_if_it_were_posted(demo, demo_served):
    """Vendors and bills of the demo can be created by BILL's API, with the same sums."""
    demo_served.on_loop(
        lambda world: (
            world.bill.add_organization(
                organization_id=SECOND_ORGANIZATION,
                name="Second",
                users={DEMO.username: DEMO.password},
                developer_keys=[DEMO.dev_key],
            ),
            [
                world.bill.load(SECOND_ORGANIZATION, name, [dict(record) for record in records])
                for name, records in demo.bill.items()
                if name not in {"vendors", "bills", "payments", "recurring_bills", "vendor_credits"}
            ],
        )[0]
    )
    second = Bill(demo_served, SECOND_ORGANIZATION)
    new_ids = {}
    kept = {
        "name",
        "shortName",
        "accountNumber",
        "accountType",
        "email",
        "phone",
        "address",
        "additionalInfo",
        "billCurrency",
    }
    for record in demo.bill["vendors"]:
        answer = second.post("vendors", {name: record[name] for name in kept & set(record)})
        assert answer.status_code == 201, answer.text
        created = parsed(answer)
        new_ids[record["id"]] = created["id"]
        assert created["address"]["line1"] == record["address"]["line1"]
    written = {"description", "dueDate", "invoice", "classifications", "purchaseOrderNumber"}
    skipped = set(SPECIAL_BILLS["quantity_mismatch"]) | set(SPECIAL_BILLS["draft"])
    sample = [bill for bill in demo.bill["bills"] if bill["id"] not in skipped][::4]
    for bill in sample:
        body = {name: bill[name] for name in written & set(bill)}
        body |= {
            "vendorId": new_ids[bill["vendorId"]],
            "billLineItems": [
                {name: value for name, value in line.items() if name != "id"}
                for line in bill["billLineItems"]
            ],
        }
        if bill["exchangeRate"] != 1:
            body["exchangeRate"] = bill["exchangeRate"]
        answer = second.post("bills", body)
        assert answer.status_code == 201, (body, answer.text)
        created = parsed(answer)
        assert created["amount"] == bill["amount"]
        assert abs(created["fundingAmount"] - bill["fundingAmount"]) <= 0.01
        assert created["exchangeRate"] == bill["exchangeRate"]


def test_empty_company_can_take_a_vendor_and_a_bill_and_its_order():
    with running("empty") as simulator:
        bill, quickbooks = Bill(simulator), QuickBooks(simulator)
        address = {"line1": "1 Main", "city": "Austin", "zipOrPostalCode": "78701", "country": "US"}
        vendor = parsed(bill.post("vendors", {"name": "First Vendor", "address": address}))
        accounts = {record["name"]: record for record in bill.all(BILL_PATHS["chart_of_accounts"])}
        answer = bill.post(
            "bills",
            {
                "vendorId": vendor["id"],
                "dueDate": "2026-12-01",
                "invoice": {"invoiceNumber": "1", "invoiceDate": "2026-11-01"},
                "billLineItems": [
                    {"amount": 12.5, "classifications": {"chartOfAccountId": accounts["Rent"]["id"]}}
                ],
            },
        )
        assert answer.status_code == 201, answer.text
        number = accounts["Rent"]["account"]["number"]
        found = quickbooks.query("select * from Account maxresults 1000")["Account"]
        (account,) = [entry for entry in found if entry.get("AcctNum") == number]
        (payable,) = [entry for entry in found if entry["Name"] == "Accounts Payable (A/P)"]
        _, created = quickbooks.post("vendor", {"DisplayName": "First Vendor"})
        line = {
            "Amount": 12.5,
            "DetailType": "AccountBasedExpenseLineDetail",
            "AccountBasedExpenseLineDetail": {"AccountRef": reference(account["Id"])},
        }
        status, order = quickbooks.post(
            "purchaseorder",
            {
                "VendorRef": reference(created["Vendor"]["Id"]),
                "APAccountRef": reference(payable["Id"]),
                "CurrencyRef": reference("USD"),
                "Line": [line],
            },
        )
        assert status == 200, order
        assert quickbooks.query("select count(*) from Vendor") == {"totalCount": 1}


def test_generated_records_come_on_top_of_the_demo():
    with running("demo", vendors=150, bills=700) as simulator:
        assert len(simulator.control.records("bill", "vendors")) == 150
        assert len(simulator.control.records("bill", "bills")) == 700
        assert len(simulator.control.records("quickbooks", "Vendor")) == 6


def test_generated_vendors_can_be_in_quickbooks_already():
    world = create_world()
    populate(world, company="empty", vendors=40, bills=0, seed=1, existing_in_quickbooks=True)
    in_bill = {record["name"] for record in world.bill.records(None, "vendors")}
    in_quickbooks = {record["DisplayName"] for record in world.quickbooks.records(None, "Vendor")}
    assert len(in_bill) == 40
    assert in_bill == in_quickbooks


@pytest.mark.parametrize(
    ("company", "vendors", "bills", "words"),
    [
        ("demo", 119, None, "120 vendors and 600 bills"),
        ("demo", None, 599, "take the company 'empty'"),
        ("empty", None, 5, "ask for more vendors"),
        ("demo", None, 601, "ask for more vendors"),
    ],
)
def test_sizes_that_a_company_cannot_have(company, vendors, bills, words):
    with pytest.raises(CompanySizeError, match=words):
        populate(create_world(), company=company, vendors=vendors, bills=bills, seed=1)


def test_special_vendors_are_served(demo_served):
    for role in ("cjk", "emoji", "tab", "query_characters"):
        (vendor_id,) = SPECIAL_VENDORS[role]
        assert demo_served.control.records("bill", "vendors", record_id=vendor_id)
