"""A whole simulator, with the demo's identities and no vendors and bills."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ap_simulator.testing import RunningSimulator, running


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    with running("empty") as running_simulator:
        yield running_simulator
