"""``quickbooks-admin drift``: what people changed in QuickBooks; to find, look at, agree to, send again."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from target_quickbooks.admin.company import settings_for
from target_quickbooks.admin.environment import opened_store, trigger
from target_quickbooks.admin.output import console, print_json, wide_table
from target_quickbooks.assembly import Run, assemble
from target_quickbooks.drift.deciding import accept
from target_quickbooks.drift.watch import told
from target_quickbooks.errors import SettingsError, TargetError
from target_quickbooks.quickbooks.oauth import utc_now
from target_quickbooks.redaction import redact_text
from target_quickbooks.settings import Settings
from target_quickbooks.settings_schema import Mode
from target_quickbooks.store import drift_table, run_table
from target_quickbooks.store.drift_table import Entry, Kind, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from target_quickbooks.drift.watch import Watch
    from target_quickbooks.links import Company
    from target_quickbooks.store.database import Store

_REASON_LENGTH = 500
#: What is written with a bill, not by itself.
_NOT_SENT_ALONE = frozenset({"VendorCredit", "BillPayment"})
_SENT_FROM_BILL = (
    "it is not sent by itself; change it in BILL and save it there, or correct it in QuickBooks."
)
_SHOWN = 1000
_WORDS = {
    Kind.CHANGED: "changed in QuickBooks",
    Kind.DELETED: "no longer in QuickBooks",
    Kind.INACTIVE: "made inactive in QuickBooks",
    Kind.MERGED: "merged into another one",
    Kind.ORPHAN: "only in QuickBooks",
}


@click.group()
def drift() -> None:
    """What people changed in QuickBooks of what was written there.

    \b
    Examples:
      quickbooks-admin drift find
      quickbooks-admin drift list
      quickbooks-admin drift accept 12 --reason "moved to the new class"
      quickbooks-admin drift resolve 13
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped


@drift.command("find")
@click.option("--realm", help="Of this company (realm); the configured one unless given.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def find_drift(*, realm: str | None, as_json: bool) -> None:
    """Ask QuickBooks now what changed since it was last asked, as runs do every drift_check_hours.

    Writes nothing to QuickBooks but what an interrupted run has left. Waits while a run writes there.

    \b
    Examples:
      quickbooks-admin drift find
      quickbooks-admin drift find --json
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    with _alone(settings_for(realm), "drift find") as (_, watch):
        searched = watch.search.run()
    if as_json:
        print_json(
            {
                "since": searched.since,
                "until": searched.until,
                "changed": searched.changed,
                "new": [_finding(found) for found in searched.new],
                "known": searched.known,
                "unknown_since": searched.gap_since,
                "deletions_unseen": sorted(searched.unseen),
                "complete": searched.complete,
            }
        )
        return
    click.echo(
        f"{searched.changed} objects changed since {searched.since:%Y-%m-%d %H:%M} UTC; "
        f"{len(searched.new)} of them are new drift, {searched.known} were known."
    )
    for label, text in told(searched):
        click.echo(f"{label}: {text}")
    if not searched.complete:
        click.echo("There is more: run it again.")


@drift.command("list")
@click.option("--realm", help="Of this company (realm).")
@click.option("--kind", type=click.Choice([str(kind) for kind in Kind]), multiple=True, help="Of this kind.")
@click.option("--status", type=click.Choice([str(status) for status in Status]), multiple=True)
@click.option("--all", "everything", is_flag=True, help="Accepted and resolved ones too.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_drift(
    *,
    realm: str | None,
    kind: tuple[str, ...],
    status: tuple[str, ...],
    everything: bool,
    as_json: bool,
) -> None:
    """List what differs in QuickBooks: what is open unless told otherwise.

    \b
    Examples:
      quickbooks-admin drift list
      quickbooks-admin drift list --kind deleted --kind inactive
      quickbooks-admin drift list --status accepted --json
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    statuses = tuple(Status) if everything else tuple(Status(one) for one in status) or (Status.OPEN,)
    with opened_store() as store, store.reading() as database:
        found = drift_table.select_entries(
            database, realm_id=realm or "", statuses=statuses, kinds=[Kind(one) for one in kind], limit=_SHOWN
        )
    if as_json:
        print_json([_summary(entry) for entry in found])
    elif found:
        _print(found)
    else:
        click.echo("No drift of that kind." if kind or status or everything else "No open drift.")


@drift.command("show")
@click.argument("number", type=int)
def show_drift(number: int) -> None:
    """Show one entry whole: what was last written and what QuickBooks holds (tax ids to the last four).

    \b
    Example:
      quickbooks-admin drift show 12
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    with opened_store() as store:
        [entry] = _entries(store, [number])
    print_json(
        {
            **_summary(entry),
            "differences": [
                {"field": found.field, "last_written": found.before, "in_quickbooks": found.after}
                for found in entry.finding.differences
            ],
            "found_by": entry.found_by,
            "found_at": entry.found_at,
            "seen_at": entry.seen_at,
            "resolved_at": entry.resolved_at,
        }
    )


@drift.command("accept")
@click.argument("numbers", nargs=-1, type=int, required=True)
@click.option("--reason", default="", help="Why; it is kept in the audit trail.")
def accept_drift(*, numbers: tuple[int, ...], reason: str) -> None:
    """Agree to what QuickBooks holds: nothing is sent, and it is told again only if it changes once more.

    When BILL changes the same later, edit_conflict decides as ever.

    \b
    Examples:
      quickbooks-admin drift accept 12 13
      quickbooks-admin drift accept 12 --reason "moved to the new class"
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    why = " ".join(redact_text(reason).split())[:_REASON_LENGTH] or "QuickBooks is to stay as it is."
    done: list[Entry] = []
    with opened_store() as store:
        for company, entries in _by_company(_entries(store, numbers)).items():
            ids = [entry.id for entry in entries]
            named = trigger("drift accept")
            done += accept(store, company, ids, reason=why, trigger=named, now=utc_now())
    for entry in done:
        click.echo(f"{entry.id}: {_label(entry)} stays as it is in QuickBooks")
    left = sorted(set(numbers) - {entry.id for entry in done})
    if left:
        raise SettingsError(f"Not open: {_numbers(left)}. See: quickbooks-admin drift list --all")


@drift.command("resolve")
@click.argument("numbers", nargs=-1, type=int, required=True)
def resolve_drift(*, numbers: tuple[int, ...]) -> None:
    """Send again what was last sent, the same way that a run writes; what people changed is overwritten.

    What is gone is written anew, and what was made inactive is made active again, whatever the policies say.
    Tells what became of each. Exit code 1 if some still differ.

    \b
    Examples:
      quickbooks-admin drift resolve 12
      quickbooks-admin drift resolve 12 13
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    with opened_store() as store:
        chosen = _entries(store, numbers)
    _check_sendable(chosen)
    results: dict[int, Status] = {}
    reasons: dict[str, str] = {}
    for company, entries in _by_company(chosen).items():
        with _alone(settings_for(company.realm_id), "drift resolve") as (run, watch):
            results |= watch.send(company, entries, asked=True)
            reasons |= _reasons(run)
    for entry in chosen:
        settled = results.get(entry.id) is Status.RESOLVED
        alone = entry.finding.entity in _NOT_SENT_ALONE
        why = _SENT_FROM_BILL if alone else reasons.get(entry.finding.bill_id, "")
        what = "is as it was last sent" if settled else f"still differs{': ' if why else ''}{why}"
        click.echo(f"{entry.id}: {_label(entry)} {what}")
    sys.exit(0 if all(status is Status.RESOLVED for status in results.values()) else 1)


@contextmanager
def _alone(settings: Settings, command: str) -> Iterator[tuple[Run, Watch]]:
    """A run of its own, which waits for another one to end and is recorded like any other."""
    if settings.mode is not Mode.SYNC:
        msg = f"mode is '{settings.mode}', which writes nothing; this command writes. Set it to sync."
        raise SettingsError(msg)
    run = assemble(settings, trigger=trigger(command))
    exit_code = 1
    try:
        with run.store.writing() as database:
            run_table.start(
                database,
                run.id,
                realm_id=settings.realm_id,
                mode="drift",
                trigger=run.trigger,
                now=utc_now(),
            )
        assert run.watch is not None  # noqa: S101 - every run that writes has one
        run.walk.flush(last=True)
        yield run, run.watch
        exit_code = 1 if run.report.failed_count else 0
    except TargetError as error:
        exit_code = error.exit_code
        raise
    finally:
        summary = run.report.to_json(run.client.calls, run_id=run.id, exit_code=exit_code)
        counts = {"streams": summary["streams"], "calls": summary["calls"]}
        with run.store.writing() as database:
            run_table.finish(database, run.id, exit_code=exit_code, counts=counts, now=utc_now())
        run.close()


def _reasons(run: Run) -> dict[str, str]:
    """Why records did not go through or were left, by BILL id."""
    found = {
        failure.bill_id: f"{failure.reason} {failure.advice}" for failure in run.report.failures.values()
    }
    return {bill_id: text.strip() for bill_id, text in found.items()}


def _entries(store: Store, numbers: Sequence[int]) -> list[Entry]:
    """The entries.

    Raises:
        SettingsError: One does not exist.
    """
    wanted = list(dict.fromkeys(numbers))
    with store.reading() as database:
        found = {number: drift_table.by_number(database, number) for number in wanted}
    missing = [number for number, entry in found.items() if entry is None]
    if missing:
        raise SettingsError(f"There is no drift {_numbers(missing)}. See: quickbooks-admin drift list --all")
    return [entry for entry in found.values() if entry]


def _check_sendable(chosen: Sequence[Entry]) -> None:
    """Only what was written, and differs now, can be sent again.

    Raises:
        SettingsError: One cannot.
    """
    settled = [entry.id for entry in chosen if entry.status is Status.RESOLVED]
    if settled:
        raise SettingsError(f"Resolved before: {_numbers(settled)}. Nothing was sent.")
    orphans = [entry.id for entry in chosen if not entry.finding.bill_id]
    if orphans:
        raise SettingsError(
            f"Nothing in BILL leads to {_numbers(orphans)}, so there is nothing to send. Nothing was sent."
        )


def _by_company(entries: Sequence[Entry]) -> dict[Company, list[Entry]]:
    found: defaultdict[Company, list[Entry]] = defaultdict(list)
    for entry in entries:
        found[entry.finding.company].append(entry)
    return dict(found)


def _numbers(numbers: Sequence[int]) -> str:
    return ", ".join(str(number) for number in numbers)


def _label(entry: Entry) -> str:
    finding = entry.finding
    name = f" '{finding.name}'" if finding.name else ""
    return f"{finding.entity} {finding.quickbooks_id}{name}"


def _print(found: Sequence[Entry]) -> None:
    table = wide_table(("id", 1), ("object", 5), ("what", 6), ("found", 4))
    for entry in found:
        fields = ", ".join(one.field for one in entry.finding.differences)
        state = "" if entry.status is Status.OPEN else f" ({entry.status})"
        table.add_row(
            str(entry.id),
            f"{_label(entry)}\n{entry.finding.bill_id}",
            f"{_WORDS[entry.finding.kind]}{state}" + (f"\n{fields}" if fields else ""),
            f"{entry.found_at:%Y-%m-%d %H:%M} UTC\nby {entry.found_by}",
            end_section=True,
        )
    console().print(table)


def _finding(found: drift_table.Finding) -> dict[str, Any]:
    return {
        "realm_id": found.company.realm_id,
        "organization_id": found.company.organization_id,
        "entity": found.entity,
        "quickbooks_id": found.quickbooks_id,
        "record_id": found.bill_id,
        "name": found.name,
        "kind": str(found.kind),
        "fields": [one.field for one in found.differences],
    }


def _summary(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        **_finding(entry.finding),
        "status": str(entry.status),
        "found_at": entry.found_at,
    }
