"""What a purchase order says of its payments: a line each in the private note, and open or closed. Pure.

The note is the bill's text, then a line for each payment and vendor credit, then the mark with the bill's id,
which stays last so that a lost store can be rebuilt. Lines of payments that nobody knows (any more) stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from target_quickbooks.mapping import names
from target_quickbooks.mapping.payload import Payload
from target_quickbooks.mapping.payments import Account, Credit, Payment, Standing

_LINES_LENGTH = 2_000
_LINE_LENGTH = 200
_METHODS = {
    "ACH": "ACH",
    "AMEX": "American Express",
    "CHECK": "check",
    "CREDIT_CARD": "credit card",
    "INTERNATIONAL": "international transfer",
    "INTERNATIONAL_E_PAYMENT": "international transfer",
    "OFFLINE": "offline payment",
    "PAYPAL": "PayPal",
    "RPPS": "RPPS",
    "VIRTUAL_CARD": "virtual card",
    "WALLET": "wallet",
}
_MARK = re.compile(r"\[BILL [^/\s\]]+/[^/\s\]]+\]")
_LINE = re.compile(
    r"(?:Paid|Being voided|Failed|Voided|Cancelled|Credited) (?P<key>-?\d+\.\d{2}"
    r"(?: on (?P<day>\d{4}-\d{2}-\d{2}))?(?: by [^,]+)?(?:, (?P<reference>.+))?)",
    re.ASCII,
)
_EARLIER = re.compile(r"\.\.\. and \d+ earlier", re.ASCII)


@dataclass(frozen=True, slots=True)
class Note:
    """A private note in its parts; ``lines`` are those of payments and credits."""

    text: str
    lines: tuple[str, ...]


def read_note(note: str) -> Note:
    """Take a note that we wrote apart."""
    rows = [row for row in _MARK.sub("", note).rstrip().split("\n") if row.strip()]
    first = len(rows)
    while first and (_LINE.fullmatch(rows[first - 1]) or _EARLIER.fullmatch(rows[first - 1])):
        first -= 1
    return Note("\n".join(rows[:first]), tuple(rows[first:]))


def write_note(text: str, lines: Iterable[str], mark: str) -> str:
    """Put a note together: the mark last, the oldest lines and the end of the text left out if need be."""
    kept = list(lines)
    left_out = 0
    while sum(len(line) + 1 for line in kept) > _LINES_LENGTH:
        del kept[0]
        left_out += 1
    if left_out:
        kept.insert(0, f"... and {left_out} earlier")
    ending = "\n".join((*kept, mark))
    room = names.NOTE_LENGTH - len(ending) - 1
    return f"{text[:room].rstrip()}\n{ending}".lstrip("\n")


def edited_note(held: str, before: str, after: str) -> str | None:
    """The note to write where a person edited the one we wrote and only our lines change.

    Args:
        held: The note as QuickBooks holds it.
        before: As it was last sent.
        after: As it is to be.

    Returns:
        The person's text with the new lines; None if our own text changes too.
    """
    ours, wanted = read_note(before), read_note(after)
    mark = _MARK.findall(after)
    if ours.text != wanted.text or not mark:
        return None
    rows = _MARK.sub("", held).split("\n")
    text = "\n".join(row for row in rows if row.strip() and row not in ours.lines + wanted.lines)
    return write_note(text, wanted.lines, mark[-1])


def settled(
    payload: Payload, account: Account, *, noted: Sequence[str], mark: str, closes: bool | None
) -> dict[str, Any]:
    """The order with its payments: their lines in the note, and closed if the bill is paid in full.

    Args:
        payload: The order; its note is the bill's text and the mark, without lines.
        account: What is known of the bill's payments.
        noted: Lines that the order's note has by now.
        mark: What names the bill in the note.
        closes: Whether a bill that is paid closes its order; None leaves the order as it is.
    """
    text = _MARK.sub("", str(payload.get("PrivateNote") or "")).rstrip()
    after = {**payload, "PrivateNote": write_note(text, note_lines(account, noted), mark)}
    if closes is not None and "POStatus" in payload:
        total = sum((Decimal(line["Amount"]) for line in payload.get("Line") or ()), Decimal(0))
        after["POStatus"] = "Closed" if closes and account.is_paid(total) else "Open"
    return after


def note_lines(account: Account, noted: Sequence[str] = ()) -> list[str]:
    """A line for each payment and credit of the bill, oldest first; unknown ones among ``noted`` stay."""
    lines = {line for payment in account.payments if (line := _payment_line(account, payment))}
    known = {_key(payment.reference) for payment in account.payments if payment.reference}
    known |= {_key(line) for line in lines}
    credited, read = account.credited, {credit.id: credit for credit in account.credits}
    for credit_id in {*credited, *read}:
        line = _credit_line(credit_id, read.get(credit_id), credited.get(credit_id, Decimal(0)))
        known.add(_key(line))
        if credited.get(credit_id):
            lines.add(line)
    lines |= {line for line in noted if _LINE.fullmatch(line) and _key(line) not in known}
    return sorted(lines, key=_order)


def _payment_line(account: Account, payment: Payment) -> str:
    amount = payment.part_of(account.bill_id).amount
    verb = _verb(payment)
    if not amount or not verb:
        return ""
    on = f" on {payment.process_date}" if payment.process_date else ""
    method = _METHODS.get(payment.method) or payment.method.replace("_", " ").lower()
    by = f" by {method.replace(',', ' ')}" if method else ""
    return _line(f"{verb} {amount:.2f}{on}{by}", payment.reference)


def _verb(payment: Payment) -> str:
    """What happened; nothing is said of what is on its way."""
    match payment.standing:
        case Standing.PAID:
            return "Paid"
        case Standing.FAILED:
            return "Failed"
        case Standing.ENDED:
            return "Cancelled" if payment.latest.name in {"CANCELED", "CANCELLED"} else "Voided"
        case _:
            return "Being voided" if payment.latest.name == "VOID_PENDING" else ""


def _credit_line(credit_id: str, credit: Credit | None, amount: Decimal) -> str:
    on = f" on {credit.date}" if credit and credit.date else ""
    return _line(f"Credited {amount:.2f}{on}", (credit.reference if credit else "") or credit_id)


def _line(text: str, reference: str) -> str:
    """One line; a reference that looks like our mark is not taken for it."""
    plain = names.plain_line(reference.replace("[", "(").replace("]", ")"), _LINE_LENGTH)
    return f"{text}, {plain}" if plain else text


def _key(line: str) -> str:
    """What tells a payment from the others: its reference, else all but what became of it."""
    found = _LINE.fullmatch(line)
    if found is None:
        return names.plain_line(line.replace("[", "(").replace("]", ")"), _LINE_LENGTH)
    return found["reference"] or found["key"]


def _order(line: str) -> tuple[str, str, str]:
    found = _LINE.fullmatch(line)
    return ((found["day"] or ""), _key(line), line) if found else ("", "", line)
