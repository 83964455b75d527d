"""The history can be looked at, handed over and verified from the command line."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from decimal import Decimal

import pytest
from click.testing import CliRunner
from target_quickbooks.admin import commands
from target_quickbooks.errors import SettingsError
from target_quickbooks.links import Company
from target_quickbooks.store import audit_table
from target_quickbooks.store.audit_table import Entry

ORGANIZATION = "00802TESTORGANIZATN1"
REALM = "9341452000000001"


@pytest.fixture
def admin(store_url, encryption_key):
    def run(*arguments):
        env = {"TARGET_QUICKBOOKS_STORE_URL": store_url, "TARGET_QUICKBOOKS_ENCRYPTION_KEY": encryption_key}
        return CliRunner(env={**env, "COLUMNS": "150"}).invoke(commands, ["audit", *arguments])

    return run


@pytest.fixture
def record(store, moment):
    """Adds a row."""

    def build(number, *, realm=REALM, days=0, run_id="run-1", **changed):
        entry = {
            "company": Company(realm, ORGANIZATION),
            "stream": "bills",
            "bill_id": f"00n{number}",
            "version": "",
            "entity": "PurchaseOrder",
            "quickbooks_id": "257",
            "operation": "update",
            "outcome": "applied",
            "before": {"TotalAmt": Decimal("10.10")},
            "after": {"TotalAmt": Decimal("12.10")},
        }
        at = moment + dt.timedelta(days=days)
        with store.writing() as connection:
            rows = [Entry(**{**entry, **changed})]
            audit_table.append(
                connection, store.fingerprint_key, rows, run_id=run_id, trigger="tests", now=at
            )

    return build


def ids(result):
    return [row["bill_id"] for row in json.loads(result.stdout)]


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ([], ["00n1", "00n2", "00n3", "00n4"]),
        (["--realm", "77"], ["00n4"]),
        (["--organization", "other"], []),
        (["--record", "00n2"], ["00n2"]),
        (["--stream", "vendors"], ["00n3"]),
        (["--run", "run-2"], ["00n2"]),
        (["--outcome", "refused"], ["00n3"]),
        (["--since", "2026-12-17"], ["00n2", "00n3", "00n4"]),
        (["--until", "2026-12-17T12:00"], ["00n1"]),
        (["--since", "2026-12-17", "--until", "2026-12-18T14:00:00+02:00"], ["00n2"]),
        (["--limit", "2"], ["00n3", "00n4"]),
    ],
)
@pytest.mark.parametrize("command", ["list", "export"])
def test_rows_are_chosen_by_what_they_have(admin, record, command, arguments, wanted):
    record(1)
    record(2, days=1, run_id="run-2")
    record(3, days=2, stream="vendors", outcome="refused")
    record(4, days=3, realm="77")
    assert ids(admin(command, "--format", "json", *arguments)) == wanted


def test_a_list_shows_what_happened(admin, record):
    record(1, detail="Said [this] :car:")
    output = admin("list").output
    for part in ("00n1", "update PurchaseOrder 257: applied", "Said [this] :car:", "changed: TotalAmt"):
        assert part in output


def test_a_list_ends_with_the_latest_rows_and_says_so(admin, record):
    for number in range(51):
        record(number)
    found = ids(admin("list", "--format", "json"))
    assert (found[0], found[-1], len(found)) == ("00n1", "00n50", 50)
    assert "The latest 50 rows" in admin("list").output


def test_a_row_is_shown_whole(admin, record):
    record(1)
    shown = json.loads(admin("show", "1").output, parse_float=str)
    assert (shown["before"], shown["after"]) == ({"TotalAmt": "10.10"}, {"TotalAmt": "12.10"})
    assert shown["at"] == "2026-12-16T12:00:00+00:00"
    assert len(shown["hash"]) == 64


def test_one_number_in_two_companies_needs_the_company(admin, record):
    record(1)
    record(2, realm="77")
    assert f"--realm (77, {REALM})" in admin("show", "1").exception.args[0]
    assert json.loads(admin("show", "1", "--realm", "77").output)["bill_id"] == "00n2"


def test_a_row_that_is_not_there_is_told(admin, record):
    record(1)
    result = admin("show", "2")
    assert isinstance(result.exception, SettingsError)
    assert "There is no audit row 2" in str(result.exception)


def test_an_export_holds_exact_amounts(admin, record, tmp_path):
    record(1)
    file = tmp_path / "history.json"
    assert f"1 rows written to {file}" in admin("export", "--output", str(file)).output
    (row,) = json.loads(file.read_text(), parse_float=Decimal)
    assert row["after"] == {"TotalAmt": Decimal("12.10")}


def test_an_export_is_written_as_it_is_read(admin, record, monkeypatch, store):
    """However long the trail is."""
    for number in range(3):
        record(number)
    monkeypatch.setattr(audit_table, "_ROWS_AT_ONCE", 2)
    with store.reading() as connection:
        rows = audit_table.rows(connection, audit_table.Selection())
        assert next(rows)["bill_id"] == "00n0"
    assert ids(admin("export")) == ["00n0", "00n1", "00n2"]


def test_a_spreadsheet_runs_no_formula_of_a_name(admin, record):
    record(1, detail='=HYPERLINK("http://x")', before=None)
    (row,) = csv.DictReader(io.StringIO(admin("export", "--format", "csv").stdout))
    assert row["detail"] == '\'=HYPERLINK("http://x")'
    assert row["before"] == ""
    assert json.loads(row["after"], parse_float=Decimal) == {"TotalAmt": Decimal("12.10")}


@pytest.mark.parametrize("form", ["json", "csv"])
def test_an_export_of_nothing_can_be_read(admin, store, form):
    assert store
    output = admin("export", "--format", form).stdout
    assert output == "[]\n" if form == "json" else output.startswith("realm_id,sequence,at,")


def test_a_file_that_cannot_be_written_is_told(admin, record, tmp_path):
    record(1)
    result = admin("export", "--output", str(tmp_path / "missing" / "file.json"))
    assert "cannot be written: No such file or directory." in str(result.exception)


@pytest.mark.parametrize("wrong", ["yesterday", "2026-13-01", "3x"])
def test_a_time_that_is_none_is_told(admin, wrong):
    result = admin("list", "--since", wrong)
    assert result.exit_code == 2
    assert f"'{wrong}' is not a time" in result.output


def test_a_verification_says_where_the_chain_ends(admin, record, store):
    """Rows cut off at the end are found by comparing."""
    record(1)
    with store.reading() as connection:
        last = audit_table.last_hash(connection, REALM)
    assert f"1 rows, the chain holds (last hash {last[:16]})" in admin("verify", "--realm", REALM).output
