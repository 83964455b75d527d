"""A whole simulator, with the demo's identities and no records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ap_simulator.testing import RunningSimulator


@pytest.fixture
def simulator() -> Iterator[RunningSimulator]:
    from ap_simulator.testing import running  # noqa: PLC0415 - not all tests need all of it

    with running("empty") as running_simulator:
        yield running_simulator
