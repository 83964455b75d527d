"""What Dagster is told of each outcome, and what becomes of a run that is interrupted; tells it as JSON."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
from bill_quickbooks_dagster import COMPANY_TAG, BooksRunner, make_definitions
from bill_quickbooks_dagster.books import KEPT, RESOURCE, told
from bill_quickbooks_dagster.companies import whose_turn
from bill_quickbooks_dagster.runner import Result, RunnerError


def verdict(outcome: str) -> dict[str, Any]:
    """The events of a reconciliation with this outcome, and how it fails."""
    result = Result(outcome, 1, 2, 3 if outcome == "refused" else 0, 4.5, "Detail.", "job", "/log", "/report")
    found: dict[str, Any] = {"materialized": False, "check": None, "retried": None}
    try:
        for event in told(KEPT[2], result):
            if isinstance(event, dg.AssetCheckResult):
                found["check"] = [event.passed, event.severity.value]
            else:
                found["materialized"] = True
    except dg.Failure as failure:
        found["retried"] = failure.allow_retries
    return found


def interrupted(directory: Path) -> dict[str, bool]:
    """Interrupt a run, as Dagster does, once its command is at work."""
    script = directory / "slow"
    script.write_text(
        f"#!/bin/sh\ntrap 'touch {directory}/stopped; exit 143' TERM\necho begun >&2\n"
        "while :; do sleep 0.05; done\n"
    )
    script.chmod(0o755)
    runner = BooksRunner(command=[str(script)], project_root=str(directory), grace_seconds=30)
    main = threading.main_thread().ident
    assert main is not None

    def tell(line: str) -> None:
        if line == "begun":
            signal.pthread_kill(main, signal.SIGINT)

    try:
        runner.run("sync", "a", tell=tell)
    except KeyboardInterrupt:
        return {"interrupted": True, "stopped": (directory / "stopped").exists()}
    return {"interrupted": False, "stopped": False}


def broken(directory: Path) -> list[str]:
    """What is said of commands that come to no result."""
    said = []
    for name, text in (("mute", "exit 3"), ("wordy", "echo 'The settings are wrong.' >&2; exit 1")):
        script = directory / name
        script.write_text(f"#!/bin/sh\n{text}\n")
        script.chmod(0o755)
        said.append(_error(BooksRunner(command=[str(script)], project_root=str(directory))))
    said.append(_error(BooksRunner(command=["/nowhere/webhook-shim"], project_root=str(directory))))
    return said


def _error(runner: BooksRunner) -> str:
    try:
        runner.run("sync", "a", tell=lambda _: None)
    except RunnerError as error:
        return str(error)
    return ""


def requests(companies: list[str]) -> dict[str, Any]:
    """What the schedules ask for."""
    repository = make_definitions(companies, sync_minutes=5).get_repository_def()
    turns = [whose_turn(companies, minute=minute, every=5) for minute in range(10)]
    instance = dg.DagsterInstance.ephemeral()
    found = {}
    for schedule in repository.schedule_defs:
        context = dg.build_schedule_context(
            instance=instance,
            repository_def=repository,
            scheduled_execution_time=datetime(2026, 3, 2, 5, 30, tzinfo=UTC),
        )
        asked = schedule.evaluate_tick(context).run_requests or []
        found[schedule.name] = [one.partition_key for one in asked]
    return {"turns": turns, "schedules": found}


def limits(directory: Path) -> Any:
    """What the instance limits that the package's own dagster.yaml describes."""
    home = directory / "home"
    home.mkdir()
    shutil.copy(Path(__file__).parents[2] / "plugins" / "dagster" / "dagster.yaml", home)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        queue = instance.get_concurrency_config().run_queue_config
        assert queue is not None
        return [type(instance.run_coordinator).__name__, list(queue.tag_concurrency_limits)]


def asked(directory: Path) -> list[str | None]:
    """For whom the sensor asks, with events of two companies and a run of one that has not begun."""
    waiting = [{"company": name, "events": 1, "last_event": 7} for name in ("a", "b")]
    script = directory / "waiting"
    script.write_text(f"#!/bin/sh\necho '{json.dumps({'companies': waiting})}'\n")
    script.chmod(0o755)
    runner = BooksRunner(command=[str(script)], project_root=str(directory))
    repository = make_definitions(["a", "b"], runner=runner).get_repository_def()
    with dg.DagsterInstance.ephemeral() as instance:
        job = repository.get_job("bill_quickbooks_sync")
        run = instance.create_run_for_job(
            job, status=dg.DagsterRunStatus.NOT_STARTED, tags={COMPANY_TAG: "a"}, asset_selection=None
        )
        context = dg.build_sensor_context(
            instance=instance, repository_def=repository, resources={RESOURCE: runner}
        )
        inbox = repository.get_sensor_def("bill_quickbooks_inbox")
        while_queued = [one.partition_key for one in inbox.evaluate_tick(context).run_requests or ()]
        instance.delete_run(run.run_id)
        then = [one.partition_key for one in inbox.evaluate_tick(context).run_requests or ()]
    return [*while_queued, None, *then]


if __name__ == "__main__":
    place = Path(sys.argv[1])
    outcomes = ("done", "refused", "differences", "failed", "busy", "stopped")
    json.dump(
        {
            "verdicts": {outcome: verdict(outcome) for outcome in outcomes},
            "interrupted": interrupted(place),
            "broken": broken(place),
            "asked": asked(place),
            "limits": limits(place),
            "requests": requests([f"c{number}" for number in range(12)]),
        },
        sys.stdout,
    )
