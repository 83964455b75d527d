"""The authorization request and the person's answer to it."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import pytest
from ap_simulator.oauth.clients import Client
from typing_extensions import override


def answer_of(response):
    assert response.status_code == 302, response.text
    parts = urlsplit(response.headers["location"])
    answer = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return f"{parts.scheme}://{parts.netloc}{parts.path}", answer


def test_page_asks_which_company_and_names_the_app(party):
    page = party.ask()
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "Connect Our app to QuickBooks" in page.text
    assert "Marlow &amp; Quill &lt;Software&gt;" in page.text
    assert "Second Company" in page.text
    assert "<script" not in page.text
    assert page.headers["intuit_tid"]


def test_page_carries_the_request_through_the_form(party):
    page = party.ask(state='"><b>')
    assert 'name="state" value="&#34;&gt;&lt;b&gt;"' in page.text


def test_connect_sends_code_state_and_realm(party):
    target, answer = answer_of(party.decide("connect", realm_id="9341452000000002"))
    assert target == "https://app.example/oauth/callback"
    assert answer.pop("code").startswith("AB11")
    assert answer == {"state": "s/t&a=te", "realmId": "9341452000000002"}


def test_cancel_sends_access_denied(party):
    _, answer = answer_of(party.decide("cancel"))
    assert answer == {"error": "access_denied", "state": "s/t&a=te"}


def test_connect_without_a_company_shows_the_form_again(party):
    page = party.decide("connect", realm_id="")
    assert page.status_code == 400
    assert "Choose a company first" in page.text


def test_unknown_company_cannot_be_chosen(party):
    assert party.decide("connect", realm_id="1").status_code == 400


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"client_id": "ABnobody"}, "invalid_client"),
        ({"client_id": ""}, "invalid_client"),
        ({"redirect_uri": ""}, "invalid_redirect_uri"),
        ({"redirect_uri": "https://app.example/oauth/callback/"}, "invalid_redirect_uri"),
        ({"redirect_uri": "https://evil.example/"}, "invalid_redirect_uri"),
        ({"redirect_uri": "http://evil.example/"}, "invalid_redirect_uri"),
        ({"redirect_uri": "http://localhost@evil.example/"}, "invalid_redirect_uri"),
        ({"redirect_uri": "http://localhost:x/"}, "invalid_redirect_uri"),
        ({"state": ""}, "invalid_request"),
    ],
)
def test_untrustworthy_request_is_shown_and_never_redirected(party, changes, code):
    for response in (party.ask(**changes), party.decide("connect", **changes)):
        assert response.status_code == 400
        assert f"<code>{code}</code>" in response.text
        assert "location" not in response.headers


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": ""}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "com.intuit.quickbooks.accounting everything"}, "invalid_scope"),
    ],
)
def test_other_mistakes_go_back_to_the_app(party, changes, error):
    _, answer = answer_of(party.ask(**changes))
    assert answer == {"error": error, "state": "s/t&a=te"}


def test_development_client_may_use_any_loopback_address(party):
    target, _ = answer_of(party.decide("connect", redirect_uri="http://127.0.0.1:41234/cb"))
    assert target == "http://127.0.0.1:41234/cb"


def test_switch_limits_loopback_to_registered_addresses(party):
    party.switches.loopback_redirects = "registered"
    assert party.ask(redirect_uri="http://127.0.0.1:41234/cb").status_code == 400


def test_production_client_may_not_use_loopback(party):
    assert party.ask(client_id="ABclientTwo", redirect_uri="http://localhost/cb").status_code == 400


def test_query_of_the_redirect_uri_is_kept(party):
    response = party.decide("cancel", redirect_uri="http://localhost:9123/cb?next=1")
    assert "next=1&error=access_denied" in response.headers["location"]


@pytest.mark.parametrize(
    "uri",
    ["http://app.example/cb", "https://10.0.0.1/cb", "https://app.example/cb?x=1", "https:///cb", "cb"],
)
def test_uri_that_intuit_would_not_register_is_refused(uri):
    with pytest.raises(ValueError, match="cannot be registered"):
        Client(client_id="a", client_secret="b", redirect_uris=frozenset({uri}))


def test_production_keys_cannot_register_loopback():
    with pytest.raises(ValueError, match="development keys only"):
        Client(
            client_id="a",
            client_secret="b",
            redirect_uris=frozenset({"http://localhost/cb"}),
            development=False,
        )


class Form(HTMLParser):
    """What a browser sends of the page's form, by the button that is clicked."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = self.method = ""
        self.fields: dict[str, str] = {}
        self.buttons: dict[str, tuple[str, str]] = {}
        self._button: tuple[str, str] | None = None
        self.feed(page)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action, self.method = given["action"], given["method"]
        elif tag == "button":
            self._button = (given["name"], given["value"])
        elif tag == "input" and (given["type"] == "hidden" or "checked" in given):
            self.fields[given["name"]] = given["value"]

    @override
    def handle_data(self, data: str) -> None:
        if self._button is not None:
            self.buttons[data.strip()] = self._button
            self._button = None


@pytest.mark.parametrize("button", ["Connect", "Cancel"])
def test_a_browser_gets_through_the_page_by_a_click(party, button):
    page = party.ask()
    form = Form(page.text)
    name, value = form.buttons[button]
    assert form.method == "post"
    sent = {**form.fields, name: value}
    response = party.http.post(party.base_url + form.action, data=sent, allow_redirects=False)
    _, answer = answer_of(response)
    assert answer["state"] == "s/t&a=te"
    if button == "Connect":
        assert answer["realmId"] == form.fields["realm_id"] == "9341452000000001"
    else:
        assert answer["error"] == "access_denied"


def test_the_accounting_scope_has_no_id_token_and_no_user(party):
    tokens = party.refresh(party.oauth.grant(realm_id="9341452000000001", client_id="ABclientOne")).json()
    assert "id_token" not in tokens
    url = f"{party.base_url}/v1/openid_connect/userinfo"
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    answer = party.http.get(url, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")
