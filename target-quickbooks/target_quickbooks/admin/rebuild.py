"""``quickbooks-admin links rebuild``: the links of a lost store, found again in both books."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click

from target_quickbooks.admin.company import client_for, settings_for
from target_quickbooks.admin.environment import opened_store, trigger
from target_quickbooks.admin.output import print_json, print_table
from target_quickbooks.adoption.rebuild import Doubt, Found, Rebuild
from target_quickbooks.adoption.records import Records
from target_quickbooks.adoption.relinking import Relinked
from target_quickbooks.errors import InputError, SettingsError
from target_quickbooks.quickbooks.oauth import utc_now
from target_quickbooks.reconcile.staging import Staging
from target_quickbooks.run_lease import RunLease
from target_quickbooks.settings import Settings
from target_quickbooks.store.database import Store

_STDIN = "-"
_SHOWN = 50
_STREAMS = ("vendors", "bills")


def _pairs(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """What a person knows of vendors.

    Raises:
        SettingsError: It is not clear.
    """
    pairs = [value.partition("=") for value in values]
    told = {bill_id.strip(): quickbooks_id.strip() for bill_id, _, quickbooks_id in pairs}
    if len(told) < len(pairs) or not all(bill_id and one for bill_id, one in told.items()):
        msg = "--same-as takes the ids of a BILL vendor and a QuickBooks vendor: 00902VENDOR000000001=58."
        raise SettingsError(msg)
    return told


@click.command("rebuild")
@click.option(
    "--from", "source", metavar="FILE", help="BILL's records, as tap-bill prints them; - for a pipe."
)
@click.option("--realm", help="Of this company (realm).")
@click.option("--send-differences", is_flag=True, help="The next run sends BILL's values where they differ.")
@click.option("--overwrite", is_flag=True, help="Also the links that are there.")
@click.option(
    "--same-as",
    "told",
    multiple=True,
    metavar="BILL_ID=QUICKBOOKS_ID",
    callback=_pairs,
    help="This BILL vendor is that QuickBooks vendor; may be given several times.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="For programs; needs --yes to link anything.")
def rebuild_links(
    *,
    source: str | None,
    realm: str | None,
    send_differences: bool,
    overwrite: bool,
    told: dict[str, str],
    yes: bool,
    as_json: bool,
) -> None:
    """Find the links of a lost store again. QuickBooks itself is not touched.

    Reads all vendors and purchase orders of QuickBooks (bills, vendor credits and bill payments, if
    transaction_type is bill). An order carries the id of its BILL bill in its note;
    a vendor is found by the orders of its bills, else by its name and details. Shows what was found, asks,
    and links it; the next run then writes nothing. Give it all of BILL's records, read without bookmarks;
    without them, it only tells what QuickBooks holds.

    Where QuickBooks holds something else than BILL, nothing tells any more who changed it: it stays, until
    the record changes in BILL, or --send-differences has the next run send BILL's values.

    A vendor that was merged into another one before it had an order has left no trace: it is told as not
    found, and made by the next run unless --same-as says which vendor it is.

    BILL's records are the output of the tap: meltano invoke tap-bill > bill.jsonl

    \b
    Examples:
      quickbooks-admin links rebuild
      quickbooks-admin links rebuild --from bill.jsonl
      quickbooks-admin links rebuild --from - --yes < bill.jsonl
      quickbooks-admin links rebuild --from bill.jsonl --same-as 00902VENDOR000000001=58
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    settings = settings_for(realm)
    with Records() as records, Staging() as staging, opened_store() as store:
        if source:
            read_records(records, source)
        with _alone(store, settings.realm_id) as run_id:
            rebuild = Rebuild(
                settings=settings,
                store=store,
                client=client_for(settings, store),
                records=records,
                staging=staging,
                now=utc_now,
                overwrites=overwrite,
                told=told,
            )
            found = rebuild.survey()
            asks = bool(found.vendors or found.orders or any(_more(found).values()))
            if not as_json:
                _show(found, settings, with_records=bool(source))
            done = None
            if asks and (yes or (not as_json and _confirmed(found, from_pipe=source == _STDIN))):
                done = rebuild.link(run_id=run_id, trigger=trigger("links rebuild"), sends=send_differences)
    if as_json:
        print_json(_document(found, done))
    elif done:
        _tell(done, sends=send_differences)


def read_records(records: Records, source: str) -> None:
    """Read BILL's records.

    Raises:
        SettingsError: The file cannot be read.
        InputError: There are no vendors or bills in it.
    """
    if source == _STDIN:
        records.read(sys.stdin)
    else:
        try:
            with Path(source).open(encoding="utf-8") as file:
                records.read(file)
        except OSError as error:
            msg = f"{source} cannot be read: {error.strerror}."
            raise SettingsError(msg) from None
    if not any(records.count(stream) for stream in _STREAMS):
        raise InputError("No vendors and bills arrived. Run tap-bill without state (a full refresh).")


@contextmanager
def _alone(store: Store, realm_id: str) -> Iterator[str]:
    """The id of this work, while no run writes to the company.

    Raises:
        RunConflict: A run is writing.
    """
    run_id = str(uuid.uuid4())
    lease = RunLease(store, realm_id=realm_id, run_id=run_id, wait_seconds=0, now=utc_now, sleep=time.sleep)
    lease.take()
    try:
        yield run_id
    finally:
        lease.release()


def _confirmed(found: Found, *, from_pipe: bool) -> bool:
    """Ask; on the terminal itself where standard input was the pipe.

    Raises:
        SettingsError: There is no terminal.
    """
    more = _more(found)
    question = f"Link {len(found.vendors)} vendors and {len(found.orders)} {found.noun}s?"
    if any(more.values()):
        told = ", ".join(f"{count} {noun}" for noun, count in more.items())
        question = f"Link {len(found.vendors)} vendors, {len(found.orders)} {found.noun}s, {told}?"
    if not from_pipe:
        return click.confirm(question, abort=True)
    try:
        with Path("/dev/tty").open(encoding="utf-8") as terminal:
            return _answer(question, terminal)
    except OSError:
        msg = "Nothing was linked: there is no terminal to ask on. Give --yes, or a file instead of a pipe."
        raise SettingsError(msg) from None


def _answer(question: str, terminal: IO[str]) -> bool:
    click.echo(f"{question} [y/N]: ", nl=False)
    if terminal.readline().strip().lower() not in {"y", "yes"}:
        raise click.Abort
    return True


def _show(found: Found, settings: Settings, *, with_records: bool) -> None:
    if not with_records:
        marked = [
            {"organization_id": one, "purchase_orders": count} for one, count in sorted(found.marked.items())
        ]
        title = f"{found.noun.capitalize()}s of company (realm) {settings.realm_id} that come from BILL"
        print_table(title, marked)
        click.echo(f"{found.unmarked} others. Give BILL's records with --from to link them.")
        return
    proposed = {"vendors": len(found.vendors), "bills": len(found.orders)}
    rows = [
        {
            "stream": stream,
            "to_link": proposed[stream],
            "linked_already": found.linked[stream],
            "not_in_QuickBooks": found.missing[stream],
        }
        for stream in _STREAMS
    ]
    print_table(f"Company (realm) {settings.realm_id}", rows)
    if found.doubts:
        print_table("To look at", [_row(one) for one in found.doubts[:_SHOWN]])
    if len(found.doubts) > _SHOWN:
        click.echo(f"... and {len(found.doubts) - _SHOWN} more; see --json.")
    if not any((*proposed.values(), *_more(found).values())):
        click.echo("There is nothing to link.")


def _more(found: Found) -> dict[str, int]:
    """What there is besides vendors and bills."""
    return {"vendor credits": len(found.credits), "bill payments": len(found.payments)}


def _row(doubt: Doubt) -> dict[str, str]:
    return {
        "record": f"{doubt.label} ({doubt.bill_id})",
        "quickbooks_id": doubt.quickbooks_id,
        "what": doubt.what,
    }


def _tell(done: Relinked, *, sends: bool) -> None:
    streams = (*_STREAMS, *(stream for stream in done.linked if stream not in _STREAMS))
    linked = ", ".join(f"{done.linked.get(stream, 0)} {stream.replace('_', ' ')}" for stream in streams)
    click.echo(f"Linked: {linked}.")
    if done.unmapped:
        click.echo(f"{done.unmapped} of them cannot be mapped as it is; the next run says why.")
    if done.differing:
        rows = [
            {"record": one.label, "quickbooks_id": one.quickbooks_id, "fields": ", ".join(one.fields)}
            for one in done.differing[:_SHOWN]
        ]
        print_table("QuickBooks holds something else than BILL", rows)
        if len(done.differing) > _SHOWN:
            click.echo(f"... and {len(done.differing) - _SHOWN} more; mode: reconcile shows all.")
        what = "The next run sends BILL's values." if sends else "It stays as it is in QuickBooks."
        click.echo(what)


def _document(found: Found, done: Relinked | None) -> dict[str, Any]:
    names = ("stream", "bill_id", "label", "quickbooks_id", "what")
    return {
        "found": {"vendors": len(found.vendors), "bills": len(found.orders)}
        | {noun.replace(" ", "_"): count for noun, count in _more(found).items() if count},
        "linked_already": dict(found.linked),
        "not_in_quickbooks": dict(found.missing),
        "marked": dict(found.marked),
        "to_look_at": [{name: getattr(one, name) for name in names} for one in found.doubts],
        "linked": dict(done.linked) if done else {},
        "cannot_be_mapped": done.unmapped if done else 0,
        "differing": [
            {
                "stream": one.stream,
                "bill_id": one.bill_id,
                "quickbooks_id": one.quickbooks_id,
                "label": one.label,
                "fields": list(one.fields),
            }
            for one in (done.differing if done else ())
        ],
    }
