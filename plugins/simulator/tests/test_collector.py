"""Large companies are kept from the garbage collector, and given back to it."""

from __future__ import annotations

import contextlib
import gc

import pytest
from ap_simulator.collector import LARGE, is_large, spared
from ap_simulator.settings import Settings
from ap_simulator.testing import running


@pytest.fixture(autouse=True)
def thawed():
    gc.unfreeze()
    yield
    gc.unfreeze()


def test_a_company_is_large_by_its_vendors_and_bills():
    assert is_large(Settings(vendors=LARGE // 2, bills=LARGE // 2))
    assert not is_large(Settings(company="demo"))


def test_what_is_made_is_kept_from_the_collector_even_if_making_fails():
    with contextlib.suppress(ZeroDivisionError), spared():
        assert not gc.isenabled()
        _ = 1 / 0
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


def test_a_large_company_is_kept_from_the_collector_until_its_simulator_ends():
    with running("empty", vendors=LARGE) as simulator:
        kept = gc.get_freeze_count()
        assert kept > LARGE
        simulator.control.reset(vendors=LARGE)
        simulator.control.status()
        assert 0.5 < gc.get_freeze_count() / kept < 1.5
        simulator.control.reset(vendors=0)
        simulator.control.status()
        assert gc.get_freeze_count() == 0
    with running("empty", vendors=LARGE):
        pass
    assert gc.get_freeze_count() == 0
