"""The world: one clock, the switches, the faults, the log of calls, the three services."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ap_simulator.calls import CallLog
from ap_simulator.clock import Clock
from ap_simulator.faults import FaultPlan
from ap_simulator.switches import Switches

if TYPE_CHECKING:
    from ap_simulator.bill.service import BillService
    from ap_simulator.oauth.service import OAuthService
    from ap_simulator.quickbooks.service import QuickBooksService


@dataclass(slots=True)
class World:
    """Everything a simulated company consists of. It lives in memory, on one event loop."""

    clock: Clock
    switches: Switches
    faults: FaultPlan
    calls: CallLog
    bill: BillService
    quickbooks: QuickBooksService
    oauth: OAuthService

    async def close(self) -> None:
        """End what the services do in the background."""
        await self.bill.close()
        await self.quickbooks.close()


def create_world(switches: Iterable[tuple[str, object]] = ()) -> World:
    """A world without any company in it, in real time.

    Args:
        switches: Names and values of switches to set, e.g. `("oauth.rotation", "always")`.

    Raises:
        SwitchError: A switch that does not exist or a value that it does not take.
    """
    # Imported here, since the routes of the services import this module.
    from ap_simulator.bill.service import BillService  # noqa: PLC0415
    from ap_simulator.bill.switches import BillSwitches  # noqa: PLC0415
    from ap_simulator.oauth.service import OAuthService  # noqa: PLC0415
    from ap_simulator.oauth.switches import OAuthSwitches  # noqa: PLC0415
    from ap_simulator.quickbooks.service import QuickBooksService  # noqa: PLC0415
    from ap_simulator.quickbooks.switches import QuickBooksSwitches  # noqa: PLC0415

    positions = Switches(bill=BillSwitches(), quickbooks=QuickBooksSwitches(), oauth=OAuthSwitches())
    for name, value in switches:
        positions.set(name, value)
    clock = Clock()
    calls = CallLog()
    faults = FaultPlan()
    oauth = OAuthService(clock=clock, switches=positions.oauth, calls=calls)
    quickbooks = QuickBooksService(clock=clock, switches=positions.quickbooks, calls=calls, faults=faults)
    quickbooks.notifier.is_connected = oauth.is_connected
    return World(
        clock=clock,
        switches=positions,
        faults=faults,
        calls=calls,
        bill=BillService(clock=clock, switches=positions.bill, calls=calls, faults=faults),
        quickbooks=quickbooks,
        oauth=oauth,
    )
