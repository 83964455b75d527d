"""BILL's answers and what they mean."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_bill import answers, errors

PLACE = "the sandbox environment, https://gateway.stage.bill.com/connect"
CALL = answers.Call(what="GET /v3/vendors", place=PLACE, organization_id="00801ORG")
LOGIN = answers.Call(what="POST /v3/login", place=PLACE, organization_id="00801ORG", login=True)


def entry(code, message="Because.", **more):
    return {"code": code, "severity": "ERROR", "category": "DOWNSTREAM", "message": message, **more}


def read(status, body, call=CALL):
    return answers.read(status, body if isinstance(body, bytes) else json.dumps(body).encode(), call)


def test_amounts_are_decimals_to_the_last_digit():
    assert read(200, b'{"amount": 228.10, "count": 2}') == {"amount": Decimal("228.10"), "count": 2}


@pytest.mark.parametrize(
    ("status", "body", "error_class"),
    [
        # The code decides, whatever the status: those of throttling are undocumented.
        (429, [entry("BDC_1322")], errors.ConcurrencyLimitError),
        (400, [entry("BDC_1322")], errors.ConcurrencyLimitError),
        (429, [entry("BDC_1144")], errors.HourlyLimitError),
        (400, [entry("BDC_1144")], errors.HourlyLimitError),
        (403, [entry("BDC_1144")], errors.HourlyLimitError),
        (401, [entry("BDC_1109")], errors.SessionExpiredError),
        (400, [entry("BDC_1109")], errors.SessionExpiredError),
        (401, {"message": "Unauthorized"}, errors.SessionExpiredError),
        (401, b"<html>no</html>", errors.SessionExpiredError),
        (401, [entry("BDC_1102")], errors.DeveloperKeyError),
        (403, [entry("BDC_1361")], errors.MfaRequiredError),
        (403, [entry("BDC_9999", "This needs MFA.")], errors.MfaRequiredError),
        (403, {"message": "Forbidden"}, errors.PermissionDeniedError),
        (404, [entry("BDC_1121", "API not supported.")], errors.NotFoundError),
        (404, [entry("BDC_1205")], errors.NotFoundError),
        (408, b"", errors.ServerFaultError),
        (429, b"Too many", errors.ConcurrencyLimitError),
        (500, [entry("BDC_1001")], errors.ServerFaultError),
        (400, [entry("BDC_1001", "System error occurred.")], errors.ServerFaultError),
        (502, b"<html>Bad Gateway</html>", errors.ServerFaultError),
        (503, {"message": "Service Unavailable"}, errors.ServerFaultError),
        (504, b"", errors.ServerFaultError),
        (400, [entry("BDC_1002", "filters: no")], errors.RequestRefusedError),
        (422, [], errors.RequestRefusedError),
        # An error array is an error even with HTTP 200.
        (200, [entry("BDC_1109")], errors.SessionExpiredError),
        (200, [entry("BDC_1322")], errors.ConcurrencyLimitError),
        (200, [{"message": "no", "severity": "ERROR"}], errors.RequestRefusedError),
        (302, b"", errors.RedirectRefusedError),
        (307, {"message": "moved"}, errors.RedirectRefusedError),
        (200, b'{"results": [{"id": "1"', errors.UnreadableAnswerError),
        (200, b"<html>hello</html>", errors.UnreadableAnswerError),
        (200, b"", errors.UnreadableAnswerError),
        (200, b"\xff\xfe\x00", errors.UnreadableAnswerError),
        (200, b'{"amount": NaN}', errors.UnreadableAnswerError),
    ],
)
def test_each_answer_tells_how_to_recover(status, body, error_class):
    with pytest.raises(error_class) as caught:
        read(status, body)
    assert type(caught.value) is error_class


@pytest.mark.parametrize(
    ("status", "body", "error_class", "advice"),
    [
        (401, [entry("BDC_1101", "User name and/or password")], errors.CredentialsError, "other environment"),
        (400, [entry("BDC_1101")], errors.CredentialsError, "check username, password"),
        (401, [entry("BDC_1102")], errors.DeveloperKeyError, "check dev_key"),
        (403, [entry("BDC_1361")], errors.MfaRequiredError, "sync token"),
        (
            400,
            [entry("BDC_1002", "organizationId: unknown")],
            errors.OrganizationError,
            "organization 00801ORG",
        ),
        (401, {"message": "Unauthorized"}, errors.CredentialsError, "refused the login"),
        (403, b"", errors.CredentialsError, "refused the login"),
        (404, {"message": "Not Found"}, errors.NotFoundError, "check api_url, it ends in /connect"),
        (429, [entry("BDC_1144")], errors.HourlyLimitError, "hourly limit"),
        (500, [entry("BDC_1101")], errors.CredentialsError, "check username"),
        (503, b"", errors.ServerFaultError, "BILL's side"),
    ],
)
def test_a_refused_login_names_the_setting_to_check(status, body, error_class, advice):
    with pytest.raises(error_class) as caught:
        read(status, body, LOGIN)
    assert type(caught.value) is error_class
    assert advice in str(caught.value)


def test_all_entries_of_an_error_array_are_told_once_and_on_one_line():
    body = [entry("", "address: must\nnot be null"), entry("BDC_7", "No."), entry("BDC_7", "No.")]
    with pytest.raises(errors.RequestRefusedError) as caught:
        read(400, body)
    assert "HTTP 400, address: must not be null; BDC_7: No.)" in str(caught.value)
    assert caught.value.reason == "address: must not be null; BDC_7: No."


def test_what_bill_says_about_a_tax_id_is_not_repeated():
    with pytest.raises(errors.RequestRefusedError) as caught:
        read(400, [entry("BDC_7", "taxId 123-45-6789 of vendor 12-3456789 is bad")])
    assert "6789" not in str(caught.value)


def test_a_redirect_does_not_leak_where_it_leads():
    with pytest.raises(errors.RedirectRefusedError, match="Redirects are not followed"):
        read(302, b'{"location": "https://evil.example/?sessionId=abc"}')


NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)


@given(NUMBERS)
def test_every_number_is_read_exactly(number):
    held = read(200, f'{{"amount":{number}}}'.encode())["amount"]
    expected = json.loads(number, parse_float=Decimal)
    assert (str(held), type(held)) == (str(expected), type(expected))


@pytest.mark.parametrize("text", ['"cut \\ud83d"', '"caf\u00e9 \\ud83d\\ude00"', "[1, 1, {}]", ' "" '])
def test_texts_are_read_as_python_reads_them(text):
    assert read(200, text.encode()) == json.loads(text)


def test_a_byte_order_mark_is_skipped():
    assert read(200, b'\xef\xbb\xbf{"results": []}') == {"results": []}


@pytest.mark.parametrize(
    ("decoded", "page"),
    [
        ({"results": [{"id": "1"}], "nextPage": "p2"}, ([{"id": "1"}], "p2")),
        ({"results": []}, ([], None)),
        ({"results": None, "nextPage": None}, ([], None)),
        ({"results": [], "nextPage": ""}, ([], None)),
    ],
)
def test_pages_are_read_with_every_form_of_the_end(decoded, page):
    assert answers.page_of(decoded, CALL) == page


@pytest.mark.parametrize(
    "decoded", [{}, [], None, {"results": {}}, {"results": ["1"]}, {"results": [{"name": "x"}]}]
)
def test_what_is_no_page_is_unreadable(decoded):
    with pytest.raises(errors.UnreadableAnswerError):
        answers.page_of(decoded, CALL)
