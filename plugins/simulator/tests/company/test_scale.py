"""Generated records: plausible, unique, the same for the same seed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from ap_simulator.bill.rendering import FIELDS
from ap_simulator.company.bill_lists import bill_lists
from ap_simulator.company.scale import (
    Scale,
    generated_bills,
    generated_quickbooks_vendors,
    generated_vendors,
    vendor_name,
)


@pytest.fixture(scope="module")
def scale():
    return Scale(vendors=300, bills=900, seed=5)


@pytest.fixture(scope="module")
def generated(scale):
    return list(generated_vendors(scale)), list(generated_bills(scale, bill_lists()))


def test_same_seed_makes_the_same_records(scale, generated):
    assert generated == (list(generated_vendors(scale)), list(generated_bills(scale, bill_lists())))


def test_other_seed_makes_other_records(generated):
    other = Scale(vendors=300, bills=900, seed=6)
    assert list(generated_bills(other, bill_lists())) != generated[1]


def test_numbers_and_ids(generated):
    vendors, bills = generated
    assert (len(vendors), len(bills)) == (300, 900)
    assert len({vendor["id"] for vendor in vendors}) == 300
    assert len({bill["id"] for bill in bills}) == 900
    lines = [line["id"] for bill in bills for line in bill["billLineItems"]]
    assert len(set(lines)) == len(lines)
    assert all(len(line_id) == 20 for line_id in lines)


def test_names_stay_unique_at_any_size():
    assert len({vendor_name(index) for index in range(0, 200_000, 7)}) == len(range(0, 200_000, 7))
    assert len({vendor_name(index).casefold() for index in range(40_000)}) == 40_000


def test_bills_add_up_and_belong_to_vendors(generated):
    vendors, bills = generated
    names = {vendor["id"]: vendor["name"] for vendor in vendors}
    for bill in bills:
        assert names[bill["vendorId"]] == bill["vendorName"]
        assert bill["amount"] == sum((line["amount"] for line in bill["billLineItems"]), Decimal(0))
        for line in bill["billLineItems"]:
            assert line["amount"] > 0
            assert line["amount"] == line.get("quantity", 1) * line.get("price", line["amount"])


def test_records_have_bills_fields_and_come_oldest_first(generated):
    for collection, records in zip(("vendors", "bills"), generated, strict=True):
        assert all(set(record) <= set(FIELDS[collection]) for record in records)
        times = [record["createdTime"] for record in records]
        assert times == sorted(times)
        assert times[-1] < "2026-11-01"


def test_quickbooks_has_the_same_names(scale, generated):
    twins = list(generated_quickbooks_vendors(scale, first_id=1001))
    assert [twin["DisplayName"] for twin in twins] == [vendor["name"] for vendor in generated[0]]
    assert [twin["Id"] for twin in twins[:2]] == ["1001", "1002"]


def test_no_vendors_no_bills():
    assert list(generated_bills(Scale(vendors=0, bills=3, seed=1), bill_lists())) == []
