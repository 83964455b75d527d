"""The words of the page: what codes, kinds and outcomes are called by people who keep books. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_SIGNALS = {129: "its terminal went away", 130: "somebody interrupted it", 143: "it was asked to stop"}
_KILLED = 137


@dataclass(frozen=True, slots=True)
class Word:
    """A status in a word, with its tone: ``good``, ``bad``, ``warn``, ``busy`` or ``quiet``."""

    text: str
    tone: str


KINDS = {
    "sync": "Vendors and bills",
    "daily": "Everything, payments too",
    "replay": "Try failures again",
    "plan": "Preview",
    "reconcile": "Compare the books",
}
REASONS = {
    "event": "BILL reported a change",
    "poll": "regular check",
    "daily": "daily run",
    "nightly": "nightly comparison",
    "start": "the server started",
    "person": "somebody pressed the button",
}
JOB_STATUS = {
    "waiting": Word("Waiting", "busy"),
    "running": Word("Running", "busy"),
    "succeeded": Word("Done", "good"),
    "failed": Word("Failed", "bad"),
    "stopped": Word("Stopped", "warn"),
    "lost": Word("Lost", "warn"),
}
FAILURE_STATUS = {
    "open": Word("Open", "bad"),
    "waiting": Word("Waiting for another record", "warn"),
    "resolved": Word("Went through", "good"),
    "dismissed": Word("Dismissed", "quiet"),
}
OUTCOMES = {
    "applied": Word("Written", "good"),
    "refused": Word("Refused", "bad"),
    "blocked": Word("Held back", "warn"),
    "dismissed": Word("Dismissed", "quiet"),
}
OPERATIONS = {
    "create": "Created",
    "update": "Updated",
    "close": "Closed",
    "link": "Linked",
    "skip": "Left as it is",
    "blocked": "Held back",
    "dismiss": "Dismissed",
    "adopt": "Adopted",
    "accept": "Left as it is in QuickBooks",
}
STREAMS = {
    "vendors": "Vendors",
    "bills": "Bills",
    "payments": "Payments",
    "bill_payments": "Payments of bills",
    "restored_orders": "Orders written again",
    "recurring_bills": "Recurring bills",
    "vendor_credits": "Vendor credits",
    "chart_of_accounts": "Accounts",
    "accounting_classes": "Classes",
}
ENTITIES = {
    "Vendor": "Vendor",
    "PurchaseOrder": "Purchase order",
    "Bill": "Bill",
    "VendorCredit": "Vendor credit",
    "BillPayment": "Bill payment",
}
FIELDS = {
    "AcctNum": "Account number",
    "Active": "Active",
    "APAccountRef": "Payables account",
    "BillAddr": "Address",
    "CompanyName": "Company name",
    "CurrencyRef": "Currency",
    "DepartmentRef": "Location",
    "DisplayName": "Name",
    "DocNumber": "Number",
    "DueDate": "Due date",
    "Line": "Lines",
    "POStatus": "Status",
    "PrimaryEmailAddr": "E-mail",
    "PrimaryPhone": "Phone",
    "PrintOnCheckName": "Name on checks",
    "PrivateNote": "Note",
    "TaxIdentifier": "Tax id",
    "TotalAmt": "Total",
    "TxnDate": "Date",
    "Vendor1099": "1099 vendor",
    "VendorRef": "Vendor",
}


def named(names: Mapping[str, str], key: object) -> str:
    """The name of something, or the thing itself made readable."""
    text = str(key or "")
    return names.get(text, text.replace("_", " ").replace("-", " ").capitalize())


def status(words: Mapping[str, Word], key: object) -> Word:
    """The word for a status."""
    return words.get(str(key), Word(named({}, key), "quiet"))


def exit_words(code: int | None, failed: int = 0) -> str:
    """What an exit code means."""
    if code is None:
        return "It has not said how it ended."
    if code == 0:
        refused = f"{count(failed, 'record')} did not go through; everything else did."
        return refused if failed else "All records went through."
    if code == _KILLED:
        return "It was killed, or the machine ran out of memory. The next run settles what was in flight."
    if code in _SIGNALS:
        return f"It stopped because {_SIGNALS[code]}. What was in flight is recorded."
    if failed:
        return f"{count(failed, 'record')} did not go through; everything else did."
    return "It ended early, or records were refused. The log below says why."


def who(trigger: str) -> str:
    """Who or what set something off."""
    kind, _, rest = trigger.partition(" ")
    if kind == "webhook-shim":
        return named(REASONS, rest.partition(" ")[0])
    return {"status": "somebody on this page", "meltano": "Meltano"}.get(kind, trigger)


def count(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun, such as ``1 record`` and ``1,200 records``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def ago(moment: dt.datetime | None, now: dt.datetime) -> str:
    """How long ago, or in how long."""
    if moment is None:
        return "never"
    seconds = (now - moment).total_seconds()
    text = duration(abs(seconds))
    if abs(seconds) < _MINUTE:
        return "just now" if seconds >= 0 else "in less than a minute"
    return f"{text} ago" if seconds > 0 else f"in {text}"


def duration(seconds: float) -> str:
    """A length of time in its largest unit, or two of them."""
    whole = int(seconds)
    if whole < _MINUTE:
        return count(whole, "second")
    if whole < _HOUR:
        return count(whole // _MINUTE, "minute")
    if whole < _DAY:
        hours, minutes = whole // _HOUR, whole % _HOUR // _MINUTE
        return count(hours, "hour") + (f" {minutes} min" if minutes and hours < 10 else "")  # noqa: PLR2004
    return count(whole // _DAY, "day")


def took(start: dt.datetime | None, end: dt.datetime | None) -> str:
    """How long something took, to the second."""
    if start is None or end is None:
        return ""
    seconds = max((end - start).total_seconds(), 0)
    minutes, rest = divmod(int(seconds), _MINUTE)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def money(amount: Decimal, currency: str = "") -> str:
    """An amount with its currency."""
    return f"{amount:,.2f} {currency}".rstrip()


def short(value: Any) -> str:
    """A field's value in one line."""
    if value in (None, "", {}, []):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return _object(value)
    if isinstance(value, list | tuple):
        return _lines(value)
    return str(value)


def _object(value: Mapping[str, Any]) -> str:
    if "value" in value and set(value) <= {"value", "name"}:
        return str(value.get("name") or value["value"])
    return ", ".join(short(member) for member in value.values() if member not in (None, "", {}))


def _lines(lines: Any) -> str:
    amounts = [line["Amount"] for line in lines if isinstance(line, Mapping) and "Amount" in line]
    if amounts and len(amounts) == len(lines):
        return f"{count(len(lines), 'line')}, {sum(amounts):,.2f}"
    return count(len(lines), "entry", "entries")
