"""Which requests a fault rule hits, and how rules are written as JSON."""

from __future__ import annotations

from typing import Any

import pytest
from ap_simulator.fault_rules import (
    FaultRuleError,
    latency_as_json,
    rule_as_json,
    rule_from_json,
    set_latency,
)
from ap_simulator.faults import KINDS, FaultPlan
from hypothesis import given
from hypothesis import strategies as st

BATCH = "/v3/company/9341/batch"


def plan(*rules: dict[str, Any]) -> FaultPlan:
    made = FaultPlan()
    for rule in rules:
        made.add(rule_from_json(rule))
    return made


def hits(
    made: FaultPlan,
    count: int,
    *,
    system: str = "quickbooks",
    method: str = "POST",
    path: str = BATCH,
) -> list[int]:
    """Which of `count` equal requests are hit, from 1."""
    return [n for n in range(1, count + 1) if made.match(system=system, method=method, path=path)]


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"nth": 3}, [3]),
        ({"every": 2}, [2, 4, 6]),
        ({"times": 2}, [1, 2]),
        ({"after": 4}, [5, 6]),
        ({"after": 2, "nth": 2}, [4]),
        ({"after": 1, "every": 2, "times": 1}, [3]),
        ({"probability": 0}, []),
    ],
)
def test_a_rule_counts_the_requests_that_fit(conditions, expected):
    assert hits(plan({"kind": "throttle", **conditions}), 6) == expected


@pytest.mark.parametrize(
    ("conditions", "fits"),
    [
        ({"system": "quickbooks"}, True),
        ({"system": "bill"}, False),
        ({"method": "POST"}, True),
        ({"method": "GET"}, False),
        ({"path": BATCH}, True),
        ({"path": "*/batch"}, True),
        ({"path": "/v3/company/{realm_id}/batch"}, True),
        ({"path": "/v3/company/*"}, True),
        ({"path": "/v3/company/{realm_id}"}, False),
        ({"path": "/v3/company"}, False),
        ({"path": "/v3/company/9341.batch"}, False),
    ],
)
def test_a_rule_fits_by_system_method_and_path(conditions, fits):
    assert hits(plan({"kind": "throttle", **conditions}), 1) == ([1] if fits else [])


def test_requests_that_do_not_fit_are_not_counted():
    made = plan({"kind": "throttle", "path": "*/batch", "nth": 2})
    assert hits(made, 5, path="/v3/company/9341/query") == []
    assert hits(made, 3) == [2]


def test_probability_repeats_with_the_seed():
    rule = {"kind": "throttle", "probability": 0.3, "seed": 11}
    first = hits(plan(rule), 200)
    assert first == hits(plan(rule), 200)
    assert 30 < len(first) < 90
    assert first != hits(plan({**rule, "seed": 12}), 200)


def test_random_latency_repeats_with_the_seed():
    def delays() -> list[float]:
        made = plan({"kind": "latency", "delay_ms": [10, 500], "seed": 5})
        return [made.match(system="bill", method="GET", path="/")[0].seconds for _ in range(20)]

    assert delays() == delays()
    assert all(0.01 <= delay <= 0.5 for delay in delays())
    assert len(set(delays())) > 10


def test_of_two_rules_the_older_one_strikes_and_latency_joins_it():
    made = plan(
        {"kind": "throttle", "times": 1},
        {"kind": "latency", "delay_ms": 5},
        {"kind": "server_error"},
    )
    kinds = [[fault.kind for fault in made.match(system="bill", method="GET", path="/")] for _ in range(2)]
    assert kinds == [["throttle", "latency"], ["latency", "server_error"]]
    assert [(active.seen, active.fired) for active in made.rules()] == [(2, 1), (2, 2), (2, 1)]


def test_a_lifted_rule_hits_nothing():
    made = plan({"kind": "throttle"})
    assert made.remove(made.rules()[0].id)
    assert not made.remove("1")
    assert hits(made, 2) == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_written_and_is_shown_as_it_was_written(kind):
    written = {"kind": kind, "path": "*/batch", "nth": 2}
    if kind == "latency":
        written["delay_ms"] = 20
    shown = rule_as_json(FaultPlan().add(rule_from_json(written)))
    assert shown["kind"] == kind
    assert (shown["path"], shown["nth"], shown["seen"], shown["fired"]) == ("*/batch", 2, 0, 0)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ([], "JSON object"),
        ({}, "needs a kind"),
        ({"kind": "earthquake"}, "reset_before"),
        ({"kind": "throttle", "pth": "*"}, "throttle does not take pth; it takes kind, system"),
        ({"kind": "reset_after", "status": 500}, "does not take status"),
        ({"kind": "latency"}, "delay_ms"),
        ({"kind": "latency", "delay_ms": [20, 10]}, "[least, most]"),
        ({"kind": "latency", "delay_ms": "soon"}, "milliseconds"),
        ({"kind": "latency", "delay_ms": True}, "milliseconds"),
        ({"kind": "server_error", "status": 404}, "500, 503, 504"),
        ({"kind": "throttle", "probability": 2}, "from 0 to 1"),
        ({"kind": "throttle", "nth": 0}, "at least 1"),
        ({"kind": "throttle", "nth": True}, "at least 1"),
        ({"kind": "throttle", "times": 1.5}, "whole number"),
        ({"kind": "throttle", "system": "xero"}, "bill, quickbooks, oauth"),
        ({"kind": "throttle", "method": "post"}, "GET, POST"),
        ({"kind": "throttle", "path": "batch"}, "begin with"),
        ({"kind": "stale_sync_token", "items": [-1]}, "positions"),
        ({"kind": "html_error", "applied": "yes"}, "true or false"),
    ],
)
def test_a_wrong_rule_is_refused_in_words_that_show_the_cure(body, says):
    with pytest.raises(FaultRuleError) as caught:
        rule_from_json(body)
    assert says in str(caught.value)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.sampled_from(
    [
        "system",
        "method",
        "path",
        "probability",
        "seed",
        "nth",
        "every",
        "after",
        "times",
        "status",
        "delay_ms",
        "duration_ms",
        "cut",
        "applied",
        "items",
    ]
)


@given(st.dictionaries(FIELDS, JSON_VALUES, max_size=4), st.sampled_from(KINDS))
def test_whatever_is_sent_is_a_rule_or_refused(fields, kind):
    try:
        rule = rule_from_json({"kind": kind, **fields})
    except FaultRuleError:
        return
    FaultPlan().add(rule).match(system="bill", method="GET", path="/connect/v3/bills")


def test_latency_is_set_for_all_systems_or_for_one():
    made = FaultPlan()
    set_latency(made, {"per_call_ms": 120, "per_item_ms": 15})
    set_latency(made, {"per_call_ms": 5, "system": "oauth"})
    assert latency_as_json(made) == {
        "bill": {"per_call_ms": 120, "per_item_ms": 15},
        "quickbooks": {"per_call_ms": 120, "per_item_ms": 15},
        "oauth": {"per_call_ms": 5, "per_item_ms": 0},
    }
    assert made.latency["bill"].of(30) == pytest.approx(0.57)


@pytest.mark.parametrize("body", [None, {"delay": 5}, {"per_call_ms": -1}, {"system": "xero"}])
def test_wrong_latency_is_refused(body):
    with pytest.raises(FaultRuleError):
        set_latency(FaultPlan(), body)
