"""What a person does about failures and differences at the end of a month, as their advice says."""

from __future__ import annotations

import json
from decimal import Decimal

from ap_simulator.control_client import ControlError

from .firm import LISTS
from .in_bill import patch_bill, save

#: After so many rounds a person gives up.
_ROUNDS = 6


class NotMendedError(AssertionError):
    """Both books do not agree, and nothing that a person would do changes that."""


def unexplained(firm, run):
    """Findings of reconciling that nobody was told of, about what no person changed in QuickBooks."""
    touched = {
        vendor_id.removeprefix("Vendor ") for vendor_id in firm.edited if vendor_id.startswith("Vendor ")
    }
    touched |= {found for entity, found in firm.called if entity == "Vendor"}
    touched |= set(firm.merged) | set(firm.merged.values())
    strange = []
    for found in run.report.get("findings", ()):
        if found["known"]:
            continue
        by_hand = firm.edited if found["entity"] == "PurchaseOrder" else touched
        if found["quickbooks_id"] in by_hand or _is_typed(found) or _of_merged(firm, found, touched):
            continue
        strange.append(found)
    return strange


def _is_typed(found):
    """A vendor typed by hand whose name is nearly that of another one."""
    return found["entity"] == "Vendor" and found["kind"] == "duplicate"


def _of_merged(firm, found, touched):
    """An order whose vendor was merged, renamed or deleted."""
    if found["entity"] != "PurchaseOrder" or found["kind"] != "wrong vendor":
        return False
    order = next(
        (one for one in firm.in_quickbooks("PurchaseOrder") if one["Id"] == found["quickbooks_id"]), None
    )
    return order is not None and order["VendorRef"]["value"] in touched


def mend(firm, runs):
    """Mend what is refused or differs, and run, until both books agree.

    Raises:
        NotMendedError: They never do.
    """
    tidy_lists(firm)
    firm.admin("failures", "replay", "--all")
    if firm.chance(0.5):
        resolve_drift(firm)
    for _ in range(_ROUNDS):
        runs.run("sync")
        failures = unsettled(firm)
        run = runs.reconcile()
        findings = [found for found in run.report.get("findings", ()) if not found["known"]]
        if not failures and run.exit_code == 0:
            return
        for failure in failures:
            mend_failure(firm, failure)
        for found in findings:
            mend_finding(firm, found)
        firm.admin("failures", "replay", "--all")
    raise NotMendedError(json.dumps({"failures": failures, "findings": findings}, indent=1, default=str))


def resolve_drift(firm):
    """Have sent again what people changed, all at once."""
    told = firm.admin("drift", "find", "--json")
    assert told.exit_code == 0, told.output
    listed = json.loads(firm.admin("drift", "list", "--json").stdout)
    numbers = [str(entry["id"]) for entry in listed]
    told = firm.admin("drift", "resolve", *numbers) if numbers else None
    firm.tell("drift resolve", numbers, told and told.output)


def unsettled(firm):
    """Failures that are open or wait."""
    told = firm.admin("failures", "list", "--json")
    assert told.exit_code == 0, told.output
    return json.loads(told.stdout)


def tidy_lists(firm):
    """Everything is active and called as it was; the closed period is open again."""
    for (entity, entry_id), name in firm.called.items():
        firm.by_hand(entity, record_id=entry_id, values={LISTS[entity]: name})
    kept_out = {vendor["name"].casefold() for vendor in firm.in_bill("vendors") if vendor["archived"]}
    for entity in LISTS:
        for entry in firm.in_quickbooks(entity):
            name = entry[LISTS[entity]].removesuffix(" (deleted)").casefold()
            if entry.get("Active", True) is False and not (entity == "Vendor" and name in kept_out):
                firm.by_hand(entity, record_id=entry["Id"], values={"Active": True})
    for account in firm.in_bill("chart_of_accounts"):
        number = account["account"].get("number")
        there = firm.in_quickbooks("Account")
        if not any(
            one["Name"] == account["name"] or (number and one.get("AcctNum") == number) for one in there
        ):
            values = {"Name": account["name"], "AccountType": "Expense"} | (
                {"AcctNum": number} if number else {}
            )
            firm.by_hand("Account", "create", values=values)
    firm.control.change_profile(book_close_date=None)
    firm.tell("people tidied the lists, and opened the books")


def record(firm, collection, record_id):
    return next((one for one in firm.in_bill(collection) if one["id"] == record_id), None)


def mend_failure(firm, failure):
    """Do what the advice of a failure says."""
    stream, code, bill_id = failure["stream"], failure["code"], failure["record_id"]
    firm.tell("mend failure", stream, bill_id, code, failure["reason"])
    if stream == "vendors":
        _VENDOR_MENDS.get(code, mend_vendor)(firm, bill_id)
    else:
        mend_bill = _BILL_MENDS.get(code, recode if stream == "bills" else undo)
        mend_bill(firm, bill_id)


def restore_vendor(firm, bill_id):
    vendor_id = record(firm, "bills", bill_id)["vendorId"]
    firm.ask(firm.books.bill.post, f"/v3/vendors/{vendor_id}/restore")


def take_currency_back(firm, vendor_id):
    """QuickBooks fixes the currency of a vendor for life."""
    link = shown_link(firm, vendor_id, "vendors")
    kept = (link["last_sent"].get("CurrencyRef") or {}).get("value", "USD") if link else "USD"
    firm.ask(firm.books.bill.patch, f"/v3/vendors/{vendor_id}", body={"billCurrency": kept})


def take_currency_of_bill_back(firm, bill_id):
    take_currency_back(firm, record(firm, "bills", bill_id)["vendorId"])


def rename(firm, vendor_id):
    firm.ask(firm.books.bill.patch, f"/v3/vendors/{vendor_id}", body={"name": f"Unlike {vendor_id[-6:]}"})


def mend_vendor_of(firm, bill_id):
    """Make the vendor of a bill usable, on both sides."""
    vendor_id = record(firm, "bills", bill_id)["vendorId"]
    if record(firm, "vendors", vendor_id)["archived"]:
        restore_vendor(firm, bill_id)
    mend_vendor(firm, vendor_id)


def give_rate(firm, bill_id):
    patch_bill(firm, record(firm, "bills", bill_id), exchangeRate=1.25)


def recode(firm, bill_id):
    """Save the bill with a coding and amounts that nobody can object to."""
    bill = record(firm, "bills", bill_id)
    account = next(one for one in firm.in_bill("chart_of_accounts") if one["account"].get("number") == "6210")
    coding = {"chartOfAccountId": account["id"]}
    lines = [
        {"id": one["id"], "amount": abs(one["amount"]), "classifications": coding}
        for one in bill["billLineItems"]
    ]
    lines[0]["amount"] += Decimal(bill["paidAmount"]) + Decimal(bill["scheduledAmount"])
    if not save(firm, bill, lines, "recoded", classifications=coding):
        firm.ask(firm.books.bill.post, f"/v3/bills/{bill_id}/archive")


def forget(firm, bill_id, stream="bills"):
    """Forget what was deleted, and have BILL send the record again."""
    told = firm.admin("links", "forget", bill_id, "--stream", stream, "--reason", "deleted there", "--yes")
    firm.tell("links forget", bill_id, told.output.strip())
    if stream == "bills":
        patch_bill(firm, record(firm, "bills", bill_id), description="Again")
    else:
        firm.ask(firm.books.bill.patch, f"/v3/vendors/{bill_id}", body={"phone": "5125550000"})


def mend_vendor(firm, bill_id):
    """A vendor of BILL whose counterpart was merged, deleted, renamed or made inactive."""
    link = shown_link(firm, bill_id, "vendors")
    if link is None:
        return
    there = {vendor["Id"]: vendor for vendor in firm.in_quickbooks("Vendor")}
    heir = firm.heir(link["quickbooks_id"])
    if heir not in there:
        forget(firm, bill_id, "vendors")
    elif heir != link["quickbooks_id"]:
        told = firm.admin("links", "move", bill_id, heir, "--reason", "merged by hand", "--yes")
        firm.moved[bill_id] = heir
        firm.tell("links move", bill_id, heir, told.output.strip())
    else:
        vendor = record(firm, "vendors", bill_id)
        names = ("CompanyName", "PrintOnCheckName", "PrimaryPhone", "PrimaryEmailAddr", "BillAddr", "AcctNum")
        values = {name: link["last_sent"][name] for name in names if name in link["last_sent"]}
        named = (link["quickbooks_name"] or "").startswith(vendor["name"].replace(":", " -"))
        values["DisplayName"] = link["quickbooks_name"] if named else vendor["name"].replace(":", " -")
        values["Active"] = not vendor["archived"]
        done = firm.by_hand("Vendor", record_id=heir, values=values)
        firm.tell("QuickBooks: vendor", heir, "set to", values, bool(done))
        if not done:  # others have that name
            rename(firm, bill_id)


def shown_link(firm, bill_id, stream):
    told = firm.admin("links", "show", bill_id, "--stream", stream, "--json")
    assert told.exit_code == 0, told.output
    return next((one for one in json.loads(told.stdout) if one["bill_id"] == bill_id), None)


def undo(firm, bill_id, *, dated=False):
    """Set an order to what was last sent of it; a bill against it is deleted.

    Its date was moved out of closed books, perhaps: it is set if nothing else will do.
    """
    link = shown_link(firm, bill_id, "bills")
    order = firm.orders().get(bill_id)
    if link is None or order is None:
        return
    for found in order.get("LinkedTxn", ()):
        firm.by_hand(found["TxnType"], "delete", record_id=found["TxnId"])
        firm.looked_at.add(bill_id)  # what was left out while it had a bill comes with the next change
    sent = link["last_sent"]
    names = ("VendorRef", "TxnDate", "DueDate", "PrivateNote", "POStatus", "DepartmentRef", "Line")
    values = {name: sent[name] for name in names if name in sent}
    moved = firm.policies["closed_period"] == "redate" and "TxnDate" not in firm.edited[order["Id"]]
    if moved and not dated:
        values.pop("TxnDate", None)
    if "VendorRef" not in firm.edited[order["Id"]]:
        values.pop("VendorRef", None)
    values["DocNumber"] = link["quickbooks_name"]
    done = set_order(firm, order, values)
    firm.tell("QuickBooks: order", order["Id"], "set to what was sent", bool(done))


def settle_conflict(firm, bill_id):
    """Set the order to what was sent; if that does not settle it, since lines got new ids, write it anew."""
    order = firm.orders().get(bill_id)
    if order is None or bill_id not in firm.settled:
        firm.settled.add(bill_id)
        undo(firm, bill_id)
        return
    firm.by_hand("PurchaseOrder", "delete", record_id=order["Id"])
    forget(firm, bill_id)


def set_order(firm, order, values):
    """Change an order; where QuickBooks has no location on its orders, nobody can enter the one asked for."""
    done = firm.by_hand("PurchaseOrder", record_id=order["Id"], values=values)
    if done or "DepartmentRef" not in values or "DepartmentRef" in order:
        return done
    values = {name: value for name, value in values.items() if name != "DepartmentRef"}
    return firm.by_hand("PurchaseOrder", record_id=order["Id"], values=values)


def join(firm, survivor, twin):
    """Merge what is one vendor; what cannot be merged is put out of use."""
    try:
        firm.control.merge_vendors(survivor, twin)
        firm.merged[twin] = survivor
    except ControlError:
        firm.by_hand("Vendor", record_id=twin, values={"DisplayName": f"Quite another one {twin}"})


def mend_finding(firm, found):
    """Do what the advice of a finding says."""
    firm.tell(
        "mend finding", found["kind"], found["entity"], found["bill_id"], found["fields"], found["cause"]
    )
    if found["entity"] == "Vendor" and found["kind"] == "duplicate":
        link = shown_link(firm, found["bill_id"], "vendors")
        join(firm, link["quickbooks_id"], found["quickbooks_id"])
    elif found["entity"] == "Vendor":
        mend_vendor(firm, found["bill_id"])
    elif found["kind"] == "missing in QuickBooks":
        forget(firm, found["bill_id"])
    else:
        undo(firm, found["bill_id"], dated="date" in {one["field"] for one in found["fields"]})
        if found["bill_id"] in firm.looked_at:  # undoing was not enough: BILL has to send it again
            patch_bill(firm, record(firm, "bills", found["bill_id"]), description=f"Again {len(firm.diary)}")
        firm.looked_at.add(found["bill_id"])


_VENDOR_MENDS = {"currency-fixed": take_currency_back, "name-taken": rename}
_BILL_MENDS = {
    "edit-conflict": settle_conflict,
    "exchange-rate-missing": give_rate,
    "gone-in-quickbooks": forget,
    "vendor-currency-differs": take_currency_of_bill_back,
    "vendor-archived": restore_vendor,
    "vendor-gone": mend_vendor_of,
    "vendor-inactive": mend_vendor_of,
}
