"""The assets: what is kept in step for each company, and the verdicts on it.

Annotations are not postponed here: Dagster looks at the type of an asset's ``context``.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg

from bill_quickbooks_dagster.runner import BooksRunner, Result, RunnerError

GROUP = "bill_quickbooks"
RESOURCE = "books"
NOTHING_REFUSED, IN_STEP = "nothing_refused", "in_step"
#: What another attempt may mend: QuickBooks or BILL were down, or another run was in the way.
_MENDABLE = frozenset({"failed", "busy"})
#: A job that came to its end has a verdict. Books that differ fail their partition besides, so that a person
#: sees which company it is: Dagster shows one verdict for each asset, the latest of all its partitions.
_JUDGED = {
    "done": dg.AssetCheckSeverity.WARN,
    "refused": dg.AssetCheckSeverity.WARN,
    "differences": dg.AssetCheckSeverity.ERROR,
}

Event = dg.AssetCheckResult | dg.MaterializeResult[None]
Metadata = dict[
    str, dg.TextMetadataValue | dg.IntMetadataValue | dg.FloatMetadataValue | dg.PathMetadataValue
]


@dataclass(frozen=True, slots=True)
class Books:
    """An asset: what one job keeps in step.

    Attributes:
        job: As ``webhook-shim run`` knows it.
        check: What its verdict is about.
    """

    name: str
    job: str
    description: str
    check: str


KEPT = (
    Books(
        "vendors_and_bills",
        "sync",
        "Vendors and purchase orders in QuickBooks, in step with BILL's vendors and bills.",
        NOTHING_REFUSED,
    ),
    Books(
        "payments_and_recurring",
        "daily",
        "What payments, vendor credits and recurring bills of BILL say of the orders, too.",
        NOTHING_REFUSED,
    ),
    Books(
        "reconciliation",
        "reconcile",
        "Both books compared entirely; nothing is written.",
        IN_STEP,
    ),
)


def make_asset(
    kept: Books, companies: dg.PartitionsDefinition[str], retries: dg.RetryPolicy
) -> dg.AssetsDefinition:
    """The asset of a job, with a partition for each company."""

    @dg.asset(
        name=kept.name,
        key_prefix=GROUP,
        group_name=GROUP,
        description=kept.description,
        partitions_def=companies,
        retry_policy=retries,
        required_resource_keys={RESOURCE},
        kinds={"meltano", "quickbooks"},
        check_specs=[dg.AssetCheckSpec(kept.check, asset=dg.AssetKey([GROUP, kept.name]))],
        output_required=False,
    )
    def keep(context: dg.AssetExecutionContext) -> Iterator[Event]:
        runner: BooksRunner = getattr(context.resources, RESOURCE)
        try:
            result = runner.run(kept.job, context.partition_key, tell=context.log.info)
        except RunnerError as error:
            # Settings that cannot be used stay so until somebody changes them.
            raise dg.Failure(str(error), allow_retries=False) from None
        yield from told(kept, result)

    return keep


def told(kept: Books, result: Result) -> Iterator[Event]:
    """What Dagster shows of a result.

    Raises:
        dagster.Failure: The job failed; whether another attempt makes sense is noted with it.
    """
    metadata = _metadata(result)
    if result.outcome in _JUDGED:
        yield dg.AssetCheckResult(
            passed=result.outcome == "done" and not result.refused,
            check_name=kept.check,
            asset_key=dg.AssetKey([GROUP, kept.name]),
            severity=_JUDGED[result.outcome],
            description=result.detail or None,
            metadata=metadata,
        )
    if result.outcome in {"done", "refused"}:
        yield dg.MaterializeResult(metadata=metadata)
        return
    raise dg.Failure(
        result.detail or f"The job {kept.job} is {result.outcome}.",
        metadata=metadata,
        allow_retries=result.outcome in _MENDABLE,
    )


def _metadata(result: Result) -> Metadata:
    """For the page of the run: what was done, and where more is to be read."""
    found: Metadata = {
        "outcome": dg.MetadataValue.text(result.outcome),
        "created": dg.MetadataValue.int(result.created),
        "updated": dg.MetadataValue.int(result.updated),
        "refused": dg.MetadataValue.int(result.refused),
        "seconds": dg.MetadataValue.float(result.seconds),
    }
    if result.detail:
        found["detail"] = dg.MetadataValue.text(result.detail)
    if result.job_id:
        found["job"] = dg.MetadataValue.text(result.job_id)
    if result.log_path:
        found["log"] = dg.MetadataValue.path(result.log_path)
    if result.report:
        found["report"] = dg.MetadataValue.path(result.report)
    return found
