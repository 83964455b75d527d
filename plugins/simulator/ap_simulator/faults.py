"""Faults on demand: which requests they hit and what they do. Data and matching only.

The middleware carries most kinds out on the wire. Two are semantic and honoured by the services,
which find the `Fault` in `request.scope["ap_simulator.fault"]`: `expired_token` (answer as if the
token or session had expired) and `stale_sync_token` (a write answers 5010; in a batch only for the
items that `Fault.selects` names).
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from typing import Final

from ap_simulator.calls import SYSTEMS

#: Where the middleware puts a semantic fault for the service.
FAULT_SCOPE_KEY: Final = "ap_simulator.fault"
#: Where a service puts the number of batch items a call carried, for latency per item.
ITEMS_SCOPE_KEY: Final = "ap_simulator.items"
#: Where a service may say whether the call asks for a change; unset, the method and path tell.
WRITES_SCOPE_KEY: Final = "ap_simulator.writes"

SEMANTIC_KINDS: Final = frozenset({"expired_token", "stale_sync_token"})
KINDS: Final = (
    "latency",
    "throttle",
    "server_error",
    "reset_before",
    "reset_after",
    "truncated",
    "html_error",
    "slow_drip",
    "expired_token",
    "stale_sync_token",
)
#: What happens to the delivery of a webhook, not to a call of a client.
DELIVERY_KINDS: Final = (
    "delivery_drop",
    "delivery_duplicate",
    "delivery_delay",
    "delivery_reorder",
    "delivery_bad_signature",
)
ALL_KINDS: Final = (*KINDS, *DELIVERY_KINDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault that hits one request.

    Attributes:
        kind: One of `ALL_KINDS`.
        status: Of `throttle` 429, of `server_error` 500, 503 or 504, of `html_error` 502.
        seconds: Time that `latency` and `delivery_delay` add, or that `slow_drip` spreads the body over.
        cut: Share of the body that `truncated` sends, 0 to 1.
        applied: Whether `server_error` and `html_error` hide the answer of a call that the service
            did carry out, as a gateway does that gave up waiting.
        items: Zero-based positions in a batch that `stale_sync_token` hits; None is all of them.
    """

    kind: str
    status: int = 500
    seconds: float = 0.0
    cut: float = 0.5
    applied: bool = False
    items: frozenset[int] | None = None

    def selects(self, position: int) -> bool:
        """Whether the batch item at the zero-based `position` is hit."""
        return self.items is None or position in self.items


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """Which requests a fault hits. All conditions given must hold.

    A rule counts the requests that fit `system`, `method` and `path`. It lets the first `after` of
    them pass; of the rest it takes the `nth` one, or `every` n-th one, each with `probability`,
    until it has fired `times` times.

    Attributes:
        kind: One of `ALL_KINDS`.
        system: `bill`, `quickbooks` or `oauth`; None is any.
        method: HTTP method in capitals; None is any.
        path: Path pattern: `*` stands for anything, `{name}` for one segment.
        probability: Chance for each request that fits, 0 to 1, drawn from `seed`.
        seed: Seed of the draws, so that a run can be repeated.
        nth: Only the n-th fitting request, from 1.
        every: Every n-th fitting request.
        after: Let so many fitting requests pass first.
        times: Fire at most so often; None is without end.
        status: See `Fault`.
        seconds: Lower and upper bound; equal for a fixed time.
        cut: See `Fault`.
        applied: See `Fault`.
        items: See `Fault`.
    """

    kind: str
    system: str | None = None
    method: str | None = None
    path: str = "*"
    probability: float = 1.0
    seed: int = 0
    nth: int | None = None
    every: int | None = None
    after: int = 0
    times: int | None = None
    status: int = 500
    seconds: tuple[float, float] = (0.0, 0.0)
    cut: float = 0.5
    applied: bool = False
    items: frozenset[int] | None = None


@dataclass(slots=True)
class ActiveRule:
    """A rule in force with its counters."""

    id: str
    rule: FaultRule
    seen: int = 0
    fired: int = 0
    _pattern: re.Pattern[str] = field(init=False, repr=False)
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._pattern = path_pattern(self.rule.path)
        self._random = random.Random(self.rule.seed)  # noqa: S311 - reproducible on purpose

    def match(self, *, system: str, method: str, path: str) -> Fault | None:  # noqa: PLR0911
        """Count the request if it fits and return the fault if it is hit."""
        rule = self.rule
        if (rule.system or system) != system or (rule.method or method) != method:
            return None
        if not self._pattern.fullmatch(path):
            return None
        self.seen += 1
        turn = self.seen - rule.after
        if turn <= 0 or (rule.times is not None and self.fired >= rule.times):
            return None
        if rule.nth is not None and turn != rule.nth:
            return None
        if rule.every is not None and turn % rule.every:
            return None
        if rule.probability < 1 and self._random.random() >= rule.probability:
            return None
        return Fault(
            kind=rule.kind,
            status=rule.status,
            seconds=self._random.uniform(*rule.seconds),
            cut=rule.cut,
            applied=rule.applied,
            items=rule.items,
        )


@dataclass(slots=True)
class Latency:
    """Standing latency of a system's calls, in seconds: a base, and a share per batch item."""

    per_call: float = 0.0
    per_item: float = 0.0

    def of(self, items: int) -> float:
        """Seconds that a call with `items` batch items takes."""
        return self.per_call + self.per_item * items


class FaultPlan:
    """The rules in force and the standing latency of each system."""

    def __init__(self) -> None:
        self.latency = {system: Latency() for system in SYSTEMS}
        self._rules: dict[str, ActiveRule] = {}
        self._last_id = 0

    def add(self, rule: FaultRule) -> ActiveRule:
        """Put a rule in force."""
        self._last_id += 1
        active = ActiveRule(id=str(self._last_id), rule=rule)
        self._rules[active.id] = active
        return active

    def remove(self, rule_id: str) -> bool:
        """Lift one rule; False if there is none of that id."""
        return self._rules.pop(rule_id, None) is not None

    def clear(self) -> None:
        """Lift all rules. The standing latency stays."""
        self._rules.clear()

    def rules(self) -> list[ActiveRule]:
        """The rules in force, oldest first."""
        return list(self._rules.values())

    def match(self, *, system: str, method: str, path: str) -> list[Fault]:
        """The faults that hit this request: any `latency`, and at most one of another kind.

        Every rule that fits counts the request. Of several other than `latency` that would fire,
        the oldest does; the others stay unfired.
        """
        faults: list[Fault] = []
        struck = False
        for active in self._rules.values():
            if active.rule.kind in DELIVERY_KINDS:
                continue
            fault = active.match(system=system, method=method, path=path)
            if fault is None or (struck and fault.kind != "latency"):
                continue
            active.fired += 1
            struck = struck or fault.kind != "latency"
            faults.append(fault)
        return faults

    def match_delivery(self, *, system: str, path: str) -> list[Fault]:
        """All faults that hit the delivery of a webhook of `system` to the receiver's `path`."""
        faults: list[Fault] = []
        for active in self._rules.values():
            if active.rule.kind in DELIVERY_KINDS:
                fault = active.match(system=system, method="POST", path=path)
                if fault is not None:
                    active.fired += 1
                    faults.append(fault)
        return faults


def path_pattern(path: str) -> re.Pattern[str]:
    """The regular expression of a path pattern: `*` is anything, `{name}` is one segment."""
    parts = re.split(r"(\*|\{\w+\})", path)
    return re.compile(
        "".join(".*" if p == "*" else "[^/]+" if p.startswith("{") else re.escape(p) for p in parts)
    )
