"""What must never be read in a log, a report or an audit row."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_quickbooks.redaction import HIDDEN, last_four, redact, redact_text


@pytest.mark.parametrize(
    ("value", "shown"),
    [("99-5688293", "XXXXXX8293"), ("123456789", "XXXXX6789"), ("1234", "XXXX"), ("12", "XX"), ("", "")],
)
def test_a_tax_id_is_shown_to_its_last_four_characters(value, shown):
    assert last_four(value) == shown


@pytest.mark.parametrize("key", ["taxId", "TaxIdentifier", "tax_id", "TAXID"])
def test_tax_ids_are_found_by_any_spelling(key):
    assert redact({key: "99-5688293"}) == {key: "XXXXXX8293"}


@pytest.mark.parametrize(
    "key",
    [
        "access_token",
        "refreshToken",
        "client_secret",
        "Authorization",
        "sessionId",
        "devKey",
        "password",
        "encryption_key",
        "dateOfBirth",
    ],
)
def test_secrets_are_not_shown_at_all(key):
    assert redact({key: "abc"}) == {key: HIDDEN}


def test_bank_numbers_are_shown_to_their_last_four_digits():
    bank = {
        "bankAccount": {"accountNumber": "000123456789", "routingNumber": "121000248", "nameOnAccount": "A"}
    }
    assert redact(bank) == {
        "bankAccount": {"accountNumber": "XXXXXXXX6789", "routingNumber": "XXXXX0248", "nameOnAccount": "A"}
    }


def test_our_account_number_with_a_vendor_is_no_secret():
    assert redact({"accountNumber": "987000654"}) == {"accountNumber": "987000654"}


def test_what_is_not_set_stays_so():
    assert redact({"taxId": None, "TaxIdentifier": ""}) == {"taxId": None, "TaxIdentifier": ""}


deep = st.recursive(
    st.just("99-5688293"),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(st.sampled_from(["taxId", "a", "bankAccount"]), inner, min_size=1, max_size=3)
    ),
)


@given(deep)
def test_a_tax_id_is_found_wherever_it_is(value):
    assert "99-56" not in json.dumps(redact({"taxId": value}))


def test_the_original_is_left_alone():
    original = {"lines": [{"taxId": "99-5688293"}]}
    redact(original)
    assert original == {"lines": [{"taxId": "99-5688293"}]}


@pytest.mark.parametrize(
    "text",
    [
        "token AB11abcdefghijk1234 refused",
        "RT1-12-H0-1234567890abcdef",
        "eyJlbmMiOiJBMTI4Q0JDLUhTMjU2In0..abc",
        "Authorization: Bearer abcdefghijklmnop",
        "authorization: basic Y2xpZW50OnNlY3JldA==",
    ],
)
def test_tokens_are_removed_from_free_text(text):
    assert HIDDEN in redact_text(text)
    assert "abcdefgh" not in redact_text(text)
    assert "Y2xpZW50" not in redact_text(text)


@pytest.mark.parametrize("tax_id", ["123-45-6789", "12-3456789", "123456789"])
def test_tax_ids_are_removed_from_free_text(tax_id):
    shown = redact_text(f"Vendor with {tax_id} exists")
    assert tax_id not in shown
    assert "6789 exists" in shown


def test_ordinary_text_is_kept():
    text = "Account '6100 Travel' is inactive. Amount 228.99, invoice 2026-01-15, id 00n02JZNIEYMNPY99iz9"
    assert redact_text(text) == text
