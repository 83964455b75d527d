"""Tokens, limits, formats, versions, paths: what every request passes (manual 1, 2.7, 8)."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

GATEWAY_KEYS = {
    "warnings",
    "intuitObject",
    "fault",
    "report",
    "queryResponse",
    "batchItemResponse",
    "attachableResponse",
    "syncErrorResponse",
    "requestId",
    "time",
    "status",
    "cdcresponse",
}
XMLNS = "{http://schema.intuit.com/finance/v3}"


def gateway_error(response, status):
    assert response.status_code == status, response.text
    body = response.json()
    assert set(body) == GATEWAY_KEYS
    assert body["time"] == 1772481600000
    (error,) = body["fault"]["error"]
    return body["fault"]["type"], error


class TestTokens:
    def refused(self, books, token, status=401):
        books.token = token
        return gateway_error(books.call("GET", "companyinfo/1"), status)

    def test_malformed_token(self, books):
        assert self.refused(books, "short") == (
            "AUTHENTICATION",
            {
                "message": "message=AuthenticationFailed; errorCode=003200; statusCode=401",
                "detail": "Malformed bearer token: too short or too long",
                "code": "3200",
                "element": None,
            },
        )
        assert self.refused(books, "x" * 5000)[1]["detail"].startswith("Malformed bearer token")

    def test_unknown_token(self, books):
        assert self.refused(books, "x" * 800)[1]["detail"] is None

    @pytest.mark.parametrize("header", ["", "Basic abc", "Bearer"])
    def test_missing_token(self, books, header):
        response = requests.get(
            f"{books.base}/companyinfo/1",
            headers={"Authorization": header, "Accept": "application/json"},
            timeout=30,
        )
        assert gateway_error(response, 401)[1]["code"] == "3200"

    def test_expired_token(self, books):
        old = books.token
        books.advance(seconds=3600)
        books.token = old
        response = books.call("GET", "companyinfo/1")
        assert response.status_code == 401
        assert response.json()["fault"]["error"][0]["detail"] == "Token expired"
        assert response.headers["www-authenticate"].startswith("Bearer")

    def test_token_of_another_company(self, books, other_books):
        kind, error = self.refused(books, other_books.token, 403)
        assert kind == "SERVICE"
        assert error == {
            "message": "message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403",
            "detail": None,
            "code": "3100",
            "element": None,
        }

    def test_unknown_company(self, books):
        books.realm_id = "1234567890"
        assert gateway_error(books.call("GET", "companyinfo/1"), 403)[1]["code"] == "3100"

    def test_revoked_connection(self, books):
        books.on_loop(lambda world: world.oauth.disconnect(realm_id=books.realm_id))
        assert gateway_error(books.call("GET", "companyinfo/1"), 401)[1]["code"] == "3200"

    def test_refused_calls_change_nothing(self, books, other_books):
        books.token = other_books.token
        books.call("POST", "vendor", {"DisplayName": "A"})
        assert books.written() == {}


class TestFormats:
    def test_json_answer(self, books):
        response = books.call("GET", "companyinfo/1")
        assert response.headers["content-type"] == "application/json"
        assert re.fullmatch(r"1-[0-9a-f]{8}-[0-9a-f]{24}", response.headers["intuit_tid"])
        assert response.json()["time"] == "2026-03-02T12:00:00-08:00"
        books.switch(json_charset=True)
        response = books.call("GET", "companyinfo/1")
        assert response.headers["content-type"] == "application/json;charset=UTF-8"

    def test_time_has_milliseconds_without_trailing_zeros(self, books):
        books.advance(milliseconds=980)
        assert books.get("companyinfo/1")["time"] == "2026-03-02T12:00:00.98-08:00"

    def test_summer_time(self, books):
        books.advance(days=30)
        assert books.get("companyinfo/1")["time"] == "2026-04-01T13:00:00-07:00"

    @pytest.mark.parametrize(
        ("accept", "kind"),
        [
            ("application/json", "application/json"),
            ("text/html, application/json;q=0.9", "application/json"),
            ("application/xml", "application/xml"),
            ("text/xml", "application/xml"),
            ("*/*", "application/xml"),
        ],
    )
    def test_format_by_accept_header(self, books, accept, kind):
        books.headers = {"Accept": accept}
        assert books.call("GET", "companyinfo/1").headers["content-type"] == kind

    def test_json_without_an_accept_header_by_switch(self, books):
        books.headers = {"Accept": "*/*"}
        books.switch(answer_without_accept="json")
        assert books.get("companyinfo/1")

    def test_entity_as_xml(self, books):
        order = books.order(books.account_line("80.00"), books.account_line("0.5"))
        books.headers = {"Accept": "application/xml"}
        root = books.xml(books.call("GET", f"purchaseorder/{order['Id']}"))
        assert (root.tag, root.get("time")) == (
            f"{XMLNS}IntuitResponse",
            "2026-03-02T12:00:00-08:00",
        )
        shown = root.find(f"{XMLNS}PurchaseOrder")
        assert (shown.get("domain"), shown.get("sparse")) == ("QBO", "false")
        vendor = shown.find(f"{XMLNS}VendorRef")
        assert (vendor.text, vendor.get("name")) == ("41", "Hicks Hardware")
        amounts = [e.text for e in shown.findall(f"{XMLNS}Line/{XMLNS}Amount")]
        assert amounts == ["80.00", "0.50"]

    def test_query_as_xml(self, books):
        books.headers = {"Accept": "application/xml"}
        response = books.call("GET", "query", query="select * from Class")
        answer = books.xml(response).find(f"{XMLNS}QueryResponse")
        assert (answer.get("startPosition"), answer.get("maxResults")) == ("1", "2")
        names = [e.text for e in answer.findall(f"{XMLNS}Class/{XMLNS}Name")]
        assert names == ["Engineering", "Sales"]

    def test_faults_as_xml(self, books):
        books.headers = {"Accept": "application/xml"}
        response = books.call("POST", "vendor", {"DisplayName": "x" * 501})
        assert response.status_code == 400
        fault = books.xml(response).find(f"{XMLNS}Fault")
        error = fault.find(f"{XMLNS}Error")
        assert fault.get("type") == "ValidationFault"
        assert (error.get("code"), error.get("element")) == ("2050", "DisplayName")
        assert error.find(f"{XMLNS}Message").text == "Invalid String Length"

    def test_gateway_refusals_as_xml(self, books):
        books.headers = {"Accept": "application/xml"}
        books.token = "x" * 100
        response = books.call("GET", "companyinfo/1")
        assert response.headers["content-type"] == "application/xml"
        error = books.xml(response).find(f"{XMLNS}Fault/{XMLNS}Error")
        assert error.get("code") == "3200"


class TestPaths:
    @pytest.mark.parametrize("version", ["1", "74", "75", "80", None])
    def test_any_minor_version_is_served(self, books, version):
        assert books.get("companyinfo/1", minorversion=version)

    def test_minor_version_that_is_no_number(self, books):
        response = books.call("GET", "companyinfo/1", minorversion="new")
        assert books.fault(response)["element"] == "minorversion"
        books.switch(invalid_minor_version="ignore")
        assert books.get("companyinfo/1", minorversion="new")

    @pytest.mark.parametrize("path", ["Vendor/41", "VENDOR/41", "nonsense/1"])
    def test_paths_are_case_sensitive(self, books, path):
        assert books.fault(books.call("GET", path))["code"] == "2000"

    def test_path_that_is_none(self, books):
        response = books.call("GET", "vendor/41/extra/more")
        assert response.status_code == 404
        assert "intuit_tid" in response.headers

    def test_method_that_is_none(self, books):
        assert books.call("DELETE", "vendor/41").status_code == 405

    def test_calls_are_counted_by_endpoint(self, books):
        books.read("Vendor", books.VENDOR)
        books.vendor()
        books.query("select count(*) from Class")
        counted = books.simulator.control.stats()["quickbooks"]["by_endpoint"]
        assert counted == {
            "GET /v3/company/{realm_id}/vendor/{id}": {"200": 1},
            "GET /v3/company/{realm_id}/query": {"200": 1},
            "POST /v3/company/{realm_id}/vendor": {"200": 1},
        }


class TestLimits:
    def throttled(self, books, limit):
        response = books.call("GET", "companyinfo/1")
        kind, error = gateway_error(response, 429)
        assert kind == "SERVICE"
        assert error["message"] == "message=ThrottleExceeded; errorCode=003001; statusCode=429"
        assert error["detail"] == "The request limit was reached.  Try again later"
        assert books.simulator.control.stats()["quickbooks"]["throttled"] == {limit: 1}

    def test_ten_requests_a_second_for_a_company_and_app(self, books):
        books.switch(requests_per_second=10)
        other_app = books.connect("ABotherApp")
        for _ in range(10):
            books.get("companyinfo/1")
        self.throttled(books, "requests_per_second")
        assert other_app.get("companyinfo/1")
        books.advance(seconds=1)
        assert books.get("companyinfo/1")

    def test_requests_a_minute_for_a_company(self, books, other_books):
        books.switch(requests_per_minute=5)
        other_app = books.connect("ABotherApp")
        for _ in range(3):
            books.get("companyinfo/1")
        books.advance(seconds=30)
        for _ in range(2):
            other_app.get("companyinfo/1")
        assert books.call("GET", "companyinfo/1").status_code == 429
        assert other_books.get("companyinfo/1")
        # The window slides: 30 s later the first three are forgotten.
        books.advance(seconds=30)
        for _ in range(3):
            books.get("companyinfo/1")
        assert books.call("GET", "companyinfo/1").status_code == 429

    def test_batches_have_limits_of_their_own(self, books):
        books.switch(batches_per_minute=2, requests_per_minute=1)
        query = {"bId": "1", "Query": "select count(*) from Class"}
        books.batch(*({**query, "bId": str(n)} for n in range(30)))
        books.batch(query)
        response = books.call("POST", "batch", {"BatchItemRequest": [query]})
        assert response.status_code == 429
        assert books.get("companyinfo/1")

    def test_batches_a_minute_for_a_company(self, books):
        books.switch(batches_per_minute_company=2)
        query = {"bId": "1", "Query": "select count(*) from Class"}
        for client in ("ABone", "ABtwo"):
            books.connect(client).batch(query)
        body = {"BatchItemRequest": [query]}
        assert books.connect("ABthree").call("POST", "batch", body).status_code == 429

    def test_combined_limit(self, books):
        books.switch(combined_per_minute=2)
        books.batch({"bId": "1", "Query": "select count(*) from Class"})
        books.get("companyinfo/1")
        self.throttled(books, "combined_per_minute")

    def test_requests_under_way(self, books):
        books.switch(concurrent_requests=3)
        books.simulator.control.set_latency(per_call_ms=300)
        with ThreadPoolExecutor(5) as pool:
            answers = list(pool.map(lambda _: books.call("GET", "companyinfo/1"), range(5)))
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [200, 200, 200, 429, 429]
        books.simulator.control.set_latency(per_call_ms=0)
        assert books.get("companyinfo/1")

    def test_clock_set_back_lets_requests_through(self, books):
        books.switch(requests_per_second=1)
        books.get("companyinfo/1")
        books.advance(seconds=-100)
        assert books.get("companyinfo/1")

    def test_throttle_as_xml_and_with_retry_after(self, books):
        books.switch(requests_per_second=0, throttle_retry_after=60)
        books.headers = {"Accept": "*/*"}
        response = books.call("GET", "companyinfo/1")
        assert response.headers["retry-after"] == "60"
        root = books.xml(response)
        error = root.find(f"{XMLNS}Fault/{XMLNS}Error")
        assert (root.find(f"{XMLNS}Fault").get("type"), error.get("code")) == ("SERVICE", "3001")
        assert error.find(f"{XMLNS}Detail").text.startswith("The request limit was reached.")
        books.headers = {"Accept": "application/json"}
        books.switch(throttle_body="xml")
        response = books.call("GET", "companyinfo/1")
        assert response.headers["content-type"] == "application/xml"
