"""What is kept of objects that are not as they were last written."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from cryptography.fernet import Fernet
from target_quickbooks.comparison import Difference
from target_quickbooks.links import Company
from target_quickbooks.store import drift_table
from target_quickbooks.store.cipher import Cipher
from target_quickbooks.store.database import open_store
from target_quickbooks.store.drift_table import Finding, Kind, Status

COMPANY = Company("1", "O")
AT = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
LATER = AT + dt.timedelta(hours=1)
PHONE = Difference("PrimaryPhone", {"FreeFormNumber": "1"}, {"FreeFormNumber": "2"})
EDITED = Finding(COMPANY, "Vendor", "7", Kind.CHANGED, "B7", "Acme", (PHONE,))


@pytest.fixture
def database(tmp_path):
    store = open_store(f"sqlite:///{tmp_path / 'store'}", Cipher((Fernet.generate_key().decode(),)))
    with store.writing() as connection:
        yield connection
    store.close()


def note(database, finding, now=AT):
    return drift_table.note(database, finding, found_by="event", now=now)


def only(database, **selected):
    [entry] = drift_table.entries(database, COMPANY, **selected)
    return entry


def test_a_finding_is_read_as_it_was_noted(database):
    assert note(database, EDITED)
    entry = only(database)
    assert (entry.finding, entry.status, entry.found_by) == (EDITED, Status.OPEN, "event")
    assert (entry.found_at, entry.seen_at, entry.resolved_at) == (AT, AT, None)


def test_an_object_has_one_open_entry_that_says_the_latest(database):
    note(database, EDITED)
    assert not note(database, EDITED, LATER)
    gone = replace(EDITED, kind=Kind.DELETED, differences=())
    assert note(database, gone, LATER)
    entry = only(database)
    assert (entry.finding, entry.found_at, entry.seen_at) == (gone, AT, LATER)


def test_what_was_accepted_stays_so_until_it_changes(database):
    note(database, EDITED)
    assert drift_table.accept(database, COMPANY, [only(database).id], now=AT) == 1
    assert not note(database, EDITED, LATER)
    assert drift_table.counts(database, COMPANY) == {}
    again = replace(EDITED, differences=(replace(PHONE, after={"FreeFormNumber": "3"}),))
    assert note(database, again, LATER)
    assert only(database).finding == again
    assert drift_table.entries(database, COMPANY, statuses=[Status.ACCEPTED]) == []


def test_an_object_in_order_closes_its_entries(database):
    note(database, EDITED)
    assert drift_table.resolve(database, COMPANY, "Vendor", ["7", "8"], now=LATER) == 1
    assert only(database, statuses=[Status.RESOLVED]).resolved_at == LATER
    assert drift_table.resolve(database, COMPANY, "Vendor", ["7"], now=LATER) == 0


def test_companies_and_entities_do_not_mix(database):
    note(database, EDITED)
    note(database, replace(EDITED, entity="PurchaseOrder"))
    note(database, replace(EDITED, company=Company("1", "P")))
    drift_table.resolve(database, COMPANY, "Vendor", ["7"], now=AT)
    assert only(database).finding.entity == "PurchaseOrder"
    assert drift_table.counts(database, Company("1", "P")) == {Kind.CHANGED: 1}
    assert drift_table.accept(database, Company("2", "O"), [1, 2, 3], now=AT) == 0


def test_open_entries_are_counted_by_kind(database):
    note(database, EDITED)
    note(database, replace(EDITED, quickbooks_id="8", kind=Kind.ORPHAN, bill_id=""))
    assert drift_table.counts(database, COMPANY) == {Kind.CHANGED: 1, Kind.ORPHAN: 1}
    assert only(database, kinds=[Kind.ORPHAN]).finding.quickbooks_id == "8"


def test_no_tax_id_is_kept(database):
    note(database, replace(EDITED, differences=(Difference("TaxIdentifier", "99-5688293", "12-3456789"),)))
    [kept] = only(database).finding.differences
    assert (kept.before, kept.after) == ("XXXXXX8293", "XXXXXX6789")
