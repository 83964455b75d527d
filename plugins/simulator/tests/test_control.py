"""The control API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import requests
from ap_simulator.company.identities import DEMO
from ap_simulator.control_client import ControlError
from ap_simulator.testing import running

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
VENDORS = [
    {
        "id": f"00902VENDORVENDOR00{n}",
        "name": f"Vendor {n}",
        "archived": False,
        "balance": {"amount": Decimal("0.10")},
        "createdTime": "2026-01-01T00:00:00.000+00:00",
        "updatedTime": "2026-01-01T00:00:00.000+00:00",
    }
    for n in (1, 2)
]


def load_vendors(world):
    world.bill.load(DEMO.organization_id, "vendors", [dict(vendor) for vendor in VENDORS])


def login(simulator, **changes) -> requests.Response:
    body = {
        "username": DEMO.username,
        "password": DEMO.password,
        "organizationId": DEMO.organization_id,
        "devKey": DEMO.dev_key,
        **changes,
    }
    return requests.post(f"{simulator.bill_url}/v3/login", json=body, timeout=5)


def test_status_says_what_runs_and_where_its_files_go(simulator):
    status = simulator.control.status()
    assert status["url"] == simulator.url
    assert status["run_dir"] == str(simulator.run_dir.path)
    assert status["company"] == "empty"
    assert status["environment"] == simulator.env()
    assert DEMO.organization_id in status["records"]["bill"]
    assert DEMO.realm_id in status["records"]["quickbooks"]


def test_status_counts_records(simulator):
    simulator.on_loop(load_vendors)
    counts = simulator.control.status()["records"]["bill"][DEMO.organization_id]
    assert counts["vendors"] == 2


def test_records_are_what_is_stored_with_exact_money(simulator):
    simulator.on_loop(load_vendors)
    found = simulator.control.records("bill", "vendors")
    assert [vendor["name"] for vendor in found] == ["Vendor 1", "Vendor 2"]
    assert found[0]["balance"]["amount"] == Decimal("0.10")


def test_records_can_be_chosen_by_company_and_id(simulator):
    simulator.on_loop(load_vendors)
    control = simulator.control
    only = control.records("bill", "vendors", record_id=VENDORS[1]["id"])
    assert [vendor["name"] for vendor in only] == ["Vendor 2"]
    assert len(control.records("bill", "vendors", organization=DEMO.organization_id)) == 2


def test_many_records_are_one_json_array(simulator):
    many = [{**VENDORS[0], "id": f"00902MANYVENDORS{n:04}"} for n in range(1203)]
    simulator.on_loop(lambda world: world.bill.load(DEMO.organization_id, "vendors", many))
    assert len(simulator.control.records("bill", "vendors")) == 1203


@pytest.mark.parametrize(
    ("method", "path", "body", "says"),
    [
        ("GET", "records", None, "system=bill with entity="),
        ("GET", "records?system=bill&entity=Vendor", None, "vendors"),
        ("GET", "records?system=quickbooks&entity=vendors", None, "PurchaseOrder"),
        ("GET", "records?system=bill&entity=bills&limit=5", None, "does not take limit"),
        ("GET", "records?system=bill&entity=bills&organization=x", None, "there are 00802DEMO"),
        ("GET", "records?system=quickbooks&entity=Bill&realm=1", None, "there are 9341452"),
        ("POST", "faults", {"kind": "earthquake"}, "reset_after"),
        ("POST", "faults", [1], "JSON object"),
        ("DELETE", "faults/17", None, "There is no fault 17"),
        ("POST", "latency", {"delay": 5}, "per_call_ms"),
        ("POST", "clock", {"set": "noon"}, "advance_seconds"),
        ("POST", "clock", {"set": "2026-01-01T00:00:00"}, "advance_seconds"),
        ("POST", "clock", {"advance_seconds": "60"}, "advance_seconds"),
        ("POST", "clock", {"advance_seconds": 1e300}, "advance_seconds"),
        ("POST", "clock", {"advance_seconds": 1e12}, "2000 to 2999"),
        ("POST", "clock", {"advance_seconds": -1e12}, "2000 to 2999"),
        ("POST", "clock", {"set": "1999-12-31T00:00:00Z"}, "2000 to 2999"),
        ("POST", "clock", {"advance_seconds": True}, "advance_seconds"),
        ("POST", "clock", {"freeze": True, "run": True}, "advance_seconds"),
        ("POST", "clock", {}, "advance_seconds"),
        ("POST", "switches", {"bill.nothing": 1}, "There is no switch"),
        ("POST", "switches", {"oauth.rotation": "never"}, "takes daily, always"),
        ("POST", "reset", {"company": "real"}, "demo, empty"),
        ("POST", "reset", {"vendors": -1}, "at least 0"),
        ("POST", "reset", {"company": "demo", "vendors": 5}, "for fewer"),
        ("POST", "reset", {"existing_in_quickbooks": 1}, "true or false"),
        ("POST", "reset", {"vendor": 1}, "does not take vendor"),
        ("POST", "reset", {"switches": ["x"]}, "switches must be"),
        ("POST", "reset", {"switches": {"bill.nothing": 1}}, "There is no switch"),
        ("POST", "organizations", {"name": "X"}, "organization_id is missing"),
        ("POST", "realms", {"realm_id": "1", "name": "X"}, "client_id is missing"),
        ("POST", "disconnect", {}, "realm_id"),
    ],
)
def test_a_wrong_call_says_what_is_accepted_and_changes_nothing(simulator, method, path, body, says):
    before = simulator.control.status()["world_id"]
    answer = requests.request(method, f"{simulator.url}/__control/{path}", json=body, timeout=5)
    assert answer.status_code == 400
    assert says in answer.json()["error"]
    assert simulator.control.status()["world_id"] == before


def test_a_body_that_is_no_json_is_refused(simulator):
    answer = requests.post(f"{simulator.url}/__control/faults", data=b"kind=latency", timeout=5)
    assert (answer.status_code, "JSON object" in answer.json()["error"]) == (400, True)


def test_an_unknown_control_path_lists_the_known_ones(simulator):
    answer = requests.get(f"{simulator.url}/__control/nothing", timeout=5)
    assert answer.status_code == 404
    assert "POST /__control/reset" in answer.json()["error"]
    listed = requests.get(f"{simulator.url}/__control", timeout=5).json()["calls"]
    assert "GET /__control/stats" in listed


def test_a_wrong_method_names_the_right_one(simulator):
    answer = requests.put(f"{simulator.url}/__control/clock", timeout=5)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


def test_the_root_page_says_where_everything_is(simulator):
    assert "/connect/v3/" in requests.get(simulator.url, timeout=5).text


def test_the_clock_can_be_set_advanced_frozen_and_run(simulator):
    control = simulator.control
    assert control.set_clock(NOON) - NOON < timedelta(minutes=1)
    frozen = control.freeze()
    assert control.clock() == frozen
    assert control.advance(90) == frozen + timedelta(seconds=90)
    assert control.set_clock(NOON) == NOON == control.clock()
    assert control.run() >= NOON
    assert control.status()["frozen"] is False


def test_the_services_follow_the_clock(simulator):
    session = login(simulator).json()["sessionId"]
    headers = {"sessionId": session, "devKey": DEMO.dev_key}
    url = f"{simulator.bill_url}/v3/login/session"
    assert requests.get(url, headers=headers, timeout=5).status_code == 200
    simulator.control.advance(36 * 60)
    assert requests.get(url, headers=headers, timeout=5).status_code == 401


def test_switches_are_set_at_run_time(simulator):
    simulator.control.set_switches({"bill.credentials_status": 400})
    assert login(simulator, password="wrong").status_code == 400
    assert simulator.control.switches()["bill"]["credentials_status"]["value"] == 400


def test_switches_are_set_from_the_start():
    with running(switches={"bill.credentials_status": "400"}) as simulator:
        assert login(simulator, password="wrong").status_code == 400


def test_faults_are_listed_with_how_often_they_fired_and_lifted(simulator):
    control = simulator.control
    made = control.add_fault("server_error", system="bill", status=503, times=1)
    assert login(simulator).status_code == 503
    assert login(simulator).status_code == 200
    (listed,) = control.faults()
    assert (listed["id"], listed["seen"], listed["fired"]) == (made["id"], 2, 1)
    requests.delete(f"{simulator.url}/__control/faults/{made['id']}", timeout=5)
    assert control.faults() == []
    control.add_fault("throttle")
    control.clear_faults()
    assert control.faults() == []


def test_stats_count_by_endpoint_and_can_be_reset(simulator):
    login(simulator)
    login(simulator, password="wrong")
    stats = simulator.control.stats()
    assert stats["bill"]["by_endpoint"] == {"POST /connect/v3/login": {"200": 1, "401": 1}}
    assert (stats["bill"]["logins"], stats["bill"]["write_calls"]) == (1, 0)
    assert stats["total_calls"] == 2
    simulator.control.reset_stats()
    assert simulator.control.stats()["total_calls"] == 0


def test_a_reset_is_a_new_company(simulator):
    control = simulator.control
    simulator.on_loop(load_vendors)
    control.add_fault("throttle", path="/nowhere")
    control.set_latency(per_call_ms=1)
    control.set_switches({"oauth.rotation": "always"})
    control.set_clock(NOON)
    login(simulator)
    before = control.status()
    after = control.reset()
    assert after["world_id"] != before["world_id"]
    assert control.records("bill", "vendors") == []
    assert control.faults() == []
    assert control.stats()["total_calls"] == 0
    assert control.switches()["oauth"]["rotation"]["value"] == "daily"
    assert abs(control.clock() - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_reset_ends_sessions_and_tokens(simulator):
    session = login(simulator).json()["sessionId"]
    simulator.control.reset()
    headers = {"sessionId": session, "devKey": DEMO.dev_key}
    url = f"{simulator.bill_url}/v3/login/session"
    assert requests.get(url, headers=headers, timeout=5).status_code == 401


def test_a_reset_removes_what_refers_to_the_old_company(simulator):
    simulator.run_dir.store.touch()
    simulator.run_dir.session.touch()
    other = simulator.run_dir.path / "notes.txt"
    other.touch()
    simulator.control.reset()
    assert not simulator.run_dir.store.exists()
    assert not simulator.run_dir.session.exists()
    assert other.exists()


def test_a_reset_can_choose_another_company_and_the_next_one_goes_back(simulator):
    assert simulator.control.reset(company="demo", seed=5)["company"] == "demo"
    assert len(simulator.control.records("bill", "vendors")) > 100
    assert simulator.control.reset()["company"] == "empty"


def test_a_further_organization_has_books_of_its_own(simulator):
    simulator.on_loop(load_vendors)
    simulator.control.add_organization(
        organization_id="00802SECONDORGANIZ01",
        name="Second",
        username="second@example.com",
        password="pass",
        dev_key="01SECONDKEYSECONDKEY",
    )
    answer = login(
        simulator,
        username="second@example.com",
        password="pass",
        organizationId="00802SECONDORGANIZ01",
        devKey="01SECONDKEYSECONDKEY",
    )
    headers = {"sessionId": answer.json()["sessionId"], "devKey": "01SECONDKEYSECONDKEY"}
    listed = requests.get(f"{simulator.bill_url}/v3/vendors", headers=headers, timeout=5).json()
    assert listed["results"] == []


def access_token(simulator, refresh_token, auth) -> str:
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    answer = requests.post(simulator.token_url, data=form, auth=auth, timeout=5)
    token: str = answer.json()["access_token"]
    return token


def company_name(simulator, realm_id, token) -> tuple[int, str | None]:
    url = f"{simulator.quickbooks_url}/v3/company/{realm_id}/companyinfo/{realm_id}"
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    answer = requests.get(url, headers=headers, timeout=5)
    return answer.status_code, answer.json().get("CompanyInfo", {}).get("CompanyName")


def test_a_further_realm_is_connected_and_apart_from_the_first(simulator):
    made = simulator.control.add_realm(
        realm_id="9341452000000002",
        name="Second Company",
        client_id="second-client",
        client_secret="second-secret",
        plan="Essentials",
        country="CA",
        home_currency="CAD",
        book_close_date="2025-12-31",
    )
    token = access_token(simulator, made["refresh_token"], ("second-client", "second-secret"))
    assert company_name(simulator, "9341452000000002", token) == (200, "Second Company")
    assert company_name(simulator, DEMO.realm_id, token)[0] == 403


def test_a_disconnected_company_refuses_the_next_refresh(simulator):
    assert simulator.control.disconnect(DEMO.realm_id) == 1
    form = {"grant_type": "refresh_token", "refresh_token": DEMO.refresh_token}
    auth = (DEMO.client_id, DEMO.client_secret)
    answer = requests.post(simulator.token_url, data=form, auth=auth, timeout=5)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_unknown_paths_are_answered_in_each_service_s_own_way(simulator):
    bill = requests.get(f"{simulator.url}/connect/v3/nothing", timeout=5)
    assert (bill.status_code, bill.json()[0]["code"]) == (404, "BDC_1121")
    misplaced = requests.post(f"{simulator.url}/connect/connect-events/v3/subscriptions", timeout=5)
    assert (misplaced.status_code, misplaced.json()[0]["code"]) == (404, "BDC_1121")
    quickbooks = requests.get(f"{simulator.url}/v3/nothing", timeout=5)
    assert (quickbooks.status_code, "intuit_tid" in quickbooks.headers) == (404, True)
    elsewhere = requests.get(f"{simulator.url}/elsewhere", timeout=5)
    assert elsewhere.status_code == 404
    counted = [simulator.control.stats()[system]["by_endpoint"] for system in ("bill", "quickbooks")]
    assert counted == [
        {"GET (unknown path)": {"404": 1}, "POST (unknown path)": {"404": 1}},
        {"GET (unknown path)": {"404": 1}},
    ]


@pytest.mark.parametrize("path", ["/connect/v3/health", "/__control/status", "/"])
def test_head_is_get_without_a_body(simulator, path):
    answer = requests.head(simulator.url + path, timeout=5)
    assert (answer.status_code, answer.content) == (200, b"")


def test_control_errors_are_one_line_of_the_client(simulator):
    with pytest.raises(ControlError, match="reset does not take vendor"):
        simulator.control.reset(vendor=1)
