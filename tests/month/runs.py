"""Runs of the month: which job, from which bookmark, under which faults."""

from __future__ import annotations

import contextlib
import io
import json
import time
from dataclasses import dataclass, field

from singer_sdk.exceptions import SingerSDKError
from tap_bill.tap import TapBill

#: The jobs of the project's meltano.yml: each has a state of its own, by the streams that it selects.
JOBS = {
    "sync": None,
    "sync-vendors-and-bills": frozenset(
        {
            "chart_of_accounts",
            "accounting_classes",
            "departments",
            "locations",
            "items",
            "jobs",
            "employees",
            "customers",
            "vendors",
            "bills",
        }
    ),
    "sync-payments-and-recurring": frozenset({"payments", "recurring_bills", "vendor_credits"}),
}
RECONCILED = JOBS["sync-vendors-and-bills"]
#: What goes wrong with a run: fault, rule, whether the run is in a hurry and gives up.
FAULTS = (
    ("reset_after", {"path": "*/batch", "nth": 1}, True),
    ("reset_after", {"path": "*/batch", "probability": 0.5}, True),
    ("reset_after", {"path": "*/batch", "nth": 1}, False),
    ("server_error", {"path": "*/batch", "status": 503, "applied": True, "probability": 0.5}, True),
    ("server_error", {"system": "quickbooks", "status": 500, "times": 2}, False),
    ("server_error", {"system": "bill", "status": 503, "probability": 0.2, "times": 3}, False),
    ("truncated", {"system": "quickbooks", "probability": 0.3, "times": 3}, False),
    ("truncated", {"system": "bill", "probability": 0.2, "times": 3}, False),
    ("html_error", {"system": "bill", "nth": 4}, True),
    ("reset_before", {"system": "quickbooks", "probability": 0.3, "times": 3}, False),
    ("throttle", {"system": "quickbooks", "probability": 0.3, "times": 4}, False),
    ("throttle", {"system": "bill", "probability": 0.1, "times": 4}, False),
    ("expired_token", {"system": "quickbooks", "nth": 2}, False),
    ("expired_token", {"system": "bill", "nth": 3}, False),
    ("stale_sync_token", {"path": "*/batch", "nth": 1}, False),
)
OUTAGE = (
    ("server_error", {"status": 503, "probability": 0.3}),
    ("reset_before", {"probability": 0.2}),
    ("reset_after", {"probability": 0.2}),
    ("truncated", {"probability": 0.2}),
)


@dataclass
class Runs:
    """Runs jobs, and keeps their bookmarks as Meltano would.

    Attributes:
        states: The last STATE of each job.
    """

    firm: object
    states: dict[str, object] = field(default_factory=dict)

    def random(self):
        """A run of some job, perhaps under a fault, perhaps cut short."""
        firm = self.firm
        job = firm.choose.choice(("sync", "sync", "sync-vendors-and-bills", "sync-payments-and-recurring"))
        if not firm.chance(0.4):
            return self.run(job)
        kind, rule, hurried = firm.choose.choice(FAULTS)
        firm.control.add_fault(kind, seed=firm.choose.randint(0, 10**6), **rule)
        firm.tell("fault:", kind, rule)
        return self.disturbed(job, hurried=hurried)

    def in_an_outage(self):
        for kind, rule in OUTAGE:
            firm = self.firm
            firm.control.add_fault(kind, seed=firm.choose.randint(0, 10**6), **rule)
        return self.disturbed("sync", hurried=True)

    def disturbed(self, job, *, hurried):
        firm = self.firm
        try:
            return self.run(job, hurried=hurried, disturbed=True)
        finally:
            firm.control.clear_faults()

    def run(self, job, *, hurried=False, disturbed=False, full=False, **changes):
        """A run from the job's last bookmark."""
        firm = self.firm
        began = time.perf_counter()
        patience = {"max_retry_seconds": 1} if hurried else {}
        lines, died = self._read(job, None if full else self.states.get(job), **patience)
        assert disturbed or not died, died
        if disturbed and firm.chance(0.1):
            lines = lines[: firm.choose.randrange(len(lines) + 1)]
            died = "cut short"
        run = firm.books.write(lines, **firm.policies, **patience, **firm.store, **changes)
        assert disturbed or not run.error, run.error
        kept = not (disturbed and firm.chance(0.1))
        if run.states and kept:
            self.states[job] = run.states[-1]
        counts = {stream: dict(row) for stream, row in run.streams.items()}
        if disturbed and "Reconnect with" in run.error:
            firm.reconnect()  # a renewed token got lost on its way, as tokens do
        firm.tell(
            "run:",
            f"{time.perf_counter() - began:.1f}s",
            job,
            "full" if full else "",
            died or "",
            run.exit_code,
            run.error,
            counts,
            run.reasons,
        )
        return run

    def reconcile(self):
        """What reconciling finds; it reads everything."""
        firm = self.firm
        lines, died = self._read("sync-vendors-and-bills", None)
        assert not died, died
        run = firm.books.write(lines, mode="reconcile", **firm.policies, **firm.store)
        assert not run.error, run.error
        return run

    def _read(self, job, state, **changes):
        """The tap's output, and why it died if it did; it tells how far it came as its program does."""
        output, died = io.StringIO(), ""
        config = self.firm.books.settings("TAP_BILL_") | changes
        with contextlib.redirect_stdout(output):
            tap = TapBill(config=config, state=state, catalog=_catalog(config, JOBS[job]))
            try:
                tap.sync_all()
            except SingerSDKError as failure:
                died = str(failure)
                if tap.state:
                    tap.state_writer.write_state(tap.state)
        return output.getvalue().splitlines(), died


def _catalog(config, streams):
    """The catalog in which these streams are selected, as Meltano makes it; None for all."""
    if streams is None:
        return None
    catalog = json.loads(json.dumps(TapBill(config=config).catalog_dict))
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = stream["tap_stream_id"] in streams
    return catalog
