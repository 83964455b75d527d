"""Access tokens: renewed in time, rotation on disk before use, one refresh at a time."""

from __future__ import annotations

import logging
import threading
from base64 import b64decode
from time import sleep as pause
from urllib.parse import parse_qs

import pytest
import requests
from target_quickbooks.errors import GrantDead, SettingsError, TemporaryError
from target_quickbooks.quickbooks.oauth import TokenSource
from target_quickbooks.store import connection_table, lease_table
from target_quickbooks.store.cipher import Cipher
from target_quickbooks.store.database import open_store

URL = "https://intuit.test/tokens/bearer"
REALM = "9341452000000001"
LEASE = f"refresh:{REALM}:client"


def answer(number, **changed):
    """What the token endpoint gives at its n-th refresh: both tokens are new."""
    return {
        "json": {
            "token_type": "bearer",
            "access_token": f"eyJ-access-{number}",
            "expires_in": 3600,
            "refresh_token": f"AB11-rotated-{number}",
            "x_refresh_token_expires_in": 8726400,
            **changed,
        }
    }


def sent(request):
    return parse_qs(request.text)["refresh_token"]


@pytest.fixture
def tokens(store, clock, make_settings):
    def build(on=None, **settings):
        return TokenSource(make_settings(**settings), on or store, now=clock.moment, sleep=clock.sleep)

    return build


@pytest.fixture
def stored(store):
    def load(realm=REALM):
        with store.reading() as connection:
            return connection_table.load(connection, store.cipher, realm, "client")

    return load


def test_the_seed_is_used_once(tokens, requests_mock, clock):
    requests_mock.post(URL, [answer(1), answer(2)])
    assert tokens().access_token() == "eyJ-access-1"
    clock.time += 4000
    assert tokens().access_token() == "eyJ-access-2"
    assert [sent(request) for request in requests_mock.request_history] == [
        ["AB11-seed-token-value"],
        ["AB11-rotated-1"],
    ]


def test_a_token_is_used_as_long_as_it_is_good(tokens, requests_mock, clock):
    requests_mock.post(URL, [answer(1)])
    source = tokens()
    for _ in range(5):
        source.access_token()
        clock.time += 600
    assert requests_mock.call_count == 1


def test_another_process_uses_what_the_first_one_got(tokens, requests_mock):
    requests_mock.post(URL, [answer(1)])
    assert tokens().access_token() == tokens(refresh_token=None).access_token() == "eyJ-access-1"
    assert requests_mock.call_count == 1


@pytest.mark.parametrize(("age", "calls"), [(3299, 1), (3300, 2)])
def test_a_token_is_renewed_five_minutes_before_its_end(tokens, requests_mock, clock, age, calls):
    requests_mock.post(URL, [answer(1), answer(2)])
    source = tokens()
    source.access_token()
    clock.time += age
    source.access_token()
    assert requests_mock.call_count == calls


def test_a_rotated_token_is_on_disk_before_the_access_token_is_used(tokens, requests_mock, stored):
    requests_mock.post(URL, [answer(1)])
    tokens().access_token()
    assert stored().refresh_token == "AB11-rotated-1"
    assert stored().access_token == "eyJ-access-1"


def test_nothing_is_used_that_could_not_be_stored(tokens, requests_mock, monkeypatch):
    """A token that is lost with the process is worth nothing."""

    def fail(*_):
        raise OSError("disk full")

    requests_mock.post(URL, [answer(1), answer(2)])
    monkeypatch.setattr(connection_table, "save", fail)
    source = tokens()
    with pytest.raises(OSError, match="disk full"):
        source.access_token()
    with pytest.raises(OSError, match="disk full"):
        source.access_token()


def test_an_answer_without_a_new_refresh_token_keeps_the_old_one(tokens, requests_mock, stored):
    """Within a day the value may stay the same (QuickBooks manual 2.4)."""
    requests_mock.post(URL, [answer(1, refresh_token=None, x_refresh_token_expires_in=None)])
    tokens().access_token()
    assert stored().refresh_token == "AB11-seed-token-value"
    assert stored().refresh_expires_at is None


@pytest.mark.parametrize("life", ["3600", None, "soon", 10**30, [], -5])
def test_an_odd_life_of_a_token_is_no_crash(tokens, requests_mock, life):
    requests_mock.post(URL, [answer(1, expires_in=life, x_refresh_token_expires_in=life)])
    assert tokens().access_token() == "eyJ-access-1"


def test_a_refused_token_is_never_given_again(tokens, requests_mock):
    requests_mock.post(URL, [answer(1), answer(2)])
    source = tokens()
    first = source.access_token()
    assert source.access_token(refused=first) == "eyJ-access-2"
    assert tokens().access_token(refused=first) == "eyJ-access-2"
    assert requests_mock.call_count == 2


def test_the_request_names_client_and_grant(tokens, requests_mock):
    requests_mock.post(URL, [answer(1)])
    tokens(user_agent="agent/1").access_token()
    request = requests_mock.last_request
    assert b64decode(request.headers["Authorization"].removeprefix("Basic ")) == b"client:client-secret-value"
    assert parse_qs(request.text)["grant_type"] == ["refresh_token"]
    assert request.headers["Accept"] == "application/json"
    assert request.headers["User-Agent"] == "agent/1"


def test_a_secret_of_any_characters_is_sent(tokens, requests_mock):
    requests_mock.post(URL, [answer(1)])
    tokens(client_secret="pasted…secret").access_token()
    sent_secret = b64decode(requests_mock.last_request.headers["Authorization"].removeprefix("Basic "))
    assert sent_secret.decode() == "client:pasted…secret"


# --- refusals -----------------------------------------------------------------------------------------------


def test_a_dead_grant_says_how_to_reconnect(tokens, requests_mock, clock, stored):
    requests_mock.post(URL, [answer(1), {"status_code": 400, "json": {"error": "invalid_grant"}}])
    source = tokens()
    source.access_token()
    clock.time += 4000
    with pytest.raises(GrantDead, match=f"{REALM}.*quickbooks-admin connect"):
        source.access_token()
    assert stored().dead_since == clock.moment()
    assert stored().access_token is None


def test_a_dead_seed_stores_nothing(tokens, requests_mock, stored):
    requests_mock.post(URL, status_code=400, json={"error": "invalid_grant"})
    with pytest.raises(GrantDead):
        tokens().access_token()
    assert stored() is None


def test_a_grant_that_works_again_is_no_longer_dead(tokens, requests_mock, clock, stored):
    dead = {"status_code": 400, "json": {"error": "invalid_grant"}}
    requests_mock.post(URL, [answer(1), dead, answer(2)])
    source = tokens()
    source.access_token()
    clock.time += 4000
    with pytest.raises(GrantDead):
        source.access_token()
    assert source.access_token() == "eyJ-access-2"
    assert stored().dead_since is None


@pytest.mark.parametrize(
    "refusal",
    [{"status_code": 401, "json": {"error": "invalid_client"}}, {"status_code": 401, "json": {}}],
)
def test_a_wrong_client_is_a_wrong_setting(tokens, requests_mock, refusal):
    requests_mock.post(URL, **refusal)
    with pytest.raises(SettingsError, match="client_id and client_secret"):
        tokens().access_token()


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        ({"status_code": 400, "json": {"error": "invalid_request"}}, "invalid_request"),
        ({"status_code": 200, "json": {}}, "HTTP 200"),
        ({"status_code": 403, "json": []}, "HTTP 403"),
    ],
)
def test_any_other_refusal_is_told(tokens, requests_mock, refusal, words):
    requests_mock.post(URL, **refusal)
    with pytest.raises(SettingsError, match=words):
        tokens().access_token()


def test_without_a_seed_and_a_connection_the_way_to_one_is_told(tokens):
    with pytest.raises(
        SettingsError, match=f"no connection to company .realm. {REALM}.*quickbooks-admin connect"
    ):
        tokens(refresh_token=None).access_token()


def test_a_changed_seed_starts_anew(tokens, requests_mock, stored):
    requests_mock.post(URL, [answer(1), answer(2)])
    tokens().access_token()
    assert tokens(refresh_token="AB11-another-seed").access_token() == "eyJ-access-2"
    assert sent(requests_mock.last_request) == ["AB11-another-seed"]
    assert stored().refresh_token == "AB11-rotated-2"


def test_a_changed_seed_that_is_dead_leaves_the_connection_as_it_is(tokens, requests_mock, stored):
    requests_mock.post(URL, [answer(1), {"status_code": 400, "json": {"error": "invalid_grant"}}])
    tokens().access_token()
    with pytest.raises(GrantDead):
        tokens(refresh_token="AB11-another-seed").access_token()
    assert stored().refresh_token == "AB11-rotated-1"
    assert tokens().access_token() == "eyJ-access-1"


def test_each_realm_has_its_own_connection(tokens, requests_mock, stored):
    requests_mock.post(URL, [answer(1), answer(2)])
    assert tokens().access_token() == "eyJ-access-1"
    assert tokens(realm_id="1").access_token() == "eyJ-access-2"
    assert stored().refresh_token == "AB11-rotated-1"
    assert stored("1").refresh_token == "AB11-rotated-2"


# --- an endpoint that does not answer -----------------------------------------------------------------------

TROUBLES = [
    {"status_code": 500},
    {"status_code": 503, "text": "<html>"},
    {"status_code": 429},
    {"text": "<html>"},
    {"text": '{"access_token": "eyJ-cut'},
    {"exc": requests.ConnectionError("AB11-seed-token-value")},
    {"exc": requests.Timeout},
]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_trouble_is_waited_out(tokens, requests_mock, clock, trouble):
    requests_mock.post(URL, [trouble, trouble, answer(1)])
    assert tokens().access_token() == "eyJ-access-1"
    assert len(clock.slept) == 2
    assert all(0 < seconds <= 31 for seconds in clock.slept)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_lasting_trouble_ends_the_run_in_time(tokens, requests_mock, clock, trouble):
    requests_mock.post(URL, [trouble])
    began = clock.time
    with pytest.raises(TemporaryError, match="no usable answer") as error:
        tokens(max_retry_seconds=120).access_token()
    assert 120 <= clock.time - began < 120 + 31
    assert "AB11" not in str(error.value)


def test_no_token_is_ever_told(tokens, requests_mock, clock, caplog):
    caplog.set_level(logging.DEBUG)
    error = {"error": "leak AB11-seed-token-value eyJ-access-1"}
    requests_mock.post(URL, [answer(1), {"status_code": 400, "json": error}])
    source = tokens()
    source.access_token()
    clock.time += 4000
    with pytest.raises(SettingsError) as refusal:
        source.access_token()
    told = caplog.text + str(refusal.value)
    assert "AB11" not in told
    assert "eyJ" not in told
    assert "client-secret-value" not in told


# --- one refresh at a time ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shared", [True, False])
def test_threads_and_processes_share_one_refresh(
    store_url, store, clock, make_settings, requests_mock, encryption_key, shared
):
    """One source used by several threads, or several sources on one store."""
    requests_mock.post(URL, [answer(1), answer(2)])
    stores = [store] if shared else [open_store(store_url, Cipher((encryption_key,))) for _ in range(4)]
    sources = [
        TokenSource(make_settings(), each, now=clock.moment, sleep=lambda _: pause(0.01)) for each in stores
    ]
    start = threading.Barrier(4)
    got = []

    def ask(source):
        start.wait(10)
        got.append(source.access_token())

    threads = [threading.Thread(target=ask, args=[sources[number % len(sources)]]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    for each in stores:
        each.close()
    assert got == ["eyJ-access-1"] * 4
    assert requests_mock.call_count == 1


def test_the_lease_is_given_back(tokens, requests_mock, store, clock):
    requests_mock.post(URL, [answer(1)])
    tokens().access_token()
    assert lease_table.acquire(store, LEASE, "another", now=clock.moment(), seconds=90)


def test_the_lease_is_given_back_after_a_refusal(tokens, requests_mock, store, clock):
    requests_mock.post(URL, status_code=401, json={"error": "invalid_client"})
    with pytest.raises(SettingsError):
        tokens().access_token()
    assert lease_table.acquire(store, LEASE, "another", now=clock.moment(), seconds=90)


def test_the_lease_of_a_dead_process_expires(tokens, requests_mock, store, clock):
    requests_mock.post(URL, [answer(1)])
    lease_table.acquire(store, LEASE, "dead", now=clock.moment(), seconds=9)
    began = clock.time
    assert tokens().access_token() == "eyJ-access-1"
    assert 9 <= clock.time - began < 10


def test_while_another_process_renews_its_result_is_awaited(requests_mock, store, clock, make_settings):
    """It finishes while we wait, and we use what it got."""
    requests_mock.post(URL, [answer(1), answer(2)])
    lease_table.acquire(store, LEASE, "other", now=clock.moment(), seconds=90)
    other = TokenSource(make_settings(), store, now=clock.moment, sleep=clock.sleep)

    def sleep(seconds):
        clock.sleep(seconds)
        lease_table.release(store, LEASE, "other")
        other.access_token()

    source = TokenSource(make_settings(), store, now=clock.moment, sleep=sleep)
    assert source.access_token() == "eyJ-access-1"
    assert requests_mock.call_count == 1


def test_the_lease_lasts_as_long_as_the_trouble_does(tokens, requests_mock, store, clock):
    """Five minutes of trouble: nobody else may use the same refresh token meanwhile."""
    taken = []

    def trouble(_, context):
        taken.append(lease_table.acquire(store, LEASE, "another", now=clock.moment(), seconds=90))
        context.status_code = 503

    requests_mock.post(URL, text=trouble)
    with pytest.raises(TemporaryError):
        tokens().access_token()
    assert clock.time - 1000 > 300
    assert not any(taken)
