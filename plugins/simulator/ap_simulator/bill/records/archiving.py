"""Archiving and restoring, which change nothing in a record that is already so (BILL manual 3.5)."""

from __future__ import annotations

from ap_simulator.bill.books import Books
from ap_simulator.bill.wire import Record


def set_archived(books: Books, collection: str, record_id: str, *, archived: bool) -> Record:
    """Archive or restore a record that has nothing but the flag.

    Raises:
        Refusal: 404 BDC_1205.
    """
    record = books.get(collection, record_id)
    if record.get("archived", False) is archived:
        return record
    operation = "archive" if archived else "restore"
    return books.save(collection, {**record, "archived": archived}, operation=operation)
