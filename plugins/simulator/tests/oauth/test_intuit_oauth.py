"""Intuit's own client library, unmodified, against this server."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from ap_simulator.oauth.service import AuthorizationKind
from intuitlib.client import AuthClient
from intuitlib.enums import Scopes
from intuitlib.exceptions import AuthClientError

REALM = "9341452000000001"


def new_client(party, **kwargs):
    return AuthClient(
        client_id="ABclientOne",
        client_secret="secret-one",
        redirect_uri="https://app.example/oauth/callback",
        environment=f"{party.base_url}/.well-known/openid_sandbox_configuration/",
        **kwargs,
    )


def connect(party, client, scopes=(Scopes.ACCOUNTING,)):
    """Follow the authorization URL as a browser does, press Connect, hand over the code."""
    url = client.get_authorization_url(list(scopes))
    page = party.http.get(url)
    page.raise_for_status()
    fields = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    form = {**fields, "realm_id": REALM, "decision": "connect"}
    answer = party.http.post(f"{party.base_url}/connect/oauth2", data=form, allow_redirects=False)
    callback = parse_qs(urlsplit(answer.headers["location"]).query)
    assert callback["state"] == [client.state_token]
    client.get_bearer_token(callback["code"][0], realm_id=callback["realmId"][0])


@pytest.mark.parametrize("name", ["openid_configuration", "openid_sandbox_configuration"])
@pytest.mark.parametrize("ending", ["", "/"])
def test_discovery_points_at_the_server_that_was_asked(party, name, ending):
    document = party.http.get(f"{party.base_url}/.well-known/{name}{ending}").json()
    endpoints = [document[key] for key in document if key.endswith(("_endpoint", "_uri"))]
    assert len(endpoints) == 5
    assert all(endpoint.startswith(party.base_url + "/") for endpoint in endpoints)
    assert document["token_endpoint"] == f"{party.base_url}/oauth2/v1/tokens/bearer"


def test_discovery_answers_under_the_name_it_was_reached_by(party):
    url = f"{party.base_url}/.well-known/openid_configuration"
    document = party.http.get(url, headers={"Host": "sim.example:8095"}).json()
    assert document["token_endpoint"] == "http://sim.example:8095/oauth2/v1/tokens/bearer"


def test_code_exchange(party):
    client = new_client(party)
    connect(party, client)
    assert client.realm_id == REALM
    assert (client.expires_in, client.x_refresh_token_expires_in) == (3600, 8_640_000)
    assert party.kind(client.access_token) is AuthorizationKind.OK


def test_refresh(party):
    client = new_client(party)
    connect(party, client)
    first = client.refresh_token
    party.advance(days=1)
    client.refresh()
    assert client.refresh_token != first
    assert party.kind(client.access_token) is AuthorizationKind.OK


def test_refresh_with_a_replaced_token_raises_with_the_trace_id(party):
    client = new_client(party)
    connect(party, client)
    replaced = client.refresh_token
    party.advance(days=1)
    client.refresh()
    with pytest.raises(AuthClientError) as caught:
        client.refresh(refresh_token=replaced)
    assert caught.value.status_code == 400
    assert b"invalid_grant" in caught.value.content
    assert caught.value.intuit_tid


def test_revoke(party):
    client = new_client(party)
    connect(party, client)
    assert client.revoke() is True
    assert party.kind(client.access_token) is AuthorizationKind.REVOKED
    with pytest.raises(AuthClientError):
        client.refresh()


def test_user_info_needs_the_openid_scope(party):
    client = new_client(party)
    connect(party, client, [Scopes.OPENID, Scopes.EMAIL, Scopes.PROFILE])
    assert client.id_token is None
    info = client.get_user_info().json()
    assert info["sub"] == f"admin-of-{REALM}"
    assert info["email"] == "admin@example.com"
    assert info["familyName"] == "Administrator"
    connect(party, client)
    with pytest.raises(AuthClientError) as caught:
        client.get_user_info()
    assert caught.value.status_code == 403


def test_user_info_refuses_an_expired_token(party):
    client = new_client(party)
    connect(party, client, [Scopes.OPENID])
    party.advance(hours=1)
    with pytest.raises(AuthClientError) as caught:
        client.get_user_info()
    assert caught.value.status_code == 401


def test_key_set_is_empty_because_no_id_token_is_issued(party):
    document = party.http.get(f"{party.base_url}/.well-known/openid_configuration").json()
    assert party.http.get(document["jwks_uri"]).json() == {"keys": []}
