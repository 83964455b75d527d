"""QuickBooks' answers that say no: every documented shape, and what each means."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_quickbooks.quickbooks.explanations import explain
from target_quickbooks.quickbooks.faults import Fault, Recovery, faults_in, read_faults

VALIDATION = """{"Fault":{"Error":[{"Message":"Duplicate Name Exists Error",
  "Detail":"The name supplied already exists. : Another customer, vendor or employee is using this \\nname.",
  "code":"6240","element":""}],"type":"ValidationFault"},"time":"2026-03-02T09:15:33.120-08:00"}"""
GATEWAY = """{"warnings":null,"intuitObject":null,"fault":{"error":[{"detail":"Token expired",
  "message":"message=AuthenticationFailed; errorCode=003200; statusCode=401","code":"003200",
  "element":null}],"type":"AUTHENTICATION"},"batchItemResponse":[],"time":1633520295688}"""
THROTTLE_XML = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<IntuitResponse time="2016-10-14T10:48:39.109-07:00" xmlns="http://schema.intuit.com/finance/v3">
  <Fault type="SERVICE"><Error code="3001">
  <Message>message=ThrottleExceeded; errorCode=003001; statusCode=429</Message>
  <Detail>The request limit was reached.  Try again later</Detail></Error></Fault></IntuitResponse>"""
VALIDATION_XML = """<IntuitResponse xmlns="http://schema.intuit.com/finance/v3">
<Fault type="ValidationFault"><Error code="2050" element="firstname"><Message>Invalid String Length</Message>
<Detail>too long</Detail></Error><Error code="2010"><Message>Invalid property</Message></Error></Fault>
</IntuitResponse>"""
HTML = "<html><head><title>503 Service Unavailable</title></head><body><h1>No server</h1></body></html>"


def one(body, status):
    [fault] = read_faults(body, status=status, tid="1-2-3")
    return fault


def test_a_validation_fault():
    fault = one(VALIDATION, 400)
    assert (fault.code, fault.type, fault.status, fault.tid) == ("6240", "ValidationFault", 400, "1-2-3")
    assert fault.recovery is Recovery.NAME_TAKEN
    assert fault.text == (
        "6240 Duplicate Name Exists Error - The name supplied already exists. : Another customer, vendor or "
        "employee is using this name."
    )


def test_the_gateways_fault_has_lower_case_keys():
    fault = one(GATEWAY, 401)
    assert (fault.code, fault.type, fault.recovery) == ("3200", "AUTHENTICATION", Recovery.REFRESH)
    assert fault.detail == "Token expired"


def test_a_fault_in_xml():
    fault = one(THROTTLE_XML, 429)
    assert (fault.code, fault.type, fault.recovery) == ("3001", "SERVICE", Recovery.RETRY)
    assert "The request limit was reached. Try again later" in fault.text


def test_several_faults_in_xml():
    faults = read_faults(VALIDATION_XML, status=400)
    assert [(fault.code, fault.element) for fault in faults] == [("2050", "firstname"), ("2010", "")]


def test_a_good_answer_holds_no_fault():
    assert read_faults('{"Vendor": {"Id": "1"}}', status=200) == []


def test_a_fault_may_come_with_status_200():
    """Documented; batch items do it always (QuickBooks manual 1.5, 4.2)."""
    assert one(VALIDATION, 200).code == "6240"


@pytest.mark.parametrize(
    "body", ["", HTML, "null", "[]", "plain text", '{"Fault": 7}', '{"Fault": {"Error": ["x"]}}']
)
@pytest.mark.parametrize(
    ("status", "recovery"),
    [
        (302, Recovery.STOP),
        (400, Recovery.REFUSE),
        (401, Recovery.REFRESH),
        (403, Recovery.STOP),
        (404, Recovery.STOP),
        (408, Recovery.RETRY),
        (429, Recovery.RETRY),
        (500, Recovery.RETRY),
        (503, Recovery.RETRY),
        (504, Recovery.RETRY),
    ],
)
def test_an_answer_of_no_known_shape_goes_by_its_status(body, status, recovery):
    fault = one(body, status)
    assert (fault.code, fault.recovery) == (str(status), recovery)


def test_a_page_is_told_in_its_words_without_its_tags():
    assert one(HTML, 503).text == "503 HTTP 503 - 503 Service Unavailable No server"


@pytest.mark.parametrize(
    ("code", "recovery"),
    [
        ("3001", Recovery.RETRY),
        ("003001", Recovery.RETRY),
        ("10000", Recovery.RETRY),
        ("130", Recovery.RETRY),
        ("150", Recovery.RETRY),
        ("600", Recovery.RETRY),
        ("3200", Recovery.REFRESH),
        ("100", Recovery.STOP),
        ("120", Recovery.STOP),
        ("3100", Recovery.STOP),
        ("6190", Recovery.STOP),
        ("5010", Recovery.REREAD),
        ("6240", Recovery.NAME_TAKEN),
        ("6140", Recovery.NUMBER_TAKEN),
        ("2010", Recovery.REFUSE),
        ("2500", Recovery.REFUSE),
        ("6000", Recovery.REFUSE),
        ("6210", Recovery.CLOSED),
        ("99999", Recovery.REFUSE),
    ],
)
def test_what_to_do_goes_by_the_code(code, recovery):
    """Never by the text: it is localised (QuickBooks manual 10.9a)."""
    body = json.dumps(
        {"Fault": {"Error": [{"Message": "Localisé", "code": code}], "type": "ValidationFault"}}
    )
    assert one(body, 400).recovery is recovery


def test_a_code_given_as_a_number_is_read():
    assert one('{"Fault": {"Error": {"code": 5010}}}', 400).recovery is Recovery.REREAD


def test_a_code_is_never_longer_than_the_store_keeps():
    assert len(one(json.dumps({"Fault": {"Error": [{"code": "9" * 99}]}}), 400).code) == 16


def test_a_fault_of_a_batch_item_is_read():
    [fault] = faults_in({"bId": "i1", "Fault": {"Error": [{"code": "2500", "Message": "Invalid"}]}}, tid="t")
    assert (fault.code, fault.tid, fault.recovery) == ("2500", "t", Recovery.REFUSE)


def test_the_holder_of_a_document_number_is_read_from_the_text():
    detail = (
        "You must specify a different number. DocNumber=AA is assigned to TxnType=Facture with TxnId=3632"
    )
    assert Fault("6140", "Duplicate", detail).holder_id == "3632"
    assert Fault("6140", "Duplicate", "localisé").holder_id == ""


def test_the_holder_of_a_name_is_read_from_the_text():
    detail = "Another customer, vendor or employee is already using this \nname. Id=77"
    assert Fault("6240", "Duplicate", detail).holder_id == "77"
    assert Fault("6240", "Duplicate", "PaidId=77").holder_id == ""


def test_the_text_is_short_and_hides_tokens_and_tax_ids():
    detail = "Bearer eyJlbmMiOiJBMTI4Q0JD and 99-5688293 " + "x" * 1000
    text = Fault("2050", "Invalid", detail).text
    assert "eyJ" not in text
    assert "99-56" not in text
    assert len(text) == 400


def test_documents_with_entities_are_not_parsed():
    """An entity may unfold to gigabytes."""
    bomb = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><Fault><Error code="1">&a;</Error></Fault>'
    assert one(bomb, 500).code == "500"


@given(st.binary(max_size=200), st.sampled_from([200, 302, 400, 401, 403, 429, 500]))
def test_any_bytes_are_read(body, status):
    faults = read_faults(body.decode("utf-8", "replace"), status=status)
    assert bool(faults) or status == 200


@given(st.text(max_size=80).map(lambda text: f"<{text}"), st.sampled_from([200, 400]))
def test_anything_that_looks_like_xml_is_read(body, status):
    assert all(fault.text for fault in read_faults(body, status=status))


members = st.sampled_from(["code", "Message", "detail", "Error", "error", "type"])
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["code", "Message", "detail", "Error", "error", "type"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from(["Fault", "fault"]), anything, st.sampled_from([200, 400]))
def test_anything_in_a_fault_is_read(key, holder, status):
    body = json.dumps({key: holder})
    faults = read_faults(body, status=status)
    assert all(explain(fault, "vendor 'A'").reason for fault in faults)
    assert all(isinstance(fault.recovery, Recovery) for fault in faults)
