"""The counters behind `/__control/stats`."""

from __future__ import annotations

from ap_simulator.calls import CallLog

BATCH = "POST /v3/company/{realm_id}/batch"


def test_calls_writes_and_throttles_are_counted_by_system():
    log = CallLog()
    log.record(system="quickbooks", endpoint=BATCH, status=200, writes=True)
    log.record(system="quickbooks", endpoint=BATCH, status=429, writes=True)
    log.wrote(system="quickbooks", entity="Vendor", operation="create", count=30)
    log.throttled(system="quickbooks", limit="batches_per_minute")
    log.record(system="bill", endpoint="GET /connect/v3/bills", status=200)
    log.logged_in(system="bill")
    stats = log.stats()
    assert stats["quickbooks"] == {
        "calls": 2,
        "by_endpoint": {BATCH: {"200": 1, "429": 1}},
        "written": {"Vendor": {"create": 30}},
        "by_hand": {},
        "write_calls": 2,
        "throttled": {"batches_per_minute": 1},
        "logins": 0,
        "aborted": 0,
        "max_in_flight": 0,
    }
    assert (stats["bill"]["logins"], stats["bill"]["write_calls"]) == (1, 0)
    assert stats["total_calls"] == 3


def test_a_dropped_call_is_a_call():
    log = CallLog()
    log.aborted(system="quickbooks", writes=True)
    stats = log.stats()["quickbooks"]
    assert (stats["calls"], stats["aborted"], stats["write_calls"]) == (1, 1, 1)


def test_the_greatest_number_in_flight_is_kept():
    log = CallLog()
    for _ in range(3):
        log.entered(system="bill")
    log.left(system="bill")
    log.entered(system="bill")
    assert log.stats()["bill"]["max_in_flight"] == 3


def test_a_reset_forgets_all_but_the_calls_under_way():
    log = CallLog()
    log.entered(system="bill")
    log.entered(system="bill")
    log.left(system="bill")
    log.record(system="bill", endpoint="GET /", status=200)
    log.reset()
    assert log.stats()["bill"]["calls"] == 0
    assert log.stats()["bill"]["max_in_flight"] == 1
