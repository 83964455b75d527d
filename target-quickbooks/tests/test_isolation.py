"""Which records are to blame when QuickBooks fails over a batch, and when it is QuickBooks itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_quickbooks.isolation import ENOUGH_FAILURES, Patience, isolate


class Server:
    """Fails over requests that hold a poison, and over the first so many requests whatever they hold."""

    def __init__(self, *poisons, down=0):
        self.poisons = set(poisons)
        self.down = down
        self.requests = []

    def attempt(self, part):
        self.requests.append(list(part))
        if self.down or self.poisons & set(part):
            self.down = max(self.down - 1, 0)
            return part, False
        return [], True

    @property
    def written(self):
        return {item for request in self.requests if not self.poisons & set(request) for item in request}


@pytest.fixture
def patience(clock):
    return Patience(300, sleep=clock.sleep, monotonic=clock.now)


@given(poisons=st.sets(st.integers(0, 29), max_size=4), count=st.integers(5, 30))
def test_those_to_blame_are_found_and_the_others_go_through(poisons, count):
    items = range(count)
    server = Server(*poisons)
    patience = Patience(300, sleep=lambda _: None, monotonic=lambda: 0.0)
    result = isolate(items, server.attempt, patience=patience)
    assert set(result.culprits) == poisons & set(items)
    assert result.untold == []
    assert server.written == set(items) - poisons


def test_a_culprit_has_failed_by_itself_several_times(patience):
    server = Server(3)
    isolate(range(30), server.attempt, patience=patience)
    assert server.requests.count([3]) == ENOUGH_FAILURES
    assert len(server.requests) < 20


def test_where_nothing_goes_through_nobody_is_to_blame(patience, clock):
    server = Server(down=10**6)
    result = isolate(range(30), server.attempt, patience=patience)
    assert result.culprits == []
    assert sorted(result.untold) == list(range(30))
    assert sum(clock.slept) <= 330
    assert max(clock.slept) == 30


def test_an_outage_blames_nobody(patience):
    server = Server(down=12)
    result = isolate(range(30), server.attempt, patience=patience)
    assert (result.culprits, result.untold) == ([], [])
    assert {item for request in server.requests[12:] for item in request} == set(range(30))


def test_an_item_alone_is_to_blame_if_something_else_has_just_gone_through(patience):
    assert isolate([1], Server(1).attempt, patience=patience, works=True).culprits == [1]


def test_of_an_item_alone_nothing_is_known_otherwise(patience):
    result = isolate([1], Server(1).attempt, patience=patience)
    assert (result.culprits, result.untold) == ([], [1])


def test_time_that_others_slept_counts(patience):
    patience.spend(299.5)
    assert patience.left == 0.5
    patience.pause()
    assert patience.left == 0
    patience.renew()
    assert patience.left == 300
