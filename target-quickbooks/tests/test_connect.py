"""Connecting a company with the simulator's consent page; showing, trying and ending connections."""

from __future__ import annotations

import datetime as dt
import json
import re
import threading
import webbrowser
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from ap_simulator.testing import running
from click.testing import CliRunner
from target_quickbooks.admin import commands
from target_quickbooks.errors import GrantDead, SettingsError, TemporaryError
from target_quickbooks.quickbooks import authorization
from target_quickbooks.quickbooks.authorization import NotConnected
from target_quickbooks.quickbooks.callback import CallbackListener
from target_quickbooks.quickbooks.oauth import TokenSource
from target_quickbooks.store import connection_table
from target_quickbooks.store.connection_table import Connection

REALM = "9341452000000001"
NAME = "Larkfield Software Services"


@pytest.fixture
def engine():
    return "sqlite"


@pytest.fixture(scope="module")
def server():
    with running("empty") as simulator:
        yield simulator


@pytest.fixture
def simulator(server):
    server.control.clear_faults()
    server.control.reset()
    return server


@pytest.fixture
def env(simulator, store_url, encryption_key):
    found = {name: value for name, value in simulator.env().items() if name.startswith("TARGET_")}
    changed = {"STORE_URL": store_url, "ENCRYPTION_KEY": encryption_key}
    return found | {f"TARGET_QUICKBOOKS_{name}": value for name, value in changed.items()}


@pytest.fixture
def admin(env):
    def run(*arguments, answer="", columns=150, **changed):
        more = {f"TARGET_QUICKBOOKS_{name}": value for name, value in changed.items()}
        return CliRunner(env={**env, **more, "COLUMNS": str(columns)}).invoke(
            commands, list(arguments), input=answer
        )

    return run


@pytest.fixture
def settings(env, make_settings, encryption_key):
    def build(**changed):
        names = ("client_id", "client_secret", "refresh_token", "api_url", "token_url", "store_url")
        found = {name: env[f"TARGET_QUICKBOOKS_{name.upper()}"] for name in names}
        return make_settings(**{**found, "encryption_keys": (encryption_key,), **changed})

    return build


class Browser:
    """A person who agrees, or does not, on the consent page."""

    def __init__(self):
        self.form = {"decision": "connect", "realm_id": REALM}
        self.change = lambda address: address
        self.address = ""
        self._threads = []

    def open(self, url):
        self._threads.append(threading.Thread(target=self.answer, args=(url,)))
        self._threads[-1].start()
        return True

    def answer(self, url):
        page = requests.get(url, timeout=10)
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        decided = requests.post(
            url.partition("?")[0], data=hidden | self.form, allow_redirects=False, timeout=10
        )
        self.address = self.change(decided.headers["Location"])
        if "localhost" in self.address:
            requests.get(self.address, timeout=10).raise_for_status()

    def close(self):
        for thread in self._threads:
            thread.join()


@pytest.fixture
def browser(monkeypatch):
    person = Browser()
    monkeypatch.setattr(webbrowser, "open", person.open)
    yield person
    person.close()


@pytest.fixture
def stored(store, env):
    def load(realm=REALM):
        with store.reading() as connection:
            client_id = env["TARGET_QUICKBOOKS_CLIENT_ID"]
            return connection_table.load(connection, store.cipher, realm, client_id)

    return load


@pytest.fixture
def connect(admin, browser):
    """Connects with the browser's help."""
    assert browser.form

    def run(*arguments, **more):
        return admin("connect", "--port", "0", "--open", "--timeout", "20", *arguments, **more)

    return run


def test_a_company_is_shown_and_connected(connect, stored):
    result = connect(answer="y\n")
    assert result.exit_code == 0, result.output
    shown, asked = result.output.index(f"Company: {NAME}"), result.output.index("Save this connection?")
    assert shown < asked
    assert f"Realm:   {REALM}" in result.output
    assert (stored().company_name, stored().dead_since) == (NAME, None)
    assert stored().refresh_token not in result.output


def test_the_new_connection_goes_before_the_old_seed_of_the_settings(connect, admin, store, stored, settings):
    connect("--yes")
    token = stored().access_token
    assert TokenSource(settings(), store).access_token() == token
    assert "Connected to" in admin("connections", "test").output


def test_nothing_is_saved_without_a_yes(connect, stored):
    result = connect(answer="n\n")
    assert isinstance(result.exception, NotConnected)
    assert stored() is None


def test_a_refusal_is_told(connect, browser, stored):
    browser.form["decision"] = "cancel"
    result = connect("--yes")
    assert "The connection was refused in QuickBooks." in str(result.exception)
    assert stored() is None


def test_an_answer_to_another_request_is_refused(connect, browser, stored):
    browser.change = lambda address: re.sub("state=[^&]*", "state=foreign", address)
    result = connect("--yes")
    assert "its state differs" in str(result.exception)
    assert stored() is None


def test_another_company_than_configured_is_refused_unless_told(connect, stored):
    result = connect("--yes", REALM_ID="77")
    assert f"You chose company (realm) {REALM}, but realm_id is 77." in str(result.exception)
    assert stored() is None
    result = connect("--yes", "--other-company", REALM_ID="77")
    assert f"Set realm_id to {REALM}" in result.output
    assert stored().company_name == NAME


def test_a_first_connection_needs_no_realm(connect, stored):
    result = connect("--yes", REALM_ID="", REFRESH_TOKEN="")
    assert f"Set realm_id to {REALM}" in result.output, result.exception
    assert stored().seed_digest == ""


def test_a_code_that_was_used_is_told(connect, browser):
    browser.change = lambda address: re.sub("code=[^&]*", "code=used", address)
    result = connect("--yes")
    assert "Intuit did not accept the code (HTTP 400)" in str(result.exception)


def test_a_wrong_secret_is_told(connect):
    result = connect("--yes", CLIENT_SECRET="wrong-secret-value")
    assert isinstance(result.exception, SettingsError)
    assert "client_id and client_secret" in str(result.exception)
    assert "wrong-secret-value" not in result.output


def test_an_answer_that_does_not_come_is_told(admin):
    result = admin("connect", "--port", "0", "--no-open", "--timeout", "1")
    assert isinstance(result.exception, TemporaryError)
    assert "No answer came from the browser within 1 s." in str(result.exception)


def test_a_port_in_use_is_told(admin):
    with CallbackListener(0) as taken:
        port = str(urlsplit(taken.redirect_uri).port)
        result = admin("connect", "--port", port, "--no-open")
    assert f"Port {port} of this machine cannot be used" in str(result.exception)


def test_the_address_can_be_pasted(admin, browser, settings, monkeypatch, stored):
    """Where the registered address is not this machine's."""
    uri = "https://larkfield.example/oauth/callback"
    request = authorization.authorization_request(settings(), redirect_uri=uri)
    monkeypatch.setattr(authorization, "authorization_request", lambda *_, **__: request)
    browser.answer(request.url)
    result = admin("connect", "--redirect-uri", uri, "--no-open", "--yes", answer=f"{browser.address}\n")
    assert result.exit_code == 0, result.exception
    assert stored().company_name == NAME


def test_a_browser_that_asks_for_more_gets_nothing():
    with CallbackListener(0) as listener:
        icon = listener.redirect_uri.replace("callback", "favicon.ico")
        assert requests.get(icon, timeout=10).status_code == 404
        assert requests.get(f"{listener.redirect_uri}?code=1", timeout=10).status_code == 200
        assert listener.wait(5) == "code=1"


def test_intuits_own_addresses_are_used_with_intuits_token_url(make_settings):
    official = make_settings(token_url="https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer")
    request = authorization.authorization_request(official, redirect_uri="http://localhost:8765/callback")
    assert request.url.startswith("https://appcenter.intuit.com/connect/oauth2?client_id=client&")
    query = parse_qs(urlsplit(request.url).query)
    assert query["scope"] == ["com.intuit.quickbooks.accounting"]
    assert query["state"] == [request.state]
    assert request.state not in repr(request.state and request).replace(request.url, "")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("error=%3Cscript%3E&state=S", r"\(unknown error\)"),
        ("error=invalid_scope&state=S", r"\(invalid_scope\)"),
        ("state=S&code=1", "no code or no company"),
        ("state=S&code=1&realmId=..%2F1", "no code or no company"),
        ("state=S&state=S&code=1&realmId=1", "its state differs"),
        ("", "its state differs"),
    ],
)
def test_wrong_answers_are_told(query, told):
    request = authorization.AuthorizationRequest("https://x.test", "http://localhost/callback", "S")
    with pytest.raises(NotConnected, match=told):
        authorization.read_callback(query, request)


def test_connections_are_listed_with_their_age_and_end(admin, store, moment):
    now = dt.datetime.now(dt.UTC)
    kept = [
        Connection(
            "1",
            "c",
            "AB11-token",
            "",
            now - dt.timedelta(days=10, hours=1),
            "Alive [Inc]",
            refresh_expires_at=now + dt.timedelta(days=90, hours=1),
        ),
        Connection("2", "c", "AB11-token", "", now, "Late", refresh_expires_at=now - dt.timedelta(days=1)),
        Connection("3", "c", "AB11-token", "", now, "Gone", dead_since=moment),
    ]
    with store.writing() as connection:
        for found in kept:
            connection_table.save(connection, store.cipher, found)
    rows = json.loads(admin("connections", "list", "--json").output)
    assert [(row["granted_days_ago"], row["days_to_expiry"], row["state"]) for row in rows] == [
        (10, 90, "alive"),
        (0, -1, "expired"),
        (0, None, "dead since 2026-12-16"),
    ]
    table = admin("connections", "list").output
    assert "Alive [Inc]" in table
    assert "AB11" not in table


def test_without_connections_the_list_says_how_to_connect(admin, store):
    assert store
    assert "quickbooks-admin connect" in admin("connections", "list").output


def test_a_revoked_connection_is_dead_on_both_sides(admin, store, stored, settings):
    admin("connections", "test")
    token = stored().access_token
    result = admin("connections", "revoke", answer="y\n")
    assert f"The connection to {NAME} (realm {REALM}) ended." in result.output, result.exception
    assert (stored().access_token, bool(stored().dead_since)) == (None, True)
    with pytest.raises(GrantDead):
        TokenSource(settings(), store).access_token(refused=token)
    assert "dead since" in admin("connections", "list").output


def test_nothing_is_revoked_without_a_yes(admin, stored):
    admin("connections", "test")
    assert admin("connections", "revoke", answer="n\n").exit_code == 1
    assert stored().dead_since is None
    assert "Connected to" in admin("connections", "test").output


def test_what_had_ended_at_intuit_is_marked_as_dead(admin, simulator, stored):
    admin("connections", "test")
    simulator.control.disconnect(REALM)
    assert "had ended at Intuit before" in admin("connections", "revoke", "--yes").output
    assert stored().dead_since


def test_a_connection_stays_as_it_is_when_intuit_cannot_be_reached(admin, simulator, stored):
    admin("connections", "test")
    simulator.control.add_fault("server_error", system="oauth", path="/v2/oauth2/tokens/revoke", status=503)
    result = admin("connections", "revoke", "--yes")
    assert isinstance(result.exception, TemporaryError)
    assert stored().dead_since is None


def test_the_seed_is_never_used_for_another_company(admin):
    result = admin("connections", "test", "--realm", "77")
    assert "There is no connection to company (realm) 77" in str(result.exception)
    result = admin("connections", "revoke", "--realm", "77", "--yes")
    assert "The store has no connection to company (realm) 77" in str(result.exception)


def test_a_realm_is_shown_whole_on_a_narrow_terminal(admin):
    admin("connections", "test")
    listed = admin("connections", "list", columns=80).output
    assert "…" not in listed
