"""Repeating calls as their failures allow."""

from __future__ import annotations

import pytest
import requests
from tap_bill import errors
from tap_bill.answers import Call
from tap_bill.client import BillClient
from tap_bill.limits import Governor
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

URL = "https://bill.example/connect"
CALL = Call(what="GET /v3/vendors", place="the sandbox")


class Time:
    """A clock that passes only by sleeping."""

    def __init__(self):
        self.now = 0.0
        self.slept = []

    def read(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def client(time):
    return BillClient(
        base_url=URL, user_agent="tests", max_concurrency=3, sleep=time.sleep, monotonic=time.read
    )


@pytest.fixture
def run(client, time):
    governor = Governor(max_concurrency=3, sleep=time.sleep)

    def run(*outcomes, renew=None):
        """Make a call whose attempts end in `outcomes`; the last one repeats for ever."""
        left = list(outcomes)

        def attempt():
            outcome = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        return client.run(attempt, call=CALL, governor=governor, renew=renew)

    return run


def unreachable():
    refused = MaxRetryError(None, "/", NewConnectionError(None, "refused"))
    return requests.exceptions.ConnectionError(refused)


def broken():
    return requests.exceptions.ConnectionError(ProtocolError("reset by peer"))


@pytest.mark.parametrize(
    "error",
    [
        errors.ServerFaultError("500"),
        errors.UnreadableAnswerError("half"),
        errors.ConcurrencyLimitError("BDC_1322"),
        requests.exceptions.ReadTimeout("slow"),
        requests.exceptions.ChunkedEncodingError("cut"),
        broken(),
        unreachable(),
    ],
)
def test_passing_failures_are_repeated(run, time, error):
    assert run(error, error, "answer") == "answer"
    assert len(time.slept) == 2


def test_waits_double_with_jitter_up_to_half_a_minute(run, time):
    assert run(*[errors.ServerFaultError("500")] * 8, "answer") == "answer"
    longest = [1, 2, 4, 8, 16, 30, 30, 30]
    assert all(most / 2 <= wait <= most for wait, most in zip(time.slept, longest, strict=True))
    assert len({wait / most for wait, most in zip(time.slept, longest, strict=True)}) > 1


def test_patience_is_bounded(run, time):
    with pytest.raises(errors.GaveUpError, match=r"500; gave up after \d+ attempts"):
        run(errors.ServerFaultError("500"))
    assert 300 < time.now < 400


def test_how_long_a_call_is_repeated_is_a_setting(client, run, time):
    client._max_retry_seconds = 40
    with pytest.raises(errors.GaveUpError):
        run(errors.ServerFaultError("500"))
    assert 40 <= time.now < 100


def test_the_wait_for_the_next_hour_costs_no_patience(client, run, time):
    client._max_retry_seconds = 10
    hour = errors.HourlyLimitError("hour")
    assert run(errors.ServerFaultError("500"), hour, hour, errors.ServerFaultError("500"), "good") == "good"
    assert time.now > 10


def test_a_host_that_never_answered_is_given_up_soon(run, time):
    with pytest.raises(errors.GaveUpError, match=r"could not reach https://bill\.example/connect"):
        run(unreachable())
    assert time.now < 5


def test_a_host_that_answered_before_is_given_time_to_come_back(client, run, time, requests_mock):
    requests_mock.get(URL, text="hello")
    client.http.get(URL)
    with pytest.raises(errors.GaveUpError):
        run(unreachable())
    assert time.now > 300


def test_fatal_failures_are_not_repeated(run, time):
    with pytest.raises(errors.CredentialsError):
        run(errors.CredentialsError("no"))
    assert time.slept == []


def test_an_expired_session_is_renewed_once_and_the_call_repeated(run, time):
    renewals = []
    expired = errors.SessionExpiredError("BDC_1109")
    assert run(expired, "answer", renew=lambda: renewals.append(1)) == "answer"
    assert renewals == [1]
    assert time.slept == []


def test_a_renewed_session_that_is_refused_again_ends_the_call(run):
    renewals = []
    with pytest.raises(errors.SessionRefusedError, match="although it had just logged in"):
        run(errors.SessionExpiredError("BDC_1109"), renew=lambda: renewals.append(1))
    assert renewals == [1]


def test_a_session_is_renewed_once_per_call_even_with_other_failures_between(run):
    expired, fault = errors.SessionExpiredError("BDC_1109"), errors.ServerFaultError("500")
    with pytest.raises(errors.SessionRefusedError):
        run(expired, fault, expired, "answer", renew=lambda: None)


def test_the_hourly_limit_goes_through_the_governor(run, time):
    used_up = errors.HourlyLimitError("BDC_1144")
    assert run(used_up, used_up, "answer") == "answer"
    assert time.slept[0] < 5
    assert time.slept[1] > 0


def test_bills_clock_is_read_from_its_answers(client, requests_mock):
    requests_mock.get(URL, headers={"Date": "Wed, 01 Jan 2020 12:00:00 GMT"})
    client.http.get(URL)
    assert client.server_now().isoformat()[:16] == "2020-01-01T12:00"


@pytest.mark.parametrize("header", [{}, {"Date": "nonsense"}])
def test_without_a_date_our_own_clock_is_used(client, requests_mock, header):
    before = client.server_now()
    requests_mock.get(URL, headers=header)
    client.http.get(URL)
    assert (client.server_now() - before).total_seconds() < 60


def test_a_netrc_entry_adds_no_header(client, tmp_path, monkeypatch, requests_mock):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine bill.example login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    requests_mock.get(URL)
    client.http.send(client.http.prepare_request(requests.Request("GET", URL)))
    assert "Authorization" not in requests_mock.last_request.headers


def test_the_ca_bundle_of_the_environment_is_used(monkeypatch, tmp_path):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))
    client = BillClient(base_url=URL, user_agent="tests", max_concurrency=3)
    assert client.http.verify == str(tmp_path)
