"""What people do in QuickBooks on a day: they edit, close, bill and delete orders, and tidy their lists."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from .firm import LISTS
from .in_bill import amount

_LINE_READ_ONLY = ("LinkedTxn", "Received")


def deeds():
    """Everything that people do in QuickBooks, by how often."""
    return {
        edit_field: 4,
        edit_line: 4,
        add_or_remove_line: 2,
        close_or_open: 2,
        delete_order: 1,
        bill_order: 2,
        delete_bill: 1,
        rename_vendor: 1,
        change_vendor: 1,
        deactivate_vendor: 1,
        reactivate_vendor: 2,
        delete_vendor: 1,
        merge_vendors: 1,
        type_vendor: 1,
        type_order: 1,
        rename_entry: 1,
        deactivate_entry: 1,
        close_books: 1,
    }


def _order(firm):
    return firm.pick(firm.orders().values())


def _vendor(firm, *, active=True):
    return firm.pick(vendor for vendor in firm.in_quickbooks("Vendor") if vendor["Active"] is active)


def change_order(firm, order, **values):
    """Change an order, and remember that."""
    done = firm.by_hand("PurchaseOrder", record_id=order["Id"], values=values)
    if done:
        firm.edited[order["Id"]] |= set(values)
    firm.tell(
        "QuickBooks: order", order["Id"], values if len(str(values)) < 300 else list(values), bool(done)
    )
    return done


def edit_field(firm):
    order = _order(firm)
    if not order:
        return
    day = (firm.today + dt.timedelta(days=firm.choose.randint(-3, 60))).isoformat()
    changes = (
        {"DueDate": day},
        {"TxnDate": firm.today.isoformat()},
        {"PrivateNote": f"Checked by Kim\n{order['PrivateNote']}"},
        {"DocNumber": f"HAND-{firm.choose.randint(1, 999)}"},
    )
    change_order(firm, order, **firm.choose.choice(changes))


def _lines(order):
    return [
        {name: value for name, value in one.items() if name not in _LINE_READ_ONLY} for one in order["Line"]
    ]


def edit_line(firm):
    order = _order(firm)
    if not order:
        return
    lines = _lines(order)
    at = firm.choose.randrange(len(lines))
    detail = lines[at][lines[at]["DetailType"]]
    if firm.chance(0.5) and "Qty" not in detail:
        lines[at]["Amount"] = amount(firm)
    elif firm.chance(0.5):
        lines[at]["Description"] = f"by hand {firm.choose.randint(1, 99)}"
    else:
        found = firm.pick(one for one in firm.in_quickbooks("Class") if one["Active"])
        lines[at][lines[at]["DetailType"]] = detail | {"ClassRef": {"value": found["Id"]}}
    change_order(firm, order, Line=lines)


def add_or_remove_line(firm):
    order = _order(firm)
    if not order:
        return
    lines = _lines(order)
    if len(lines) > 1 and firm.chance(0.5):
        del lines[firm.choose.randrange(len(lines))]
    else:
        account = firm.pick(
            one for one in firm.in_quickbooks("Account") if one["Active"] and one["AccountType"] == "Expense"
        )
        detail = {"AccountRef": {"value": account["Id"]}}
        kind = "AccountBasedExpenseLineDetail"
        lines.append({"Amount": amount(firm), "DetailType": kind, "Description": "freight", kind: detail})
    change_order(firm, order, Line=lines)


def close_or_open(firm):
    order = _order(firm)
    if order:
        change_order(firm, order, POStatus="Open" if order["POStatus"] == "Closed" else "Closed")


def delete_order(firm):
    order = _order(firm)
    if order and firm.by_hand("PurchaseOrder", "delete", record_id=order["Id"]):
        firm.edited[order["Id"]].add("deleted")
        firm.tell("QuickBooks: order", order["Id"], "deleted")


def bill_order(firm):
    """Receive an order, in whole or in part: a bill of QuickBooks takes it up."""
    order = _order(firm)
    if not order or order["POStatus"] != "Open":
        return
    shares = {}
    first = order["Line"][0]
    if firm.chance(0.5) and "Qty" not in first[first["DetailType"]] and first["Amount"] > 1:
        shares = {first["Id"]: str((Decimal(first["Amount"]) / 2).quantize(Decimal("0.01")))}
    try:
        made = firm.control.bill_order(order["Id"], shares=shares, day=firm.today.isoformat())
    except Exception as refusal:  # noqa: BLE001 - QuickBooks refuses what it likes
        firm.tell("QuickBooks: order", order["Id"], "not billed:", refusal)
        return
    firm.edited[order["Id"]].add("billed")
    firm.tell("QuickBooks: order", order["Id"], "billed as", made["Id"], shares or "whole")


def delete_bill(firm):
    bill = firm.pick(firm.in_quickbooks("Bill"))
    if bill and firm.by_hand("Bill", "delete", record_id=bill["Id"]):
        firm.tell("QuickBooks: bill", bill["Id"], "deleted")


# --- vendors ------------------------------------------------------------------------------------------------


def rename_vendor(firm):
    vendor = _vendor(firm)
    if vendor:
        name = f"{vendor['DisplayName'][:40]} by hand {firm.choose.randint(1, 99)}"
        if firm.by_hand("Vendor", record_id=vendor["Id"], values={"DisplayName": name}):
            firm.called.setdefault(("Vendor", vendor["Id"]), vendor["DisplayName"])
            firm.tell("QuickBooks: vendor", vendor["Id"], "renamed", name)


def change_vendor(firm):
    vendor = _vendor(firm)
    if vendor:
        phone = {"FreeFormNumber": f"512555{firm.choose.randint(1000, 9999)}"}
        firm.by_hand("Vendor", record_id=vendor["Id"], values={"PrimaryPhone": phone})
        firm.edited[f"Vendor {vendor['Id']}"].add("PrimaryPhone")
        firm.tell("QuickBooks: vendor", vendor["Id"], phone)


def _activate(firm, entity, record, *, active):
    if record and firm.by_hand(entity, record_id=record["Id"], values={"Active": active}):
        firm.edited[f"{entity} {record['Id']}"].add("Active")
        firm.tell("QuickBooks:", entity, record["Id"], "active" if active else "inactive")


def deactivate_vendor(firm):
    _activate(firm, "Vendor", _vendor(firm), active=False)


def reactivate_vendor(firm):
    _activate(firm, "Vendor", _vendor(firm, active=False), active=True)


def delete_vendor(firm):
    vendor = _vendor(firm)
    if vendor and firm.by_hand("Vendor", "delete", record_id=vendor["Id"]):
        firm.edited[f"Vendor {vendor['Id']}"].add("deleted")
        firm.tell("QuickBooks: vendor", vendor["Id"], vendor["DisplayName"], "deleted")


def merge_vendors(firm):
    loser, survivor = _vendor(firm), _vendor(firm)
    if not loser or loser["Id"] == survivor["Id"]:
        return
    if loser.get("CurrencyRef") == survivor.get("CurrencyRef"):
        firm.control.merge_vendors(survivor["Id"], loser["Id"])
        firm.merged[loser["Id"]] = survivor["Id"]
        firm.tell("QuickBooks: vendor", loser["Id"], "merged into", survivor["Id"])


def type_vendor(firm):
    """A vendor by hand; some are called as one of BILL's that is still to come, or nearly."""
    names = [f"Typed {firm.choose.randint(1, 9999)}"]
    there = {vendor["DisplayName"].casefold() for vendor in firm.in_quickbooks("Vendor")}
    names += [vendor["name"] for vendor in firm.in_bill("vendors") if vendor["name"].casefold() not in there]
    name = firm.choose.choice(names)
    made = firm.by_hand("Vendor", "create", values={"DisplayName": name.replace(":", "-")})
    firm.tell("QuickBooks: vendor", made and made["Id"], "typed", name)


def type_order(firm):
    """An order that has nothing to do with BILL; its number may be one that a bill will have."""
    vendor = _vendor(firm)
    account = firm.pick(
        one for one in firm.in_quickbooks("Account") if one["AccountType"] == "Expense" and one["Active"]
    )
    if vendor and vendor.get("CurrencyRef", {}).get("value", "USD") == "USD":
        kind = "AccountBasedExpenseLineDetail"
        values = {
            "VendorRef": {"value": vendor["Id"]},
            "CurrencyRef": {"value": "USD"},
            "DocNumber": str(firm.choose.randint(1, 60)),
            "Line": [
                {"Amount": amount(firm), "DetailType": kind, kind: {"AccountRef": {"value": account["Id"]}}}
            ],
        }
        made = firm.by_hand("PurchaseOrder", "create", values=values)
        firm.tell("QuickBooks: order", made and made["Id"], "typed", values["DocNumber"])


# --- lists and the company ----------------------------------------------------------------------------------


def _entry(firm):
    entity = firm.choose.choice([name for name in LISTS if name != "Vendor"])
    return entity, firm.pick(one for one in firm.in_quickbooks(entity) if one.get("Active", True))


def rename_entry(firm):
    entity, entry = _entry(firm)
    name = LISTS[entity]
    if entry and firm.by_hand(entity, record_id=entry["Id"], values={name: f"{entry[name][:60]} (old)"}):
        firm.called.setdefault((entity, entry["Id"]), entry[name])
        firm.tell("QuickBooks:", entity, entry["Id"], entry[name], "renamed")


def deactivate_entry(firm):
    entity, entry = _entry(firm)
    if entity != "Account" or entry["AccountType"] not in {"Accounts Payable", "Bank"}:
        _activate(firm, entity, entry, active=False)


def close_books(firm):
    """The books are closed a while ago, or up to some days ago."""
    day = (firm.today - dt.timedelta(days=firm.choose.randint(2, 40))).isoformat()
    if not firm.closes or day > firm.closes[-1]:
        firm.closes.append(day)
        firm.control.change_profile(book_close_date=day)
        firm.tell("QuickBooks: books closed up to", day)
