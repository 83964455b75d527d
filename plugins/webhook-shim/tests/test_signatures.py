"""Signatures: the vectors of the manuals, layouts, several keys, nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webhook_shim.signatures import is_signed, is_signed_by_bill, minified, signature

INTUIT_BODY = (
    b'[{"specversion":"1.0","id":"88cd52aa-33b6-4351-9aa4-47572edbd068",'
    b'"source":"intuit.dsnBgbseACLLRZNxo2dfc4evmEJdxde58xeeYcZliOU=","type":"qbo.vendor.updated.v1",'
    b'"datacontenttype":"application/json","time":"2026-09-10T21:31:25.179851517Z",'
    b'"intuitentityid":"137","intuitaccountid":"310687","data":{}}]'
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def test_the_manuals_vector_is_accepted():
    assert is_signed(INTUIT_BODY, "YdCfen9XNFwULQEAkv1Q/yCucfYkdAC0EDKl06S1R/w=", ["test-verifier-token"])


@pytest.mark.parametrize("claimed", ["", "YdCfen9XNFwULQEAkv1Q", "é", "=" * 44, "Y" * 100_000])
def test_anything_else_is_not(claimed):
    assert not is_signed(INTUIT_BODY, claimed, ["test-verifier-token"])


def test_one_changed_byte_breaks_it():
    claimed = signature(b'{"a":1}', "key")
    assert not is_signed_by_bill(b'{"a":2}', claimed, ["key"])


def test_any_of_the_keys_will_do():
    claimed = signature(b"{}", "old")
    assert is_signed(b"{}", claimed, ["new", "old"])
    assert not is_signed(b"{}", claimed, ["new"])


def test_an_empty_key_signs_nothing():
    assert not is_signed(b"{}", signature(b"{}", ""), ["", ""])
    assert not is_signed(b"{}", signature(b"{}", ""), [])


@given(JSON, st.sampled_from([None, 1, 4]), st.booleans())
def test_a_payload_laid_out_anew_is_still_bills(payload, indent, ascii_only):
    sent = json.dumps(payload, separators=(",", ":"), ensure_ascii=ascii_only).encode("utf-8", "replace")
    received = json.dumps(payload, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "replace")
    assert minified(received) == sent
    assert is_signed_by_bill(received, signature(sent, "key"), ["key"])


def test_numbers_keep_their_digits_when_minified():
    assert minified(b'{ "amount" : 228.990, "note": "a  \\" b" }') == b'{"amount":228.990,"note":"a  \\" b"}'


@given(st.binary(max_size=200), st.text(max_size=60))
def test_no_body_and_no_claim_makes_it_fail(body, claimed):
    assert is_signed_by_bill(body, claimed, ["key"]) in {True, False}
