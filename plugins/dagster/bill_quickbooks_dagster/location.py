"""The code location: jobs, schedules and the sensor, for the companies of the list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

import dagster as dg

from bill_quickbooks_dagster.books import GROUP, KEPT, RESOURCE, make_asset
from bill_quickbooks_dagster.companies import whose_turn
from bill_quickbooks_dagster.runner import BooksRunner

#: On every run; dagster.yaml limits each of its values to one run at a time.
COMPANY_TAG = "bill-quickbooks/company"
_RETRIES = dg.RetryPolicy(
    max_retries=3, delay=60, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)
_MINUTE = 60


def make_definitions(
    companies: Sequence[str],
    *,
    runner: BooksRunner | None = None,
    retries: dg.RetryPolicy = _RETRIES,
    sync_minutes: int = 15,
    daily: str = "30 5 * * *",
    nightly: str = "45 2 * * *",
    sensor_seconds: int = 30,
) -> dg.Definitions:
    """Everything for these companies.

    Args:
        companies: Their names, which are the partitions.
        runner: What runs the jobs; by default `webhook-shim` as the environment has it.
        retries: Of a job that failed for a reason that may pass.
        sync_minutes: Vendors and bills of each company are read this often, events or not.
        daily: When payments and recurring bills are read (UTC).
        nightly: When both books are compared (UTC).
        sensor_seconds: How often the inbox is looked at.
    """
    partitions = dg.StaticPartitionsDefinition(list(companies))
    assets = {kept.job: make_asset(kept, partitions, retries) for kept in KEPT}
    jobs = {job: _job(job, asset, companies) for job, asset in assets.items()}
    return dg.Definitions(
        assets=list(assets.values()),
        jobs=list(jobs.values()),
        schedules=[
            _often(jobs["sync"], companies, sync_minutes),
            _at(jobs["daily"], companies, daily),
            _at(jobs["reconcile"], companies, nightly),
        ],
        sensors=[_inbox(jobs["sync"], frozenset(companies), sensor_seconds)],
        resources={RESOURCE: runner or BooksRunner()},
        executor=dg.in_process_executor,  # a run is one step, which is a process already
    )


def request(company: str, *, run_key: str | None) -> dg.RunRequest:
    """A run of a company."""
    return dg.RunRequest(run_key=run_key, partition_key=company, tags={COMPANY_TAG: company})


def _job(name: str, asset: dg.AssetsDefinition, companies: Sequence[str]) -> dg.UnresolvedAssetJobDefinition:
    """The job; its configuration puts the tag on what people launch by hand, too."""
    tagged = dg.static_partitioned_config(
        list(companies), tags_for_partition_key_fn=lambda company: {COMPANY_TAG: company}
    )(lambda _: {})
    return dg.define_asset_job(
        f"{GROUP}_{name}", selection=dg.AssetSelection.assets(asset), config=tagged, tags={GROUP: name}
    )


def _often(
    job: dg.UnresolvedAssetJobDefinition, companies: Sequence[str], minutes: int
) -> dg.ScheduleDefinition:
    @dg.schedule(
        job=job,
        name=f"{job.name}_every_{minutes}_minutes",
        cron_schedule="* * * * *",
        execution_timezone="UTC",
        description=f"Each company every {minutes} minutes, spread over them.",
    )
    def often(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        minute = int(context.scheduled_execution_time.timestamp()) // _MINUTE
        for company in whose_turn(companies, minute=minute, every=minutes):
            yield request(company, run_key=f"{company} {_moment(context)}")

    return often


def _at(job: dg.UnresolvedAssetJobDefinition, companies: Sequence[str], cron: str) -> dg.ScheduleDefinition:
    @dg.schedule(job=job, name=f"{job.name}_at", cron_schedule=cron, execution_timezone="UTC")
    def at(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        for company in companies:
            yield request(company, run_key=f"{company} {_moment(context)}")

    return at


def _inbox(
    job: dg.UnresolvedAssetJobDefinition, companies: frozenset[str], seconds: int
) -> dg.SensorDefinition:
    @dg.sensor(
        job=job,
        name=f"{GROUP}_inbox",
        minimum_interval_seconds=seconds,
        required_resource_keys={RESOURCE},
        description="A run for each company that has events in the inbox of the webhook shim.",
    )
    def inbox(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        runner: BooksRunner = getattr(context.resources, RESOURCE)
        waiting = [found for found in runner.waiting() if found.company in companies]
        queued = _queued(context.instance, job.name)
        for found in waiting:
            if found.company in queued:
                continue  # a run covers all events that were received before it begins
            # The same events ask for the same run, however often they are looked at.
            yield request(found.company, run_key=f"{found.company} event {found.last_event}")
        if not waiting:
            yield dg.SkipReason("No company has events.")

    return inbox


def _queued(instance: dg.DagsterInstance, job_name: str) -> set[str]:
    """The companies for which a run of this job waits to begin."""
    statuses = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED]
    runs = instance.get_runs(filters=dg.RunsFilter(job_name=job_name, statuses=statuses))
    return {run.tags[COMPANY_TAG] for run in runs if COMPANY_TAG in run.tags}


def _moment(context: dg.ScheduleEvaluationContext) -> str:
    return context.scheduled_execution_time.astimezone(dt.UTC).isoformat(timespec="minutes")
