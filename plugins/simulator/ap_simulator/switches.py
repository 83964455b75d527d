"""The switches: where the vendors' manuals are silent, what the simulator does.

Each area keeps its own dataclass (`bill/switches.py`, `quickbooks/switches.py`,
`oauth/switches.py`), one field per open point, typed `bool`, `int`, `float`, `str` or
`Literal[...]`, with the suggested default. `field(default=..., metadata={"about": "..."})`
documents it. This module sets and describes the fields by name
(`bill.recurring_updated_time_filter`) for the command line and `/__control/switches`. The services
hold the same objects, so that a change is seen by the next call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from ap_simulator.bill.switches import BillSwitches
    from ap_simulator.oauth.switches import OAuthSwitches
    from ap_simulator.quickbooks.switches import QuickBooksSwitches

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


class SwitchError(ValueError):
    """No such switch, or a value that it does not take. The text says what is accepted."""


@dataclass(slots=True)
class Switches:
    """The switches of every area."""

    bill: BillSwitches
    quickbooks: QuickBooksSwitches
    oauth: OAuthSwitches

    def set(self, name: str, value: object) -> None:
        """Set the switch `area.name`; texts are read as the switch's own type.

        Raises:
            SwitchError: Unknown switch or a value of the wrong kind; nothing is changed.
        """
        self.set_all({name: value})

    def set_all(self, values: Mapping[str, object]) -> None:
        """Set several switches by full name, all or none.

        Raises:
            SwitchError: As `set`; nothing is changed.
        """
        parsed = []
        for name, value in values.items():
            area, entry = self._find(name)
            parsed.append((area, entry.name, _parse(name, _type_of(area, entry), value)))
        for area, switch_name, value in parsed:
            setattr(area, switch_name, value)

    def describe(self) -> dict[str, dict[str, dict[str, Any]]]:
        """All switches as JSON by area and name: value, default, accepted values, meaning."""
        return {
            area_name: {
                entry.name: {
                    "value": getattr(area, entry.name),
                    "default": _default_of(entry),
                    "accepts": accepted(_type_of(area, entry)),
                    "about": entry.metadata.get("about", ""),
                }
                for entry in fields(area)
            }
            for area_name, area in self._areas()
        }

    def names(self) -> list[str]:
        """The full names of all switches."""
        return [f"{area_name}.{entry.name}" for area_name, area in self._areas() for entry in fields(area)]

    def _areas(self) -> Iterator[tuple[str, Any]]:
        for entry in fields(self):
            yield entry.name, getattr(self, entry.name)

    def _find(self, name: str) -> tuple[Any, Field[Any]]:
        area_name, _, switch_name = name.partition(".")
        for candidate, area in self._areas():
            for entry in fields(area):
                if (candidate, entry.name) == (area_name, switch_name):
                    return area, entry
        msg = f"There is no switch {name!r}; the switches are {', '.join(self.names())}"
        raise SwitchError(msg)


def accepted(kind: Any) -> list[Any]:
    """What a switch of type `kind` takes: the values of a choice, else the name of the type."""
    if get_origin(kind) is Literal:
        return list(get_args(kind))
    if kind is bool:
        return [True, False]
    return [kind.__name__]


def _type_of(area: Any, entry: Field[Any]) -> Any:
    return get_type_hints(type(area))[entry.name]


def _default_of(entry: Field[Any]) -> Any:
    if entry.default is not MISSING:
        return entry.default
    return entry.default_factory() if entry.default_factory is not MISSING else None


def _parse(name: str, kind: Any, value: object) -> Any:
    """Read `value`, a text from the command line or a JSON value, as `kind`."""
    text = str(value).strip()
    if get_origin(kind) is Literal:
        for choice in get_args(kind):
            if text.lower() == str(choice).lower():
                return choice
    elif kind is bool:
        if text.lower() in _TRUE | _FALSE:
            return text.lower() in _TRUE
    elif kind in {int, float} and not isinstance(value, bool):
        try:
            return kind(text)
        except ValueError:
            pass
    elif kind is str and isinstance(value, str):
        return value
    choices = ", ".join(str(choice).lower() if kind is bool else str(choice) for choice in accepted(kind))
    msg = f"Switch {name} takes {choices}, not {text!r}"
    raise SwitchError(msg)
