"""``quickbooks-admin links``: which QuickBooks object stands for which BILL record; to look at, to mend."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import click

from target_quickbooks.admin.company import client_for, settings_for
from target_quickbooks.admin.environment import opened_store, trigger
from target_quickbooks.admin.output import print_json, print_table
from target_quickbooks.admin.propose import propose_links
from target_quickbooks.admin.rebuild import rebuild_links
from target_quickbooks.errors import SettingsError
from target_quickbooks.links import Link, name_held
from target_quickbooks.quickbooks.directory import Directory
from target_quickbooks.quickbooks.oauth import utc_now
from target_quickbooks.redaction import redact_text
from target_quickbooks.run_lease import RunLease
from target_quickbooks.store import audit_table, link_table
from target_quickbooks.store.database import Store
from target_quickbooks.store.link_table import Selection, Stored

_ENTITIES = {
    "vendors": ("Vendor",),
    "bills": ("PurchaseOrder", "Bill"),
    "vendor_credits": ("VendorCredit",),
    "bill_payments": ("BillPayment",),
}
_STREAMS = {entity: stream for stream, entities in _ENTITIES.items() for entity in entities}
_SHOWN = 50
_REASON_LENGTH = 500
_F = TypeVar("_F", bound=Callable[..., Any])


def _in_company(command: _F) -> _F:
    """The options that say of which stream and company, the same for every command."""
    options = (
        click.option("--stream", type=click.Choice(list(_ENTITIES)), help="Of this stream only."),
        click.option("--realm", help="Of this company (realm)."),
        click.option("--organization", help="Of this BILL organization."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _mending(command: _F) -> _F:
    """The options of what changes a link."""
    options = (
        click.option("--reason", required=True, help="Why; it is kept in the audit trail."),
        click.option("--yes", is_flag=True, help="Do not ask."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group()
def links() -> None:
    """Links between BILL records and QuickBooks objects.

    \b
    Examples:
      quickbooks-admin links show 00902VENDOR000000001
      quickbooks-admin links forget 00902VENDOR000000001 --reason "deleted for good"
      quickbooks-admin links propose --from bill.jsonl > adoptions.csv
      quickbooks-admin links rebuild --from bill.jsonl
      quickbooks-admin links move 00902VENDOR000000001 58 --reason "merged by hand"
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped


links.add_command(propose_links)
links.add_command(rebuild_links)


@links.command("show")
@click.argument("ids", nargs=-1)
@_in_company
@click.option("--limit", type=click.IntRange(min=1), default=_SHOWN, show_default=True, help="At most.")
@click.option("--json", "as_json", is_flag=True, help="For programs; with what was last sent.")
def show_links(*, ids: tuple[str, ...], limit: int, as_json: bool, **chosen: Any) -> None:
    """Show links, by BILL id or QuickBooks id; else the latest.

    \b
    Examples:
      quickbooks-admin links show
      quickbooks-admin links show 58 --stream vendors
      quickbooks-admin links show 00902VENDOR000000001 --json
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    with opened_store() as store, store.reading() as database:
        found = link_table.select_links(database, _selection(ids, chosen, limit=limit))
    if as_json:
        print_json([{**_row(one), "last_sent": one.link.desired} for one in found])
    elif found:
        print_table("Links", [_row(one) for one in found])
    else:
        click.echo("No such links.")


@links.command("forget")
@click.argument("bill_id")
@_in_company
@_mending
def forget_link(*, bill_id: str, reason: str, yes: bool, **chosen: Any) -> None:
    """Forget which QuickBooks object stands for a BILL record. QuickBooks itself is not touched.

    The next time BILL sends the record (it changed, it is tried again after a failure, or the run is a
    full refresh), it is written as if it were new: a vendor of its name is adopted or one is created, a
    purchase order that carries the bill's id in its note is taken over or one is created.

    \b
    Example:
      quickbooks-admin links forget 00902VENDOR000000001 --reason "deleted for good"
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    told = _told(reason)
    with opened_store() as store, _undisturbed(store, bill_id, chosen) as found:
        if not yes:
            click.confirm(f"Forget that {_words(found)}?", abort=True)
        _record(store, found, None, told)
    click.echo(f"Forgotten: {_words(found)}. It is written anew when BILL sends it again.")


@links.command("move")
@click.argument("bill_id")
@click.argument("quickbooks_id")
@_in_company
@_mending
def move_link(*, bill_id: str, quickbooks_id: str, reason: str, yes: bool, **chosen: Any) -> None:
    """Let another QuickBooks object stand for a BILL record. QuickBooks itself is not touched.

    The object has to be there. What changes in BILL from now on is written to it; its other fields stay as
    they are. A vendor that already stands for another BILL vendor keeps following that one, and only the
    bills of this one go there, too.

    \b
    Example:
      quickbooks-admin links move 00902VENDOR000000001 58 --reason "merged by hand"
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    told = _told(reason)
    with opened_store() as store, _undisturbed(store, bill_id, chosen) as found:
        after = _elsewhere(store, found, quickbooks_id)
        shared = ", which keeps following another BILL vendor" if after.reference_only else ""
        goal = f"{after.entity} {after.quickbooks_id} ({after.quickbooks_name}){shared}"
        if not yes:
            click.confirm(f"{_words(found)}. Move the link to {goal}?", abort=True)
        _record(store, found, after, told)
    click.echo(f"Moved: {_STREAMS[after.entity]} {after.bill_id} is {goal} now.")


def _elsewhere(store: Store, found: Stored, quickbooks_id: str) -> Link:
    """The link as it is once it leads to another object.

    Raises:
        SettingsError: There is no such object, it is the same, or it stands for another bill.
    """
    link, entity = found.link, found.link.entity
    if quickbooks_id == link.quickbooks_id:
        raise SettingsError(f"The link leads to {entity} {quickbooks_id} already.")
    settings = settings_for(found.company.realm_id)
    live = Directory(client_for(settings, store)).objects(entity, [quickbooks_id]).get(quickbooks_id)
    if live is None:
        raise SettingsError(f"There is no {entity} {quickbooks_id} in QuickBooks.")
    with store.reading() as database:
        sharing = link_table.sharers(database, found.company, entity, [quickbooks_id]).get(quickbooks_id, [])
    if sharing and entity != "Vendor":
        raise SettingsError(
            f"{entity} {quickbooks_id} stands for {_STREAMS[entity]} {sharing[0].link.bill_id}. "
            "Forget or move that link first."
        )
    return replace(
        link,
        quickbooks_id=quickbooks_id,
        sync_token=str(live["SyncToken"]),
        quickbooks_name=name_held(live),
        source_digest="",
        line_ids={},
        reference_only=bool(sharing),
    )


@contextmanager
def _undisturbed(store: Store, bill_id: str, chosen: dict[str, Any]) -> Iterator[Stored]:
    """The one link of that BILL id, while no run writes to its company.

    Raises:
        SettingsError: There is none, or several.
        RunConflict: A run is writing.
    """
    company = _only(store, bill_id, chosen).company
    lease = RunLease(
        store,
        realm_id=company.realm_id,
        run_id=str(uuid.uuid4()),
        wait_seconds=0,
        now=utc_now,
        sleep=time.sleep,
    )
    lease.take()
    try:
        yield _only(store, bill_id, chosen)
    finally:
        lease.release()


def _only(store: Store, bill_id: str, chosen: dict[str, Any]) -> Stored:
    with store.reading() as database:
        every = link_table.select_links(database, _selection((bill_id,), chosen))
    found = [one for one in every if one.link.bill_id == bill_id]
    if not found:
        raise SettingsError(f"There is no link of BILL record {bill_id}. See: quickbooks-admin links show")
    if len(found) > 1:
        raise SettingsError(
            f"BILL record {bill_id} is linked in {len(found)} companies or streams: give --realm, "
            "--organization or --stream."
        )
    return found[0]


def _record(store: Store, found: Stored, after: Link | None, reason: str) -> None:
    """Move the link or, without an ``after``, forget it; with a row in the audit trail."""
    before, now = found.link, utc_now()
    operation = "move link" if after else "forget link"
    entry = audit_table.Entry(
        company=found.company,
        stream=_STREAMS[before.entity],
        bill_id=before.bill_id,
        version="",
        entity=before.entity,
        quickbooks_id=after.quickbooks_id if after else before.quickbooks_id,
        operation=operation,
        outcome="applied",
        before=_shown(before),
        after=_shown(after) if after else None,
        detail=reason,
    )
    with store.writing() as database:
        if after:
            link_table.save(database, found.company, after, now=now)
        else:
            link_table.remove(database, found.company, before.entity, before.bill_id)
        audit_table.append(
            database,
            store.fingerprint_key,
            [entry],
            run_id=str(uuid.uuid4()),
            trigger=trigger(operation),
            now=now,
        )


def _shown(link: Link) -> dict[str, Any]:
    return {
        "quickbooks_id": link.quickbooks_id,
        "quickbooks_name": link.quickbooks_name,
        "shared": link.reference_only,
    }


def _told(reason: str) -> str:
    told = " ".join(redact_text(reason).split())[:_REASON_LENGTH]
    if not told:
        raise SettingsError("--reason is empty: say why, it is kept in the audit trail.")
    return told


def _selection(ids: Sequence[str], chosen: dict[str, Any], *, limit: int | None = None) -> Selection:
    return Selection(
        ids=tuple(ids),
        entities=_ENTITIES.get(chosen["stream"] or "", ()),
        realm_id=chosen["realm"] or "",
        organization_id=chosen["organization"] or "",
        limit=limit,
    )


def _words(found: Stored) -> str:
    link = found.link
    name = f" ({link.quickbooks_name})" if link.quickbooks_name else ""
    return f"{_STREAMS[link.entity]} {link.bill_id} is {link.entity} {link.quickbooks_id}{name}"


def _row(found: Stored) -> dict[str, Any]:
    link = found.link
    return {
        "realm_id": found.company.realm_id,
        "organization_id": found.company.organization_id,
        "stream": _STREAMS[link.entity],
        "bill_id": link.bill_id,
        "quickbooks_id": link.quickbooks_id,
        "quickbooks_name": link.quickbooks_name,
        "written_at": found.updated_at,
        "shared": link.reference_only,
    }
