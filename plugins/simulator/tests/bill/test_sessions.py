"""Login, session lifetime, and who may do what."""

from __future__ import annotations

import pytest
from ap_simulator.fault_rules import FaultRule

NO_SESSION = (401, "BDC_1109", "Session is invalid.  Please log in.")


def test_login_answers_a_session(anonymous):
    answer = anonymous.log_in().json()

    assert answer["organizationId"] == anonymous.ORGANIZATION
    assert answer["userId"].startswith("006")
    assert answer["trusted"] is False
    assert anonymous.service.calls.stats()["bill"]["logins"] == 1


@pytest.mark.parametrize(
    "changes",
    [{"password": "wrong"}, {"username": "nobody@example.com"}, {"organizationId": "00802NOSUCHORGANIZA1"}],
)
@pytest.mark.parametrize("status", [401, 400])
def test_wrong_credentials_are_bdc_1101(anonymous, changes, status):
    anonymous.switches.credentials_status = status

    refusal = anonymous.error(anonymous.log_in(**changes))

    assert refusal == (status, "BDC_1101", "User name and/or password do not match our records.")


@pytest.mark.parametrize("key", ["unknown", "01TESTDEVELOPERKEY02"])
def test_a_developer_key_that_is_not_the_organizations_is_bdc_1102(anonymous, key):
    refusal = anonymous.error(anonymous.log_in(devKey=key))

    assert refusal == (401, "BDC_1102", "Developer key is invalid.")


def test_login_wants_the_field_names_of_v3(anonymous):
    body = {"userName": "a", "password": "b", "orgId": "c", "devKey": "d"}

    response = anonymous.call("POST", "login", body, headers={})

    assert response.status_code == 400
    messages = {entry["message"] for entry in response.json()}
    assert messages == {"username: must not be null", "organizationId: must not be null"}


def test_login_wants_texts(anonymous):
    response = anonymous.log_in(password=12345)

    assert anonymous.error(response)[2] == "password: must be a string"


def test_a_session_dies_after_35_idle_minutes(bill):
    bill.advance(minutes=34, seconds=50)
    assert bill.call("GET", "vendors").status_code == 200

    bill.advance(minutes=35)

    assert bill.refused("GET", "vendors") == NO_SESSION


def test_every_call_starts_the_idle_time_anew(bill):
    for _ in range(5):
        bill.advance(minutes=30)
        assert bill.call("GET", "vendors").status_code == 200


def test_a_sync_token_session_lives_48_idle_hours(anonymous):
    headers = anonymous.session(**anonymous.SYNC_TOKEN)
    anonymous.advance(hours=47, minutes=59)
    assert anonymous.call("GET", "vendors", headers=headers).status_code == 200

    anonymous.advance(hours=48)

    assert anonymous.refused("GET", "vendors", headers=headers) == NO_SESSION


def test_a_session_has_no_greatest_age_unless_switched_on(bill):
    bill.switches.session_lifetime_hours = 1.0
    bill.advance(minutes=31)
    assert bill.call("GET", "vendors").status_code == 200
    bill.advance(minutes=31)

    assert bill.refused("GET", "vendors") == NO_SESSION


@pytest.mark.parametrize("session_id", [None, "unknown"])
def test_a_missing_or_unknown_session_is_bdc_1109(anonymous, session_id):
    headers = {"devKey": anonymous.DEV_KEY, "sessionId": session_id}

    assert anonymous.refused("GET", "vendors", headers=headers) == NO_SESSION


def test_no_headers_at_all_is_bdc_1109(anonymous):
    assert anonymous.refused("GET", "bills", headers={}) == NO_SESSION


def test_a_session_is_valid_only_with_the_developer_key_of_its_login(bill):
    headers = {**bill.headers, "devKey": bill.OTHER_DEV_KEY}

    assert bill.refused("GET", "vendors", headers=headers) == NO_SESSION


@pytest.mark.parametrize("key", [None, "unknown"])
def test_a_call_without_a_known_developer_key_is_bdc_1102(bill, key):
    headers = {**bill.headers, "devKey": key}

    assert bill.refused("GET", "vendors", headers=headers)[:2] == (401, "BDC_1102")


def test_header_names_do_not_depend_on_case(bill):
    headers = {name.lower(): value for name, value in bill.headers.items()}

    assert bill.call("GET", "vendors", headers=headers).status_code == 200


def test_logout_ends_the_session_with_an_empty_answer(bill):
    response = bill.call("POST", "logout")

    assert (response.status_code, response.content) == (200, b"")
    assert bill.refused("GET", "vendors") == NO_SESSION


def test_a_second_login_leaves_the_first_session_alone(bill):
    bill.session()

    assert bill.call("GET", "vendors").status_code == 200


def test_a_second_login_ends_the_first_session_if_switched_so(bill):
    bill.switches.second_login_ends_first = True
    bill.session()

    assert bill.refused("GET", "vendors") == NO_SESSION


def test_session_details(bill):
    details = bill.get("login/session")

    assert details["organizationId"] == bill.ORGANIZATION
    assert details["userId"].startswith("006")
    assert (details["mfaStatus"], details["mfaBypass"]) == ("DISABLED", True)


@pytest.mark.parametrize("ends", [False, True])
def test_an_injected_expiry_fails_one_call_or_ends_the_session(bill, ends):
    bill.switches.expired_token_fault_ends_session = ends
    bill.on_loop(lambda _: bill.faults.add(FaultRule(kind="expired_token", times=1)))

    assert bill.refused("GET", "vendors") == NO_SESSION
    assert bill.call("GET", "vendors").status_code == (401 if ends else 200)


def test_an_injected_expiry_does_not_hit_the_login(anonymous):
    anonymous.on_loop(lambda _: anonymous.faults.add(FaultRule(kind="expired_token")))

    assert anonymous.log_in().status_code == 200


def test_organizations_do_not_see_each_other(bill):
    vendor = bill.vendor()
    other = bill.session(organizationId=bill.OTHER_ORGANIZATION)

    assert bill.ok("GET", "vendors", headers=other)["results"] == []
    assert bill.refused("GET", f"vendors/{vendor['id']}", headers=other)[:2] == (404, "BDC_1205")


def test_health_needs_no_session(anonymous):
    answer = anonymous.get("health")

    assert set(answer) == {"appId", "appEnv", "appVersion", "bdcRegion"}


def test_the_organization_is_shown_to_its_administrator(bill):
    record = bill.get(f"organizations/{bill.ORGANIZATION}")

    assert record["name"] == "Test Organization"
    assert record["taxId"] == "112223333"
    assert record["archived"] is False


def test_another_organization_is_not_found(bill):
    assert bill.refused("GET", f"organizations/{bill.OTHER_ORGANIZATION}")[:2] == (404, "BDC_1205")


def test_the_organization_is_not_shown_to_a_clerk(anonymous):
    headers = anonymous.session(**anonymous.CLERK)

    response = anonymous.call("GET", f"organizations/{anonymous.ORGANIZATION}", headers=headers)

    assert response.status_code == 403


def test_patching_an_organizations_address_merges_it(bill):
    path = f"organizations/{bill.ORGANIZATION}"
    bill.ok("PATCH", path, {"address": {"city": "Oakland", "country": "US"}})
    bill.ok("PATCH", path, {"address": {"zipOrPostalCode": "94601"}})

    address = bill.get(path)["address"]

    assert address == {
        "city": "Oakland",
        "country": "US",
        "zipOrPostalCode": "94601",
        "countryName": "United States",
    }


def test_users_and_roles_can_be_listed(bill):
    users = bill.results("users", sort="lastName:asc")
    roles = bill.results("roles")

    assert [user["email"] for user in users] == ["clerk@example.com", bill.USERNAME]
    assert users[1]["role"]["id"] in {role["id"] for role in roles}
    assert bill.get(f"users/{users[0]['id']}") == users[0]


def test_secrets_are_kept_out_of_representations(bill):
    login = bill.service.organization(bill.ORGANIZATION).login(bill.USERNAME)
    session = bill.service.sessions.use(bill.headers["sessionId"], bill.DEV_KEY)

    assert "correct horse" not in repr(login)
    assert bill.headers["sessionId"] not in repr(session)
