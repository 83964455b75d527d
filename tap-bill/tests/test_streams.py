"""Streams over HTTP, against answers that the test gives."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sys

import pytest
import requests
from tap_bill import client, limits, session
from tap_bill.ahead import ReadAhead
from tap_bill.errors import (
    GaveUpError,
    HourlyLimitStopError,
    PermissionDeniedError,
    RedirectRefusedError,
    RequestRefusedError,
    SessionRefusedError,
)
from tap_bill.list_stream import BillStream
from tap_bill.tap import TapBill

VENDORS = "/v3/vendors"
EXPIRED = (401, [{"code": "BDC_1109", "message": "Session is invalid.  Please log in."}])


def vendor(ident, day=1, **fields):
    return {"id": ident, "archived": False, "updatedTime": f"2026-01-{day:02}T00:00:00.000+00:00", **fields}


def page(records, token=None):
    return {"results": records, **({"nextPage": token} if token else {})}


def refused(word):
    return (400, [{"code": "BDC_1002", "message": f"{word}: 'updatedTime' is not a field of this list"}])


def ids(records):
    return [record["id"] for record in records]


@pytest.fixture(autouse=True)
def slept(monkeypatch):
    """Time passes only by sleeping, and at once; how long the tap would have slept is noted."""
    waits = []
    for method, passing in (
        (client.BillClient.__init__, {"sleep": waits.append, "monotonic": lambda: sum(waits)}),
        (limits.Governor.__init__, {"sleep": waits.append}),
    ):
        monkeypatch.setattr(method, "__kwdefaults__", method.__kwdefaults__ | passing)
    return waits


@pytest.fixture
def bookmark():
    return {
        "bookmarks": {
            "vendors": {"replication_key": "updatedTime", "replication_key_value": "2026-01-05T00:00:00Z"}
        }
    }


# Requests -----------------------------------------------------------------------------------------


def test_the_first_request_asks_for_everything_oldest_first(bill, sync):
    sync("vendors")
    assert bill.requests[0] == (VENDORS, {"max": "100", "sort": "updatedTime:asc"})


def test_a_bookmark_becomes_a_quoted_filter_less_the_look_back(bill, sync, bookmark):
    sync("vendors", state=bookmark, lookback_seconds=60, page_size=7)
    assert bill.requests[0][1] == {
        "max": "7",
        "sort": "updatedTime:asc",
        "filters": 'updatedTime:gte:"2026-01-04T23:59:00.000Z"',
    }


@pytest.mark.parametrize(
    ("start_date", "expected"),
    [("2026-01-10", "2026-01-10T00:00:00.000Z"), ("2025-01-01T00:00:00+02:00", "2026-01-04T23:58:00.000Z")],
)
def test_the_later_of_start_date_and_bookmark_counts(bill, sync, bookmark, start_date, expected):
    sync("vendors", state=bookmark, start_date=start_date)
    assert bill.requests[0][1]["filters"] == f'updatedTime:gte:"{expected}"'


def test_the_look_back_does_not_reach_before_the_start_date(bill, sync, bookmark):
    sync("vendors", state=bookmark, start_date="2026-01-05T00:00:00Z")
    assert bill.requests[0][1]["filters"] == 'updatedTime:gte:"2026-01-05T00:00:00.000Z"'


def test_page_tokens_are_sent_back_with_all_other_parameters(bill, sync):
    bill.answer("/v3/classifications/jobs", page([vendor("a", 1)], "tok/en+="), page([vendor("b", 2)]))
    assert ids(sync("jobs", start_date="2026-01-01").records("jobs")) == ["a", "b"]
    first, second = bill.queries("/v3/classifications/jobs")[:2]
    assert second == {**first, "page": "tok/en+="}


def test_where_bill_documents_the_sort_pages_go_on_from_the_last_record(bill, sync):
    bill.answer(
        VENDORS, page([vendor("a", 1), vendor("b", 2)], "t"), page([vendor("b", 2), vendor("c", 3)]), []
    )
    assert ids(sync("vendors").records("vendors")) == ["a", "b", "c"]
    assert bill.requests[1][1] == {
        "max": "100",
        "sort": "updatedTime:asc",
        "filters": 'updatedTime:gte:"2026-01-02T00:00:00.000Z"',
    }


def test_an_empty_page_with_a_next_page_does_not_end_the_stream(bill, sync):
    bill.answer(VENDORS, page([], "t"), page([vendor("a")]), [])
    assert ids(sync("vendors").records("vendors")) == ["a"]


def test_the_organization_is_read_by_the_id_of_the_login(bill, sync, config):
    path = f"/v3/organizations/{config['organization_id']}"
    bill.answer(path, vendor(config["organization_id"], name="Acme"))
    (record,) = sync("organization").records("organization")
    assert record["name"] == "Acme"
    assert bill.requests == [(path, {})]


def test_recurring_bills_are_read_whole_and_compared_here(bill, sync):
    """BILL documents neither filter nor sort by updatedTime for them (BILL manual 3.3)."""
    path = "/v3/recurringbills"
    bill.answer(path, [vendor("old", 1), vendor("new", 9), vendor("archived", 9, archived=True)])
    state = {"bookmarks": {"recurring_bills": {"replication_key_value": "2026-01-05T00:00:00.000+00:00"}}}
    output = sync("recurring_bills", state=state)
    assert ids(output.records("recurring_bills")) == ["new", "archived"]
    assert bill.requests == [(path, {"max": "100", "sort": "archived:asc"})]
    kept = output.state["bookmarks"]["recurring_bills"]
    assert kept["replication_key_value"] == "2026-01-09T00:00:00.000+00:00"


def test_a_refused_filter_makes_it_a_full_read_with_one_line_in_the_log(bill, sync, bookmark, caplog):
    bill.answer(VENDORS, refused("filters"), [vendor("old", 1), vendor("new", 9)], [])
    with caplog.at_level(logging.INFO):
        output = sync("vendors", state=bookmark)
    assert ids(output.records("vendors")) == ["new"]
    assert [query.get("filters") for query in bill.queries(VENDORS)[1:2]] == [None]
    (note,) = [message for message in caplog.messages if "BILL refuses" in message]
    assert note == (
        "vendors: BILL refuses the filter updatedTime for this list; it is read without and compared here"
    )


def test_a_request_that_is_refused_in_every_form_fails_in_bills_words(bill, sync):
    bill.answer(VENDORS, (400, [{"code": "BDC_1002", "message": "max: must be smaller"}]))
    with pytest.raises(RequestRefusedError, match=r"BILL refused GET /v3/vendors .*max: must be smaller"):
        sync("vendors")


# Archived records ---------------------------------------------------------------------------------

ARCHIVED_ONLY = "archived:eq:true"


def archived_queries(bill):
    return [query for query in bill.queries(VENDORS) if ARCHIVED_ONLY in query.get("filters", "")]


def test_a_list_that_shows_archived_records_is_read_once(bill, sync):
    bill.answer(VENDORS, [vendor("a", archived=True), vendor("b")])
    output = sync("vendors")
    assert ids(output.records("vendors")) == ["a", "b"]
    assert archived_queries(bill) == []
    assert output.state["bookmarks"]["vendors"]["archived"] == "included"


def test_what_is_known_about_the_list_saves_the_question(bill, sync):
    state = {"bookmarks": {"vendors": {"archived": "included"}}}
    bill.answer(VENDORS, [vendor("a")])
    sync("vendors", state=state)
    assert archived_queries(bill) == []


def test_archived_records_that_the_list_hides_are_asked_for_with_their_own_bookmark(bill, sync):
    """Whether BILL lists archived records by default is not documented."""
    bill.answer(VENDORS, [vendor("a", 5)], [vendor("z", 3, archived=True)])
    output = sync("vendors")
    assert ids(output.records("vendors")) == ["a", "z"]
    kept = output.state["bookmarks"]["vendors"]
    assert kept["archived"] == "hidden"
    assert kept["replication_key_value"] == "2026-01-05T00:00:00.000+00:00"
    assert kept["archived_value"] == "2026-01-03T00:00:00.000+00:00"

    bill.answer(VENDORS, [])
    sync("vendors", state=output.state)
    assert archived_queries(bill)[-1]["filters"] == (
        'updatedTime:gte:"2026-01-02T23:58:00.000Z",archived:eq:true'
    )


def test_a_list_that_cannot_be_filtered_by_archived_is_taken_as_it_is(bill, sync):
    bill.answer(VENDORS, [vendor("a")], refused("filters"))
    output = sync("vendors")
    assert ids(output.records("vendors")) == ["a"]
    assert "archived" not in output.state["bookmarks"]["vendors"]


def test_payments_have_no_archived_records_to_ask_for(bill, sync):
    bill.answer("/v3/payments", [{"id": "p", "updatedTime": "2026-01-01T00:00:00Z"}])
    sync("payments")
    assert len(bill.requests) == 1


# Records ------------------------------------------------------------------------------------------


def test_every_record_carries_its_organization(bill, sync, config):
    bill.answer(VENDORS, [vendor("a")])
    (record,) = sync("vendors").records("vendors")
    assert record["organizationId"] == config["organization_id"]


def test_amounts_come_out_digit_for_digit(bill, sync):
    body = b'{"results": [{"id": "b", "amount": 228.10, "billLineItems": [{"amount": 0.30}]}]}'
    bill.answer("/v3/bills", body)
    record = sync("bills").records("bills")[0]
    assert (str(record["amount"]), str(record["billLineItems"][0]["amount"])) == ("228.10", "0.30")


def test_unknown_fields_are_left_out_with_one_warning_each(bill, sync, caplog):
    bill.answer(VENDORS, [vendor("a", brandNew=1), vendor("b", brandNew=2)], [])
    with caplog.at_level(logging.WARNING):
        records = sync("vendors").records("vendors")
    assert all("brandNew" not in record for record in records)
    assert [message for message in caplog.messages if "brandNew" in message] == [
        "vendors: field brandNew is not in the schema of this version; it is left out"
    ]


def test_times_come_out_in_one_form(bill, sync):
    times = ["2026-01-02T00:00:00Z", "2026-01-03T02:00:00+02:00", "2026-01-04T00:00:00.123456Z"]
    bill.answer(VENDORS, [{"id": time, "updatedTime": time} for time in times], [])
    assert [record["updatedTime"] for record in sync("vendors").records("vendors")] == [
        "2026-01-02T00:00:00.000+00:00",
        "2026-01-03T00:00:00.000+00:00",
        "2026-01-04T00:00:00.123+00:00",
    ]


def test_flattening_and_stream_maps_keep_amounts_exact(bill, sync):
    bill.answer(VENDORS, b'{"results": [{"id": "a", "name": "x", "balance": {"amount": 228.10}}]}')
    settings = {
        "flattening_enabled": True,
        "flattening_max_depth": 1,
        "stream_maps": {"vendors": {"name": "name.upper()"}},
        "stream_map_config": {},
    }
    record = sync("vendors", **settings).records("vendors")[0]
    assert (record["name"], str(record["balance__amount"])) == ("X", "228.10")


def test_a_record_without_a_time_is_emitted(bill, sync):
    bill.answer(VENDORS, [{"id": "a"}], [])
    output = sync("vendors")
    assert ids(output.records("vendors")) == ["a"]
    assert output.state["bookmarks"]["vendors"] == {}


def test_records_come_out_the_same_with_and_without_the_sdk(bill, config, monkeypatch, capsys):
    """What is neither mapped nor deselected is written past the SDK."""

    def messages():
        bill.answer(VENDORS, page([vendor("a", 1, name="É", new=1)], "t"), [vendor("b", 2)], [])
        TapBill(config=config).sync_all()
        lines = capsys.readouterr().out.splitlines()
        return [
            {name: value for name, value in json.loads(line).items() if name != "time_extracted"}
            for line in lines
        ]

    past_the_sdk = messages()
    monkeypatch.setattr(BillStream, "_goes_out_as_it_is", False)
    assert past_the_sdk == messages()
    assert [message["type"] for message in past_the_sdk].count("RECORD") == 3


def test_a_page_is_written_before_the_next_one_is_waited_for(bill, sync, monkeypatch):
    bill.answer(VENDORS, page([vendor("a", 1), vendor("b", 2)], "t"), [vendor("c", 3)], [])
    pages = ReadAhead.pages
    lines = []

    def watched(self, source, wanted):
        for one in pages(self, source, wanted):
            yield one
            lines.append(sys.stdout.getvalue().count('"type":"RECORD"'))

    monkeypatch.setattr(ReadAhead, "pages", watched)
    with contextlib.redirect_stdout(io.StringIO()):
        sync("vendors")
    assert lines == [2, 3]


def test_a_trial_run_shows_a_record_also_where_it_moves_no_bookmark(bill, cli, config, tmp_path):
    bill.answer("/v3/recurringbills", [vendor("a", 1), vendor("b", 2)])
    (tmp_path / "config.json").write_text(json.dumps(config))
    finished = cli("--config", tmp_path / "config.json", "--test")
    assert finished.code == 0
    kinds = [json.loads(line) for line in finished.out.splitlines()]
    streams = [message["stream"] for message in kinds if message["type"] in {"SCHEMA", "RECORD"}]
    assert streams[streams.index("recurring_bills") :][:2] == ["recurring_bills", "recurring_bills"]


# State --------------------------------------------------------------------------------------------


def test_the_bookmark_is_the_newest_time_that_was_read(bill, sync, config):
    bill.answer(VENDORS, [vendor("a", 2), vendor("b", 3, archived=True)])
    assert sync("vendors").state == {
        "bookmarks": {
            "vendors": {
                "replication_key": "updatedTime",
                "replication_key_value": "2026-01-03T00:00:00.000+00:00",
                "organization_id": config["organization_id"],
                "archived": "included",
            }
        }
    }


def test_an_overlap_read_again_does_not_move_the_bookmark_back(bill, sync):
    state = {"bookmarks": {"vendors": {"replication_key_value": "2026-01-05T00:00:00.000+00:00"}}}
    bill.answer(VENDORS, [{"id": "a", "updatedTime": "2026-01-04T23:59:00.000+00:00"}], [])
    output = sync("vendors", state=state)
    assert ids(output.records("vendors")) == ["a"]
    assert output.state["bookmarks"]["vendors"]["replication_key_value"] == "2026-01-05T00:00:00.000+00:00"


def test_state_is_written_while_a_long_stream_lasts(bill, sync):
    records = [
        {"id": str(n), "updatedTime": f"2026-01-01T00:{n // 60:02}:{n % 60:02}.000+00:00"} for n in range(900)
    ]
    bill.answer(VENDORS, records, [])
    values = [
        state["bookmarks"]["vendors"]["replication_key_value"]
        for state in sync("vendors").states
        if "replication_key_value" in state["bookmarks"].get("vendors", {})
    ]
    assert values[:3] == [f"2026-01-01T00:{n // 60:02}:{n % 60:02}.000+00:00" for n in (249, 499, 749)]


def test_after_a_failure_the_state_covers_what_was_written(bill, cli, config, tmp_path):
    bill.answer(VENDORS, page([vendor("a", 2)], "t"), (403, {"message": "Forbidden"}))
    catalog = {"streams": [_selected("vendors")]}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))
    finished = cli("--config", tmp_path / "config.json", "--catalog", tmp_path / "catalog.json")
    assert finished.code == 1
    last = json.loads(finished.out.splitlines()[-1])
    assert last["value"]["bookmarks"]["vendors"]["replication_key_value"] == "2026-01-02T00:00:00.000+00:00"


def _selected(name):
    entry = next(
        one for one in TapBill(validate_config=False).catalog_dict["streams"] if one["stream"] == name
    )
    for metadata in entry["metadata"]:
        if metadata["breadcrumb"] in ([], ()):
            metadata["metadata"]["selected"] = True
    return entry


def test_a_full_table_catalog_reads_everything_and_keeps_no_bookmark(bill, config, capsys, bookmark):
    entry = _selected("vendors") | {"replication_method": "FULL_TABLE"}
    bill.answer(VENDORS, [vendor("a", 1)], [])
    TapBill(config=config, catalog={"streams": [entry]}, state=bookmark).sync_all()
    assert bill.requests[0][1] == {"max": "100", "sort": "updatedTime:asc"}
    assert '"id":"a"' in capsys.readouterr().out


def test_fields_that_are_not_selected_stay_out(bill, config, capsys):
    entry = _selected("vendors")
    for metadata in entry["metadata"]:
        if list(metadata["breadcrumb"]) in (["properties", "name"], ["properties", "updatedTime"]):
            metadata["metadata"]["selected"] = False
    bill.answer(VENDORS, [vendor("a", 1, name="Acme", phone="1")], [])
    TapBill(config=config, catalog={"streams": [entry]}).sync_all()
    record = json.loads(next(line for line in capsys.readouterr().out.splitlines() if '"RECORD"' in line))[
        "record"
    ]
    assert "name" not in record
    # The replication key cannot be deselected: the bookmark lives on it.
    assert {"id", "phone", "updatedTime"} <= set(record)


@pytest.mark.usefixtures("bill")
def test_streams_come_in_the_order_in_which_records_refer_to_each_other(sync):
    assert sync().streams == [
        "chart_of_accounts",
        "accounting_classes",
        "departments",
        "locations",
        "items",
        "jobs",
        "employees",
        "customers",
        "vendors",
        "bills",
        "payments",
        "recurring_bills",
        "vendor_credits",
        "organization",
    ]


# Failures -----------------------------------------------------------------------------------------


def test_one_login_serves_all_streams(bill, sync):
    sync()
    assert bill.logins == 1
    assert set(bill.sessions) == {"session-1-zzTOP"}


def test_an_expired_session_costs_one_login_and_no_record(bill, sync):
    bill.answer(VENDORS, EXPIRED, [vendor("a", archived=True)])
    assert ids(sync("vendors").records("vendors")) == ["a"]
    assert bill.sessions == ["session-1-zzTOP", "session-2-zzTOP"]


def test_a_second_refusal_of_the_session_ends_the_run(bill, sync):
    bill.answer(VENDORS, EXPIRED)
    with pytest.raises(SessionRefusedError, match="although it had just logged in"):
        sync("vendors")
    assert bill.logins == 2


@pytest.mark.parametrize(
    "failure",
    [
        (500, [{"code": "BDC_1001", "message": "System error occurred."}]),
        (503, b"<html>Service Unavailable</html>"),
        (200, b'{"results": [{"id": "a"'),
        (200, b""),
        (429, [{"code": "BDC_1322", "message": "Max number of concurrent requests"}]),
        (400, [{"code": "BDC_1322", "message": "Max number of concurrent requests"}]),
        requests.exceptions.ReadTimeout("slow"),
        requests.exceptions.ConnectionError("reset"),
    ],
)
def test_passing_failures_lose_and_repeat_nothing(bill, sync, slept, failure):
    bill.answer(VENDORS, failure, page([vendor("a", 1)], "t"), failure, [vendor("b", 2, archived=True)])
    assert ids(sync("vendors").records("vendors")) == ["a", "b"]
    assert len(slept) == 2


def test_a_login_that_fails_in_passing_is_repeated(bill, sync, config):
    login = {"sessionId": "session-zzTOP", "organizationId": config["organization_id"]}
    bill.login_answers = [(500, b""), (429, [{"code": "BDC_1322"}]), login]
    bill.answer(VENDORS, [vendor("a")], [])
    assert ids(sync("vendors").records("vendors")) == ["a"]


@pytest.mark.parametrize("half", [{}, b'{"sessionId": "se', {"organizationId": "00801TESTORGANIZATIO"}])
def test_half_an_answer_to_the_login_is_asked_for_again(bill, sync, config, half):
    bill.login_answers = [half, {"sessionId": "session-zzTOP", "organizationId": config["organization_id"]}]
    bill.answer(VENDORS, [vendor("a")], [])
    assert ids(sync("vendors").records("vendors")) == ["a"]


def test_logins_used_up_are_waited_for(bill, sync, slept, monkeypatch):
    monkeypatch.setattr(session, "LOGINS_PER_HOUR", 0)
    limited = session.full_hour

    def next_hour(moment):
        # The hour is over once it has been slept through.
        if sum(slept) > 10:
            monkeypatch.setattr(session, "LOGINS_PER_HOUR", 200)
        return limited(moment)

    monkeypatch.setattr(session, "full_hour", next_hour)
    bill.answer(VENDORS, [vendor("a")], [])
    assert ids(sync("vendors").records("vendors")) == ["a"]
    assert bill.logins == 1


def test_a_login_that_keeps_failing_is_not_repeated_by_the_call_too(bill, sync):
    bill.login_answers = [(500, b"")]
    with pytest.raises(
        GaveUpError, match=r"POST /v3/login failed on BILL's side .* gave up after 1 attempts"
    ):
        sync("vendors", max_retry_seconds=0)
    assert bill.logins == 1


def test_the_hourly_limit_is_waited_out(bill, sync, slept):
    used_up = (
        429,
        [{"code": "BDC_1144", "message": "Max number of allowed requests per hour reached: 20000."}],
    )
    bill.answer(VENDORS, used_up, used_up, [vendor("a")], [])
    assert ids(sync("vendors").records("vendors")) == ["a"]
    assert 0 < slept[1] <= 3610


def test_the_hourly_limit_can_end_the_run(bill, sync):
    bill.answer(VENDORS, (429, [{"code": "BDC_1144", "message": "Max number"}]))
    with pytest.raises(HourlyLimitStopError, match="Run again after"):
        sync("vendors", hourly_limit="stop")


@pytest.mark.usefixtures("bill")
def test_a_redirect_is_not_followed(sync, requests_mock):
    requests_mock.get(
        "https://bill.example/connect/v3/vendors",
        status_code=302,
        headers={"Location": "https://evil.example/"},
    )
    evil = requests_mock.get("https://evil.example/", json={"results": []})
    with pytest.raises(RedirectRefusedError):
        sync("vendors")
    assert not evil.called


def test_a_user_without_the_role_is_told_so(bill, sync):
    bill.answer(VENDORS, (403, {"message": "Forbidden"}))
    with pytest.raises(PermissionDeniedError, match=r"may not call GET /v3/vendors .* role"):
        sync("vendors")


def test_the_organization_may_be_out_of_reach(bill, sync, config, caplog):
    """It needs the role of an administrator, which the rest does not (BILL manual 4.7)."""
    bill.answer(f"/v3/organizations/{config['organization_id']}", (403, {"message": "Forbidden"}))
    output = sync("organization")
    assert output.records("organization") == []
    assert "the stream is left out" in caplog.text
