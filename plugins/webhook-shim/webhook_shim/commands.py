"""Which process does a job, and how its end is to be read. Pure.

Secrets travel in the environment, never in arguments, which every user of a machine can read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from target_quickbooks.exact_json import to_json
from target_quickbooks.redaction import redact_text

from webhook_shim.companies import TAP, TARGET, Books
from webhook_shim.store.jobs_table import SYNCING, Job, Kind, Status

TRIGGER = "TARGET_QUICKBOOKS_TRIGGER"
#: A run that refused some records has done its work: all others are written, and STATE is kept.
_TOLERANT = {"TARGET_QUICKBOOKS_FAIL_ON_FAILED_RECORDS": "false"}
_PREFIX = "TARGET_QUICKBOOKS_"
_OWN_PREFIXES = ("WEBHOOK_SHIM_", "MELTANO_UTILI")
_BLOCKS = {
    Kind.SYNC: ("sync-vendors-and-bills",),
    Kind.DAILY: ("sync-vendors-and-bills", "sync-payments-and-recurring"),
    Kind.PLAN: ("tap-bill", "target-quickbooks-plan"),
    Kind.RECONCILE: ("reconcile",),
}
#: Where those that only read write what they found.
_REPORTS = {
    Kind.PLAN: "TARGET_QUICKBOOKS_PLAN_REPORT_PATH",
    Kind.RECONCILE: "TARGET_QUICKBOOKS_RECONCILE_REPORT_PATH",
}
_SPEAKERS = (f"{TARGET}: ", f"{TAP}: ", "quickbooks-admin: ")
_RUNNERS = frozenset({"meltano", "webhook-shim"})
_DETAIL_LENGTH = 500
_TRIGGER_REASON_LENGTH = 14

#: What Meltano and the target say when another run is in the way.
_IN_THE_WAY = re.compile(
    r"Another '[^']+' pipeline is already running"
    r"|(?:is writing|has begun to write) to company \(realm\)"
)
_LINE = re.compile(r"\[(?P<level>\w+)\s*\]\s+(?P<plugin>\S+)\s+(?P<text>\S.*)")
#: As tap and target write without Meltano.
_PLAIN_LINE = re.compile(r"\| (?:ERROR|CRITICAL) *\| \S+ +\| (?P<text>\S.*)")
_COMMON_ENDS = ("Block run completed", "Traceback")
_COMPLETED = "Run completed"


class Stop(Enum):
    """Why a run was told to stop."""

    LIMIT = "limit"
    SHUTDOWN = "shutdown"
    OVERTAKEN = "overtaken"


@dataclass(frozen=True, slots=True)
class Command:
    """A process to start.

    Attributes:
        variables: Its environment beyond what it inherits; may hold secrets.
        reports: Whether its standard output is a report of its own instead of a part of the log.
    """

    arguments: tuple[str, ...]
    variables: Mapping[str, str] = field(repr=False)
    reports: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a process ended.

    Attributes:
        status: WAITING if another run was in the way, so that it is to be tried again.
    """

    status: Status
    detail: str = ""


def meltano(
    job: Job, books: Books, *, executable: str, environment: str, suffix: str, report: str
) -> Command:
    """The ``meltano run`` of a job.

    Args:
        job: The job.
        books: Whose.
        executable: Meltano.
        environment: Meltano's; its default one if empty.
        suffix: Of the state id, to keep several companies apart; none if empty.
        report: Where a plan writes its report, or a reconciliation its reports.
    """
    arguments = [executable]
    if environment:
        arguments += ["--environment", environment]
    arguments += ["run", "--run-id", job.id]
    if suffix:
        arguments += ["--state-id-suffix", suffix]
    variable = _REPORTS.get(Kind(job.kind))
    reports = {variable: report} if variable else {}
    return Command(
        arguments=(*arguments, *_BLOCKS[Kind(job.kind)]),
        variables={**books.variables, **_TOLERANT, **reports, TRIGGER: trigger(job)},
    )


def direct(job: Job, books: Books, *, python: str, report: str) -> Command:
    """The run of a job without Meltano (see ``direct``).

    Args:
        job: The job.
        books: Whose.
        python: The interpreter.
        report: Where a plan writes its report, or a reconciliation its reports.
    """
    pipelines = ("plan",) if job.kind == Kind.PLAN else _BLOCKS[Kind(job.kind)]
    own = {} if job.kind in SYNCING else {"TARGET_QUICKBOOKS_REPORT_PATH": report}
    return Command(
        arguments=(python, "-m", "webhook_shim.direct", *pipelines),
        variables={**books.variables, **_TOLERANT, **own, TRIGGER: trigger(job)},
    )


def replay(job: Job, books: Books, *, executable: str) -> Command:
    """The ``quickbooks-admin failures replay`` of a job, with the company's own settings."""
    numbers = [str(int(number)) for number in job.arguments]
    config = {
        _PREFIX + name.upper(): value if isinstance(value, str) else to_json(value)
        for name, value in books.target_config.items()
        if value is not None
    }
    return Command(
        arguments=(executable, "failures", "replay", "--json", "--", *numbers),
        variables={**config, TRIGGER: trigger(job)},
        reports=True,
    )


def environment(inherited: Mapping[str, str], command: Command) -> dict[str, str]:
    """The environment of a process: what the shim inherited, without what is the shim's own."""
    kept = {name: value for name, value in inherited.items() if not name.startswith(_OWN_PREFIXES)}
    if command.reports:  # it has settings of its own, whole
        kept = {name: value for name, value in kept.items() if not name.startswith(_PREFIX)}
    return {**kept, **command.variables}


def trigger(job: Job) -> str:
    """What the audit trail says set the run off; the target's own runs are found by it."""
    return f"webhook-shim {job.reason[:_TRIGGER_REASON_LENGTH]} {job.id}"


def judge(
    kind: str,
    exit_code: int | None,
    log: str,
    *,
    report: str,
    stop: Stop | None,
    outcome: str | None = None,
) -> Verdict:
    """How a process ended.

    Args:
        kind: The job's.
        exit_code: None if nobody was there to hear it.
        log: The end of its log.
        report: What it reported, if it reports.
        stop: Why it was told to stop, if it was.
        outcome: What a reconciliation found, if it came to that: differences are no failure, whatever exit
            code Meltano makes of them.
    """
    if kind == Kind.RECONCILE:
        return Verdict(Status.SUCCEEDED, outcome) if outcome else _unfinished(exit_code, log, stop)
    if exit_code == 0 or (exit_code is None and _ended_well(log)):
        return Verdict(Status.SUCCEEDED)
    if kind == Kind.REPLAY and (results := _results(report)) is not None:
        still = sum(bool(result.get("failed")) for result in results)
        return Verdict(Status.SUCCEEDED, f"{still} of {len(results)} still fail." if still else "")
    return _unfinished(exit_code, log, stop)


def _unfinished(exit_code: int | None, log: str, stop: Stop | None) -> Verdict:
    if stop is Stop.SHUTDOWN:
        return Verdict(Status.STOPPED, "Stopped with the server; what it wrote is recorded.")
    if stop is Stop.OVERTAKEN:
        return Verdict(Status.LOST, "Stopped because the server had lost the right to work for the company.")
    if stop is Stop.LIMIT:
        return Verdict(Status.FAILED, "Stopped because it took too long (run_minutes); it goes on next time.")
    if exit_code is None:
        return Verdict(Status.LOST, "The server ended before it did, and it left no sign of having finished.")
    if exit_code == 0:
        return Verdict(Status.FAILED, "It ended without a result; its log says more.")
    return _failed(exit_code, log)


def added_up(counts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The counts of several runs of the target as those of one."""
    total: dict[str, Any] = {}
    for part in counts:
        for name, value in part.items():
            if isinstance(value, Mapping):
                total[name] = added_up([total.get(name, {}), value])
            elif isinstance(value, int):
                total[name] = total.get(name, 0) + value
    return total


def _failed(exit_code: int, log: str) -> Verdict:
    if found := _IN_THE_WAY.search(log):
        line = log[log.rfind("\n", 0, found.start()) + 1 :].partition("\n")[0]
        return Verdict(Status.WAITING, _said(line) or "Another run is in the way.")
    return Verdict(Status.FAILED, _reason(log) or f"It ended with exit code {exit_code}; its log says more.")


def _results(report: str) -> list[dict[str, Any]] | None:
    """What a replay says became of each failure; None if it did not get that far."""
    try:
        found = json.loads(report)
    except ValueError:
        return None
    return found if isinstance(found, list) else None


def _ended_well(log: str) -> bool:
    """Whether the log of a run goes to its good end: only a bad one has errors of the runner's."""
    lines = [found for line in log.splitlines() if (found := _LINE.search(line))]
    of_runner = [line for line in lines if line["plugin"] in _RUNNERS]
    return (
        bool(of_runner)
        and of_runner[-1]["text"].startswith(_COMPLETED)
        and not any(line["level"] in {"error", "critical"} for line in of_runner)
    )


def _reason(log: str) -> str:
    """The line that a person should read first: what tap or target gave as the reason, else Meltano."""
    ours: list[str] = []
    others: list[str] = []
    for line in log.splitlines():
        found = _LINE.search(line)
        text = found["text"] if found else line
        if said := _PLAIN_LINE.search(line):
            ours.append(said["text"])
        elif text.startswith(_SPEAKERS):
            ours.append(text)
        elif found and found["level"] in {"error", "critical"} and not text.startswith(_COMMON_ENDS):
            (others if found["plugin"] == "meltano" else ours).append(text)
    return _plain((ours or others or [""])[0])


def _said(line: str) -> str:
    found = _LINE.search(line)
    return _plain(found["text"] if found else line)


def _plain(text: str) -> str:
    for speaker in _SPEAKERS:
        text = text.removeprefix(speaker)
    return redact_text(" ".join(text.split()))[:_DETAIL_LENGTH]
