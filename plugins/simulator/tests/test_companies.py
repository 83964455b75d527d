"""Further companies beside the first one."""

from __future__ import annotations

import pytest
import requests
from ap_simulator.company.identities import DEMO
from ap_simulator.control_client import ControlError

ORGANIZATION = "00802SECONDCOMPANY01"
REALM = "9341452000000002"


@pytest.fixture
def second(simulator):
    """The settings of a second company with vendors and bills."""
    return simulator.control.add_company(
        organization_id=ORGANIZATION, realm_id=REALM, name="Second Company", vendors=5, bills=9
    )


def call(settings, method, path, body=None):
    login = {
        "username": settings["TAP_BILL_USERNAME"],
        "password": settings["TAP_BILL_PASSWORD"],
        "organizationId": settings["TAP_BILL_ORGANIZATION_ID"],
        "devKey": settings["TAP_BILL_DEV_KEY"],
    }
    url = f"{settings['TAP_BILL_API_URL']}/v3"
    session = requests.post(f"{url}/login", json=login, timeout=10).json()["sessionId"]
    headers = {"sessionId": session, "devKey": login["devKey"]}
    answer = requests.request(method, f"{url}/{path}", json=body, headers=headers, timeout=10)
    assert answer.ok, answer.text
    return answer.json()


def test_its_settings_reach_it_on_both_sides(simulator, second):
    assert second["TAP_BILL_ORGANIZATION_ID"] == ORGANIZATION
    assert len(call(second, "GET", "bills")["results"]) == 9
    assert call(second, "GET", "vendors")["results"][0]["name"]
    token = requests.post(
        second["TARGET_QUICKBOOKS_TOKEN_URL"],
        data={"grant_type": "refresh_token", "refresh_token": second["TARGET_QUICKBOOKS_REFRESH_TOKEN"]},
        auth=(second["TARGET_QUICKBOOKS_CLIENT_ID"], second["TARGET_QUICKBOOKS_CLIENT_SECRET"]),
        timeout=10,
    ).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    url = f"{simulator.url}/v3/company/{REALM}/companyinfo/{REALM}"
    info = requests.get(url, headers=headers, timeout=10).json()["CompanyInfo"]
    assert info["CompanyName"] == "Second Company"
    other = url.replace(REALM, DEMO.realm_id)
    assert requests.get(other, headers=headers, timeout=10).status_code == 403


def test_a_change_in_one_company_leaves_the_other_alone(simulator, second):
    control = simulator.control
    account = control.records("bill", "chart_of_accounts", organization=ORGANIZATION)[0]
    call(second, "PATCH", f"classifications/chart-of-accounts/{account['id']}", {"name": "Changed"})
    names = {
        organization: control.records(
            "bill", "chart_of_accounts", organization=organization, record_id=account["id"]
        )[0]["name"]
        for organization in (ORGANIZATION, DEMO.organization_id)
    }
    assert names == {ORGANIZATION: "Changed", DEMO.organization_id: account["name"]}
    control.write_by_hand("Vendor", "create", values={"DisplayName": "Theirs"}, realm_id=REALM)
    assert [v["DisplayName"] for v in control.records("quickbooks", "Vendor", realm=REALM)] == ["Theirs"]
    assert control.records("quickbooks", "Vendor", realm=DEMO.realm_id) == []


def test_files_of_its_session_are_its_own(simulator, second):
    assert second["TAP_BILL_SESSION_PATH"] != simulator.env()["TAP_BILL_SESSION_PATH"]
    assert second["TARGET_QUICKBOOKS_STORE_URL"] == simulator.env()["TARGET_QUICKBOOKS_STORE_URL"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"organization_id": DEMO.organization_id}, "There is an organization"),
        ({"realm_id": DEMO.realm_id}, "There is a company"),
        ({"company": "demo", "vendors": 3}, "The demo company has 120 vendors"),
        ({"vendors": -1}, "must be at least 0"),
        ({"nmae": "x"}, "nmae is not known"),
    ],
)
def test_a_company_that_cannot_be_is_refused(simulator, changes, words):
    body = {"organization_id": ORGANIZATION, "realm_id": REALM, "name": "Second", **changes}
    with pytest.raises(ControlError, match=words):
        simulator.control.add_company(**body)
    assert list(simulator.control.status()["records"]["bill"]) == [DEMO.organization_id]
    assert list(simulator.control.status()["records"]["quickbooks"]) == [DEMO.realm_id]
