"""What people do in BILL on a day: vendors, bills, lines and their coding, approvals."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

_FAMILIES = (
    "Acorn",
    "Birch & Sons",
    "Café Zürich",
    "Dune Freight",
    "Elm Street Media",
    "Fjord Hosting",
    "Gull",
)
_KINDS = ("LLC", "Inc.", "Supplies", "Partners: West", "Services", "Group", "")
_CODINGS = {
    "accountingClassId": "accounting_classes",
    "departmentId": "departments",
    "locationId": "locations",
    "jobId": "jobs",
    "customerId": "customers",
    "employeeId": "employees",
}
_ON_BILLS = {"chartOfAccountId", "accountingClassId", "departmentId", "locationId", "itemId"}


def deeds():
    """Everything that people do in BILL, by how often."""
    return {
        new_vendor: 3,
        new_bill: 12,
        change_lines: 6,
        change_fields: 5,
        move_to_vendor: 2,
        archive_bill: 2,
        restore_bill: 2,
        approve: 3,
        draft: 1,
        rename_vendor: 2,
        change_vendor: 3,
        archive_vendor: 1,
        restore_vendor: 2,
        change_currency: 1,
        archive_coding: 1,
    }


def amount(firm, most=2_000):
    return Decimal(firm.choose.randint(1, most * 100)) / 100


# --- vendors ------------------------------------------------------------------------------------------------


def new_vendor(firm):
    name = f"{firm.choose.choice(_FAMILIES)} {firm.choose.choice(_KINDS)}".strip()
    if firm.chance(0.1):
        name = firm.pick(firm.in_quickbooks("Customer"))["DisplayName"]
    currency = firm.choose.choice(("USD", "USD", "USD", "USD", "USD", "CAD", "EUR"))
    fields = {"billCurrency": currency, "phone": f"512555{firm.choose.randint(1000, 9999)}"}
    if firm.chance(0.5):
        fields["email"] = f"books{firm.choose.randint(1, 999)}@vendor.example"
    if firm.chance(0.4):
        fields["accountNumber"] = f"A-{firm.choose.randint(1, 999)}"
    made = firm.ask(firm.books.bill.vendor, name, **fields)
    firm.tell("BILL: new vendor", name, currency, made and made["id"])
    return made


def active_vendor(firm):
    return firm.pick(vendor for vendor in firm.in_bill("vendors") if not vendor["archived"])


def _patch_vendor(firm, vendor, **fields):
    done = vendor and firm.ask(firm.books.bill.patch, f"/v3/vendors/{vendor['id']}", body=fields)
    firm.tell("BILL: vendor", vendor and vendor["id"], fields, bool(done))


def rename_vendor(firm):
    vendor = active_vendor(firm)
    taken = firm.pick(firm.in_bill("vendors"))
    if vendor:
        name = taken["name"] if firm.chance(0.15) else f"{vendor['name'][:30]} {firm.choose.randint(1, 99)}"
        _patch_vendor(firm, vendor, name=name)


def change_vendor(firm):
    street = f"{firm.choose.randint(1, 999)} Elm St"
    changes = (
        {"phone": f"512555{firm.choose.randint(1000, 9999)}"},
        {"email": f"new{firm.choose.randint(1, 999)}@vendor.example"},
        {"address": {"line1": street, "city": "Waco", "zipOrPostalCode": "76701", "country": "US"}},
        {"additionalInfo": {"track1099": firm.chance(0.5), "companyName": f"Company {street}"}},
    )
    _patch_vendor(firm, active_vendor(firm), **firm.choose.choice(changes))


def change_currency(firm):
    _patch_vendor(firm, active_vendor(firm), billCurrency=firm.choose.choice(("USD", "CAD")))


def set_archived(firm, path, record, *, archived):
    if record:
        done = firm.ask(firm.books.bill.post, f"{path}/{record['id']}/{'archive' if archived else 'restore'}")
        firm.tell("BILL:", "archive" if archived else "restore", path, record["id"], bool(done))


def archive_vendor(firm):
    set_archived(firm, "/v3/vendors", active_vendor(firm), archived=True)


def restore_vendor(firm):
    vendor = firm.pick(vendor for vendor in firm.in_bill("vendors") if vendor["archived"])
    set_archived(firm, "/v3/vendors", vendor, archived=False)


# --- bills --------------------------------------------------------------------------------------------------


def coding(firm, *, bill=False):
    """A random coding: accounts and items of every kind, inactive and unknown ones among them."""
    found = {}
    if not bill or firm.chance(0.5):
        account = firm.pick(
            record
            for record in firm.in_bill("chart_of_accounts")
            if record["account"]["type"] in {"EXPENSE", "COST_OF_GOODS_SOLD", "FIXED_ASSET", "OTHER_EXPENSE"}
        )
        found["chartOfAccountId"] = account["id"]
    if firm.chance(0.1):
        found["itemId"] = firm.pick(firm.in_bill("items"))["id"]
        if firm.chance(0.5):
            found.pop("chartOfAccountId", None)
    for name, collection in _CODINGS.items():
        if firm.chance(0.2) and (not bill or name in _ON_BILLS):
            found[name] = firm.pick(firm.in_bill(collection))["id"]
    return found


def line(firm):
    value = amount(firm)
    found = {
        "amount": value,
        "description": f"Thing {firm.choose.randint(1, 99)}",
        "classifications": coding(firm),
    }
    if firm.chance(0.15):
        found["amount"] = -(value / 10).quantize(Decimal("0.01"))
    elif firm.chance(0.3):
        quantity = firm.choose.randint(1, 9)
        found |= {"quantity": quantity, "price": value, "amount": quantity * value}
    if firm.chance(0.1):
        found.pop("description")
    return found


def _number(firm):
    last = firm.pick(firm.in_bill("bills"))
    kinds = (
        f"INV-{firm.choose.randint(1, 9999)}",
        f"INV-{firm.choose.randint(1, 9999)}",
        f"{firm.choose.randint(1, 60)}",
        f"2026/CONTRACT/{firm.choose.randint(1, 20):04}/PARTIAL-DELIVERY",
        last["invoice"]["invoiceNumber"] if last else "1",
    )
    return firm.choose.choice(kinds)


def _days(firm):
    invoiced = firm.today - dt.timedelta(days=firm.choose.choice((0, 0, 1, 2, 5, 20, 45)))
    return invoiced.isoformat(), (
        invoiced + dt.timedelta(days=firm.choose.choice((0, 10, 30, 60)))
    ).isoformat()


def new_bill(firm):
    vendor = active_vendor(firm)
    if not vendor:
        return
    invoiced, due = _days(firm)
    lines = [line(firm) for _ in range(firm.choose.choice((1, 1, 2, 3, 5)))]
    fields = {"invoice": {"invoiceNumber": _number(firm), "invoiceDate": invoiced}, "dueDate": due}
    if firm.chance(0.6):
        fields["description"] = f"Delivery {firm.choose.randint(1, 999)}\nsecond line"
    if firm.chance(0.3):
        fields["classifications"] = coding(firm, bill=True)
    if vendor.get("billCurrency", "USD") != "USD" and firm.chance(0.9):
        fields["exchangeRate"] = Decimal(firm.choose.randint(7000, 13000)) / 10000
    number = fields["invoice"]["invoiceNumber"]
    made = firm.ask(firm.books.bill.bill, vendor["id"], number, plain_lines(lines), **fields)
    firm.tell("BILL: new bill", made and made["id"], number, "of", vendor["id"], made and made["amount"])


def plain_lines(lines):
    """Amounts as JSON numbers."""
    return [
        {name: float(value) if isinstance(value, Decimal) else value for name, value in one.items()}
        for one in lines
    ]


def _active_bill(firm, *statuses):
    return firm.pick(
        bill
        for bill in firm.in_bill("bills")
        if not bill["archived"] and (not statuses or bill["paymentStatus"] in statuses)
    )


def change_lines(firm):
    """Lines with their ids are changed, others are new; what is not sent is gone."""
    bill = _active_bill(firm)
    if not bill:
        return
    lines = [dict(one) for one in bill["billLineItems"]]
    kind = firm.choose.choice(("amount", "amount", "coding", "text", "add", "remove", "shuffle"))
    at = firm.choose.randrange(len(lines)) if lines else 0
    if kind == "add" or not lines:
        lines.insert(at, line(firm))
    elif kind == "remove" and len(lines) > 1:
        del lines[at]
    elif kind == "shuffle":
        firm.choose.shuffle(lines)
    elif kind == "coding":
        lines[at]["classifications"] = coding(firm)
    elif kind == "text":
        lines[at]["description"] = f"Changed {firm.choose.randint(1, 99)}"
    else:
        lines[at] = {
            name: lines[at][name] for name in ("id", "description", "classifications") if name in lines[at]
        }
        lines[at]["amount"] = amount(firm)
    save(firm, bill, lines, f"lines: {kind}")


def save(firm, bill, lines, what, **fields):
    """Put a bill as it is but for its lines."""
    names = ("vendorId", "dueDate", "invoice", "description", "classifications", "exchangeRate")
    body = {name: bill[name] for name in names if name in bill} | fields
    done = firm.ask(
        firm.books.bill._call, "PUT", f"/v3/bills/{bill['id']}", body={**body, "billLineItems": lines}
    )
    firm.tell("BILL:", bill["id"], what, [str(one["amount"]) for one in lines], bool(done))
    return done


def patch_bill(firm, bill, **fields):
    done = firm.ask(firm.books.bill.patch, f"/v3/bills/{bill['id']}", body=fields)
    firm.tell("BILL:", bill["id"], fields, bool(done))
    return done


def change_fields(firm):
    bill = _active_bill(firm)
    if not bill:
        return
    invoiced, due = _days(firm)
    changes = (
        {"dueDate": due},
        {"invoice": {"invoiceNumber": bill["invoice"]["invoiceNumber"], "invoiceDate": invoiced}},
        {"invoice": {"invoiceNumber": _number(firm), "invoiceDate": bill["invoice"]["invoiceDate"]}},
        {"description": f"Changed {firm.choose.randint(1, 999)}"},
        {"classifications": coding(firm, bill=True)},
    )
    patch_bill(firm, bill, **firm.choose.choice(changes))


def move_to_vendor(firm):
    bill, vendor = _active_bill(firm, "UNPAID"), active_vendor(firm)
    if bill and vendor:
        fields = {"vendorId": vendor["id"]}
        if vendor.get("billCurrency", "USD") != "USD":
            fields["exchangeRate"] = 1.25
        patch_bill(firm, bill, **fields)


def archive_bill(firm):
    set_archived(firm, "/v3/bills", _active_bill(firm), archived=True)


def restore_bill(firm):
    bill = firm.pick(bill for bill in firm.in_bill("bills") if bill["archived"])
    set_archived(firm, "/v3/bills", bill, archived=False)


def approve(firm):
    bill = _active_bill(firm)
    if bill:
        status = firm.choose.choice(("APPROVED", "APPROVED", "DENIED", "ASSIGNED", "APPROVING"))
        firm.control.set_bill_status(bill["id"], approval_status=status)
        firm.tell("BILL:", bill["id"], status)


def draft(firm):
    bill = _active_bill(firm, "UNPAID")
    if bill:
        firm.control.set_bill_status(bill["id"], record_status="DRAFT")
        firm.tell("BILL:", bill["id"], "is a draft")


def archive_coding(firm):
    """An account that lines refer to is archived, or comes back."""
    account = firm.pick(firm.in_bill("chart_of_accounts"))
    set_archived(firm, "/v3/classifications/chart-of-accounts", account, archived=not account["archived"])
