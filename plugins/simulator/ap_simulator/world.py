"""The world: one clock, the switches, the faults, the log of calls, the three services."""

from __future__ import annotations

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
