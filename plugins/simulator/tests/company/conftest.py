"""The demo company, made once for all tests that only look at it."""

from __future__ import annotations

import pytest
from ap_simulator.company.demo import demo_company, empty_company


@pytest.fixture(scope="session")
def demo():
    return demo_company(seed=1)


@pytest.fixture(scope="session")
def empty():
    return empty_company()


@pytest.fixture(scope="session")
def vendors(demo):
    return {record["id"]: record for record in demo.bill["vendors"]}


@pytest.fixture(scope="session")
def bills(demo):
    return {record["id"]: record for record in demo.bill["bills"]}


@pytest.fixture(scope="session")
def payments(demo):
    return {record["id"]: record for record in demo.bill["payments"]}
