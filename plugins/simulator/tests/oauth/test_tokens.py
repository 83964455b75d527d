"""Codes, access tokens, refresh tokens with rotation, revocation."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs, urlsplit

import pytest
from ap_simulator.oauth.service import AuthorizationKind

REALM = "9341452000000001"
OTHER_REALM = "9341452000000002"
REDIRECT_URI = "https://app.example/oauth/callback"
OTHER = ("ABclientTwo", "secret-two")


@pytest.fixture
def seed(party):
    return party.oauth.grant(realm_id=REALM, client_id="ABclientOne", refresh_token="AB11seed")


def code_for(party, **changes):
    location = party.decide("connect", **changes).headers["location"]
    return parse_qs(urlsplit(location).query)["code"][0]


def exchange(party, code, *, redirect_uri=REDIRECT_URI, **kwargs):
    return party.post_token(grant_type="authorization_code", code=code, redirect_uri=redirect_uri, **kwargs)


def test_code_is_exchanged_for_tokens_of_the_chosen_company(party):
    response = exchange(party, code_for(party, realm_id=OTHER_REALM))
    body = response.json()
    assert response.status_code == 200
    assert response.headers["intuit_tid"]
    assert response.headers["cache-control"] == "no-store"
    assert body.keys() == {
        "token_type",
        "expires_in",
        "refresh_token",
        "x_refresh_token_expires_in",
        "access_token",
    }
    assert (body["token_type"], body["expires_in"]) == ("bearer", 3600)
    assert body["x_refresh_token_expires_in"] == 100 * 24 * 3600
    assert body["access_token"].startswith("eyJ")
    assert len(body["access_token"]) > 1000
    assert body["refresh_token"].startswith("AB11")
    assert party.kind(body["access_token"], OTHER_REALM) is AuthorizationKind.OK
    assert party.kind(body["access_token"], REALM) is AuthorizationKind.WRONG_REALM


def test_authorization_names_the_client(party, seed):
    token = party.refresh(seed).json()["access_token"]
    assert party.oauth.authorize(token, REALM).client_id == "ABclientOne"


def test_code_works_once(party):
    code = code_for(party)
    assert exchange(party, code).status_code == 200
    second = exchange(party, code)
    assert second.status_code == 400
    assert second.json() == {
        "error": "invalid_grant",
        "error_description": "Invalid authorization code",
    }


def test_code_dies_after_ten_minutes(party):
    code = code_for(party)
    party.advance(minutes=10)
    assert exchange(party, code).json()["error"] == "invalid_grant"


def test_code_is_bound_to_its_redirect_uri(party):
    response = exchange(party, code_for(party), redirect_uri="https://app.example/other")
    assert response.json()["error"] == "invalid_grant"


def test_code_is_bound_to_its_client(party):
    assert exchange(party, code_for(party), auth=OTHER).json()["error"] == "invalid_grant"


def test_access_token_expires_after_an_hour(party, seed):
    token = party.refresh(seed).json()["access_token"]
    party.advance(seconds=3599)
    assert party.kind(token) is AuthorizationKind.OK
    party.advance(seconds=1)
    assert party.kind(token) is AuthorizationKind.EXPIRED


def test_token_without_accounting_scope_is_not_for_the_company(party):
    token = exchange(party, code_for(party, scope="openid email")).json()["access_token"]
    assert party.kind(token) is AuthorizationKind.WRONG_REALM


def test_unknown_access_token(party):
    assert party.kind("eyJnothing") is AuthorizationKind.UNKNOWN


def test_refresh_keeps_its_value_within_a_day(party, seed):
    party.advance(hours=23, minutes=59)
    assert party.refresh(seed).json()["refresh_token"] == seed
    assert party.refresh(seed).status_code == 200


def test_first_refresh_after_a_day_brings_a_new_value_and_kills_the_old(party, seed):
    party.advance(hours=24)
    new = party.refresh(seed).json()["refresh_token"]
    assert new != seed
    dead = party.refresh(seed)
    assert dead.status_code == 400
    assert dead.json() == {
        "error": "invalid_grant",
        "error_description": "Incorrect or invalid refresh token",
    }
    assert party.refresh(new).json()["refresh_token"] == new


def test_day_counts_from_the_last_new_value(party, seed):
    party.advance(hours=30)
    new = party.refresh(seed).json()["refresh_token"]
    party.advance(hours=20)
    assert party.refresh(new).json()["refresh_token"] == new
    party.advance(hours=4)
    assert party.refresh(new).json()["refresh_token"] != new


def test_rotation_always_lets_one_of_two_refreshes_win(party, seed):
    party.switches.rotation = "always"
    first, second = party.refresh(seed), party.refresh(seed)
    assert first.json()["refresh_token"] != seed
    assert second.json()["error"] == "invalid_grant"
    assert party.refresh(first.json()["refresh_token"]).status_code == 200


def test_switch_lets_a_replaced_value_linger_for_a_day(party, seed):
    party.switches.rotation = "always"
    party.switches.old_token_lingers = True
    party.refresh(seed)
    party.advance(hours=23)
    assert party.refresh(seed).status_code == 200
    party.advance(hours=2)
    assert party.refresh(seed).json()["error"] == "invalid_grant"


def test_switch_lets_reuse_of_a_replaced_value_revoke_everything(party, seed):
    party.switches.rotation = "always"
    party.switches.reuse_revokes = True
    new = party.refresh(seed).json()
    party.refresh(seed)
    assert party.refresh(new["refresh_token"]).json()["error"] == "invalid_grant"
    assert party.kind(new["access_token"]) is AuthorizationKind.REVOKED


def test_refresh_leaves_earlier_access_tokens_alive(party, seed):
    token = party.refresh(seed).json()["access_token"]
    party.refresh(seed)
    assert party.kind(token) is AuthorizationKind.OK


def test_switch_lets_a_refresh_end_earlier_access_tokens(party, seed):
    party.switches.refresh_invalidates_access = True
    token = party.refresh(seed).json()["access_token"]
    newer = party.refresh(seed).json()["access_token"]
    assert party.kind(token) is AuthorizationKind.EXPIRED
    assert party.kind(newer) is AuthorizationKind.OK


def test_refresh_token_expires_100_days_after_its_last_use(party, seed):
    party.advance(days=99)
    token = party.refresh(seed).json()["refresh_token"]
    party.advance(days=99)
    token = party.refresh(token).json()["refresh_token"]
    party.advance(days=100)
    assert party.refresh(token).json()["error"] == "invalid_grant"


def test_refresh_token_dies_five_years_after_consent(party, seed):
    party.switches.refresh_token_days = 4000
    party.refresh(seed)
    party.advance(days=5 * 365 - 1)
    last = party.refresh(seed).json()
    assert last["x_refresh_token_expires_in"] == 24 * 3600
    party.advance(days=1)
    assert party.refresh(last["refresh_token"]).json()["error"] == "invalid_grant"


def test_hard_expiry_is_told_when_asked_for(party, seed):
    party.http.headers["x-include-refresh-token-hard-expires-in"] = "true"
    party.advance(days=1)
    body = party.refresh(seed).json()
    assert body["x_refresh_token_hard_expires_in"] == 157_680_000 - 24 * 3600


def test_refresh_token_is_bound_to_its_client(party, seed):
    assert party.refresh(seed, auth=OTHER).json()["error"] == "invalid_grant"


def test_switch_leaves_the_description_out(party):
    party.switches.invalid_grant_description = False
    response = party.refresh("AB11never")
    assert response.content == b'{"error":"invalid_grant"}'


def test_secret_may_come_in_the_form(party, seed):
    response = party.refresh(seed, auth=None, client_id="ABclientOne", client_secret="secret-one")
    assert response.status_code == 200


@pytest.mark.parametrize(
    "auth",
    [None, ("ABclientOne", "wrong"), ("ABnobody", "secret-one"), ("ABclientOne", "sécret")],
)
def test_wrong_client_credentials_are_401(party, seed, auth):
    for response in (party.refresh(seed, auth=auth), party.revoke(seed, auth=auth)):
        assert response.status_code == 401
        assert response.json() == {"error": "invalid_client"}
        assert response.headers["intuit_tid"]


@pytest.mark.parametrize(
    "header",
    ["Bearer abc", "Basic ***", "Basic " + base64.b64encode(b"nocolon").decode(), "Basic /w=="],
)
def test_unreadable_authorization_header_is_401(party, header):
    party.http.headers["Authorization"] = header
    assert party.refresh("AB11x", auth=lambda request: request).status_code == 401


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "AB11x"}, "invalid_request"),
        ({"grant_type": "authorization_code", "redirect_uri": "https://a"}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "AB11x", "redirect_uri": "b"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "AB11x"}, "invalid_grant"),
    ],
)
def test_broken_token_requests_are_400(party, form, error):
    response = party.post_token(**{"padding": "1", **form})
    assert response.status_code == 400
    assert response.json()["error"] == error


def test_token_request_must_be_a_form(party):
    url = f"{party.base_url}/oauth2/v1/tokens/bearer"
    response = party.http.post(url, json={"grant_type": "refresh_token"}, auth=("ABclientOne", "secret-one"))
    assert response.json()["error"] == "invalid_request"


def test_repeated_parameter_is_refused(party):
    url = f"{party.base_url}/oauth2/v1/tokens/bearer"
    form = [("grant_type", "refresh_token"), ("grant_type", "refresh_token")]
    response = party.http.post(url, data=form, auth=("ABclientOne", "secret-one"))
    assert response.json()["error"] == "invalid_request"


def test_token_endpoint_takes_post_only(party):
    assert party.http.get(f"{party.base_url}/oauth2/v1/tokens/bearer").status_code == 405


@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
def test_revoking_either_token_ends_the_connection(party, seed, kind):
    tokens = party.refresh(seed).json()
    response = party.revoke(tokens[kind])
    assert (response.status_code, response.content) == (200, b"")
    assert party.kind(tokens["access_token"]) is AuthorizationKind.REVOKED
    assert party.refresh(seed).json()["error"] == "invalid_grant"
    assert party.revoke(tokens[kind]).status_code == 400


def test_revoking_leaves_other_connections_alone(party, seed):
    other = party.oauth.grant(realm_id=OTHER_REALM, client_id="ABclientOne")
    party.revoke(seed)
    assert party.refresh(other).status_code == 200


def test_unknown_and_foreign_tokens_cannot_be_revoked(party, seed):
    assert party.revoke("AB11never").status_code == 400
    assert party.revoke(seed, auth=OTHER).status_code == 400
    assert party.refresh(seed).status_code == 200


@pytest.mark.parametrize("body", [b"", b"token=x", b"[]", b"{}", b'{"token":1}', b'{"token":""}'])
def test_revoke_needs_a_token_in_json(party, body):
    url = f"{party.base_url}/v2/oauth2/tokens/revoke"
    response = party.http.post(url, data=body, auth=("ABclientOne", "secret-one"))
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


def test_person_disconnects_inside_quickbooks(party, seed):
    token = party.refresh(seed).json()["access_token"]
    party.oauth.grant(realm_id=OTHER_REALM, client_id="ABclientOne")
    assert party.oauth.disconnect(realm_id=REALM) == 1
    assert party.kind(token) is AuthorizationKind.REVOKED
    assert [connection.revoked for connection in party.oauth.connections()] == [True, False]


def test_reconnecting_keeps_the_older_connection(party, seed):
    party.oauth.grant(realm_id=REALM, client_id="ABclientOne")
    assert party.refresh(seed).status_code == 200


def test_switch_lets_reconnecting_revoke_the_older_connection(party, seed):
    party.switches.reconnect_revokes = True
    newer = party.oauth.grant(realm_id=REALM, client_id="ABclientOne")
    assert party.refresh(seed).json()["error"] == "invalid_grant"
    assert party.refresh(newer).status_code == 200


def test_grant_needs_a_registered_client(party):
    with pytest.raises(ValueError, match="no OAuth client 'ABnobody'"):
        party.oauth.grant(realm_id=REALM, client_id="ABnobody")


def test_token_grants_are_counted(party, seed):
    party.refresh(seed)
    party.refresh("AB11never")
    assert party.world.calls.stats()["oauth"]["logins"] == 1
