"""Drift: what somebody changed in QuickBooks after our last write, and what becomes of it."""

from __future__ import annotations

from starlette.responses import Response
from target_quickbooks.drift.deciding import accept as agree
from target_quickbooks.store import drift_table
from target_quickbooks.store.drift_table import Kind, Status

from webhook_shim.web import links, words
from webhook_shim.web.visits import Visit

_SHOWN = 200
_LONGEST_NUMBER = 18
KINDS = {
    Kind.CHANGED: "Changed in QuickBooks",
    Kind.DELETED: "No longer in QuickBooks",
    Kind.INACTIVE: "Made inactive in QuickBooks",
    Kind.MERGED: "Merged into another one",
    Kind.ORPHAN: "Only in QuickBooks",
}
ADVICE = {
    Kind.CHANGED: "The next change in BILL decides by the setting edit_conflict. Make both sides agree, "
    "leave QuickBooks as it is, or send again what was sent: quickbooks-admin drift resolve.",
    Kind.DELETED: "By the setting missing_in_quickbooks the record is held, or written anew by the next "
    "run; quickbooks-admin drift resolve writes it anew in any case.",
    Kind.INACTIVE: "By the setting inactive_vendor its bills are held, or it is made active again by the "
    "next run; quickbooks-admin drift resolve makes it active in any case.",
    Kind.MERGED: "The next run lets the record follow the vendor that is left. If the merge was a mistake, "
    "undo it.",
    Kind.ORPHAN: "Nothing in BILL leads to it. That is in order if somebody entered it by hand.",
}
_STATUSES = {
    "open": ("Open", (Status.OPEN,)),
    "accepted": ("Left as they are", (Status.ACCEPTED,)),
    "resolved": ("In order again", (Status.RESOLVED,)),
}


def list_drift(visit: Visit) -> Response:
    """The differences that checks found, newest first."""
    show = visit.query("show") if visit.query("show") in _STATUSES else "open"
    kind = next((kind for kind in Kind if kind == visit.query("kind")), None)
    books = visit.books
    with visit.context.store.reading() as connection:
        entries = drift_table.entries(
            connection,
            books.company,
            statuses=_STATUSES[show][1],
            kinds=[kind] if kind else (),
            limit=_SHOWN,
        )
        counts = drift_table.counts(connection, books.company)
    return visit.show(
        "drift.html",
        tab="drift",
        entries=entries,
        counts=counts,
        kinds=KINDS,
        advice=ADVICE,
        statuses={key: value[0] for key, value in _STATUSES.items()},
        show=show,
        kind=kind,
        most=_SHOWN,
        urls={
            entry.id: links.quickbooks(books.target_config, entry.finding.entity, entry.finding.quickbooks_id)
            for entry in entries
        },
    )


def accept(visit: Visit) -> Response:
    """Let the chosen differences be; noted in the history."""
    numbers = [
        int(text)
        for text in visit.fields("number")
        if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER
    ]
    back = visit.path("/drift")
    chosen = agree(
        visit.context.store, visit.books.company, numbers[:_SHOWN], trigger="status page", now=visit.now
    )
    if not chosen:
        return visit.send_to(back, tone="bad", notice="Choose at least one open difference.")
    notice = f"{words.count(len(chosen), 'difference stays', 'differences stay')} as in QuickBooks."
    return visit.send_to(back, tone="good", notice=notice)
