"""``webhook-shim run`` and ``waiting``: for schedulers, and for people."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click
from starlette.concurrency import run_in_threadpool
from target_quickbooks.admin.output import print_json, print_table
from target_quickbooks.quickbooks.oauth import utc_now

from webhook_shim import companies
from webhook_shim import settings as shim_settings
from webhook_shim.companies import Books
from webhook_shim.events import System
from webhook_shim.jobs import Workshop
from webhook_shim.rounds import Result, Round, exit_code
from webhook_shim.serve_command import log_to_stderr
from webhook_shim.settings import Settings
from webhook_shim.store import inbox_table
from webhook_shim.store.jobs_table import Kind
from webhook_shim.store.opening import open_for

_JOBS = tuple(str(kind) for kind in Kind if kind is not Kind.REPLAY)
_MOST_AT_ONCE = 64

logger = logging.getLogger("webhook-shim")


@click.command()
@click.argument("job", type=click.Choice(_JOBS))
@click.option("--company", "names", metavar="NAME", multiple=True, help="Only this company; may be repeated.")
@click.option(
    "--parallel",
    type=click.IntRange(1, _MOST_AT_ONCE),
    help="So many companies at the same time, in place of max_runs of the settings.",
)
@click.option(
    "--reason", metavar="WORD", default="command", show_default=True, help="For the history: who asks."
)
@click.option("--json", "as_json", is_flag=True, help="The table as JSON, for programs.")
def run(*, job: str, names: tuple[str, ...], parallel: int | None, reason: str, as_json: bool) -> None:
    """Run a job for every company, a few at a time, and tell at the end what became of each.

    sync is vendors and bills, daily is payments and recurring bills too; plan says what a sync would write,
    reconcile compares both books. For each company there is one run at a time, whoever begins it: where a
    server or another command is at work, this one waits for its end. A company that fails leaves the others
    alone.

    Exit code: 0 all is well, 1 a company failed or records were refused (unless fail_on_failed_records is
    false), 2 nothing failed but books differ. SIGTERM lets each run finish its batch and record it.

    \b
    Examples:
      webhook-shim run sync
      webhook-shim run daily --parallel 4
      webhook-shim run plan --company north --company south
      meltano invoke webhook-shim:run sync
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    log_to_stderr()
    settings = shim_settings.read()
    found = companies.read(settings)
    chosen = companies.choose(found, names)
    results, signals = asyncio.run(
        _run(settings, found, chosen, Kind(job), reason, parallel or settings.max_runs)
    )
    code = 128 + signals[0] if signals else exit_code(results)
    if as_json:
        print_json({"job": job, "exit_code": code, "companies": [asdict(result) for result in results]})
    else:
        print_table(f"{job}: {_count(len(results))}", [_row(result) for result in results])
    sys.exit(code)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def waiting(*, as_json: bool) -> None:
    """Show which companies have events of BILL that no run has covered: for schedulers to run those first.

    \b
    Examples:
      webhook-shim waiting
      webhook-shim waiting --json
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    found = companies.read(shim_settings.read())
    store = open_for(found)
    try:
        with store.reading() as connection:
            inboxes = [
                (books.name, inbox_table.waiting(connection, System.BILL, books.organization_id))
                for books in found
            ]
    finally:
        store.close()
    rows = [
        {
            "company": name,
            "events": inbox.number,
            "since": inbox.first_received_at.isoformat(timespec="seconds"),
            "last_event": inbox.last_id,
        }
        for name, inbox in inboxes
        if inbox
    ]
    if as_json:
        print_json({"companies": rows})
    else:
        print_table("Events that no run has covered", rows)


async def _run(
    settings: Settings,
    found: tuple[Books, ...],
    chosen: Sequence[Books],
    kind: Kind,
    reason: str,
    parallel: int,
) -> tuple[list[Result], list[int]]:
    """The results, and the signals that came meanwhile."""
    store = await run_in_threadpool(open_for, found)
    try:
        # Several in the list, several in Meltano's state ids: also where only one of them is run.
        workshop = Workshop(settings, store, several=len(found) > 1, now=utc_now)
        signals: list[int] = []

        def stop(number: int) -> None:
            logger.info("Stopping: each run finishes its batch and records it.")
            signals.append(number)
            workshop.hurry.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop, number)
        ended: list[Result] = []

        def tell(result: Result) -> None:
            ended.append(result)
            said = f" {result.detail}" if result.detail else ""
            logger.info(
                "%d of %d: %s is %s after %.0f s.%s",
                len(ended),
                len(chosen),
                result.company,
                result.outcome,
                result.seconds,
                said,
            )

        the_round = Round(
            store,
            workshop,
            kind=kind,
            reason=reason,
            parallel=parallel,
            patience=settings.run_limit,
            tell=tell,
            now=utc_now,
        )
        return await the_round.run(chosen), signals
    finally:
        store.close()


def _row(result: Result) -> dict[str, Any]:
    return {
        "company": result.company,
        "outcome": result.outcome,
        "created": result.created,
        "updated": result.updated,
        "refused": result.refused,
        "took": str(dt.timedelta(seconds=round(result.seconds))),
        "detail": result.detail,
    }


def _count(number: int) -> str:
    return "1 company" if number == 1 else f"{number} companies"
