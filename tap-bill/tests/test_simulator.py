"""Whole runs against the simulator, over a socket: what is read is what BILL holds."""

from __future__ import annotations

import json
import threading
from collections import Counter
from decimal import Decimal

import pytest
import requests
from ap_simulator.testing import running
from tap_bill import client, limits
from tap_bill.streams import STREAMS
from tap_bill.tap import TapBill

STREAM_NAMES = [stream.name for stream in STREAMS]


@pytest.fixture(scope="module")
def _simulator():
    with running("demo") as simulator:
        yield simulator


@pytest.fixture
def simulator(_simulator):
    """The demo company as it begins, with nothing counted, no fault and every switch at its default."""
    _simulator.control.clear_faults()
    _simulator.control.reset()
    _simulator.control.reset_stats()
    return _simulator


@pytest.fixture
def config(simulator):
    """The tap's settings as the simulator prints them, without a cache and a start date."""
    settings = {
        name.removeprefix("TAP_BILL_").lower(): value
        for name, value in simulator.env().items()
        if name.startswith("TAP_BILL_")
    }
    return {
        name: settings[name] for name in ("dev_key", "username", "password", "organization_id", "api_url")
    }


@pytest.fixture
def cached(simulator, config):
    """The settings with the session cache that the simulator proposes."""
    env = simulator.env()
    return config | {
        "session_path": env["TAP_BILL_SESSION_PATH"],
        "encryption_key": env["TAP_BILL_ENCRYPTION_KEY"],
    }


@pytest.fixture(autouse=True)
def _hasty(monkeypatch):
    """Waits between attempts are short; what is waited is real, so that the server can recover."""
    monkeypatch.setattr(client, "_FIRST_WAIT", 0.01)
    monkeypatch.setattr(client, "_LONGEST_WAIT", 0.05)
    monkeypatch.setattr(limits, "_SECOND_LOOK", 0.01)


class BillUser:
    """Somebody who works in BILL while the tap reads."""

    def __init__(self, config):
        self._url = config["api_url"]
        self._http = requests.Session()
        self._http.trust_env = False
        self._dev_key = config["dev_key"]
        body = {name: config[name] for name in ("username", "password")}
        body |= {"organizationId": config["organization_id"], "devKey": config["dev_key"]}
        session = self._call("POST", "/v3/login", json=body)["sessionId"]
        self._http.headers.update({"sessionId": session, "devKey": self._dev_key})

    def _call(self, method, path, **request):
        response = self._http.request(method, f"{self._url}{path}", timeout=30, **request)
        assert response.ok, response.text
        return response.json() if response.content else None

    def change(self, vendor_id, **fields):
        return self._call("PATCH", f"/v3/vendors/{vendor_id}", json=fields)

    def archive(self, vendor_id):
        return self._call("POST", f"/v3/vendors/{vendor_id}/archive")


def newest(records):
    """The last version of each record, by id."""
    return {record["id"]: record for record in records}


def held(simulator, stream):
    return {record["id"]: record for record in simulator.control.records("bill", stream)}


def ids(records):
    return sorted(record["id"] for record in records)


# What is read -------------------------------------------------------------------------------------


def test_every_record_of_every_stream_comes_out_once(simulator, sync):
    output = sync()
    for stream in STREAM_NAMES:
        records = output.records(stream)
        assert ids(records) == sorted(held(simulator, stream)), stream
    assert output.streams == STREAM_NAMES


def test_records_come_out_as_bill_holds_them(simulator, sync, config):
    output = sync()
    for stream in STREAM_NAMES:
        expected = held(simulator, stream)
        for record in output.records(stream):
            assert record.pop("organizationId") == config["organization_id"]
            assert record == expected[record["id"]]


def test_money_agrees_to_the_cent(simulator, sync):
    bills = sync("bills").records("bills")
    total = sum(bill["amount"] for bill in bills)
    assert total == sum(bill["amount"] for bill in held(simulator, "bills").values())
    assert total > 0
    lines = [line["amount"] for bill in bills for line in bill["billLineItems"]]
    assert sum(lines) == total
    assert all(isinstance(amount, int | Decimal) for amount in lines)


@pytest.mark.parametrize("page_size", [1, 7, 100])
def test_the_page_size_makes_no_difference(simulator, sync, page_size):
    streams = ("recurring_bills", "departments", "customers")
    output = sync(*streams, page_size=page_size)
    for stream in streams:
        assert ids(output.records(stream)) == sorted(held(simulator, stream))


def test_a_full_pass_costs_hardly_more_than_one_call_per_page(simulator, sync):
    sync("bills")
    calls = simulator.control.stats()["bill"]["calls"]
    # Six pages of bills and their overlap, and the login.
    assert calls <= 9


# What changed -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("simulator")
def test_a_second_run_reads_only_the_overlap(sync):
    first = sync()
    second = sync(state=first.state)
    assert len(second.messages) < len(first.messages) / 10
    assert second.state == first.state


def test_changed_and_archived_records_come_with_the_next_run(sync, config):
    first = sync("vendors")
    active = [record["id"] for record in first.records("vendors") if not record["archived"]]
    user = BillUser(config)
    user.change(active[0], phone="555-0100")
    user.change(active[1], name="Renamed & Söhne")
    user.archive(active[2])

    changed = newest(sync("vendors", state=first.state).records("vendors"))
    assert changed[active[0]]["phone"] == "555-0100"
    assert changed[active[1]]["name"] == "Renamed & Söhne"
    assert changed[active[2]]["archived"] is True
    assert len(changed) <= 5


@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"bill.default_sort": "createdTime:asc"},
        {"bill.classification_time_filter": "reject"},
        {"bill.archived_by_default": "hidden"},
    ],
)
def test_records_that_change_while_they_are_read_are_not_lost(simulator, sync, config, capsys, switches):
    simulator.control.set_switches(switches)
    user = BillUser(config)
    victims = iter(sorted(held(simulator, "vendors"))[::3])

    def meddle(response, *_args, **_kwargs):
        if "/v3/vendors" in response.url and (victim := next(victims, None)):
            user.change(victim, phone=f"changed {victim[-4:]}")

    tap = TapBill(config=config | {"page_size": 10, "lookback_seconds": 0})
    for name, stream in tap.streams.items():
        stream.selected = name == "vendors"
    tap.connection.client.http.hooks["response"].append(meddle)
    capsys.readouterr()
    tap.sync_all()
    messages = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    copy = newest([message["record"] for message in messages if message["type"] == "RECORD"])
    copy |= newest(sync("vendors", state=dict(tap.state), lookback_seconds=0).records("vendors"))

    expected = held(simulator, "vendors")
    assert {ident: record.get("phone") for ident, record in copy.items()} == {
        ident: record.get("phone") for ident, record in expected.items()
    }


# Either side of what BILL leaves open -------------------------------------------------------------

OTHER_SIDES = [
    {"bill.unset_fields": "null"},
    {"bill.sensitive_numbers": "masked"},
    {"bill.archived_by_default": "hidden"},
    {"bill.page_token_requires_repeat": True},
    {"bill.filter_times": "any_iso"},
    {"bill.recurring_updated_time_filter": "accept"},
    {"bill.classification_time_filter": "reject"},
    {"bill.vendor_credit_time_filter": "reject"},
    {"bill.payment_time_filter": "reject"},
    {"bill.default_sort": "updatedTime:desc"},
    {"bill.multiple_sort_keys": "accept"},
    {"bill.parent_account_visible": False},
    {"bill.validation_code": "BDC_9999", "bill.classification_time_filter": "reject"},
    {"bill.second_login_ends_first": True},
    {"bill.partly_scheduled_status": "PARTIALLY_SCHEDULED"},
    {"bill.recurring_line_prefix": "rbi"},
]


@pytest.mark.parametrize(
    "switches", OTHER_SIDES, ids=lambda switches: ",".join(f"{k}={v}" for k, v in switches.items())
)
def test_either_side_of_each_open_question_gives_every_record_once(simulator, sync, switches):
    # Bills are read the way vendors are, and are many.
    streams = [stream for stream in STREAM_NAMES if stream != "bills"]
    simulator.control.set_switches(switches)
    first = sync(*streams, page_size=50)
    for stream in streams:
        assert ids(first.records(stream)) == sorted(held(simulator, stream)), stream
    second = sync(*streams, state=first.state, page_size=50)
    assert len(second.messages) < len(first.messages) / 5


@pytest.mark.parametrize("status", [429, 400])
def test_both_statuses_of_throttling_are_waited_out(simulator, sync, status):
    simulator.control.set_switches({"bill.throttle_status": status})
    simulator.control.add_fault("throttle", system="bill", path="/connect/v3/vendors", every=2, status=status)
    output = sync("vendors", page_size=20)
    assert len(newest(output.records("vendors"))) == len(held(simulator, "vendors"))


# Faults -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "throttle"},
        {"kind": "server_error", "status": 500},
        {"kind": "server_error", "status": 503},
        {"kind": "html_error"},
        {"kind": "reset_before"},
        {"kind": "reset_after"},
        {"kind": "truncated"},
        {"kind": "slow_drip", "duration_ms": 100},
        {"kind": "latency", "delay_ms": 20},
        {"kind": "expired_token"},
    ],
    ids=lambda fault: fault["kind"] + str(fault.get("status", "")),
)
def test_faults_cost_time_but_no_record(simulator, sync, fault):
    kind = fault.pop("kind")
    simulator.control.add_fault(kind, system="bill", method="GET", every=3, **fault)
    simulator.control.add_fault(kind, system="bill", path="/connect/v3/login", times=1, **fault)
    output = sync("chart_of_accounts", "vendors", "payments", page_size=50)
    for stream in ("chart_of_accounts", "vendors", "payments"):
        assert ids(output.records(stream)) == sorted(held(simulator, stream))


def test_a_storm_of_all_faults_costs_no_record(simulator, sync):
    for seed, kind in enumerate(
        ["throttle", "server_error", "html_error", "reset_before", "reset_after", "truncated"]
    ):
        simulator.control.add_fault(kind, system="bill", method="GET", probability=0.1, seed=seed)
    output = sync()
    for stream in STREAM_NAMES:
        assert set(newest(output.records(stream))) == set(held(simulator, stream)), stream


# Sessions and limits ------------------------------------------------------------------------------


def logins(simulator):
    return simulator.control.stats()["bill"]["logins"]


def test_two_runs_with_a_cache_log_in_once(simulator, sync, cached):
    sync("vendors", **cached)
    sync("vendors", **cached)
    assert logins(simulator) == 1


def test_a_cached_session_that_bill_forgot_costs_one_login(simulator, sync, cached):
    sync("vendors", **cached)
    simulator.control.advance(36 * 60)
    assert sync("vendors", **cached).records("vendors")
    assert logins(simulator) == 2


def test_a_session_that_dies_while_a_stream_is_read_costs_one_login_and_no_record(simulator, config, capsys):
    pages = iter(range(3))

    def age(response, *_args, **_kwargs):
        if "/v3/bills" in response.url and next(pages, None) == 1:
            simulator.control.advance(36 * 60)

    tap = TapBill(config=config)
    for name, stream in tap.streams.items():
        stream.selected = name == "bills"
    tap.connection.client.http.hooks["response"].append(age)
    tap.sync_all()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    records = [line["record"] for line in lines if line["type"] == "RECORD"]
    assert ids(records) == sorted(held(simulator, "bills"))
    assert logins(simulator) == 2


def test_parallel_runs_share_one_session_and_stay_within_three_calls_at_a_time(simulator, cached, capsys):
    simulator.control.set_switches({"bill.response_seconds": 0.02})
    failures = []

    def run():
        try:
            tap = TapBill(config=dict(cached))
            for name, stream in tap.streams.items():
                stream.selected = name in {"vendors", "payments"}
            tap.sync_all()
        except Exception as error:  # noqa: BLE001 - told in the main thread
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert logins(simulator) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    counted = Counter(line["record"]["id"] for line in lines if line["type"] == "RECORD")
    assert set(counted.values()) == {5}
    assert set(counted) == set(held(simulator, "vendors")) | set(held(simulator, "payments"))


def test_the_connection_is_kept_alive(config, monkeypatch):
    made = []
    original = client.HTTPAdapter.get_connection_with_tls_context

    def count(self, *args, **kwargs):
        pool = original(self, *args, **kwargs)
        made.append(pool)
        return pool

    monkeypatch.setattr(client.HTTPAdapter, "get_connection_with_tls_context", count)
    tap = TapBill(config=config)
    tap.sync_all()
    (pool,) = set(made)
    assert len(made) > 20
    assert pool.num_connections == 1
