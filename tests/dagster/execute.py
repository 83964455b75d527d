"""What a test has Dagster do, in Dagster's own environment: the sensor twice, then runs; tells it as JSON.

    python execute.py '{"reconcile": ["north"], "parallel": 2}'

The instance is that of DAGSTER_HOME, the companies are those of the list.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import dagster as dg
from bill_quickbooks_dagster import BooksRunner, make_definitions
from bill_quickbooks_dagster.books import GROUP, KEPT, RESOURCE
from bill_quickbooks_dagster.companies import names
from bill_quickbooks_dagster.location import request

RETRIES = dg.RetryPolicy(max_retries=1, delay=0.01)


def main(asked: dict[str, Any]) -> dict[str, Any]:
    """Do it, in processes of their own, as Dagster's launcher does."""
    repository = make_definitions(names(), retries=RETRIES).get_repository_def()
    with dg.DagsterInstance.get() as instance:
        ticks = []
        for _ in range(2):
            context = dg.build_sensor_context(
                instance=instance, repository_def=repository, resources={RESOURCE: BooksRunner()}
            )
            tick = repository.get_sensor_def("bill_quickbooks_inbox").evaluate_tick(context)
            ticks.append(
                [(one.run_key, one.partition_key, dict(one.tags)) for one in tick.run_requests or ()]
            )
        work = [("sync", company) for _, company, _ in ticks[0]]
        work += [("reconcile", company) for company in asked.get("reconcile", ())]
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(int(asked["parallel"]), mp_context=spawn) as pool:
            runs = list(pool.map(run, work))
        materialized = {
            kept.name: sorted(instance.get_materialized_partitions(dg.AssetKey([GROUP, kept.name])))
            for kept in KEPT
        }
    return {"ticks": ticks, "runs": runs, "materialized": materialized}


def run(work: tuple[str, str]) -> dict[str, Any]:
    """One run of a company."""
    job, company = work
    repository = make_definitions(names(), retries=RETRIES).get_repository_def()
    with dg.DagsterInstance.get() as instance:
        result = repository.get_job(f"{GROUP}_{job}").execute_in_process(
            instance=instance,
            partition_key=company,
            tags=dict(request(company, run_key=None).tags),
            raise_on_error=False,
        )
        return {"job": job, "company": company, **_told(result)}


def _told(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    events = [event.event_type_value for event in result.all_events]
    metadata = [
        materialization.metadata
        for event in result.get_asset_materialization_events()
        if (materialization := event.step_materialization_data.materialization)
    ]
    failures = [
        event.step_failure_data.user_failure_data
        for event in result.all_events
        if event.event_type_value == "STEP_FAILURE"
    ]
    return {
        "success": result.success,
        "tags": {key: value for key, value in result.dagster_run.tags.items() if "company" in key},
        "attempts": 1 + events.count("STEP_UP_FOR_RETRY"),
        "metadata": {key: value.value for one in metadata for key, value in one.items()},
        "failure": next((failure.description for failure in failures if failure), ""),
        "checks": {
            found.check_name: {"passed": found.passed, "severity": found.severity.value}
            for found in result.get_asset_check_evaluations()
        },
    }


if __name__ == "__main__":
    json.dump(main(json.loads(sys.argv[1])), sys.stdout, default=str)
