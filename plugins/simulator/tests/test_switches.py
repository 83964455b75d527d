"""Switches are found, parsed and described by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from ap_simulator.switches import SwitchError, Switches


@dataclass
class Area:
    status: int = 429
    order: Literal["oldest", "newest"] = "oldest"
    strict: bool = field(default=True, metadata={"about": "Whether it is strict."})
    code: str = "BDC_1002"
    hours: float = 0.5


@pytest.fixture
def switches() -> Switches:
    areas: Any = Area
    return Switches(bill=areas(), quickbooks=areas(), oauth=areas())


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("bill.status", "400", 400),
        ("bill.status", 400, 400),
        ("bill.order", "NEWEST", "newest"),
        ("bill.strict", "off", False),
        ("bill.strict", True, True),
        ("bill.code", "BDC_1", "BDC_1"),
        ("bill.hours", "2", 2.0),
    ],
)
def test_a_value_is_read_as_the_switch_s_type(switches, name, value, expected):
    switches.set(name, value)
    assert getattr(switches.bill, name.partition(".")[2]) == expected
    assert switches.quickbooks == Area()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("bill.nothing", "1", "oauth.hours"),
        ("nothing", "1", "There is no switch"),
        ("bill.status", "many", "bill.status takes int"),
        ("bill.status", True, "takes int"),
        ("bill.order", "random", "takes oldest, newest"),
        ("bill.strict", "perhaps", "takes true, false"),
        ("bill.code", 5, "takes str"),
    ],
)
def test_a_wrong_switch_says_what_is_accepted(switches, name, value, says):
    with pytest.raises(SwitchError) as caught:
        switches.set(name, value)
    assert says in str(caught.value)


def test_several_switches_are_set_together_or_not_at_all(switches):
    with pytest.raises(SwitchError):
        switches.set_all({"bill.status": 400, "bill.order": "random"})
    assert switches.bill == Area()


def test_a_description_has_value_default_choices_and_meaning(switches):
    switches.set("oauth.strict", "no")
    assert switches.describe()["oauth"]["strict"] == {
        "value": False,
        "default": True,
        "accepts": [True, False],
        "about": "Whether it is strict.",
    }
    assert switches.describe()["bill"]["order"]["accepts"] == ["oldest", "newest"]
