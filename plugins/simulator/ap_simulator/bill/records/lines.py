"""Line items of bills, recurring bills and vendor credits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from ap_simulator.bill.books import Books
from ap_simulator.bill.errors import invalid, no_reference
from ap_simulator.bill.records.schema import merged
from ap_simulator.bill.records.shapes import check_classifications
from ap_simulator.bill.wire import Record, money

Line = dict[str, Any]


def replaced_lines(
    books: Books, sent: Sequence[Line], old: Iterable[Line], *, prefix: str, where: str
) -> list[Line]:
    """The lines that a create or PUT leaves: those sent, and no others.

    Args:
        books: The organization's books.
        sent: Lines of the body. One with the id of an old line takes its place and keeps its id.
        old: The record's lines so far.
        prefix: Prefix of line ids.
        where: The name of the body's field.

    Raises:
        Refusal: 400: an id that no old line has, a classification that does not exist, or an amount
            that is neither given nor quantity times price.
    """
    known = {line["id"] for line in old}
    return [
        _finished(books, _identified(books, line, known, prefix, f"{where}[{n}].id"), f"{where}[{n}]")
        for n, line in enumerate(sent)
    ]


def patched_lines(
    books: Books, sent: Sequence[Line], old: Iterable[Line], *, prefix: str, where: str
) -> list[Line]:
    """The lines that a PATCH leaves: old ones, with those sent by id changed; others are added.

    Raises:
        Refusal: As for `replaced_lines`.
    """
    result = {line["id"]: line for line in old}
    known = set(result)
    for number, line in enumerate(sent):
        place = f"{where}[{number}]"
        identified = _identified(books, line, known, prefix, f"{place}.id")
        before = result.get(identified["id"], {})
        changed = merged(_without_outdated(before, identified), identified)
        result[identified["id"]] = _finished(books, changed, place)
    return list(result.values())


def total(lines: Iterable[Line]) -> Decimal:
    """The sum of the lines' amounts."""
    return money(sum((Decimal(line["amount"]) for line in lines), Decimal(0)))


def without_ids(lines: Iterable[Line]) -> list[Line]:
    """Copies of lines for another record."""
    return [{name: value for name, value in line.items() if name != "id"} for line in lines]


def _identified(books: Books, line: Line, known: set[str], prefix: str, where: str) -> Line:
    record_id = line.get("id")
    if record_id is None:
        return {"id": books.ids.mint(prefix), **line}
    if record_id not in known:
        raise no_reference(where, record_id)
    known.discard(record_id)
    return line


def _without_outdated(old: Line, changes: Line) -> Line:
    """The old line without what its changes make untrue: amount, or quantity and price."""
    factors = {"quantity", "price"}
    outdated = factors if "amount" in changes else {"amount"} if factors & changes.keys() else set()
    return {name: value for name, value in old.items() if name not in outdated - changes.keys()}


def _finished(books: Books, line: Line, where: str) -> Record:
    """The line checked, without unset fields, with its amount."""
    check_classifications(books, line.get("classifications"), f"{where}.classifications")
    line = merged({}, line)
    quantity, price, amount = line.get("quantity"), line.get("price"), line.get("amount")
    if quantity is not None and price is not None:
        product = money(Decimal(quantity) * Decimal(price))
        if amount is not None and amount != product:
            msg = f"{where}.amount: must be quantity times price, {product}"
            raise invalid(msg)
        return {**line, "amount": product}
    if amount is None:
        msg = f"{where}.amount: must not be null"
        raise invalid(msg)
    return line
