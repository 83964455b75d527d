"""How a run of the target begins and ends: its parts, its row in the store, its report.

Imported when the first record comes, or a connection is to be checked: it needs nearly everything else, and
`--version`, `--about` and a wrong setting should not wait for that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from target_quickbooks.assembly import Run, assemble
from target_quickbooks.page import Ending
from target_quickbooks.quickbooks.oauth import utc_now
from target_quickbooks.settings import from_config
from target_quickbooks.store import connection_table, run_table
from target_quickbooks.store.database import default_url
from target_quickbooks.telling import tell


def begin(
    config: Mapping[str, Any], *, sleep: Callable[[float], None], after_batch: Callable[[], None]
) -> Run:
    """Put a run together and note that it began.

    Args:
        config: The settings as they were given.
        sleep: Waits for some seconds.
        after_batch: Called after each batch whose outcomes are on disk.
    """
    run = assemble(from_config(config, default_store_url=default_url()), sleep=sleep, after_batch=after_batch)
    if run.plan:
        return run
    with run.store.writing() as connection:
        run_table.start(
            connection,
            run.id,
            realm_id=run.settings.realm_id,
            mode=str(run.settings.mode),
            trigger=run.trigger,
            now=utc_now(),
        )
    return run


def end(run: Run, *, exit_code: int, problem: str, say: Callable[[str], None]) -> None:
    """Tell and note how a run ended, and let go of what it holds.

    Args:
        run: The run.
        exit_code: Of the process.
        problem: Why the run could not go on, if so.
        say: Takes a line for people.
    """
    run.report.company_name = run.directory.company_name
    ending = Ending(
        run_id=run.id,
        realm_id=run.settings.realm_id,
        exit_code=exit_code,
        problem=problem,
        finished_at=utc_now(),
    )
    for line in tell(run, ending):
        say(line)
    if run.plan is None:
        summary = run.report.to_json(run.client.calls, run_id=run.id, exit_code=exit_code)
        counts = {"streams": summary["streams"], "calls": summary["calls"]}
        with run.store.writing() as connection:
            run_table.finish(connection, run.id, exit_code=exit_code, counts=counts, now=utc_now())
            if run.report.company_name:
                connection_table.name_company(connection, run.settings.realm_id, run.report.company_name)
    run.close()
