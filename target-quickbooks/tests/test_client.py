"""HTTP to QuickBooks: tokens, throttling, trouble, refusals, paging and counting."""

from __future__ import annotations

import datetime as dt
import json
import logging
import threading
from decimal import Decimal
from email.utils import format_datetime
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import time_machine
from target_quickbooks.errors import CompanyRefused, GrantDead, Stopped, TargetError, TemporaryError
from target_quickbooks.quickbooks.client import QuickBooksClient
from target_quickbooks.quickbooks.governor import Governor
from target_quickbooks.quickbooks.responses import Refused

BASE = "https://quickbooks.test/v3/company/9341452000000001"
BATCH = f"{BASE}/batch"
QUERY = f"{BASE}/query"
STALE = {
    "status_code": 401,
    "json": {"fault": {"error": [{"message": "errorCode=003200", "code": "3200"}], "type": "AUTHENTICATION"}},
}
THROTTLE_XML = """<?xml version="1.0"?><IntuitResponse xmlns="http://schema.intuit.com/finance/v3">
<Fault type="SERVICE"><Error code="3001"><Message>message=ThrottleExceeded</Message></Error></Fault>
</IntuitResponse>"""
ITEMS = [{"bId": "i1", "operation": "create", "Vendor": {}}]
GOOD = {
    "json": {"BatchItemResponse": [{"bId": "i1", "Vendor": {"Id": "1"}}]},
    "headers": {"intuit_tid": "1-2"},
}


class Tokens:
    """Gives numbered tokens; a refused one is followed by the next."""

    def __init__(self):
        self.number = 1

    def access_token(self, *, refused=None):
        if refused == f"eyJ-token-{self.number}":
            self.number += 1
        return f"eyJ-token-{self.number}"


@pytest.fixture
def tokens():
    return Tokens()


@pytest.fixture
def client_that(tokens, clock):
    def build(*, waits):
        return QuickBooksClient(
            api_url="https://quickbooks.test",
            realm_id="9341452000000001",
            tokens=tokens,
            governor=Governor(now=clock.now, sleep=waits),
            user_agent="agent/1",
            max_retry_seconds=300,
            sleep=clock.sleep,
        )

    return build


@pytest.fixture
def client(client_that, clock):
    return client_that(waits=clock.sleep)


@pytest.fixture(params=["waiting", "going on"])
def send(request):
    """Sends a batch of one, and takes its answer at once or later."""
    how = {"request_id": "req-1"}

    def at_once(client):
        return client.batch(ITEMS, **how)

    def later(client):
        return client.batch(ITEMS, **how, begun=client.begin(ITEMS, **how))

    return at_once if request.param == "waiting" else later


def requests_of(mock):
    """What each request asked for: its parameters and its token."""
    return [
        (parse_qs(urlsplit(request.url).query), request.headers["Authorization"])
        for request in mock.request_history
    ]


def faulty(code, status=400):
    return {"status_code": status, "json": {"Fault": {"Error": [{"Message": "No", "code": code}]}}}


# --- what is sent -------------------------------------------------------------------------------------------


def test_a_batch_is_sent_whole(client, requests_mock):
    requests_mock.post(BATCH, **GOOD)
    answer = client.batch([{"bId": "i1", "Vendor": {"Balance": Decimal("1.10")}}], request_id="req-1")
    request = requests_mock.last_request
    assert request.text == '{"BatchItemRequest":[{"bId":"i1","Vendor":{"Balance":1.10}}]}'
    assert parse_qs(request.query) == {"minorversion": ["75"], "requestid": ["req-1"]}
    assert request.headers["Authorization"] == "Bearer eyJ-token-1"
    assert request.headers["Accept"] == "application/json"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["User-Agent"] == "agent/1"
    assert (answer.by_id["i1"]["Vendor"]["Id"], answer.tid) == ("1", "1-2")


def test_a_query_is_posted_as_text(client, requests_mock):
    requests_mock.post(
        QUERY, json={"QueryResponse": {"Vendor": [{"Id": "1", "SyncToken": "0"}], "maxResults": 1}}
    )
    assert client.query("SELECT * FROM Vendor WHERE DisplayName = 'Café'") == [{"Id": "1", "SyncToken": "0"}]
    request = requests_mock.last_request
    assert request.body.decode() == "SELECT * FROM Vendor WHERE DisplayName = 'Café'"
    assert request.headers["Content-Type"] == "application/text"


def test_numbers_are_read_exactly(client, requests_mock):
    requests_mock.get(f"{BASE}/vendor/1", text='{"Vendor": {"Balance": 103.55}}')
    assert client.read("Vendor", "1") == {"Balance": Decimal("103.55")}


def test_the_trace_id_is_never_longer_than_the_store_keeps(send, client, requests_mock):
    requests_mock.post(BATCH, json={"BatchItemResponse": []}, headers={"intuit_tid": "x" * 500})
    assert len(send(client).tid) == 64


# --- what is under way --------------------------------------------------------------------------------------


def test_what_is_under_way_waits_for_nobody(client, requests_mock):
    may_answer = threading.Event()

    def answer(*_):
        assert may_answer.wait(10)
        return GOOD["json"]

    requests_mock.post(BATCH, json=answer)
    begun = [client.begin(ITEMS, request_id=f"req-{number}") for number in range(2)]
    assert not any(one.arriving.done() for one in begun)
    assert (client.calls.writes, client.calls.reads) == (2, 0)
    may_answer.set()
    answers = [client.batch(ITEMS, request_id="anything", begun=one) for one in begun]
    assert [(set(answer.by_id), answer.repeated) for answer in answers] == [({"i1"}, False)] * 2
    sent = [params["requestid"] for params, _ in requests_of(requests_mock)]
    assert sorted(sent) == [["req-0"], ["req-1"]]


def test_clocks_are_compared_when_an_answer_comes_not_when_it_is_taken(client, requests_mock):
    at = dt.datetime(2026, 11, 16, 9, 0, tzinfo=dt.UTC)
    requests_mock.post(BATCH, json=GOOD["json"], headers={"Date": format_datetime(at, usegmt=True)})
    with time_machine.travel(at, tick=False) as time:
        begun = client.begin(ITEMS, request_id="req-1")
        begun.arriving.result()
        time.shift(60)
        assert client.batch(ITEMS, request_id="req-1", begun=begun).by_id
    assert client.clock_ahead == dt.timedelta(0)


def test_more_wait_for_their_turn_than_quickbooks_takes_at_a_time(client_that, clock, requests_mock):
    answers = threading.Semaphore(0)
    answered = []

    def answer(request, _):
        assert answers.acquire(timeout=10)
        answered.append(request)
        return GOOD["json"]

    def wait(seconds):
        clock.sleep(seconds)
        answers.release()

    requests_mock.post(BATCH, json=answer)
    client = client_that(waits=wait)
    begun = [client.begin(ITEMS, request_id=f"req-{number}") for number in range(10)]
    assert answered == []
    answers.release()
    begun.append(client.begin(ITEMS, request_id="req-10"))
    assert answered
    answers.release(len(begun))
    assert all(client.batch(ITEMS, request_id="x", begun=one).by_id for one in begun)


def test_a_stop_while_waiting_for_a_turn_sends_nothing(client_that, requests_mock):
    def stop(_):
        raise Stopped(15)

    requests_mock.post(BATCH, **GOOD)
    client = client_that(waits=stop)
    sent = []

    def go_on():
        while True:
            client.begin(ITEMS, request_id=f"req-{len(sent)}").arriving.result()
            sent.append(1)

    with pytest.raises(Stopped):
        go_on()
    assert sent
    assert requests_mock.call_count == client.calls.writes == len(sent)


# --- the token ----------------------------------------------------------------------------------------------


def test_a_stale_token_is_renewed_once_and_the_request_sent_again(send, client, requests_mock):
    requests_mock.post(BATCH, [STALE, GOOD])
    assert send(client).by_id
    (first, old), (second, new) = requests_of(requests_mock)
    assert first == second
    assert (old, new) == ("Bearer eyJ-token-1", "Bearer eyJ-token-2")


def test_a_token_that_is_refused_again_is_the_companys_refusal(send, client, requests_mock):
    requests_mock.post(BATCH, [STALE])
    with pytest.raises(CompanyRefused, match=r"9341452000000001.*quickbooks-admin connect"):
        send(client)
    assert requests_mock.call_count == 2


def test_a_401_of_no_known_shape_renews_the_token_too(send, client, requests_mock):
    requests_mock.post(BATCH, [{"status_code": 401, "text": "<html>"}, GOOD])
    assert send(client).by_id


def test_a_removed_user_is_not_helped_by_a_new_token(send, client, requests_mock, tokens):
    requests_mock.post(BATCH, [faulty("120", 401)])
    with pytest.raises(CompanyRefused):
        send(client)
    assert (requests_mock.call_count, tokens.number) == (1, 1)


def test_a_dead_grant_ends_the_request(send, client, requests_mock, tokens, monkeypatch):
    def dead(**_):
        raise GrantDead("reconnect")

    monkeypatch.setattr(tokens, "access_token", dead)
    with pytest.raises(GrantDead):
        send(client)
    assert requests_mock.call_count == 0


# --- refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["3100", "6190", "10200"])
def test_a_refusal_of_the_company_is_not_repeated(send, client, requests_mock, code):
    requests_mock.post(BATCH, [faulty(code, 403)])
    with pytest.raises(CompanyRefused, match=code):
        send(client)
    assert requests_mock.call_count == 1


def test_a_refused_request_carries_its_faults(send, client, requests_mock):
    requests_mock.post(BATCH, **faulty("2010"))
    with pytest.raises(Refused) as refused:
        send(client)
    assert [fault.code for fault in refused.value.faults] == ["2010"]
    assert requests_mock.call_count == 1


def test_a_refused_look_up_ends_the_run_with_one_line(client, requests_mock):
    requests_mock.post(QUERY, **faulty("4000"))
    with pytest.raises(TargetError) as refused:
        client.query("SELECT")
    assert str(refused.value).splitlines() == [str(refused.value)]


def test_a_fault_with_status_200_is_a_refusal(send, client, requests_mock):
    requests_mock.post(BATCH, json={"Fault": {"Error": [{"code": "2010"}]}})
    with pytest.raises(Refused):
        send(client)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(send, client, requests_mock, status):
    """A token must not travel to an address that was not configured."""
    requests_mock.post(BATCH, status_code=status, headers={"Location": "https://elsewhere.test/"})
    requests_mock.register_uri("POST", "https://elsewhere.test/", **GOOD)
    with pytest.raises(CompanyRefused):
        send(client)
    assert [request.hostname for request in requests_mock.request_history] == ["quickbooks.test"]


def test_a_wrong_address_is_told_as_such(send, client, requests_mock):
    requests_mock.post(BATCH, status_code=404, text="<html>Not found</html>")
    with pytest.raises(CompanyRefused, match=r"404.*api_url"):
        send(client)


def test_localised_texts_arrive_whole(send, client, requests_mock):
    body = json.dumps(
        {"Fault": {"Error": [{"Message": "Numéro en double", "code": "2010"}]}}, ensure_ascii=False
    )
    requests_mock.post(BATCH, status_code=400, content=body.encode())
    with pytest.raises(Refused, match="Numéro en double"):
        send(client)


# --- trouble ------------------------------------------------------------------------------------------------

TROUBLES = [
    {"status_code": 500, "json": {"Fault": {"Error": [{"code": "10000"}]}}},
    {"status_code": 503, "text": "<html>"},
    {"status_code": 504},
    {"status_code": 429, "text": THROTTLE_XML},
    {"status_code": 429, "json": {"fault": {"error": [{"code": "3001"}]}}},
    {"text": '{"BatchItemResponse": [{"bId"'},
    {"text": ""},
    {"text": "[]"},
    {"text": '{"Fault": "odd"}'},
    {"exc": requests.ConnectionError("Bearer eyJ-token-1")},
    {"exc": requests.ReadTimeout},
    {"exc": requests.exceptions.ChunkedEncodingError},
]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_is_waited_out_with_the_same_request(send, client, requests_mock, trouble):
    """The requestid keeps a write whose answer was lost from being applied twice."""
    requests_mock.post(BATCH, [trouble, trouble, GOOD])
    assert send(client).by_id
    sent = requests_of(requests_mock)
    assert len(sent) == 3
    assert sent[0] == sent[1] == sent[2]
    assert client.calls.repeats == 2


@pytest.mark.parametrize("trouble", TROUBLES)
def test_lasting_trouble_ends_the_run_in_time(send, client, requests_mock, clock, trouble):
    requests_mock.post(BATCH, [trouble])
    began = clock.time
    with pytest.raises(TemporaryError, match="run again later") as error:
        send(client)
    assert 299.9 <= clock.time - began <= 300 + 61
    assert "eyJ" not in str(error.value)


def test_no_time_to_retry_means_one_attempt(send, client, requests_mock):
    client._max_retry_seconds = 0
    requests_mock.post(BATCH, status_code=503)
    with pytest.raises(TemporaryError):
        send(client)
    assert requests_mock.call_count == 1


@pytest.mark.parametrize(("header", "shortest"), [("17", 17), ("3600", 60), ("soon", 2), ("-5", 2)])
def test_a_throttle_is_waited_out_as_long_as_it_asks(send, client, requests_mock, clock, header, shortest):
    throttle = {"status_code": 429, "text": THROTTLE_XML, "headers": {"Retry-After": header}}
    requests_mock.post(BATCH, [throttle, GOOD])
    began = clock.time
    send(client)
    assert shortest <= clock.time - began <= shortest + 2
    assert client.calls.throttled == 1


def test_a_second_throttle_in_a_row_waits_out_the_limit_of_a_minute(send, client, requests_mock, clock):
    """The first may be that of a second; asking on every second would only keep the gate shut."""
    requests_mock.post(BATCH, [{"status_code": 429}, {"status_code": 429}, GOOD])
    began = clock.time
    send(client)
    assert 62 <= clock.time - began <= 64


def test_waiting_for_a_turn_does_not_use_up_the_patience(send, client, requests_mock, clock, monkeypatch):
    """A busy hour of another process is not QuickBooks failing."""
    monkeypatch.setattr("time.monotonic", clock.now)
    client._governor._before_start = lambda: clock.sleep(1_000)
    requests_mock.post(BATCH, [{"status_code": 503}, {"status_code": 503}, GOOD])
    client._max_retry_seconds = 60
    send(client)
    assert requests_mock.call_count == 3


def test_a_throttle_closes_the_gate_for_everybody(send, client, requests_mock):
    """Other threads share the governor: none of them may go on asking."""
    throttle = {"status_code": 429, "headers": {"Retry-After": "30"}}
    requests_mock.post(BATCH, [throttle, GOOD])
    governor, woken = client._governor, []
    client._sleep = lambda _: woken.append(governor._take("another", batch=False))
    send(client)
    assert woken == [pytest.approx(30, abs=1)]


def test_no_token_is_ever_told(send, client, requests_mock, caplog):
    caplog.set_level(logging.DEBUG)
    client._max_retry_seconds = 10_000
    leak = {
        "status_code": 400,
        "json": {"Fault": {"Error": [{"Detail": "Bearer eyJ-token-1", "code": "2010"}]}},
    }
    requests_mock.post(BATCH, [*TROUBLES, leak])
    with pytest.raises(Refused) as refused:
        send(client)
    assert "eyJ" not in caplog.text + str(refused.value) + repr(refused.value.faults[0].text)


# --- look-ups -----------------------------------------------------------------------------------------------


def batch_of_queries(answer):
    """Answers each query of a batch by what ``answer`` makes of its statement."""

    def respond(request, _):
        items = request.json()["BatchItemRequest"]
        return {
            "BatchItemResponse": [{"bId": item["bId"], **answer(item["Query"])} for item in reversed(items)]
        }

    return respond


def asked(number):
    return f"SELECT * FROM Account WHERE Id = '{number}'"  # noqa: S608


def rows_of(statement):
    found = {"Id": statement.split("'")[1]}
    return {"QueryResponse": {"Account": [found], "startPosition": 1, "maxResults": 1}}


def test_several_queries_go_in_one_batch_and_come_back_in_order(client, requests_mock):
    requests_mock.post(BATCH, json=batch_of_queries(rows_of))
    assert client.queries([asked(1), asked(2), asked(3)]) == [[{"Id": "1"}], [{"Id": "2"}], [{"Id": "3"}]]
    assert requests_mock.call_count == 1


def test_a_single_query_needs_no_batch(client, requests_mock):
    requests_mock.post(QUERY, json=rows_of(asked(1)))
    assert client.queries([asked(1)]) == [[{"Id": "1"}]]


@pytest.mark.parametrize(("rows_each", "calls"), [(1, 2), (150, 6), (1000, 31), (2000, 31)])
def test_a_batch_never_asks_for_more_than_it_can_return(client, requests_mock, rows_each, calls):
    """30 items, and 1,000 objects in all (QuickBooks manual 4.2)."""
    requests_mock.post(BATCH, json=batch_of_queries(rows_of))
    assert len(client.queries([asked(number) for number in range(31)], rows_each=rows_each)) == 31
    assert requests_mock.call_count == calls


def test_what_a_batch_returned_too_much_for_is_asked_for_by_itself(client, requests_mock):
    """1,000 objects in all (QuickBooks manual 4.2); who shares a name is not known beforehand."""
    too_much = {"Fault": {"Error": [{"code": "10100", "Message": "Result Set Big"}], "type": "SystemFault"}}
    requests_mock.post(
        BATCH, json=batch_of_queries(lambda text: rows_of(text) if "'1'" in text else too_much)
    )
    requests_mock.post(QUERY, json=rows_of(asked(2)))
    assert client.queries([asked(1), asked(2)]) == [[{"Id": "1"}], [{"Id": "2"}]]
    assert requests_mock.call_count == 2


def test_a_query_that_finds_nothing(client, requests_mock):
    requests_mock.post(QUERY, json={"QueryResponse": {}, "time": "2026-01-01"})
    assert client.query("SELECT") == []


def test_an_object_without_the_usual_wrapper_is_found(client, requests_mock):
    """As the manual shows Preferences (QuickBooks manual 3.3)."""
    requests_mock.post(QUERY, json={"Preferences": {"Id": "1"}, "time": "2026-01-01"})
    assert client.query("SELECT * FROM Preferences") == [{"Id": "1"}]


@pytest.mark.parametrize(
    "undecided",
    [{"Fault": {"Error": [{"code": "3001"}]}}, None, {}, {"QueryResponse": {"Vendor": [{"Id": "2"}]}}],
)
def test_a_query_that_a_batch_leaves_undecided_is_asked_again(client, requests_mock, undecided):
    """Throttled by itself, not answered at all, or answered with something else."""

    def respond(request, _):
        items = request.json()["BatchItemRequest"]
        answers = [{"bId": items[0]["bId"], **rows_of(asked(1))}]
        if undecided:
            answers.append({"bId": items[1]["bId"], **undecided})
        return {"BatchItemResponse": answers}

    requests_mock.post(BATCH, json=respond)
    requests_mock.post(QUERY, json=rows_of(asked(2)))
    assert client.queries([asked(1), asked(2)]) == [[{"Id": "1"}], [{"Id": "2"}]]


def test_a_refused_query_of_a_batch_is_a_refusal(client, requests_mock):
    requests_mock.post(BATCH, json=batch_of_queries(lambda _: {"Fault": {"Error": [{"code": "4000"}]}}))
    with pytest.raises(Refused):
        client.queries(["a", "b"])


@pytest.mark.parametrize(("total", "calls"), [(0, 1), (999, 1), (1000, 2), (2500, 3)])
def test_all_objects_are_read_page_by_page(client, requests_mock, total, calls):
    def page(request, _):
        start = int(request.text.split("STARTPOSITION ")[1].split()[0])
        ids = range(start, min(start + 1000, total + 1))
        return {"QueryResponse": {"Account": [{"Id": str(number)} for number in ids]}}

    requests_mock.post(QUERY, json=page)
    rows = client.every("Account", where="Active IN (true, false)")
    assert [row["Id"] for row in rows] == [str(number) for number in range(1, total + 1)]
    assert requests_mock.call_count == calls
    assert "WHERE Active IN (true, false)" in requests_mock.last_request.text


def test_calls_are_counted(send, client, requests_mock):
    requests_mock.post(QUERY, json={"QueryResponse": {}})
    requests_mock.post(BATCH, [STALE, {"status_code": 503}, GOOD])
    client.query("SELECT")
    send(client)
    calls = client.calls
    assert (calls.reads, calls.writes, calls.repeats, calls.throttled) == (1, 3, 1, 0)


@pytest.mark.parametrize(
    "odd",
    [
        {"BatchItemResponse": ["odd", {"bId": "i1"}]},
        {"BatchItemResponse": None},
        {"BatchItemResponse": [{"bId": "i1", "Vendor": {"Id": "x"}}]},
        {"BatchItemResponse": [{"bId": "i1", "Vendor": {"Id": 10**30}}]},
        {"BatchItemResponse": [{"bId": "i1", "Vendor": {"Id": "1", "MetaData": "odd"}}]},
        {"BatchItemResponse": [{"bId": "i1", "Vendor": {"Id": "1", "Active": "true"}}]},
        {"BatchItemResponse": [{"bId": "i1", "PurchaseOrder": {"Id": "1", "Line": [None]}}]},
        {"BatchItemResponse": [{"bId": "i1", "PurchaseOrder": {"VendorRef": "1"}}]},
        {"BatchItemResponse": [{"bId": "i1", "Vendor": {"MetaData": {"CreateTime": "2026-11-30"}}}]},
        {},
    ],
)
def test_an_answer_that_quickbooks_cannot_mean_is_asked_for_again(send, client, requests_mock, odd):
    requests_mock.post(BATCH, [{"json": odd}, GOOD])
    answer = send(client)
    assert (answer.by_id["i1"]["Vendor"]["Id"], answer.repeated) == ("1", True)


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"QueryResponse": []},
        {"QueryResponse": {"Account": [{"Id": "1"}]}},
        {"QueryResponse": {"Vendor": [{"SyncToken": "0"}]}},
        {"QueryResponse": {"Vendor": [{"Id": "1"}]}},
        {"QueryResponse": {"Vendor": ["odd"]}},
    ],
)
def test_an_answer_to_something_else_is_asked_for_again(client, requests_mock, odd):
    good = {"Id": "1", "SyncToken": "0"}
    requests_mock.post(QUERY, [{"json": odd}, {"json": {"QueryResponse": {"Vendor": [good]}}}])
    assert client.query("SELECT * FROM Vendor") == [good]
    assert requests_mock.call_count == 2


@pytest.mark.parametrize(
    "items", [[{"bId": "i1"}, {"bId": "i1"}], [{"bId": "i1"}, {"bId": "i2"}], [{"bId": "i1"}, {}]]
)
def test_a_batch_answer_with_strangers_is_mixed_up(send, client, requests_mock, items):
    requests_mock.post(BATCH, json={"BatchItemResponse": items})
    assert send(client).mixed_up


def test_another_success_than_200_is_not_quickbooks_own(send, client, requests_mock):
    requests_mock.post(BATCH, [{"status_code": 202, "json": {}}, {"status_code": 204}, GOOD])
    assert send(client).by_id
