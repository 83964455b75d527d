"""A whole simulator inside a test: the real server on a free port, in a thread.

Example:
    ```python
    with running("demo") as simulator:
        requests.get(f"{simulator.quickbooks_url}/v3/company/{realm}/companyinfo/{realm}")
        assert simulator.control.stats()["quickbooks"]["calls"] == 1
    ```
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from ap_simulator import collector
from ap_simulator.app import Application
from ap_simulator.control_client import ControlClient
from ap_simulator.environment import environment
from ap_simulator.rundir import RunDir
from ap_simulator.server import listen, make_config, url_of
from ap_simulator.settings import DEFAULT_SEED, CompanyName, Settings
from ap_simulator.simulation import Simulation
from ap_simulator.thread_server import ThreadServer
from ap_simulator.world import World

#: Switches that lift QuickBooks' rate limits, for tests and benchmarks of something else.
UNLIMITED: Final[Mapping[str, int]] = {
    f"quickbooks.{name}": 1_000_000
    for name in (
        "requests_per_second",
        "requests_per_minute",
        "combined_per_minute",
        "batches_per_minute",
        "batches_per_minute_company",
    )
}
_CALL_SECONDS: Final = 60

_Result = TypeVar("_Result")


class SimulatorFailedError(AssertionError):
    """The simulator itself broke while it answered calls of the test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningSimulator:
    """A running simulator.

    Attributes:
        url: Base URL.
        control: Statistics, faults, clock, records, switches.
        run_dir: Where `env` says that the target's store and the tap's session cache are.
    """

    url: str
    control: ControlClient
    run_dir: RunDir
    _simulation: Simulation
    _server: ThreadServer

    @property
    def bill_url(self) -> str:
        """`api_url` of the tap."""
        return f"{self.url}/connect"

    @property
    def quickbooks_url(self) -> str:
        """`api_url` of the target."""
        return self.url

    @property
    def token_url(self) -> str:
        """`token_url` of the target."""
        return f"{self.url}/oauth2/v1/tokens/bearer"

    @property
    def world(self) -> World:
        """The world in force. Read it as you like; change it through `on_loop` only."""
        return self._simulation.world

    def env(self) -> dict[str, str]:
        """What `ap-simulator status --env` prints for this simulator."""
        return environment(url=self.url, run_dir=self.run_dir)

    def on_loop(self, act: Callable[[World], _Result]) -> _Result:
        """Call `act` with the world where the services run, so that no request is under way."""

        async def call() -> _Result:
            return act(self._simulation.world)

        loop = self._server.loop
        assert loop is not None  # noqa: S101 - it has started
        return asyncio.run_coroutine_threadsafe(call(), loop).result(timeout=_CALL_SECONDS)


@contextlib.contextmanager
def running(
    company: CompanyName = "empty",
    *,
    port: int = 0,
    seed: int = DEFAULT_SEED,
    vendors: int | None = None,
    bills: int | None = None,
    existing_in_quickbooks: bool = False,
    switches: Mapping[str, object] | None = None,
) -> Iterator[RunningSimulator]:
    """Run a simulator while the block lasts.

    Args:
        company: `demo` or `empty`.
        port: 0 is a free one.
        seed: Of the company.
        vendors: How many; None is what the company has by itself.
        bills: How many; None likewise.
        existing_in_quickbooks: Whether QuickBooks has the vendors beyond the company's own already.
        switches: By full name, e.g. `{"oauth.rotation": "always"}`.

    Raises:
        SimulatorFailedError: At the end, if the simulator broke over a call (a bug of its own;
            injected faults are none).
    """
    settings = Settings(
        company=company,
        vendors=vendors,
        bills=bills,
        seed=seed,
        existing_in_quickbooks=existing_in_quickbooks,
        switches=switches or {},
    )
    with (
        tempfile.TemporaryDirectory(prefix="ap-simulator-") as directory,
        listen("127.0.0.1", port) as sock,
        ControlClient(url_of(sock)) as control,
    ):
        run_dir = RunDir(Path(directory))
        large = collector.is_large(settings)
        with collector.spared() if large else contextlib.nullcontext():
            simulation = Simulation(settings, run_dir=run_dir, url=url_of(sock))
        application = Application(simulation)
        server = ThreadServer(make_config(application))
        with server.in_thread(sock):
            yield RunningSimulator(
                url=url_of(sock),
                control=control,
                run_dir=run_dir,
                _simulation=simulation,
                _server=server,
            )
        if large:
            collector.replaced(large=False)
        if failures := application.gateway.failures:
            msg = "The simulator failed to answer:\n" + "\n".join(failures)
            raise SimulatorFailedError(msg)
