"""Reads fault rules and latency from JSON, and shows them as JSON (`/__control/faults`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ap_simulator.calls import SYSTEMS
from ap_simulator.faults import ALL_KINDS, ActiveRule, FaultPlan, FaultRule

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_MATCHING: Final = (
    "system",
    "method",
    "path",
    "probability",
    "seed",
    "nth",
    "every",
    "after",
    "times",
)
#: What each kind takes besides `kind` and the conditions.
_EFFECTS: Final[Mapping[str, tuple[str, ...]]] = {
    "latency": ("delay_ms",),
    "throttle": ("status",),
    "server_error": ("status", "applied"),
    "html_error": ("status", "applied"),
    "reset_before": (),
    "reset_after": (),
    "truncated": ("cut",),
    "slow_drip": ("duration_ms",),
    "expired_token": (),
    "stale_sync_token": ("items",),
    "delivery_drop": (),
    "delivery_duplicate": (),
    "delivery_delay": ("delay_ms",),
    "delivery_reorder": (),
    "delivery_bad_signature": (),
}
_STATUSES: Final[Mapping[str, tuple[int, ...]]] = {
    "throttle": (429, 400, 403, 503),
    "server_error": (500, 503, 504),
    "html_error": (502, 500, 503, 504),
}
_DEFAULT_DRIP_MS: Final = 1000


class FaultRuleError(ValueError):
    """A rule that cannot be read. The text says what is accepted."""


@dataclass(frozen=True, slots=True)
class _Fields:
    """The fields of one JSON object, read one by one."""

    values: Mapping[str, Any]

    def one_of(self, name: str, choices: tuple[Any, ...], default: Any) -> Any:
        value = self.values.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or value not in choices:
            listed = ", ".join(str(choice) for choice in choices)
            msg = f"{name} must be one of {listed}, not {value!r}"
            raise FaultRuleError(msg)
        return value

    def whole(self, name: str, *, least: int, default: int | None) -> int | None:
        value = self.values.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            msg = f"{name} must be a whole number of at least {least}, not {value!r}"
            raise FaultRuleError(msg)
        return value

    def share(self, name: str, default: float) -> float:
        value = self.values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
            msg = f"{name} must be a number from 0 to 1, not {value!r}"
            raise FaultRuleError(msg)
        return float(value)

    def flag(self, name: str) -> bool:
        value = self.values.get(name, False)
        if not isinstance(value, bool):
            msg = f"{name} must be true or false, not {value!r}"
            raise FaultRuleError(msg)
        return value

    def milliseconds(self, name: str, default: int | None) -> tuple[float, float]:
        """A number of milliseconds, or [least, most], as seconds."""
        value = self.values.get(name, default)
        bounds = value if isinstance(value, list) else [value, value]
        numbers = [n for n in bounds if isinstance(n, (int, float)) and not isinstance(n, bool)]
        if len(bounds) != 2 or numbers != bounds or not 0 <= bounds[0] <= bounds[1]:  # noqa: PLR2004
            msg = f"{name} must be milliseconds, or [least, most] milliseconds, not {value!r}"
            raise FaultRuleError(msg)
        return bounds[0] / 1000, bounds[1] / 1000

    def positions(self, name: str) -> frozenset[int] | None:
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(
            isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in value
        ):
            msg = f"{name} must be a list of positions in the batch, from 0, not {value!r}"
            raise FaultRuleError(msg)
        return frozenset(value)

    def path(self) -> str:
        value = self.values.get("path", "*")
        if not isinstance(value, str) or not value.startswith(("/", "*")):
            msg = f"path must begin with / or *, e.g. /v3/company/*/batch, not {value!r}"
            raise FaultRuleError(msg)
        return value


def rule_from_json(body: Any) -> FaultRule:
    """Read a rule.

    Args:
        body: A JSON object, e.g. `{"kind": "throttle", "path": "/v3/company/*/batch", "nth": 2}`.
            Times are given in milliseconds: `delay_ms` of `latency` and `duration_ms` of
            `slow_drip`, each a number or `[least, most]`.

    Raises:
        FaultRuleError: The body is no such object.
    """
    if not isinstance(body, dict):
        msg = 'A fault is a JSON object like {"kind": "throttle", "path": "/v3/company/*/batch"}'
        raise FaultRuleError(msg)
    fields = _Fields(body)
    kind = fields.one_of("kind", ALL_KINDS, None)
    if kind is None:
        msg = f"A fault needs a kind: {', '.join(ALL_KINDS)}"
        raise FaultRuleError(msg)
    accepted = ("kind", *_MATCHING, *_EFFECTS[kind])
    if unknown := sorted(set(body) - set(accepted)):
        msg = f"{kind} does not take {', '.join(unknown)}; it takes {', '.join(accepted)}"
        raise FaultRuleError(msg)
    statuses = _STATUSES.get(kind, (500,))
    return FaultRule(
        kind=kind,
        system=fields.one_of("system", SYSTEMS, None),
        method=fields.one_of("method", _METHODS, None),
        path=fields.path(),
        probability=fields.share("probability", 1),
        seed=fields.whole("seed", least=0, default=0) or 0,
        nth=fields.whole("nth", least=1, default=None),
        every=fields.whole("every", least=1, default=None),
        after=fields.whole("after", least=0, default=0) or 0,
        times=fields.whole("times", least=1, default=None),
        status=fields.one_of("status", statuses, statuses[0]),
        seconds=_seconds(kind, fields),
        cut=fields.share("cut", 0.5),
        applied=fields.flag("applied"),
        items=fields.positions("items"),
    )


def rule_as_json(active: ActiveRule) -> dict[str, Any]:
    """A rule in force as JSON: what it was made of, its id, and how often it was met and fired."""
    rule = active.rule
    shown: dict[str, Any] = {"id": active.id, "kind": rule.kind}
    for name in _MATCHING:
        value = getattr(rule, name)
        if value is not None:
            shown[name] = value
    for name in _EFFECTS[rule.kind]:
        if name in {"delay_ms", "duration_ms"}:
            shown[name] = [bound * 1000 for bound in rule.seconds]
        elif name == "items":
            shown[name] = None if rule.items is None else sorted(rule.items)
        else:
            shown[name] = getattr(rule, name)
    return {**shown, "seen": active.seen, "fired": active.fired}


def set_latency(plan: FaultPlan, body: Any) -> None:
    """Set the standing latency from `{"per_call_ms": n, "per_item_ms": n, "system": s}`.

    Without `system` it holds for all; what is left out is 0.

    Raises:
        FaultRuleError: The body is no such object; nothing is changed.
    """
    accepted = ("per_call_ms", "per_item_ms", "system")
    if not isinstance(body, dict) or not set(body) <= set(accepted):
        msg = 'Latency is a JSON object like {"per_call_ms": 120, "per_item_ms": 15}, '
        msg += f'and may name a "system": {", ".join(SYSTEMS)}'
        raise FaultRuleError(msg)
    fields = _Fields(body)
    system = fields.one_of("system", SYSTEMS, None)
    per_call, _ = fields.milliseconds("per_call_ms", 0)
    per_item, _ = fields.milliseconds("per_item_ms", 0)
    for name in SYSTEMS if system is None else (system,):
        plan.latency[name].per_call = per_call
        plan.latency[name].per_item = per_item


def latency_as_json(plan: FaultPlan) -> dict[str, dict[str, float]]:
    """The standing latency of each system in milliseconds."""
    return {
        system: {"per_call_ms": own.per_call * 1000, "per_item_ms": own.per_item * 1000}
        for system, own in plan.latency.items()
    }


def _seconds(kind: str, fields: _Fields) -> tuple[float, float]:
    if kind in {"latency", "delivery_delay"}:
        return fields.milliseconds("delay_ms", None)
    if kind == "slow_drip":
        return fields.milliseconds("duration_ms", _DEFAULT_DRIP_MS)
    return 0.0, 0.0
