"""Limits, their refusals, and the wording of injected ones."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from ap_simulator.bill.limits import HourlyQuota
from ap_simulator.bill.switches import BillSwitches
from ap_simulator.fault_rules import FaultRule

NOON = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)


def test_the_defaults_are_those_of_the_manual():
    switches = BillSwitches()

    assert switches.requests_per_hour == 20_000
    assert switches.logins_per_hour == 200
    assert switches.concurrent_requests == 3


def test_a_quota_is_blocked_until_the_next_full_hour():
    quota = HourlyQuota()

    def take(minutes):
        return quota.take("key", limit=2, now=NOON + timedelta(minutes=minutes))

    assert [take(50), take(58), take(59), take(60), take(61), take(62)] == [
        True,
        True,
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("status", [429, 400])
def test_requests_over_the_hourly_limit_are_bdc_1144(bill, status):
    bill.switches.throttle_status = status
    bill.switches.requests_per_hour = 4  # one of them was the login

    codes = [bill.call("GET", "vendors").status_code for _ in range(4)]

    assert codes == [200, 200, 200, status]
    message = "Max number of allowed requests per hour reached: 4."
    assert bill.refused("GET", "vendors") == (status, "BDC_1144", message)
    assert bill.service.calls.stats()["bill"]["throttled"] == {"BDC_1144": 2}


def test_the_hourly_limit_ends_with_the_clock_hour(bill):
    bill.switches.requests_per_hour = 2
    bill.advance(minutes=20)
    statuses = [bill.call("GET", "vendors").status_code for _ in range(2)]

    bill.on_loop(lambda service: service.clock.set(NOON + timedelta(hours=1)))
    bill.headers = bill.session()

    assert statuses == [200, 429]
    assert bill.call("GET", "vendors").status_code == 200


def test_the_hourly_limit_is_per_developer_key(bill):
    other = bill.session(organizationId=bill.OTHER_ORGANIZATION, devKey=bill.OTHER_DEV_KEY)
    bill.switches.requests_per_hour = 2
    bill.call("GET", "vendors")

    assert bill.call("GET", "vendors").status_code == 429
    assert bill.call("GET", "vendors", headers=other).status_code == 200


def test_logins_have_a_limit_of_their_own(bill):
    bill.switches.logins_per_hour = 3

    statuses = [bill.log_in().status_code for _ in range(3)]

    assert statuses == [200, 200, 429]
    assert bill.call("GET", "vendors").status_code == 200


def test_wrong_logins_count_too(anonymous):
    anonymous.switches.logins_per_hour = 1
    anonymous.log_in(password="wrong")

    assert anonymous.error(anonymous.log_in())[1] == "BDC_1144"


@contextlib.contextmanager
def three_in_flight(client):
    """Three requests under way that take a second each."""
    with ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(client.call, "GET", "vendors") for _ in range(3)]
        deadline = time.monotonic() + 10
        while client.service.limits._in_flight.total() < 3:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        yield
        assert [answer.result().status_code for answer in answers] == [200, 200, 200]


@pytest.fixture(params=["response_seconds", "latency"])
def slow(bill, request):
    """Answers take a second: the service's own time, or time that the network takes."""
    if request.param == "response_seconds":
        bill.switches.response_seconds = 1.0
    else:
        rule = FaultRule(kind="latency", seconds=(1.0, 1.0), times=3)
        bill.on_loop(lambda _: bill.faults.add(rule))
    return bill


def test_the_fourth_request_at_a_time_is_bdc_1322(slow):
    with three_in_flight(slow):
        refusal = slow.refused("GET", "vendors")

    message = "Max number of concurrent requests per organization reached."
    assert refusal == (429, "BDC_1322", message)
    assert slow.service.calls.stats()["bill"]["throttled"] == {"BDC_1322": 1}
    assert slow.call("GET", "vendors").status_code == 200


def test_logins_count_among_the_requests_at_a_time(slow):
    with three_in_flight(slow):
        assert slow.error(slow.log_in())[1] == "BDC_1322"


def test_concurrency_is_per_organization(bill):
    other = bill.session(organizationId=bill.OTHER_ORGANIZATION)
    bill.switches.response_seconds = 1.0

    with three_in_flight(bill):
        assert bill.call("GET", "vendors", headers=other).status_code == 200


@pytest.mark.parametrize(("path", "code"), [("vendors", "BDC_1322"), ("login", "BDC_1144")])
def test_an_injected_throttle_speaks_bill(bill, path, code):
    rule = FaultRule(kind="throttle", status=429, path="/connect/*")
    bill.on_loop(lambda _: bill.faults.add(rule))

    assert bill.refused("POST", path, {})[:2] == (429, code)


def test_an_injected_500_is_bdc_1001(bill):
    bill.on_loop(lambda _: bill.faults.add(FaultRule(kind="server_error", status=500)))

    assert bill.refused("GET", "bills") == (500, "BDC_1001", "System error occurred.")


@pytest.mark.parametrize("status", [503, 504])
def test_an_injected_gateway_error_is_an_object(bill, status):
    bill.on_loop(lambda _: bill.faults.add(FaultRule(kind="server_error", status=status)))

    response = bill.call("GET", "bills")

    assert response.status_code == status
    assert set(response.json()) == {"message"}
