"""The history of every change: whoever touches a row breaks the chain."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, delete, event, insert, select, update
from target_quickbooks.links import Company
from target_quickbooks.store import audit_table, tables
from target_quickbooks.store.audit_table import Entry, first_break, row_hash

REALM = "9341452000000001"
KEY = b"fingerprint key of the store"
ENTRY = Entry(
    company=Company(REALM, "A"),
    stream="vendors",
    bill_id="009",
    version="2026-12-15T22:53:15.127Z",
    entity="Vendor",
    quickbooks_id="137",
    operation="update",
    outcome="applied",
    before={"Balance": Decimal("1.50"), "TaxIdentifier": "99-5688293"},
    after={"Balance": Decimal(2), "PrimaryPhone": {}},
    request_id="req",
    intuit_tid="1-2-3",
    detail="",
)
TEXTS = [
    "at",
    "run_id",
    "trigger",
    "organization_id",
    "stream",
    "bill_id",
    "version",
    "entity",
    "quickbooks_id",
    "operation",
    "outcome",
    "request_id",
    "intuit_tid",
    "detail",
    "previous_hash",
    "hash",
]


@pytest.fixture(scope="module")
def database():
    """One database in memory; each example rolls back what it did."""
    engine = create_engine("sqlite://")
    event.listen(engine, "connect", lambda connection, _: setattr(connection, "isolation_level", None))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    tables.metadata.create_all(engine)
    yield engine
    engine.dispose()


def append(connection, moment, count, **changed):
    entries = [replace(ENTRY, bill_id=f"009{number}", **changed) for number in range(count)]
    audit_table.append(connection, KEY, entries, run_id="run", trigger="test", now=moment)


def test_a_chain_that_nobody_touched_verifies(database, moment):
    with database.connect() as connection:
        append(connection, moment, 3)
        append(connection, moment, 2)
        assert first_break(connection, KEY, REALM) is None
        assert audit_table.count(connection, REALM) == 5


def test_a_row_tells_what_was_done_without_tax_ids(database, moment):
    with database.connect() as connection:
        append(connection, moment, 1)
        [row] = connection.execute(select(tables.audit)).mappings()
    assert (row["realm_id"], row["sequence"], row["at"]) == (REALM, 1, moment)
    assert row["before"] == {"Balance": Decimal("1.50"), "TaxIdentifier": "XXXXXX8293"}
    assert (row["run_id"], row["trigger"], row["request_id"], row["intuit_tid"]) == (
        "run",
        "test",
        "req",
        "1-2-3",
    )


def test_every_realm_has_its_own_chain(database, moment):
    with database.connect() as connection:
        append(connection, moment, 2)
        append(connection, moment, 1, company=Company("2", "A"))
        append(connection, moment, 1)
        connection.execute(update(tables.audit).where(tables.audit.c.realm_id == "2").values(detail="x"))
        assert first_break(connection, KEY, REALM) is None
        assert first_break(connection, KEY, "2") == 1


def test_an_empty_chain_verifies(database):
    with database.connect() as connection:
        assert first_break(connection, KEY, REALM) is None


@settings(max_examples=40)
@given(number=st.integers(1, 6), column=st.sampled_from(TEXTS), value=st.text("ab0", min_size=1, max_size=5))
def test_a_changed_row_breaks_the_chain(database, moment, number, column, value):
    with database.connect() as connection:
        append(connection, moment, 6)
        text = f"UPDATE audit SET \"{column}\" = '{value}' WHERE sequence = {number}"  # noqa: S608
        if column == "at":
            text = f"UPDATE audit SET at = '2020-01-01T00:00:00.000000+00:00' WHERE sequence = {number}"  # noqa: S608
        connection.exec_driver_sql(text)
        assert first_break(connection, KEY, REALM) == number


@given(number=st.integers(1, 5))
def test_a_row_that_was_changed_with_its_hash_breaks_the_chain_at_the_next(database, moment, number):
    audit = tables.audit
    with database.connect() as connection:
        append(connection, moment, 6)
        row = connection.execute(select(audit).where(audit.c.sequence == number)).mappings().one()
        forged = {**row, "quickbooks_id": "forged"}
        values = {"quickbooks_id": "forged", "hash": row_hash(KEY, forged)}
        connection.execute(update(audit).where(audit.c.sequence == number).values(values))
        assert first_break(connection, KEY, REALM) == number + 1


@pytest.mark.parametrize("column", ["before", "after"])
def test_a_changed_amount_breaks_the_chain(database, moment, column):
    with database.connect() as connection:
        append(connection, moment, 2)
        row = tables.audit.c.sequence == 2
        connection.execute(update(tables.audit).where(row).values({column: {"Balance": Decimal("1.51")}}))
        assert first_break(connection, KEY, REALM) == 2


@given(number=st.integers(1, 5))
def test_a_removed_row_breaks_the_chain(database, moment, number):
    with database.connect() as connection:
        append(connection, moment, 6)
        connection.execute(delete(tables.audit).where(tables.audit.c.sequence == number))
        assert first_break(connection, KEY, REALM) == number


@given(number=st.integers(1, 5))
def test_an_inserted_row_breaks_the_chain(database, moment, number):
    """Even one whose own hash is right."""
    audit = tables.audit
    with database.connect() as connection:
        append(connection, moment, 6)
        rows = [dict(row) for row in connection.execute(select(audit).order_by(audit.c.sequence)).mappings()]
        forged = {**rows[number - 1], "bill_id": "forged"}
        forged["hash"] = row_hash(KEY, forged)
        later = [{**row, "sequence": row["sequence"] + 1} for row in rows[number - 1 :]]
        connection.execute(delete(audit).where(audit.c.sequence >= number))
        connection.execute(insert(audit), [forged, *later])
        assert first_break(connection, KEY, REALM) == number + 1


@given(numbers=st.lists(st.integers(1, 6), min_size=2, max_size=2, unique=True))
def test_reordered_rows_break_the_chain(database, moment, numbers):
    one, other = sorted(numbers)
    with database.connect() as connection:
        append(connection, moment, 6)
        swap = "UPDATE audit SET sequence = {} WHERE sequence = {}"
        for target, source in ((99, one), (one, other), (other, 99)):
            connection.exec_driver_sql(swap.format(target, source))
        assert first_break(connection, KEY, REALM) == one


@given(amount=st.decimals(allow_nan=False, allow_infinity=False), whole=st.integers())
def test_amounts_survive_the_database_with_their_hash(database, moment, amount, whole):
    with database.connect() as connection:
        append(connection, moment, 1, before={"amount": amount}, after={"lines": [whole, amount]})
        assert first_break(connection, KEY, REALM) is None


def test_a_version_longer_than_the_store_keeps_still_verifies(database, moment):
    with database.connect() as connection:
        append(connection, moment, 1, version="x" * 100)
        assert first_break(connection, KEY, REALM) is None


@given(kept=st.integers(0, 5))
def test_rows_cut_off_at_the_end_are_missed(database, moment, kept):
    with database.connect() as connection:
        append(connection, moment, 6)
        connection.execute(delete(tables.audit).where(tables.audit.c.sequence > kept))
        assert first_break(connection, KEY, REALM) == kept + 1
        assert audit_table.realms(connection) == [REALM]


def test_rows_cut_off_stay_missed_when_more_are_written(database, moment):
    with database.connect() as connection:
        append(connection, moment, 6)
        connection.execute(delete(tables.audit).where(tables.audit.c.sequence > 4))
        append(connection, moment, 2)
        assert first_break(connection, KEY, REALM) == 5


@pytest.mark.parametrize("change", [{"sequence": 4}, {"hash": "1" * 64}, {"seal": "ä"}])
def test_a_changed_seal_is_noticed(database, moment, change):
    with database.connect() as connection:
        append(connection, moment, 6)
        connection.execute(update(tables.audit_tails).values(**change))
        assert first_break(connection, KEY, REALM) == 7
        append(connection, moment, 1)
        assert first_break(connection, KEY, REALM) == 7


def test_a_removed_seal_is_noticed_for_good(database, moment):
    with database.connect() as connection:
        append(connection, moment, 6)
        connection.execute(delete(tables.audit).where(tables.audit.c.sequence > 4))
        connection.execute(delete(tables.audit_tails))
        assert first_break(connection, KEY, REALM) == 5
        append(connection, moment, 2)
        assert first_break(connection, KEY, REALM) == 5


def test_rows_forged_at_the_end_do_not_stop_a_run(database, moment):
    audit = tables.audit
    with database.connect() as connection:
        append(connection, moment, 2)
        row = connection.execute(select(audit).where(audit.c.sequence == 2)).mappings().one()
        connection.execute(insert(audit), [{**row, "sequence": 3, "previous_hash": row["hash"]}])
        append(connection, moment, 1)
        assert first_break(connection, KEY, REALM) == 3


def test_the_chain_cannot_be_computed_without_the_key(database, moment):
    with database.connect() as connection:
        append(connection, moment, 1)
        assert first_break(connection, b"another key", REALM) == 1
