"""Full and sparse updates, SyncToken, deletes of the wrong kind (QuickBooks manual 6.0.1)."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ap_simulator.quickbooks.decoding import CLEARED
from ap_simulator.quickbooks.entities import ENTITIES
from ap_simulator.quickbooks.writing.merge import fully_updated, sparsely_updated
from hypothesis import given
from hypothesis import strategies as st

VENDOR = ENTITIES["Vendor"]
WRITABLE = ["AcctNum", "CompanyName", "GivenName", "TaxIdentifier", "WebAddr", "BillAddr"]


@pytest.fixture
def vendor(books):
    return books.vendor(
        AcctNum="A-1",
        CompanyName="Smith",
        PrimaryPhone={"FreeFormNumber": "1"},
        BillAddr={"Line1": "1 Road", "City": "Rome"},
        TaxIdentifier="123456789",
    )


def sparse(vendor: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"Id": vendor["Id"], "SyncToken": vendor["SyncToken"], "sparse": True, **fields}


def test_full_update_nulls_what_it_leaves_out(books, vendor):
    body = {"Id": vendor["Id"], "SyncToken": "0", "DisplayName": "New"}
    updated = books.write("Vendor", body)
    assert updated["SyncToken"] == "1"
    assert updated["PrintOnCheckName"] == "New"
    assert updated["Active"] is True
    assert {"AcctNum", "CompanyName", "PrimaryPhone", "BillAddr", "TaxIdentifier"}.isdisjoint(updated)


def test_full_update_with_the_whole_entity_ignores_what_is_read_only(books, vendor):
    shown = books.read("Vendor", vendor["Id"])
    updated = books.write("Vendor", {**shown, "Balance": 77, "MetaData": {"CreateTime": "2000-01-01"}})
    assert updated == {**shown, "SyncToken": "1", "MetaData": updated["MetaData"]}
    assert updated["MetaData"]["CreateTime"] == shown["MetaData"]["CreateTime"]


def test_sparse_update_changes_what_it_carries(books, vendor):
    updated = books.write("Vendor", sparse(vendor, AcctNum="A-2"))
    shown = books.read("Vendor", vendor["Id"])
    assert updated == shown
    assert updated["AcctNum"] == "A-2"
    assert updated["CompanyName"] == "Smith"


def test_null_does_not_clear_in_a_sparse_update(books, vendor):
    updated = books.write("Vendor", sparse(vendor, AcctNum=None, BillAddr=None))
    assert updated["AcctNum"] == "A-1"
    assert updated["BillAddr"]["City"] == "Rome"


def test_empty_values_clear_in_a_sparse_update(books, vendor):
    with_term = books.write("Vendor", sparse(vendor, TermRef={"value": books.NET_30}))
    cleared = books.write(
        "Vendor",
        sparse(with_term, AcctNum="", PrimaryPhone={}, BillAddr={}, TermRef={"value": ""}),
    )
    assert {"AcctNum", "PrimaryPhone", "BillAddr", "TermRef"}.isdisjoint(cleared)


def test_names_cannot_be_cleared_by_a_sparse_update(books, vendor):
    updated = books.write("Vendor", sparse(vendor, DisplayName="", PrintOnCheckName=""))
    assert updated["DisplayName"] == vendor["DisplayName"]
    assert updated["PrintOnCheckName"] == vendor["PrintOnCheckName"]


def test_objects_in_a_sparse_update_replace_or_merge(books, vendor):
    replaced = books.write("Vendor", sparse(vendor, BillAddr={"Line1": "2 Road"}))
    assert "City" not in replaced["BillAddr"]
    books.switch(sparse_nested="merge")
    merged = books.write("Vendor", sparse(replaced, BillAddr={"City": "Paris"}))
    assert (merged["BillAddr"]["Line1"], merged["BillAddr"]["City"]) == ("2 Road", "Paris")


def test_undocumented_sparse_updates_may_be_full_ones(books, vendor):
    books.switch(undocumented_sparse="full")
    updated = books.write("Vendor", sparse(vendor, DisplayName="Only"))
    assert "AcctNum" not in updated


def test_customers_are_documented_to_take_sparse_updates(books):
    books.switch(undocumented_sparse="full")
    customer = books.write("Customer", {"DisplayName": "C", "Notes": "kept"})
    assert books.write("Customer", sparse(customer, CompanyName="X"))["Notes"] == "kept"


@pytest.mark.parametrize("token", ["1", "-1", "7", "abc"])
def test_other_sync_token_is_stale(books, vendor, token):
    error = books.refused("Vendor", sparse({**vendor, "SyncToken": token}, AcctNum="B"))
    assert (error["code"], error["Message"]) == ("5010", "Stale Object Error")
    assert error["Detail"].startswith("Stale Object Error : You and root were working on this")


def test_second_update_with_the_same_token_is_stale(books, vendor):
    books.write("Vendor", sparse(vendor, AcctNum="B"))
    assert books.refused("Vendor", sparse(vendor, AcctNum="C"))["code"] == "5010"
    assert books.read("Vendor", vendor["Id"])["AcctNum"] == "B"


def test_missing_sync_token(books, vendor):
    error = books.refused("Vendor", {"Id": vendor["Id"], "sparse": True, "AcctNum": "B"})
    assert (error["code"], error["element"]) == ("2020", "SyncToken")
    assert error["Detail"] == "Required parameter SyncToken is missing in the request"


def test_sync_token_may_be_a_number(books, vendor):
    assert books.write("Vendor", {**vendor, "SyncToken": 0})["SyncToken"] == "1"


def test_unknown_and_malformed_ids(books):
    body = {"SyncToken": "0", "sparse": True}
    assert books.refused("Vendor", {**body, "Id": "999"})["code"] == "610"
    assert books.refused("Vendor", {**body, "Id": "x1"})["code"] == "2030"
    assert books.fault(books.call("GET", "vendor/999"))["code"] == "610"
    assert books.fault(books.call("GET", "vendor/x1"))["code"] == "2030"


def test_operation_parameter_is_accepted(books, vendor):
    assert books.write("Vendor", sparse(vendor, AcctNum="B"), operation="update")["AcctNum"] == "B"
    missing = books.faults(books.call("POST", "vendor", {"DisplayName": "N"}, operation="update"))
    assert [error["element"] for error in missing] == ["Id", "SyncToken"]


@pytest.mark.parametrize("operation", ["void", "merge", "explode"])
def test_operations_that_do_not_exist(books, vendor, operation):
    body = {"Id": vendor["Id"], "SyncToken": "0"}
    assert books.refused("Vendor", body, operation=operation)["code"] == "500"


def test_update_that_changes_nothing_advances_the_token_by_switch(books, vendor):
    once = books.write("Vendor", sparse(vendor))
    assert once["SyncToken"] == "1"
    books.switch(unchanged_update_advances_token=False)
    assert books.write("Vendor", sparse(once))["SyncToken"] == "1"
    assert books.write("Vendor", sparse(once, AcctNum="new"))["SyncToken"] == "2"


def test_update_moves_the_time(books, vendor):
    books.advance(seconds=61)
    updated = books.write("Vendor", sparse(vendor, AcctNum="B"))
    assert updated["MetaData"] == {
        "CreateTime": "2026-03-02T12:00:00-08:00",
        "LastUpdatedTime": "2026-03-02T12:01:01-08:00",
    }


def test_refused_update_leaves_no_trace(books, vendor):
    before = books.read("Vendor", vendor["Id"])
    books.refused("Vendor", sparse(vendor, AcctNum="B", TermRef={"value": "99"}))
    assert books.read("Vendor", vendor["Id"]) == before
    assert books.written() == {"Vendor": {"create": 1}}


texts = st.text(min_size=1)
objects = st.dictionaries(st.sampled_from(["Line1", "City"]), texts, min_size=1)
values = {name: objects if name in {"WebAddr", "BillAddr"} else texts for name in WRITABLE}
stored_bodies = st.fixed_dictionaries({"Active": st.booleans(), "Balance": st.integers()}, optional=values)
sent_bodies = st.fixed_dictionaries(
    {},
    optional={
        name: st.one_of(st.none(), st.just(CLEARED), value)
        for name, value in {**values, "Balance": st.integers()}.items()
    },
)


@given(stored_bodies, sent_bodies)
def test_full_update_is_what_was_sent_and_what_lasts(stored, sent):
    updated = fully_updated(VENDOR, stored, sent)
    for name in WRITABLE:
        value = sent.get(name)
        if value is None or value is CLEARED:
            assert name not in updated
        else:
            assert updated[name] == value
    assert updated["Balance"] == stored["Balance"]
    assert updated["Active"] == stored["Active"]


@given(stored_bodies, sent_bodies)
def test_sparse_update_touches_nothing_else(stored, sent):
    updated = sparsely_updated(VENDOR, stored, sent, nested="replace")
    for name in WRITABLE:
        value = sent.get(name)
        if value is CLEARED:
            assert name not in updated
        elif value is None:
            assert updated.get(name) == stored.get(name)
        else:
            assert updated[name] == value
    assert updated["Balance"] == stored["Balance"]


@given(stored_bodies, sent_bodies)
def test_updates_leave_the_stored_body_alone(stored, sent):
    before = copy.deepcopy(stored)
    fully_updated(VENDOR, stored, sent)
    sparsely_updated(VENDOR, stored, sent, nested="merge")
    assert stored == before


@given(stored_bodies, sent_bodies)
def test_merged_objects_keep_what_was_not_sent(stored, sent):
    updated = sparsely_updated(VENDOR, stored, sent, nested="merge")
    address = sent.get("BillAddr")
    if isinstance(address, dict):
        assert updated["BillAddr"] == {**stored.get("BillAddr", {}), **address}
