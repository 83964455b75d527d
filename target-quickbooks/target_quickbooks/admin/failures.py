"""``quickbooks-admin failures``: what could not be written; to look at, to try again, to let go."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import click

from target_quickbooks.admin.arguments import age
from target_quickbooks.admin.environment import opened_store, read_settings, trigger
from target_quickbooks.admin.output import console, print_json, wide_table
from target_quickbooks.errors import SettingsError
from target_quickbooks.quickbooks.oauth import utc_now
from target_quickbooks.redaction import redact, redact_text
from target_quickbooks.replay import Replayed, replay
from target_quickbooks.store import audit_table, failure_table, locks
from target_quickbooks.store.database import Store
from target_quickbooks.store.failure_table import UNSETTLED, Failure, Selection, Status

_REASON_LENGTH = 500
_F = TypeVar("_F", bound=Callable[..., Any])


def _selecting(command: _F) -> _F:
    """The options that choose failures, the same for every command."""
    options = (
        click.argument("ids", nargs=-1, type=int),
        click.option("--code", multiple=True, help="Of this error code, e.g. account-unknown or 6240."),
        click.option("--run", help="Last seen in this run; the first characters of its id are enough."),
        click.option("--stream", help="Of this stream, e.g. bills."),
        click.option("--older-than", type=age, help="First seen longer ago than, e.g. 3d or 12h."),
        click.option("--newer-than", type=age, help="First seen less long ago than, e.g. 3d or 12h."),
        click.option("--realm", help="Of this company (realm)."),
        click.option("--status", type=click.Choice([str(status) for status in Status]), multiple=True),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group()
def failures() -> None:
    """Records that could not be written.

    \b
    Examples:
      quickbooks-admin failures list --stream bills --newer-than 12h
      quickbooks-admin failures show 12
      quickbooks-admin failures replay --code account-unknown
      quickbooks-admin failures dismiss 12 --reason "entered by hand"
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped


@failures.command("list")
@_selecting
@click.option("--all", "everything", is_flag=True, help="Resolved and dismissed ones too.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_failures(*, everything: bool, as_json: bool, **chosen: Any) -> None:
    """List failures with the reason and what to do: open and waiting ones unless told otherwise.

    \b
    Examples:
      quickbooks-admin failures list
      quickbooks-admin failures list --code 6240 --older-than 3d
      quickbooks-admin failures list --status dismissed --json
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    selection = _selection(chosen)
    if everything or (chosen["ids"] and not chosen["status"]):
        selection = replace(selection, statuses=tuple(Status))
    with opened_store() as store:
        found = _find(store, selection)
    if as_json:
        print_json([_summary(failure) for failure in found])
    elif found:
        _print_failures(found)
    elif selection == Selection():
        click.echo("No failures: every record that arrived is in QuickBooks.")
    else:
        click.echo("No failures of that kind. See all: quickbooks-admin failures list --all")


@failures.command("show")
@click.argument("failure_id", type=int)
def show_failure(failure_id: int) -> None:
    """Show one failure whole: faults, BILL record and mapped payload (tax ids to the last four).

    \b
    Example:
      quickbooks-admin failures show 12
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    with opened_store() as store, store.reading() as database:
        failure = failure_table.by_number(database, store.cipher, failure_id)
    if failure is None:
        raise _unknown([failure_id])
    awaited = failure.awaited
    print_json(
        {
            **_summary(failure),
            "run_id": failure.run_id,
            "attempts": failure.attempts,
            "waits_for": f"{awaited.stream} {awaited.bill_id}" if awaited else None,
            "faults": list(failure.faults),
            "record": redact(failure.record),
            "payload": redact(failure.payload),
        }
    )


@failures.command("replay")
@_selecting
@click.option("--all", "everything", is_flag=True, help="Every failure that is open or waiting.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def replay_failures(*, everything: bool, as_json: bool, **chosen: Any) -> None:
    """Try failures again: the same way that a run takes them, with the latest record BILL has sent.

    Bills that wait for one of the vendors are tried with it. Tells what became of each. Exit code 1 if some
    still fail.

    \b
    Examples:
      quickbooks-admin failures replay 12 15
      quickbooks-admin failures replay --code account-unknown
      quickbooks-admin failures replay --run 4f1c --stream bills
      quickbooks-admin failures replay --all
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    _require_choice(chosen, everything=everything)
    settings = read_settings()
    selection = _selection(chosen)
    if chosen["ids"] and not chosen["status"]:
        selection = replace(selection, statuses=tuple(Status))
    elif not selection.realm_id:
        selection = replace(selection, realm_id=settings.realm_id)
    with opened_store() as store:
        found = _find(store, selection)
    results = replay(settings, found, trigger=trigger("replay"))
    if as_json:
        print_json([_result(result) for result in results])
    else:
        _print_results(results)
    sys.exit(1 if any(result.failed for result in results) else 0)


@failures.command("dismiss")
@_selecting
@click.option("--all", "everything", is_flag=True, help="Every failure that is open or waiting.")
@click.option("--reason", required=True, help="Why; it is kept in the audit trail.")
def dismiss_failures(*, everything: bool, reason: str, **chosen: Any) -> None:
    """Let failures go: they are no longer tried again. Kept in the audit trail with the reason.

    A dismissed record is tried again once it has changed in BILL, or with failures replay.

    \b
    Examples:
      quickbooks-admin failures dismiss 12 --reason "entered by hand"
      quickbooks-admin failures dismiss --older-than 90d --reason "before the cut-over"
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    _require_choice(chosen, everything=everything)
    told = " ".join(redact_text(reason).split())[:_REASON_LENGTH]
    if not told:
        raise SettingsError("--reason is empty: say why, it is kept in the audit trail.")
    selection = _selection(chosen)
    if set(selection.statuses) - set(UNSETTLED):
        raise SettingsError("Only open and waiting failures can be dismissed: leave out the other --status.")
    now = utc_now()
    with opened_store() as store:
        with store.reading() as database:
            chosen_now = failure_table.select_failures(database, store.cipher, selection)
            realms = {failure.company.realm_id for failure in chosen_now if failure.company}
        with store.writing(*map(locks.company, realms)) as database:
            found = failure_table.select_failures(database, store.cipher, selection)
            failure_table.dismiss(database, [failure.id for failure in found if failure.id], now=now)
            audit_table.append(
                database,
                store.fingerprint_key,
                [_dismissal(failure, told) for failure in found],
                run_id=str(uuid.uuid4()),
                trigger=trigger("dismiss"),
                now=now,
            )
        missing = set(chosen["ids"]) - {failure.id for failure in found}
    for failure in found:
        click.echo(f"{failure.id}: dismissed {failure.stream} {failure.bill_id} ({failure.label})")
    if missing:
        numbers = ", ".join(str(number) for number in sorted(missing))
        raise SettingsError(f"Neither open nor waiting: {numbers}. See: quickbooks-admin failures list --all")
    if not found:
        click.echo("No failures of that kind.")


def _selection(chosen: dict[str, Any]) -> Selection:
    moment = utc_now()
    older = moment - chosen["older_than"] if chosen["older_than"] is not None else None
    newer = moment - chosen["newer_than"] if chosen["newer_than"] is not None else None
    return Selection(
        ids=tuple(chosen["ids"]),
        statuses=tuple(Status(status) for status in chosen["status"]) or UNSETTLED,
        codes=tuple(chosen["code"]),
        run=chosen["run"] or "",
        stream=chosen["stream"] or "",
        realm_id=chosen["realm"] or "",
        first_before=older,
        first_after=newer,
    )


def _require_choice(chosen: dict[str, Any], *, everything: bool) -> None:
    if not everything and not any(chosen.values()):
        raise SettingsError("Say which failures: by number, by an option such as --code, or --all.")


def _find(store: Store, selection: Selection) -> list[Failure]:
    """The chosen failures.

    Raises:
        SettingsError: One was named by a number that does not exist.
    """
    with store.reading() as database:
        found = failure_table.select_failures(database, store.cipher, selection)
        missing = [
            number
            for number in sorted(set(selection.ids) - {failure.id for failure in found})
            if failure_table.by_number(database, store.cipher, number) is None
        ]
    if missing:
        raise _unknown(missing)
    return found


def _unknown(numbers: Sequence[int]) -> SettingsError:
    named = ", ".join(str(number) for number in numbers)
    return SettingsError(f"There is no failure {named}. See: quickbooks-admin failures list --all")


def _dismissal(failure: Failure, reason: str) -> audit_table.Entry:
    assert failure.company is not None  # noqa: S101 - what comes from the store has a company
    return audit_table.Entry(
        company=failure.company,
        stream=failure.stream,
        bill_id=failure.bill_id,
        version=failure.version,
        entity="",
        quickbooks_id="",
        operation="dismiss",
        outcome="dismissed",
        before={"status": str(failure.status), "code": failure.code},
        after={"status": str(Status.DISMISSED)},
        detail=reason,
    )


def _print_failures(found: Sequence[Failure]) -> None:
    table = wide_table(("id", 1), ("record", 6), ("reason, and what to do", 12))
    for failure in found:
        state = "" if failure.status is Status.OPEN else f" ({failure.status})"
        table.add_row(
            str(failure.id),
            f"{failure.label}\n{failure.stream} {failure.bill_id}{state}\n{failure.code}",
            f"{failure.reason}\n{failure.advice}",
            end_section=True,
        )
    console().print(table)


def _print_results(results: Sequence[Replayed]) -> None:
    for result in results:
        failure = result.failure
        click.echo(f"{failure.id}: {failure.stream} {failure.bill_id} ({failure.label}): {result.told}")
    if not results:
        click.echo("No failures of that kind.")
        return
    failed = sum(result.failed for result in results)
    click.echo(f"{len(results) - failed} of {len(results)} are settled, {failed} still fail.")


def _result(result: Replayed) -> dict[str, Any]:
    return {
        "id": result.failure.id,
        "stream": result.failure.stream,
        "record_id": result.failure.bill_id,
        "failed": result.failed,
        "told": result.told,
    }


def _summary(failure: Failure) -> dict[str, Any]:
    return {
        "id": failure.id,
        "realm_id": failure.company.realm_id if failure.company else "",
        "organization_id": failure.company.organization_id if failure.company else "",
        "stream": failure.stream,
        "record_id": failure.bill_id,
        "label": failure.label,
        "status": str(failure.status),
        "code": failure.code,
        "reason": failure.reason,
        "advice": failure.advice,
        "first_at": failure.first_at,
        "last_at": failure.last_at,
    }
