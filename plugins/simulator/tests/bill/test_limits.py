"""Limits, their refusals, and the wording of injected ones."""

from __future__ import annotations

from collections import Counter
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


def calls_at_once(client, count, headers=None):
    with ThreadPoolExecutor(count) as pool:
        answers = list(pool.map(lambda _: client.call("GET", "vendors", headers=headers), range(count)))
    return Counter(answer.status_code for answer in answers), answers


def test_the_fourth_request_at_a_time_is_bdc_1322(bill):
    bill.switches.response_seconds = 0.5

    statuses, answers = calls_at_once(bill, 5)

    assert statuses == {200: 3, 429: 2}
    refused = next(answer for answer in answers if answer.status_code == 429)
    message = "Max number of concurrent requests per organization reached."
    assert bill.error(refused) == (429, "BDC_1322", message)
    assert bill.service.calls.stats()["bill"]["throttled"] == {"BDC_1322": 2}


def test_three_requests_at_a_time_are_let_in(bill):
    bill.switches.response_seconds = 0.2

    assert calls_at_once(bill, 3)[0] == {200: 3}
    assert calls_at_once(bill, 3)[0] == {200: 3}


def test_a_request_counts_as_in_flight_until_its_answer_is_out(bill):
    bill.on_loop(lambda _: bill.faults.add(FaultRule(kind="latency", seconds=(0.5, 0.5))))

    assert calls_at_once(bill, 4)[0] == {200: 3, 429: 1}


def test_concurrency_is_per_organization(bill):
    bill.switches.response_seconds = 0.4
    other = bill.session(organizationId=bill.OTHER_ORGANIZATION)

    with ThreadPoolExecutor(6) as pool:
        answers = list(
            pool.map(
                lambda headers: bill.call("GET", "vendors", headers=headers).status_code,
                [bill.headers, other] * 3,
            )
        )

    assert answers == [200] * 6


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
