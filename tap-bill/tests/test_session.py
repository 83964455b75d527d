"""The login session: when it logs in and when not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import requests
from cryptography.fernet import Fernet
from tap_bill.errors import HourlyLimitError, OrganizationError, UnreadableAnswerError
from tap_bill.session import Credentials, LoginSession
from tap_bill.session_cache import EncryptedFile, MemoryStore

URL = "https://bill.example/connect"
CREDENTIALS = Credentials(
    username="user@example.com", password="pass-word", organization_id="00801ORG", dev_key="dev-key-1"
)


class Bill:
    """Counts logins and gives out sessions."""

    def __init__(self):
        self.bodies = []
        self.now = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)

    def log_in(self, body):
        self.bodies.append(body)
        return {
            "sessionId": f"session-{len(self.bodies)}",
            "organizationId": body["organizationId"],
            "userId": "006U",
            "trusted": False,
        }

    def session(self, *, store=None, credentials=CREDENTIALS, base_url=URL, login=None):
        return LoginSession(
            credentials,
            post=login or self.log_in,
            repeat=lambda attempt: attempt(),
            base_url=base_url,
            store=store or MemoryStore(),
            now=lambda: self.now,
        )


@pytest.fixture
def bill():
    return Bill()


@pytest.fixture
def store(tmp_path):
    key = Fernet.generate_key().decode()
    return lambda: EncryptedFile(tmp_path / "sessions", [key])


def headers(session):
    prepared = requests.Request("GET", URL, auth=session).prepare()
    return prepared.headers["sessionId"], prepared.headers["devKey"]


def test_the_first_call_logs_in_with_the_v3_field_names(bill):
    assert headers(bill.session()) == ("session-1", "dev-key-1")
    assert bill.bodies == [
        {
            "username": "user@example.com",
            "password": "pass-word",
            "organizationId": "00801ORG",
            "devKey": "dev-key-1",
        }
    ]


def test_nothing_is_sent_before_the_first_call(bill):
    bill.session()
    assert bill.bodies == []


def test_later_calls_use_the_same_session(bill):
    session = bill.session()
    assert headers(session) == headers(session)
    assert len(bill.bodies) == 1


def test_every_call_starts_the_idle_time_anew(bill):
    session = bill.session()
    for _ in range(10):
        headers(session)
        bill.now += timedelta(minutes=30)
    assert len(bill.bodies) == 1


def test_an_idle_session_is_renewed_before_the_call(bill):
    session = bill.session()
    headers(session)
    bill.now += timedelta(minutes=35)
    assert headers(session)[0] == "session-2"


def test_a_refused_session_is_renewed_with_the_next_call(bill):
    session = bill.session()
    headers(session)
    session.expire("session-1")
    assert headers(session)[0] == "session-2"


@pytest.mark.parametrize("refused", ["session-0", None])
def test_a_refusal_of_a_session_that_was_replaced_meanwhile_changes_nothing(bill, refused):
    session = bill.session()
    headers(session)
    session.expire(refused)
    assert headers(session)[0] == "session-1"


def test_the_organization_is_that_of_the_login(bill):
    session = bill.session()
    assert session.organization_id == "00801ORG"
    assert session.organization_id == "00801ORG"
    assert len(bill.bodies) == 1


def test_another_organization_than_wanted_is_refused(bill):
    session = bill.session(login=lambda _: {"sessionId": "s" * 9, "organizationId": "00801OTHER"})
    with pytest.raises(OrganizationError, match="00801OTHER instead of 00801ORG"):
        headers(session)


@pytest.mark.parametrize("answer", [{}, [], None, {"sessionId": ""}, {"sessionId": 5}])
def test_a_login_without_a_session_is_unreadable(bill, answer):
    with pytest.raises(UnreadableAnswerError):
        headers(bill.session(login=lambda _: answer))


# Between runs -------------------------------------------------------------------------------------


def test_another_run_uses_the_session_from_the_store(bill, store):
    headers(bill.session(store=store()))
    bill.now += timedelta(minutes=10)
    assert headers(bill.session(store=store()))[0] == "session-1"
    assert len(bill.bodies) == 1


def test_the_organization_is_known_without_a_login(bill, store):
    headers(bill.session(store=store()))
    assert bill.session(store=store()).organization_id == "00801ORG"
    assert len(bill.bodies) == 1


def test_the_last_use_is_remembered_at_the_end_of_a_run(bill, store):
    session = bill.session(store=store())
    headers(session)
    bill.now += timedelta(seconds=50)
    headers(session)
    session.close()
    bill.now += timedelta(minutes=33, seconds=30)
    headers(bill.session(store=store()))
    assert len(bill.bodies) == 1


def test_a_long_run_remembers_its_use_while_it_lasts(bill, store):
    """So that a run that is killed leaves a usable session."""
    session = bill.session(store=store())
    for _ in range(60):
        headers(session)
        bill.now += timedelta(minutes=1)
    headers(bill.session(store=store()))
    assert len(bill.bodies) == 1


def test_a_session_that_idled_in_the_store_is_not_used(bill, store):
    headers(bill.session(store=store()))
    bill.now += timedelta(minutes=35)
    assert headers(bill.session(store=store()))[0] == "session-2"


def test_a_session_that_idled_here_but_not_elsewhere_is_taken_over(bill, store):
    one, other = bill.session(store=store()), bill.session(store=store())
    headers(one)
    bill.now += timedelta(minutes=20)
    headers(other)
    bill.now += timedelta(minutes=20)
    assert headers(one)[0] == "session-1"
    assert len(bill.bodies) == 1


def test_a_refused_session_is_not_taken_from_the_store_again(bill, store):
    session = bill.session(store=store())
    headers(session)
    session.expire("session-1")
    assert headers(session)[0] == "session-2"
    assert headers(bill.session(store=store()))[0] == "session-2"


def test_two_runs_that_are_refused_together_log_in_once(bill, store):
    one, other = bill.session(store=store()), bill.session(store=store())
    headers(one)
    headers(other)
    one.expire("session-1")
    other.expire("session-1")
    assert headers(one)[0] == headers(other)[0] == "session-2"
    assert len(bill.bodies) == 2


@pytest.mark.parametrize(
    ("change", "base_url"),
    [
        ({"username": "other@example.com"}, URL),
        ({"password": "changed"}, URL),
        ({"organization_id": "00801OTHER"}, URL),
        ({"dev_key": "dev-key-2"}, URL),
        ({}, "https://other.example/connect"),
    ],
)
def test_a_session_is_never_used_with_other_credentials_or_another_address(bill, store, change, base_url):
    headers(bill.session(store=store()))
    kept = {name: getattr(CREDENTIALS, name) for name in CREDENTIALS.__slots__}
    other = Credentials(**kept | change)
    headers(bill.session(store=store(), credentials=other, base_url=base_url))
    assert len(bill.bodies) == 2


def test_no_more_logins_are_made_in_an_hour_than_bill_allows(bill):
    shared = MemoryStore()
    session = bill.session(store=shared)
    for number in range(1, 201):
        headers(session)
        session.expire(f"session-{number}")
    with pytest.raises(HourlyLimitError, match="200 logins were made since 12:00 UTC"):
        headers(session)
    other = bill.session(store=shared)
    headers(other)
    other.expire("session-200")
    with pytest.raises(HourlyLimitError):
        headers(other)
    bill.now += timedelta(minutes=30)
    assert headers(session)[0] == "session-201"


def test_a_failed_login_counts_too(bill):
    def fail(_):
        raise UnreadableAnswerError("half")

    session = bill.session(login=fail)
    for _ in range(200):
        with pytest.raises(UnreadableAnswerError):
            headers(session)
    with pytest.raises(HourlyLimitError):
        headers(session)


def test_secrets_are_not_in_the_representation(bill):
    session = bill.session()
    headers(session)
    shown = repr(vars(session)) + repr(CREDENTIALS)
    for secret in ("pass-word", "dev-key-1", "session-1"):
        assert secret not in shown
