"""What a run did, counted and told."""

from __future__ import annotations

import json

import pytest
from target_quickbooks.mapping.payload import Mapped
from target_quickbooks.mapping.refusal import Awaited
from target_quickbooks.planning import Change, Operation
from target_quickbooks.quickbooks.client import CallCount
from target_quickbooks.report import RunReport
from target_quickbooks.store.failure_table import Failure

CALLS = CallCount(reads=3, writes=2, repeats=1)


@pytest.fixture
def report():
    return RunReport()


@pytest.fixture(scope="session")
def change(make_item):
    def build(operation, name="A", *, stream="vendors", notes=(), body=None):
        mapped = Mapped("Vendor", {}, f"vendor '{name}'", notes=notes)
        return Change(operation, make_item(mapped, bill_id=name, stream=stream), body=body or {})

    return build


def failure(name="A", *, stream="bills", reason="Account 'X' is not in QuickBooks.", awaited=None, **members):
    record = {"id": name, "taxId": "99-5688293"}
    return Failure(
        stream,
        name,
        f"bill '{name}'",
        "account-unknown",
        reason,
        "Add it.",
        record,
        awaited=awaited,
        **members,
    )


def words(line):
    return line.split()


def test_changes_are_counted_by_stream_and_operation(report, change):
    for operation in (Operation.CREATE, Operation.CREATE, Operation.UPDATE, Operation.SKIP):
        report.done(change(operation))
    report.done(change(Operation.CLOSE, stream="bills"))
    report.done(change(Operation.LINK, stream="bills"))
    report.unchanged("bills", 5)
    assert report.table() == {
        "vendors": {"created": 2, "updated": 1, "skipped": 1},
        "bills": {"closed": 1, "linked": 1, "skipped": 5},
    }


def test_nothing_unchanged_makes_no_row(report):
    report.unchanged("bills", 0)
    assert report.table() == {}


def test_what_waits_and_what_failed_are_told_apart(report):
    report.failed(failure("A"))
    report.failed(failure("B", awaited=Awaited("vendors", "009")))
    assert report.table() == {"bills": {"failed": 1, "blocked": 1}}
    assert report.failed_count == 2


def test_a_record_that_fails_twice_counts_once(report):
    report.failed(failure("A", reason="First."))
    report.failed(failure("A", reason="Second."))
    assert report.failed_count == 1
    assert report.failures["bills", "A"].reason == "Second."


def test_a_record_that_went_through_after_all_did_not_fail(report, change):
    report.failed(failure("A"))
    report.done(change(Operation.CREATE, "A", stream="bills"))
    assert report.failed_count == 0
    assert report.table() == {"bills": {"created": 1}}


def test_a_blocked_change_counts_when_its_failure_is_told(report, change):
    report.done(change(Operation.BLOCKED))
    assert report.table() == {}


def test_the_table_has_a_line_for_each_stream(report, change):
    report.company_name = "Test Company"
    report.done(change(Operation.CREATE))
    report.unchanged("bills", 12)
    lines = report.lines(CALLS)
    assert lines[0] == "QuickBooks company: Test Company"
    assert words(lines[1]) == ["created", "updated", "skipped", "blocked", "failed"]
    assert words(lines[2]) == ["vendors", "1", "0", "0", "0", "0"]
    assert words(lines[3]) == ["bills", "0", "0", "12", "0", "0"]
    assert lines[4] == "QuickBooks calls: 3 reads, 2 writes, 1 repeated"
    assert len({len(line) for line in lines[1:4]}) == 1


def test_closed_and_linked_are_shown_when_there_are_any(report, change):
    report.done(change(Operation.CLOSE))
    assert "closed" in words(report.lines(CALLS)[0])
    assert "linked" not in words(report.lines(CALLS)[0])


def test_throttles_are_told_when_there_were_any(report):
    assert report.lines(CallCount(throttled=2))[-1].endswith(", 2 throttled")


def test_an_empty_run_says_so(report):
    assert report.lines(CALLS)[0] == "No vendors or bills arrived."


def test_a_failure_is_told_with_reason_and_advice(report):
    report.failed(failure("00n1"))
    assert report.lines(CALLS)[-1] == "failed: bills 00n1: Account 'X' is not in QuickBooks. Add it."


def test_failures_of_one_reason_are_told_together(report):
    for number in range(5):
        report.failed(failure(f"00n{number}"))
    told = [line for line in report.lines(CALLS) if line.startswith("failed:")]
    assert told == ["failed: bills 00n0, 00n1, 00n2 and 2 more: Account 'X' is not in QuickBooks. Add it."]


def test_only_the_first_reasons_are_told(report):
    for number in range(25):
        report.failed(failure(str(number), reason=f"Reason {number}."))
    lines = report.lines(CALLS)
    assert sum(line.startswith("failed:") for line in lines) == 20
    assert lines[-1] == "... and 5 more reasons; all of them: quickbooks-admin failures list"


def test_notes_of_what_was_written_are_told(report, change):
    report.done(change(Operation.CREATE, notes=("phone number cut to 30 characters",)))
    report.done(change(Operation.SKIP, "B", notes=("not told",)))
    assert report.lines(CALLS)[-1] == "note: vendor 'A': phone number cut to 30 characters"


def test_many_notes_are_told_in_part_and_kept_in_bounds(report):
    for number in range(1500):
        report.note("bills", str(number), "text")
    lines = report.lines(CALLS)
    assert sum(line.startswith("note:") for line in lines) == 20
    assert lines[-1] == "... and 1480 more notes"
    assert len(report.notes) == 1000


def test_a_location_that_quickbooks_drops_is_noted_once(report, change):
    for name in "AB":
        body = {"DepartmentRef": {"value": "1"}}
        report.done(change(Operation.CREATE, name, stream="bills", body=body), {"Id": "1"})
    assert [line for line in report.lines(CALLS) if line.startswith("note:")] == [
        "note: all bills: QuickBooks does not keep a location on purchase orders"
    ]


def test_the_report_for_programs(report, change):
    report.company_name = "Test Company"
    report.done(change(Operation.CREATE, notes=("noted",)))
    report.failed(failure("00n1", awaited=Awaited("vendors", "009")))
    told = report.to_json(CALLS, run_id="run", exit_code=1)
    assert json.loads(json.dumps(told)) == {
        "run_id": "run",
        "mode": "sync",
        "exit_code": 1,
        "company": "Test Company",
        "streams": {"vendors": {"created": 1}, "bills": {"blocked": 1}},
        "calls": {"reads": 3, "writes": 2, "repeats": 1, "throttled": 0},
        "preflight": None,
        "written": [
            {
                "done": "created",
                "stream": "vendors",
                "id": "A",
                "label": "vendor 'A'",
                "quickbooks_id": "",
                "amount": None,
                "currency": None,
            }
        ],
        "written_left_out": 0,
        "failures": [
            {
                "stream": "bills",
                "id": "00n1",
                "label": "bill '00n1'",
                "code": "account-unknown",
                "reason": "Account 'X' is not in QuickBooks.",
                "advice": "Add it.",
                "waits_for": "009",
            }
        ],
        "notes": [{"stream": "vendors", "label": "vendor 'A'", "notes": ["noted"]}],
    }


def test_the_report_holds_no_record(report):
    """Nor could it be printed by accident."""
    report.failed(failure("A", payload={"TaxIdentifier": "99-5688293"}))
    assert "99-5688293" not in repr(report)
