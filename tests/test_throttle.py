"""A load of 2,000 vendors under QuickBooks' documented limits, in simulated time."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest
from ap_simulator.testing import running
from target_quickbooks import assembly
from target_quickbooks.quickbooks.governor import Governor
from target_quickbooks.store.quota_table import StoredLedger

VENDORS = 2000
#: 40 batches of 30 a minute.
CEILING = 20
#: Seconds from the governor's leave to the arrival at the service.
TRAVEL = 0.3


class SimulatedTime:
    """A clock for the governor that takes the frozen clock of the simulator with it."""

    def __init__(self, control):
        self._control = control
        self.seconds = 0.0
        control.freeze()

    def now(self):
        return self.seconds

    def sleep(self, seconds):
        self.seconds += seconds
        self._control.advance(seconds)


@pytest.fixture
def in_simulated_time(monkeypatch) -> Callable[..., SimulatedTime]:
    """Lets the target live in simulated time, in which a request takes a while to arrive."""

    def build(control, *, travel):
        time = SimulatedTime(control)

        def governor(*args, before_start, **options):
            def start():
                before_start()
                time.sleep(travel)

            options |= {"now": time.now, "sleep": time.sleep, "before_start": start}
            return Governor(*args, **options)

        monkeypatch.setattr(assembly, "Governor", governor)
        ledger = functools.partial(StoredLedger, ticks=time.now, clock="simulated")
        monkeypatch.setattr(assembly, "StoredLedger", ledger)
        return time

    return build


def test_vendors_load_at_the_ceiling_without_a_throttle_answer(new_books, in_simulated_time):
    with running("empty", vendors=VENDORS) as simulator:
        books = new_books(simulator)
        lines = books.read()
        simulator.control.reset_stats()
        time = in_simulated_time(simulator.control, travel=TRAVEL)
        run = books.write(lines)
        assert run.exit_code == 0
        created = run.streams["vendors"]["created"]
        assert created >= 0.9 * VENDORS
        assert time.seconds > 60, "the load is too small to meet a limit"
        assert created / time.seconds >= 0.9 * CEILING
        assert not simulator.control.stats()["quickbooks"]["throttled"]
