"""Connecting QuickBooks in the browser, against the simulator's own consent page."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from ap_simulator.testing import running
from target_quickbooks.store import connection_table

BASE = "/books/larkfield"
REALM = "9341452000000001"
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


@pytest.fixture
def server(demo, serve_pages, tmp_path):
    return serve_pages(demo.books(tmp_path))


def begin(visitor):
    """Press the button; the address of Intuit's page."""
    visitor.open(BASE + "/connection")
    visitor.submit(BASE + "/connection/start", follow=False)
    assert visitor.page.status_code == 303
    return visitor.page.headers["location"]


def agree(address, decision="connect", realm=REALM):
    """Be the person on Intuit's page; the address that leads back."""
    with requests.Session() as http:
        http.trust_env = False
        form = dict(_HIDDEN.findall(http.get(address, timeout=10).text))
        form = {name: unescape(value) for name, value in form.items()}
        answer = http.post(
            address.partition("?")[0],
            data={**form, "realm_id": realm, "decision": decision},
            allow_redirects=False,
            timeout=10,
        )
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def back(visitor, location, server):
    return visitor.open(location.removeprefix(server.url))


def stored(server):
    client_id = server.books.target_config["client_id"]
    with server.store.reading() as connection:
        return connection_table.load(connection, server.store.cipher, REALM, client_id)


def test_a_company_is_connected_once_its_name_was_confirmed(server, visitor):
    """Nothing is saved before; afterwards the connection has been tried."""
    before = stored(server)
    location = agree(begin(visitor))
    back(visitor, location, server)
    assert "Is this the company?" in visitor.text
    assert "Larkfield Software Services" in visitor.text
    assert stored(server).refresh_token == before.refresh_token
    visitor.submit("/connect/confirm", decision="save")
    assert "Connected to Larkfield Software Services. QuickBooks answers" in visitor.text
    after = stored(server)
    assert after.refresh_token != before.refresh_token
    assert after.granted_at > before.granted_at
    assert server.woken


def test_saying_no_saves_nothing(server, visitor):
    before = stored(server)
    back(visitor, agree(begin(visitor)), server)
    visitor.submit("/connect/confirm", decision="drop")
    assert "Nothing was saved." in visitor.text
    assert stored(server).refresh_token == before.refresh_token
    visitor.open("/connect/confirm")
    assert "Nothing waits to be confirmed." in visitor.text


def test_refusing_at_intuit_is_told(server, visitor):
    back(visitor, agree(begin(visitor), decision="cancel"), server)
    assert "The connection was refused in QuickBooks. Nothing was saved." in visitor.text


def test_an_answer_with_another_state_is_refused(visitor):
    begin(visitor)
    visitor.open(f"/connect/callback?code=x&realmId={REALM}&state=guessed")
    assert "does not belong to this attempt" in visitor.text


def test_an_answer_is_good_once(server, visitor):
    location = agree(begin(visitor))
    back(visitor, location, server)
    back(visitor, location, server)
    assert "that nobody waits for" in visitor.text


def test_an_answer_in_another_browser_is_refused(server, visitor):
    """Somebody who is made to open another person's answer connects nothing."""
    location = agree(begin(visitor))
    other = server.visitor()
    other.open(BASE)
    back(other, location, server)
    assert "that nobody waits for" in other.text


def test_another_company_than_that_of_the_books_is_refused(visitor):
    address = begin(visitor)
    state = parse_qs(urlsplit(address).query)["state"][0]
    visitor.open(f"/connect/callback?code=x&realmId=123&state={state}")
    assert f"these books belong to {REALM}" in visitor.text


def test_only_the_page_with_the_button_may_lead_to_intuit(server, visitor):
    """The policy of that page names Intuit's origin, and that of no other page does."""
    policy = visitor.open(BASE + "/connection").headers["content-security-policy"]
    origin = server.books.target_config["api_url"]
    assert f"form-action 'self' {origin};" in policy
    assert "form-action 'self';" in visitor.open(BASE).headers["content-security-policy"]
    assert visitor.open(BASE + "/connection").text.count("/connect/callback") == 1


def test_the_redirect_address_is_the_public_one(server, visitor):
    query = parse_qs(urlsplit(begin(visitor)).query)
    assert query["redirect_uri"] == [f"{server.url}/connect/callback"]


def test_on_another_address_the_page_leads_to_the_public_one(visitor):
    visitor.open(BASE + "/connection", headers={"host": "localhost"})
    assert "Open this page there" in visitor.text
    assert "Reconnect QuickBooks" not in visitor.text


def test_the_connection_can_be_tried(visitor):
    visitor.open(BASE + "/connection")
    visitor.submit(BASE + "/connection/test")
    assert "The connection works. QuickBooks answers as Larkfield Software Services." in visitor.text


def test_disconnecting_asks_first_and_can_be_undone_by_reconnecting(tmp_path, serve_pages, demo_alone):
    server = serve_pages(demo_alone.books(tmp_path, refresh_token=None))
    visitor = server.visitor()
    back(visitor, agree(begin(visitor)), server)
    visitor.submit("/connect/confirm", decision="save")
    visitor.open(BASE + "/connection/disconnect")
    assert "Disconnect Larkfield Software Services?" in visitor.text
    assert stored(server).dead_since is None
    visitor.submit(BASE + "/connection/disconnect")
    assert "The connection is ended." in visitor.text
    assert stored(server).dead_since is not None
    visitor.open(BASE)
    assert "QuickBooks no longer accepts the connection." in visitor.text
    assert "Reconnect QuickBooks" in visitor.text
    visitor.open(BASE + "/connection")
    visitor.submit(BASE + "/connection/test")
    assert "The connection works" not in visitor.text
    back(visitor, agree(begin(visitor)), server)
    visitor.submit("/connect/confirm", decision="save")
    assert stored(server).dead_since is None


@pytest.fixture
def demo_alone(demo):
    """A simulator of the test's own, in which nothing has run."""
    with running("demo") as simulator:
        target = {
            name.removeprefix("TARGET_QUICKBOOKS_").lower(): value
            for name, value in simulator.env().items()
            if name.startswith("TARGET_QUICKBOOKS_")
        }
        yield type(demo)(simulator, demo.tap, target)
