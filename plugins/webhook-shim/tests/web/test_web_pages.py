"""What the pages tell of books that a real run has filled, and what their buttons do."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import io
import json
from dataclasses import replace
from decimal import Decimal

import pytest
from ap_simulator.testing import running
from sqlalchemy import select, update
from tap_bill.tap import TapBill
from target_quickbooks.comparison import Difference
from target_quickbooks.errors import StoreError
from target_quickbooks.store import audit_table, drift_table, failure_table, link_table, run_table
from target_quickbooks.store.failure_table import Failure, Selection
from target_quickbooks.store.tables import links
from target_quickbooks.target import TargetQuickbooks
from webhook_shim import commands, reconciliation, workplace
from webhook_shim.store import jobs_table
from webhook_shim.store.jobs_table import Status
from webhook_shim.store.tables import jobs
from webhook_shim.web.figures import Figures

BASE = "/books/larkfield"


def failures_of(server, **chosen):
    with server.store.reading() as connection:
        return failure_table.select_failures(connection, server.store.cipher, Selection(**chosen))


def ended_job(
    server,
    *,
    kind="sync",
    status=Status.SUCCEEDED,
    log="",
    exit_code=0,
    detail="",
    counts=None,
    path=None,
):
    now = server.context.now()
    path = path or server.context.settings.log_path / "a-run.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(log)
    with server.store.writing() as connection:
        job_id = jobs_table.ask(connection, server.books.company, kind, "event", (), now)
        jobs_table.begin(connection, job_id, host="h", log_path=str(path), last_event=0, now=now)
        if status is not Status.RUNNING:
            jobs_table.end(
                connection,
                job_id,
                status=status,
                detail=detail,
                exit_code=exit_code,
                counts=counts or {},
                now=now + dt.timedelta(seconds=7),
            )
    return job_id


def test_the_start_leads_to_the_only_company(visitor):
    assert visitor.open("/").url.endswith(BASE)


def test_the_overview_says_that_the_books_do_not_agree_and_why(visitor, server):
    """The verdict, what failed, what was sent, and the connection, in words."""
    visitor.open(BASE)
    number = len(failures_of(server))
    assert number > 1
    assert "Not in step" in visitor.text
    assert f"{number} records in BILL could not be written" in visitor.text
    assert "Larkfield Software Services, connected" in visitor.text
    assert "Signed in" in visitor.text


def test_the_sums_are_those_of_the_orders_in_quickbooks(visitor, demo):
    """Number and sum per currency, against what the simulator holds."""
    orders = demo.simulator.control.records("quickbooks", "PurchaseOrder", realm="9341452000000001")
    linked = [order for order in orders if "[BILL " in order.get("PrivateNote", "")]
    visitor.open(BASE)
    for status, name in (("Open", "Open purchase orders"), ("Closed", "Closed purchase orders")):
        chosen = [order for order in linked if order["POStatus"] == status]
        part = visitor.text.partition(name)[2][:300]
        assert f" {len(chosen)} " in part
        usd = sum(order["TotalAmt"] for order in chosen if order["CurrencyRef"]["value"] == "USD")
        assert f"{usd:,.2f} USD" in part


def test_sums_follow_orders_that_change_and_links_that_are_forgotten(server):
    """They are kept in memory, so what changed since has to be noticed."""
    company, figures = server.books.company, Figures()

    def sent():
        with server.store.reading() as connection:
            return figures.sent(connection, company)

    before = sent()
    with server.store.writing() as connection:
        row = connection.execute(select(links).where(links.c.entity == "PurchaseOrder")).mappings().first()
        link = link_table.find(connection, company, "PurchaseOrder", [row["bill_id"]])[row["bill_id"]]
        desired = {"POStatus": "Open", "CurrencyRef": {"value": "JPY"}, "Line": [{"Amount": Decimal("7.50")}]}
        changed = replace(link, desired=desired)
        link_table.save(connection, company, changed, now=server.context.now())
    after = sent()
    assert after.open_orders.sums["JPY"] == Decimal("7.50")
    assert "JPY" not in before.open_orders.sums
    with server.store.writing() as connection:
        link_table.remove(connection, company, "PurchaseOrder", row["bill_id"])
    assert "JPY" not in sent().open_orders.sums


def test_in_step_after_the_failures_are_gone(visitor):
    visitor.open(BASE + "/failures")
    visitor.submit(BASE + "/failures/dismiss", all="1", reason="entered by hand")
    visitor.open(BASE)
    assert "In step" in visitor.text
    assert "Everything that BILL has sent is in QuickBooks" in visitor.text


def test_the_chart_has_its_figures_in_a_table(visitor, server):
    visitor.open(BASE)
    today = f"{server.context.now():%d %b %Y}"
    assert 'role="img"' in visitor.page.text
    assert today in visitor.text.partition("The figures as a table")[2]


def test_a_company_without_anything_says_so(serve_pages, empty_books):
    visitor = serve_pages(empty_books()).visitor()
    visitor.open("/books/empty")
    assert "Disconnected" in visitor.text
    assert "There is no connection to QuickBooks yet." in visitor.text
    for path in (
        "/failures",
        "/runs",
        "/drift",
        "/reconciliation",
        "/history",
        "/preview",
        "/connection",
    ):
        assert visitor.open(f"/books/empty{path}").status_code == 200


def test_several_companies_are_listed_and_kept_apart(serve_pages, demo, tmp_path, empty_books):
    """Each sees its own failures, runs and history only."""
    server = serve_pages(demo.books(tmp_path), empty_books())
    visitor = server.visitor()
    visitor.open("/")
    assert "Larkfield Software Services Not in step" in visitor.text
    assert "Empty Disconnected" in visitor.text
    number = failures_of(server)[0].id
    run = visitor.open(BASE + "/runs").text.partition("/runs/")[2].partition('"')[0]
    for path in (f"/failures/{number}", "/history/1", f"/runs/{run}"):
        assert visitor.open(BASE + path).status_code == 200
        assert visitor.open(f"/books/empty{path}").status_code == 404
    visitor.open("/books/empty")
    visitor.submit("/books/empty/failures/replay", number=str(number))
    assert "choose at least one" in visitor.text
    visitor.open("/books/empty")
    visitor.submit("/books/empty/failures/dismiss", number=str(number), reason="no")
    assert failures_of(server)[0].status == "open"


def test_failures_tell_why_and_what_to_do(visitor, server):
    found = failures_of(server)[0]
    visitor.open(BASE + "/failures")
    assert found.reason in visitor.text
    assert found.advice in visitor.text
    visitor.open(f"{BASE}/failures/{found.id}")
    assert found.reason in visitor.text
    assert found.bill_id in visitor.text


def test_failures_can_be_filtered(visitor, server):
    found = failures_of(server)
    code = found[0].code
    visitor.open(f"{BASE}/failures?code={code}")
    shown = [failure for failure in found if failure.code == code]
    assert visitor.page.text.count('name="number"') == len(shown) < len(found)
    visitor.open(f"{BASE}/failures?age=old")
    assert "Nothing of that kind" in visitor.text
    visitor.open(f"{BASE}/failures?stream=vendors")
    assert "Nothing of that kind" in visitor.text
    visitor.open(f"{BASE}/failures?age=day&show=nonsense")
    assert visitor.page.text.count('name="number"') == len(found)


def test_many_failures_come_in_pages(server, visitor):
    save_failures(server, 60)
    visitor.open(f"{BASE}/failures?code=made-up")
    assert visitor.page.text.count('name="number"') == 50
    more = visitor.page.text.partition(f"{BASE}/failures?code=made-up&amp;after=")[2].partition('"')[0]
    visitor.open(f"{BASE}/failures?code=made-up&after={more}")
    assert visitor.page.text.count('name="number"') == 10


def save_failures(server, number, label="bill 'X'", record=None):
    with server.store.writing() as connection:
        for count in range(number):
            failure = Failure(
                stream="bills",
                bill_id=f"made-up-{count}",
                label=label,
                code="made-up",
                reason="It was made up.",
                advice="",
                record=record or {"id": f"made-up-{count}"},
            )
            failure_table.save(
                connection,
                server.store.cipher,
                server.books.company,
                failure,
                run_id="r",
                now=server.context.now(),
            )


def test_try_again_asks_for_a_replay_of_the_chosen_ones(visitor, server):
    """The chosen numbers reach the job, the runner is woken, and the page follows the job."""
    numbers = [failure.id for failure in failures_of(server)][:2]
    visitor.open(BASE + "/failures")
    visitor.submit(BASE + "/failures/replay", number=[str(number) for number in numbers])
    (job,) = server.jobs()
    assert (job.kind, job.reason, list(job.arguments)) == ("replay", "person", numbers)
    assert visitor.page.url.endswith(f"/runs/{job.id}")
    assert "Trying 2 records again." in visitor.text
    assert server.woken


def test_the_same_button_twice_is_one_job(visitor, server):
    visitor.open(BASE)
    visitor.submit(BASE + "/failures/replay", all="1")
    visitor.open(BASE)
    visitor.submit(BASE + "/failures/replay", all="1")
    (job,) = server.jobs()
    assert list(job.arguments) == [failure.id for failure in failures_of(server)]


def test_all_of_a_filter_are_tried_again_not_others(visitor, server):
    found = failures_of(server)
    visitor.open(f"{BASE}/failures")
    visitor.submit(BASE + "/failures/replay", all="1", code=found[0].code)
    (job,) = server.jobs()
    assert list(job.arguments) == [failure.id for failure in found if failure.code == found[0].code]


def test_nothing_chosen_is_no_job(visitor, server):
    for given in ([], ["x"], ["999999"], ["-1"], ["9" * 30]):
        visitor.open(BASE + "/failures")
        visitor.submit(BASE + "/failures/replay", number=given)
        assert "choose at least one" in visitor.text
    assert server.jobs() == []


def test_dismissing_is_kept_in_the_history_with_its_reason(visitor, server):
    failure = failures_of(server)[0]
    visitor.open(BASE + "/failures")
    visitor.submit(BASE + "/failures/dismiss", number=str(failure.id), reason="entered  by hand")
    assert "Dismissed 1 record." in visitor.text
    assert failure.id not in {found.id for found in failures_of(server)}
    with server.store.reading() as connection:
        rows = list(audit_table.rows(connection, audit_table.Selection(outcome="dismissed")))
        realm = server.books.realm_id
        assert audit_table.first_break(connection, server.store.fingerprint_key, realm) is None
    assert [(row["bill_id"], row["detail"], row["trigger"]) for row in rows] == [
        (failure.bill_id, "entered by hand", "status page")
    ]
    visitor.open(f"{BASE}/history?outcome=dismissed")
    assert "entered by hand" in visitor.text


def test_dismissing_needs_a_reason(visitor, server):
    failure = failures_of(server)[0]
    visitor.open(BASE + "/failures")
    visitor.submit(BASE + "/failures/dismiss", number=str(failure.id), reason="  ")
    assert "say why" in visitor.text
    assert failure.id in {found.id for found in failures_of(server)}


def test_what_strangers_wrote_is_text_not_markup(visitor, server):
    """Names from BILL are shown as they are, and change nothing about the page."""
    evil = "bill '<script>alert(1)</script>\"><img src=x onerror=alert(2)>'"
    save_failures(server, 1, label=evil, record={"id": "x", "name": evil})
    for path in ("/failures", f"/failures/{failures_of(server, codes=('made-up',))[0].id}"):
        visitor.open(BASE + path)
        assert "<script>alert" not in visitor.page.text
        assert "<img src=x" not in visitor.page.text
        assert "&lt;script&gt;alert(1)" in visitor.page.text


def test_a_record_is_shown_without_tax_and_bank_numbers(visitor, server):
    record = {
        "id": "x",
        "additionalInfo": {"taxId": "99-5688293"},
        "paymentInformation": {"bankAccount": {"accountNumber": "123456789012"}},
    }
    save_failures(server, 1, record=record)
    visitor.open(f"{BASE}/failures/{failures_of(server, codes=('made-up',))[0].id}")
    assert "8293" in visitor.text
    assert "99-5688293" not in visitor.page.text
    assert "123456789012" not in visitor.page.text


def test_links_lead_to_the_records_of_the_systems_own_environments(serve_pages, demo, tmp_path):
    """With an overridden address there is no application to lead to."""
    overridden = serve_pages(demo.books(tmp_path)).visitor()
    overridden.open(BASE + "/history/300")
    assert "intuit.com" not in overridden.page.text
    real = demo.books(tmp_path, api_url=None, environment="sandbox")
    visitor = serve_pages(real).visitor()
    visitor.open(BASE + "/history?operation=create&outcome=applied")
    entry = next(
        part.partition('"')[0] for part in visitor.page.text.split(f"{BASE}/history/") if part[0].isdigit()
    )
    visitor.open(f"{BASE}/history/{entry}")
    assert "https://app.sandbox.qbo.intuit.com/app/purchaseorder?txnId=" in visitor.page.text
    assert 'rel="noopener noreferrer"' in visitor.page.text


def test_run_now_asks_for_a_run(visitor, server):
    visitor.open(BASE + "/runs")
    visitor.submit(BASE + "/runs")
    (job,) = server.jobs()
    assert (job.kind, job.reason) == ("sync", "person")
    assert "It begins as soon as no other run" in visitor.text
    visitor.open(BASE + "/runs")
    visitor.submit(BASE + "/runs", kind="daily")
    assert {job.kind for job in server.jobs()} == {"sync", "daily"}
    visitor.open(BASE + "/runs")
    visitor.submit(BASE + "/runs", kind="nonsense")
    assert visitor.page.status_code == 400


def test_a_run_that_was_started_elsewhere_is_listed(visitor):
    visitor.open(BASE + "/runs")
    assert "Vendors and bills command line Done, not all" in visitor.text


def test_a_run_shows_counts_exit_code_and_log_without_secrets(visitor, server):
    log = "\x1b[32m2026 [info] begin\x1b[0m\ntoken Bearer abcdefghijklmnop\n"
    job_id = ended_job(
        server, log=log, counts={"streams": {"bills": {"created": 3, "failed": 2}}, "calls": {"reads": 4}}
    )
    visitor.open(f"{BASE}/runs/{job_id}")
    assert "2 records did not go through; everything else did." in visitor.text
    assert "Done, not all" in visitor.text
    assert "3 records" in visitor.text
    assert "2026 [info] begin" in visitor.text
    assert "abcdefghijklmnop" not in visitor.page.text
    assert "\x1b" not in visitor.page.text


def test_a_replay_tells_what_became_of_each_record(visitor, server):
    job_id = ended_job(server, kind="replay", counts={"streams": {"bills": {"created": 1, "failed": 1}}})
    results = [
        {"id": 1, "stream": "bills", "record_id": "00n1", "failed": False, "told": "went through"},
        {
            "id": 2,
            "stream": "bills",
            "record_id": "00n2",
            "failed": True,
            "told": "still fails: Account gone.",
        },
    ]
    (server.context.settings.log_path / "a-run.json").write_text(json.dumps(results))
    visitor.open(f"{BASE}/runs/{job_id}")
    assert "00n1 Went through went through" in visitor.text
    assert "00n2 Still fails still fails: Account gone." in visitor.text


@pytest.mark.parametrize(
    ("exit_code", "told"),
    [
        (0, "All records went through."),
        (143, "it was asked to stop"),
        (137, "killed"),
        (1, "log below says why"),
    ],
)
def test_exit_codes_are_told_in_words(visitor, server, exit_code, told):
    status = Status.FAILED if exit_code else Status.SUCCEEDED
    visitor.open(f"{BASE}/runs/{ended_job(server, status=status, exit_code=exit_code)}")
    assert told in visitor.text


def test_only_logs_of_runs_are_shown(visitor, server, tmp_path):
    """A path in the store does not make the page read any file."""
    secret = tmp_path / "secret.txt"
    secret.write_text("do not read me")
    job_id = ended_job(server)
    with server.store.writing() as connection:
        connection.execute(update(jobs).values(log_path=str(secret)))
    visitor.open(f"{BASE}/runs/{job_id}")
    assert "do not read me" not in visitor.page.text


def test_progress_counts_what_a_running_run_has_written(visitor, server):
    """From the audit rows of the run that carries the job's name."""
    job_id = ended_job(server, status=Status.RUNNING, log="half way")
    with server.store.reading() as connection:
        job = jobs_table.by_id(connection, job_id)
    entry = audit_table.Entry(
        server.books.company,
        "vendors",
        "v",
        "",
        "Vendor",
        "1",
        "create",
        "applied",
        None,
        {"DisplayName": "A"},
    )
    with server.store.writing() as connection:
        now = server.context.now()
        run_table.start(
            connection,
            "the-run",
            realm_id=server.books.realm_id,
            mode="sync",
            trigger=commands.trigger(job),
            now=now,
        )
        audit_table.append(
            connection, server.store.fingerprint_key, [entry, entry], run_id="the-run", trigger="t", now=now
        )
    told = visitor.open(f"{BASE}/runs/{job_id}/progress").json()
    assert (told["live"], told["written"], told["failed"], told["log"]) == (True, 2, 0, "half way")
    visitor.open(f"{BASE}/runs/{job_id}")
    assert "2 written so far" in " ".join(
        visitor.text.replace("written so far 2", "2 written so far").split()
    )
    assert '<noscript><meta http-equiv="refresh"' in visitor.page.text


def test_progress_does_not_touch_the_session(visitor, server):
    job_id = ended_job(server, status=Status.RUNNING)
    answer = visitor.open(f"{BASE}/runs/{job_id}/progress")
    assert "set-cookie" not in answer.headers


def test_the_history_is_filtered_by_record_operation_outcome_and_day(visitor, server):
    with server.store.reading() as connection:
        rows = list(audit_table.rows(connection, audit_table.Selection()))
    one = next(row for row in rows if row["outcome"] == "applied")
    today = f"{one['at']:%Y-%m-%d}"
    tomorrow = f"{one['at'] + dt.timedelta(days=1):%Y-%m-%d}"

    def number(query):
        visitor.open(f"{BASE}/history/export.json?{query}")
        return len(visitor.page.json())

    assert number(f"record={one['bill_id']}") == sum(row["bill_id"] == one["bill_id"] for row in rows)
    assert number(f"operation={one['operation']}") == sum(
        row["operation"] == one["operation"] for row in rows
    )
    assert number("outcome=applied") == sum(row["outcome"] == "applied" for row in rows)
    assert number(f"run={one['run_id'][:8]}") == sum(row["run_id"] == one["run_id"] for row in rows)
    assert number(f"since={today}&until={today}") == len(rows)
    assert number(f"since={tomorrow}") == 0
    assert number("since=nonsense&until=9999-12-31") == len(rows)


def test_the_history_comes_in_pages(visitor):
    visitor.open(BASE + "/history")
    assert visitor.page.text.count("<tr>") == 51
    older = visitor.page.text.partition("/history?before=")[2].partition('"')[0]
    visitor.open(f"{BASE}/history?before={older}")
    assert f"/history/{int(older) - 1}" in visitor.page.text
    assert f'/history/{older}"' not in visitor.page.text


def test_the_export_is_whole_and_safe_for_spreadsheets(visitor, server):
    """All rows and columns, in CSV and JSON alike; formulas are texts."""
    entry = audit_table.Entry(
        server.books.company,
        "vendors",
        "v",
        "",
        "Vendor",
        "1",
        "create",
        "applied",
        None,
        None,
        detail="=1+1",
    )
    with server.store.writing() as connection:
        audit_table.append(
            connection,
            server.store.fingerprint_key,
            [entry],
            run_id="r",
            trigger="t",
            now=server.context.now(),
        )
    answer = visitor.open(BASE + "/history/export.csv")
    assert answer.headers["content-disposition"].startswith('attachment; filename="history-larkfield-')
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    whole = json.loads(visitor.open(BASE + "/history/export.json").text)
    assert [row["hash"] for row in rows] == [row["hash"] for row in whole]
    assert len(rows) > 500
    assert rows[-1]["detail"] == "'=1+1"
    assert visitor.open(BASE + "/history/export.xls").status_code == 404


def test_a_preview_is_asked_for_and_shown_with_its_differences(visitor, server):
    visitor.open(BASE + "/preview")
    visitor.submit(BASE + "/preview")
    assert "A preview is being made" in visitor.text
    (job,) = server.jobs()
    assert job.kind == "plan"
    path = server.context.settings.log_path / "plan.log"
    path.parent.mkdir(parents=True)
    entry = {
        "operation": "update",
        "stream": "vendors",
        "id": "0090",
        "entity": "Vendor",
        "label": "vendor 'Acme'",
        "quickbooks_id": "12",
        "vendor": None,
        "currency": None,
        "amount": None,
        "amount_before": None,
        "fields": [{"field": "DisplayName", "before": "Acme", "after": "Acme & Sons"}],
        "lines": [],
        "reason": None,
        "advice": None,
    }
    path.with_suffix(".json").write_text(json.dumps({"plan": [entry]}))
    now = server.context.now()
    with server.store.writing() as connection:
        jobs_table.begin(connection, job.id, host="h", log_path=str(path), last_event=0, now=now)
        jobs_table.end(
            connection, job.id, status=Status.SUCCEEDED, detail="", exit_code=0, counts={}, now=now
        )
    visitor.open(BASE + "/preview")
    assert "1 to update." in visitor.text
    assert "Name: Acme → Acme & Sons" in visitor.text


def test_the_report_of_a_real_plan_is_shown(visitor, server, demo, run_once):
    """All that a run would do for a company that QuickBooks knows nothing of: created, and held back."""
    job_id = ended_job(server, kind="plan")
    path = server.context.settings.log_path / "a-run.json"
    with running("demo") as fresh:
        config = fresh.env()
        for name in ("api_url", "token_url", "store_url"):
            assert config[f"TARGET_QUICKBOOKS_{name.upper()}"] != demo.target[name]
        target = {
            name.removeprefix("TARGET_QUICKBOOKS_").lower(): value
            for name, value in config.items()
            if name.startswith("TARGET_QUICKBOOKS_")
        }
        run_once(demo.tap, {**target, "mode": "plan", "report_path": str(path)})
    visitor.open(BASE + "/preview")
    entries = json.loads(path.read_text())["plan"]
    assert job_id
    for operation, title in (("create", "to create"), ("blocked", "held back")):
        number = sum(entry["operation"] == operation for entry in entries)
        assert number
        assert f"{number} {title}" in visitor.text
    blocked = next(entry for entry in entries if entry["operation"] == "blocked")
    assert blocked["reason"] in visitor.text


_PARAMETERS = [
    "record",
    "operation",
    "outcome",
    "since",
    "until",
    "run",
    "before",
    "code",
    "stream",
    "age",
    "show",
    "after",
    "kind",
    "next",
    "refresh",
]
_ODD = ["'; drop table audit; --", "%", "\x00", "x" * 500, "\U0001f9fe", "-1", "<b>", "9" * 40]


@pytest.mark.parametrize("text", _ODD, ids=range(len(_ODD)))
def test_no_parameter_breaks_a_page(visitor, text):
    """Whatever is in the address, a page comes."""
    for path in ("/history", "/failures", "/runs", "/drift", "/reconciliation", "/history/export.json"):
        given = dict.fromkeys(_PARAMETERS, text)
        assert visitor.open(BASE + path, params=given).status_code == 200


@pytest.mark.parametrize("report", ["", "[", "[]", '{"plan": 3}', '{"plan": [1]}'])
def test_a_preview_without_a_usable_result_says_so(visitor, server, report):
    job_id = ended_job(server, kind="plan", detail="BILL cannot be reached.")
    (server.context.settings.log_path / "a-run.json").write_text(report)
    visitor.open(BASE + "/preview")
    if report == '{"plan": [1]}':
        assert "Nothing to do" in visitor.text
    else:
        assert "The last preview has no result BILL cannot be reached." in visitor.text
        assert job_id in visitor.page.text


def test_drift_is_shown_and_can_be_left_as_it_is(visitor, server):
    company, now = server.books.company, server.context.now()
    finding = drift_table.Finding(
        company,
        "PurchaseOrder",
        "145",
        drift_table.Kind.CHANGED,
        bill_id="00n01",
        name="1043",
        differences=[Difference("DueDate", "2026-11-30", "2026-12-15")],
    )
    orphan = drift_table.Finding(company, "Vendor", "7", drift_table.Kind.ORPHAN, name="By hand")
    with server.store.writing() as connection:
        drift_table.note(connection, finding, found_by="event", now=now)
        drift_table.note(connection, orphan, found_by="event", now=now)
        entries = drift_table.entries(connection, company)
    visitor.open(BASE)
    assert "and 1 object differs in QuickBooks" in visitor.text
    visitor.open(f"{BASE}/drift?kind=changed")
    assert "Due date: 2026-11-30 → 2026-12-15" in visitor.text
    assert "By hand" not in visitor.text
    number = next(entry.id for entry in entries if entry.finding.name == "1043")
    visitor.submit(BASE + "/drift", number=str(number))
    assert "1 difference stays as in QuickBooks." in visitor.text
    with server.store.reading() as connection:
        assert [entry.finding.name for entry in drift_table.entries(connection, company)] == ["By hand"]
        assert audit_table.first_break(connection, server.store.fingerprint_key, company.realm_id) is None
    visitor.open(f"{BASE}/history?operation=accept")
    assert "QuickBooks is to stay as it is." in visitor.text


@pytest.fixture
def reconcile(server, demo):
    """Compares the demo company's books, as a job that ended."""

    def run(status=Status.SUCCEEDED):
        log = server.context.settings.log_path / "20261122-024500-reconcile-1.log"
        reports = workplace.reports_of(log)
        reports.mkdir(parents=True, exist_ok=True)
        lines = io.StringIO()
        with contextlib.redirect_stdout(lines), contextlib.redirect_stderr(io.StringIO()):
            TapBill(config=dict(demo.tap)).sync_all()
            wanted = [
                line
                for line in lines.getvalue().splitlines()
                if json.loads(line).get("stream") in {"vendors", "bills"}
            ]
            config = {**server.books.target_config, "mode": "reconcile", "report_path": str(reports)}
            target = TargetQuickbooks(config=config)
            target.listen(io.StringIO("\n".join(wanted)))
        kept = {reconciliation.KEY: reconciliation.read_summary(reports)}
        found = reconciliation.reconciled(kept)
        return ended_job(
            server, kind="reconcile", status=status, path=log, detail=found.sentence, counts=kept, exit_code=1
        )

    return run


def test_the_books_are_compared_and_the_verdict_is_shown_with_its_reports(visitor, reconcile):
    visitor.open(BASE + "/reconciliation")
    assert "The books were not compared yet" in visitor.text
    assert "each night at 02:45 UTC" in visitor.text
    job_id = reconcile()
    visitor.open(BASE + "/reconciliation")
    assert "Both books agree to the cent, but for " in visitor.text
    assert "bills" in visitor.text
    report = visitor.open(f"{BASE}/reconciliation/{job_id}/report.html")
    assert report.status_code == 200
    assert "Reconciliation" in report.text
    policy = report.headers["content-security-policy"]
    assert "sandbox" in policy
    assert "script-src" not in policy
    sheet = visitor.open(f"{BASE}/reconciliation/{job_id}/report.csv")
    assert sheet.headers["content-disposition"].startswith('attachment; filename="reconciliation-larkfield-')
    head = json.loads(visitor.open(f"{BASE}/reconciliation/{job_id}/report.json").text)
    [total] = [one for one in head["totals"]["by_currency"] if one["currency"] == "USD"]
    visitor.open(BASE)
    refused = total["bill_sum"] - total["order_sum"]
    sums = f"{total['bill_sum']:,.2f} QuickBooks {total['order_sum']:,.2f}, difference {refused:,.2f}"
    assert sums in visitor.text


def test_differences_are_told_on_the_first_page(visitor, server):
    summary = {"in_step": False, "differences": 3, "refused_on_record": 0, "found": {"missing": 3}}
    total = {"currency": "USD", "bills": 4, "bill_sum": Decimal("40.10"), "orders": 1, "order_sum": 10}
    ended_job(server, kind="reconcile", counts={reconciliation.KEY: {**summary, "by_currency": [total]}})
    visitor.open(BASE)
    assert "3 differences when the books were compared" in visitor.text
    assert "QuickBooks 10.00, difference 30.10" in visitor.text
    visitor.open(BASE + "/reconciliation")
    assert "3 differences between the books." in visitor.text
    assert "The report itself was deleted" in visitor.text


def test_a_comparison_is_asked_for_and_one_without_a_result_says_so(visitor, server):
    visitor.open(BASE + "/reconciliation")
    visitor.submit(BASE + "/reconciliation")
    assert "The books are being compared" in visitor.text
    (job,) = server.jobs()
    assert (job.kind, job.reason) == ("reconcile", "person")
    failed = {"kind": "reconcile", "status": Status.FAILED, "detail": "BILL cannot be reached."}
    job_id = ended_job(server, **failed)
    visitor.open(BASE + "/reconciliation")
    assert "The latest comparison has no result BILL cannot be reached." in visitor.text
    for path in (f"/reconciliation/{job_id}/report.html", "/reconciliation/other/report.html"):
        assert visitor.open(BASE + path).status_code == 404


def test_only_reports_of_reconciliations_are_given_out(visitor, server, tmp_path):
    outside = tmp_path / "outside.log"
    workplace.reports_of(outside).mkdir()
    reconciliation.report_in(workplace.reports_of(outside), "json").write_text("secret")
    job_id = ended_job(server, kind="reconcile", path=outside)
    for ending in ("json", "html", "log", "..%2f..%2foutside"):
        assert visitor.open(f"{BASE}/reconciliation/{job_id}/report.{ending}").status_code == 404


def test_what_is_not_there_is_said_on_a_page(visitor):
    for path in (
        "/nothing",
        "/books/nobody",
        BASE + "/failures/0",
        BASE + "/failures/x",
        BASE + "/history/999999",
        BASE + "/runs/x",
        BASE + "/runs/x/progress",
        "/static/../books.css",
    ):
        assert visitor.open(path).status_code == 404
    assert "There is nothing here" in visitor.text


def test_a_store_that_cannot_be_read_is_said_on_a_page(visitor, monkeypatch):
    def broken(*_, **__):
        raise StoreError("The store at x cannot be used: disk I/O error.")

    monkeypatch.setattr(failure_table, "counts", broken)
    assert visitor.open(BASE + "/failures").status_code == 503
    assert "The store cannot be read right now" in visitor.text


def test_a_mistake_of_the_page_is_said_without_details(visitor, monkeypatch):
    def broken(*_, **__):
        raise KeyError("secret-detail")

    monkeypatch.setattr(failure_table, "counts", broken)
    assert visitor.open(BASE + "/failures").status_code == 500
    assert "This page is broken" in visitor.text
    assert "secret-detail" not in visitor.page.text
