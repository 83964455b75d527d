"""Fingerprints of BILL records: any change shows, and what was only paid can be told from what was edited."""

from __future__ import annotations

import pytest
from target_quickbooks.fingerprints import same_entry, source_digest

BILL = {"id": "00n1", "amount": 10, "dueDate": "2026-12-01", "paidAmount": 0, "updatedTime": "2026-11-01"}
SETTINGS, KEY = "settings", b"key"


def digest(**changes):
    return source_digest(BILL | changes, SETTINGS, KEY)


@pytest.mark.parametrize(
    "change", [{"dueDate": "2026-12-24"}, {"paidAmount": 5}, {"updatedTime": "2026-11-02"}]
)
def test_every_change_makes_another_fingerprint_of_the_same_length(change):
    assert digest(**change) != digest()
    assert len(digest(**change)) == len(digest()) == 64


def test_what_is_paid_of_a_record_leaves_it_the_same_entry():
    assert same_entry(digest(paidAmount=5, paymentStatus="PARTIALLY_PAID"), digest())
    assert not same_entry(digest(dueDate="2026-12-24"), digest())


def test_settings_belong_to_the_entry():
    assert not same_entry(source_digest(BILL, "others", KEY), digest())


def test_a_link_without_a_fingerprint_is_of_no_entry():
    assert not same_entry("", digest())
