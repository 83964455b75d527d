"""``quickbooks-admin audit``: the history of every change, to look at, to hand over, to verify."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TextIO, TypeVar

import click

from target_quickbooks.admin.arguments import time
from target_quickbooks.admin.environment import opened_store
from target_quickbooks.admin.output import console, csv_line, plain, print_json, wide_table
from target_quickbooks.errors import SettingsError
from target_quickbooks.exact_json import to_json
from target_quickbooks.store import audit_table
from target_quickbooks.store.audit_table import Selection
from target_quickbooks.store.tables import audit as audit_columns

_SHOWN = 50
_EMPTY = "The audit trail is empty."
_COLUMNS = tuple(column.name for column in audit_columns.columns)
_F = TypeVar("_F", bound=Callable[..., Any])


def _selecting(command: _F) -> _F:
    """The options that choose rows, the same for list and export."""
    options = (
        click.option("--realm", help="Of this company (realm)."),
        click.option("--organization", help="Of this BILL organization."),
        click.option("--record", help="Of the record with this BILL id."),
        click.option("--stream", help="Of this stream, e.g. bills."),
        click.option("--run", help="Of this run; the first characters of its id are enough."),
        click.option("--outcome", help="With this outcome: applied, refused, blocked, dismissed."),
        click.option("--since", type=time, help="At this time (UTC) or later: 2026-12-15, 3d or 12h ago."),
        click.option("--until", type=time, help="Before this time (UTC)."),
        click.option("--limit", type=click.IntRange(min=1), help="Only so many, the latest."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group()
def audit() -> None:
    """The history of every change.

    \b
    Examples:
      quickbooks-admin audit list --record 00n02BILL00000ABC123
      quickbooks-admin audit show 12
      quickbooks-admin audit export --since 2026-12-01 --format csv --output december.csv
      quickbooks-admin audit verify
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped


@audit.command("list")
@_selecting
@click.option("--format", "form", type=click.Choice(["table", "json", "csv"]), default="table")
def list_audit(*, form: str, limit: int | None, **chosen: Any) -> None:
    """List what was written, refused, blocked or dismissed; the latest 50 unless told otherwise.

    \b
    Examples:
      quickbooks-admin audit list
      quickbooks-admin audit list --outcome refused --since 3d
      quickbooks-admin audit list --run 4f1c --format json
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    selection = _selection(chosen, limit=limit or _SHOWN)
    with opened_store() as store, store.reading() as database:
        if form != "table":
            _write(audit_table.rows(database, selection), form, sys.stdout)
            return
        found = list(audit_table.rows(database, selection))
    if not found:
        click.echo("No rows of that kind." if selection != Selection(limit=_SHOWN) else _EMPTY)
        return
    table = wide_table(("row", 2), ("when, and by what", 6), ("record", 6), ("what", 9))
    for row in found:
        table.add_row(
            f"{row['sequence']}",
            f"{row['at']:%Y-%m-%d %H:%M:%S}\n{row['trigger']}\nrun {row['run_id'][:8]}",
            f"{row['stream']} {row['bill_id']}\nrealm {row['realm_id']}",
            _told(row),
            end_section=True,
        )
    console().print(table)
    if limit is None and len(found) == _SHOWN:
        click.echo(f"The latest {_SHOWN} rows; for more: --limit, or quickbooks-admin audit export")


@audit.command("show")
@click.argument("row", type=int)
@click.option("--realm", default="", help="Of this company (realm), where the store has several.")
def show_audit(row: int, *, realm: str) -> None:
    """Show one row whole, with the fields before and after.

    \b
    Example:
      quickbooks-admin audit show 12
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    with opened_store() as store, store.reading() as database:
        found = audit_table.by_sequence(database, row, realm_id=realm)
    if not found:
        raise SettingsError(f"There is no audit row {row}. See: quickbooks-admin audit list")
    if len(found) > 1:
        names = ", ".join(row["realm_id"] for row in found)
        raise SettingsError(f"Several companies have a row {row}: say which with --realm ({names}).")
    print_json(_document(found[0]))


@audit.command("export")
@_selecting
@click.option("--format", "form", type=click.Choice(["json", "csv"]), default="json")
@click.option(
    "--output", type=click.Path(dir_okay=False, writable=True), help="A file; else standard output."
)
def export_audit(*, form: str, output: str | None, limit: int | None, **chosen: Any) -> None:
    """Write the history, oldest first, with all columns and hashes; all of it unless told otherwise.

    In CSV, texts that a spreadsheet would take for a formula begin with an apostrophe.

    \b
    Examples:
      quickbooks-admin audit export > history.json
      quickbooks-admin audit export --since 2026-12-01 --format csv --output december.csv
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    selection = _selection(chosen, limit=limit)
    with opened_store() as store, store.reading() as database:
        rows = audit_table.rows(database, selection)
        if output is None:
            _write(rows, form, sys.stdout)
            return
        try:
            with open(output, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123
                count = _write(rows, form, file)
        except OSError as error:
            raise SettingsError(f"The file {output} cannot be written: {error.strerror}.") from None
    click.echo(f"{count} rows written to {output}")


@audit.command("verify")
@click.option("--realm", help="Only of this company (realm).")
def verify_audit(*, realm: str | None) -> None:
    """Check that no audit row was changed, removed or slipped in. Exit code 1 if one was.

    Rows that were cut off at the end are missed too. Only a whole database that was put back to an earlier
    day looks untouched: compare the number and the last hash with those of an earlier check.

    \b
    Example:
      quickbooks-admin audit verify
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    broken = False
    with opened_store() as store, store.reading() as database:
        realms = [realm] if realm else audit_table.realms(database)
        for realm_id in realms:
            sequence = audit_table.first_break(database, store.fingerprint_key, realm_id)
            if sequence is None:
                rows, last = audit_table.count(database, realm_id), audit_table.last_hash(database, realm_id)
                click.echo(f"realm {realm_id}: {rows} rows, the chain holds (last hash {last[:16]})")
            else:
                broken = True
                click.echo(f"realm {realm_id}: the chain breaks at row {sequence}", err=True)
    if not realms:
        click.echo(_EMPTY)
    sys.exit(1 if broken else 0)


def _selection(chosen: Mapping[str, Any], *, limit: int | None) -> Selection:
    return Selection(
        realm_id=chosen["realm"] or "",
        organization_id=chosen["organization"] or "",
        bill_id=chosen["record"] or "",
        stream=chosen["stream"] or "",
        run=chosen["run"] or "",
        outcome=chosen["outcome"] or "",
        since=chosen["since"],
        until=chosen["until"],
        limit=limit,
    )


def _write(rows: Iterable[Mapping[str, Any]], form: str, file: TextIO) -> int:
    """Write rows as they come; return how many."""
    count = 0
    for count, text in enumerate(_json_lines(rows) if form == "json" else _csv_lines(rows)):  # noqa: B007
        file.write(text)
    return count


def _json_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A JSON array, one row a line."""
    start = "[\n"
    for row in rows:
        yield start + to_json(_document(row))
        start = ",\n"
    yield "\n]\n" if start == ",\n" else "[]\n"


def _csv_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    yield csv_line(_COLUMNS)
    for row in rows:
        yield csv_line(row[name] for name in _COLUMNS)


def _document(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain(row[name]) for name in _COLUMNS}


def _told(row: Mapping[str, Any]) -> str:
    """What happened, in a few lines."""
    what = " ".join(filter(None, (row["operation"], row["entity"], row["quickbooks_id"])))
    changed = ", ".join(sorted(row["after"] or {})) if row["before"] else ""
    lines = (f"{what}: {row['outcome']}", row["detail"], f"changed: {changed}" if changed else "")
    return "\n".join(filter(None, lines))
