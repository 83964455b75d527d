"""The simulator inside tests."""

from __future__ import annotations

import time

import pytest
import requests
from ap_simulator.company.identities import DEMO
from ap_simulator.testing import SimulatorFailedError, running


def test_two_simulators_run_side_by_side_and_know_nothing_of_each_other():
    with running() as first, running() as second:
        assert first.url != second.url
        first.control.add_fault("throttle")
        assert second.control.faults() == []
        assert first.env()["TARGET_QUICKBOOKS_STORE_URL"] != second.env()["TARGET_QUICKBOOKS_STORE_URL"]


def test_nothing_answers_and_nothing_is_left_when_the_block_ends():
    with running() as simulator:
        run_dir = simulator.run_dir.path
        assert run_dir.is_dir()
    assert not run_dir.exists()
    with pytest.raises(requests.ConnectionError):
        requests.get(simulator.url, timeout=1)


def test_the_same_seed_is_the_same_company():
    def names(seed: int) -> list[str]:
        with running("demo", seed=seed) as simulator:
            return [vendor["name"] for vendor in simulator.control.records("bill", "vendors")]

    assert names(3) == names(3) != names(4)


def test_the_number_of_vendors_and_bills_can_be_chosen():
    with running("demo", vendors=150, bills=800) as simulator:
        assert len(simulator.control.records("bill", "vendors")) == 150
        assert len(simulator.control.records("bill", "bills")) == 800


def test_a_bug_of_the_simulator_fails_the_test():
    def break_it(world):
        world.bill.limits = None

    def call_a_broken_simulator():
        with running() as simulator:
            simulator.on_loop(break_it)
            headers = {"devKey": DEMO.dev_key, "sessionId": "x"}
            requests.get(f"{simulator.bill_url}/v3/vendors", headers=headers, timeout=5)

    with pytest.raises(SimulatorFailedError, match="GET /connect/v3/vendors"):
        call_a_broken_simulator()


def test_an_empty_simulator_is_there_in_no_time():
    def seconds_until_it_is_there() -> float:
        begun = time.monotonic()
        with running():
            return time.monotonic() - begun

    assert min(seconds_until_it_is_there() for _ in range(4)) < 0.3


def test_the_demo_company_is_on_both_sides():
    with running("demo") as simulator:
        records = simulator.control.status()["records"]
        assert records["bill"][DEMO.organization_id]["bills"] == 600
        assert records["quickbooks"][DEMO.realm_id]["Account"] > 20
