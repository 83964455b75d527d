"""The report as a page: what strangers wrote stays text, nothing is loaded from anywhere."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from target_quickbooks.mapping.refusal import Awaited
from target_quickbooks.page import Ending, plan_page, run_page
from target_quickbooks.plan.differences import FieldChange, LineChange, LineKind
from target_quickbooks.plan.entries import PlanEntry
from target_quickbooks.planning import Operation
from target_quickbooks.policies import Policies
from target_quickbooks.preflight import Bills, examine
from target_quickbooks.quickbooks.client import CallCount
from target_quickbooks.report import RunReport, Written
from target_quickbooks.store.failure_table import Failure

CALLS = CallCount(reads=3, writes=2)
NASTY = "<script>alert(1)</script>\"'&<img src=x onerror=alert(1)>"
ELEMENTS = {
    "html head meta title style body main header h1 h2 p time section nav ul li a div table thead tbody",
    "tfoot tr th td small span strong br details summary footer",
}
ALLOWED = {name for names in ELEMENTS for name in names.split()}


class Page(HTMLParser):
    """The elements, attributes and text of a page."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.attributes, self.text = set(), [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text.append(data)

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())


def ending(*, exit_code=0, problem=""):
    moment = dt.datetime(2026, 12, 16, 12, 0, tzinfo=dt.UTC)
    return Ending(run_id="run-1", realm_id="93414", exit_code=exit_code, problem=problem, finished_at=moment)


def failure(text, number="00n1", *, awaited=None):
    return Failure("bills", number, text, "code", text, text, {}, awaited=awaited)


def update(text="A"):
    changes = (FieldChange("DisplayName", text, f"{text}!"),)
    line = {"amount": Decimal(5), "account": text, "description": text}
    return PlanEntry(
        Operation.UPDATE,
        "bills",
        text,
        "PurchaseOrder",
        text,
        quickbooks_id="7",
        vendor=text,
        currency="USD",
        amount=Decimal(5),
        amount_before=Decimal(3),
        fields=changes,
        lines=(LineChange(LineKind.CHANGED, 1, line, (FieldChange("amount", Decimal(3), Decimal(5)),)),),
        reason=text,
    )


@pytest.fixture(scope="module")
def report(company):
    def build(text="A", **preferences):
        made = RunReport(company_name=text)
        made.failed(failure(text))
        made.failed(failure(text, "00n2", awaited=Awaited("vendors", text)))
        made.note("bills", text, text)
        made.written.append(Written("created", "bills", text, text, "7", Decimal(1), "USD"))
        made.unchanged("vendors", 12345)
        policies = Policies(default_expense_account=text)
        made.preflight = examine(
            company(name=text, plan=text, country=text, **preferences),
            policies,
            chart=None,
            bills=Bills.EXPECTED,
            grant_ends=None,
            now=ending().finished_at,
        )
        return made

    return build


def pages(report, entries, end):
    return Page(plan_page(report, CALLS, end, entries)), Page(run_page(report, CALLS, end))


def test_what_strangers_wrote_is_text_only(report):
    for page in pages(report(NASTY), [update(NASTY)], ending(exit_code=1, problem=NASTY)):
        assert page.elements <= ALLOWED
        assert NASTY in page.words
        assert not any(name.startswith("on") for name, _ in page.attributes)


@settings(max_examples=30)
@given(text=st.text(alphabet=st.sampled_from("<>&\"'/={}%#;()- \nabcscriptmg"), min_size=1, max_size=60))
def test_no_text_makes_an_element_or_an_attribute(report, text):
    plain = pages(report("A"), [update("A")], ending())
    for page, expected in zip(pages(report(text), [update(text)], ending()), plain, strict=True):
        assert page.elements == expected.elements
        assert sorted(name for name, _ in page.attributes) == sorted(name for name, _ in expected.attributes)


def test_nothing_is_loaded_and_nothing_runs(report):
    for page in pages(report(), [update()], ending()):
        names = {name for name, _ in page.attributes}
        assert not names & {"src", "srcset", "style", "action", "data"}
        assert "script" not in page.elements
        links = [value for name, value in page.attributes if name == "href"]
        assert all(value.startswith("#") for value in links)
        assert any("default-src 'none'" in str(value) for _, value in page.attributes)


def test_the_links_of_a_plan_lead_somewhere(report):
    page, _ = pages(report(), [update()], ending())
    ids = {value for name, value in page.attributes if name == "id"}
    assert {value[1:] for name, value in page.attributes if name == "href"} <= ids


def test_a_plan_shows_counts_totals_differences_and_why(report):
    page, _ = pages(report("Acme"), [update("Acme")], ending())
    for words in (
        "1 to update. Nothing has been written.",
        "Acme USD 0 0.00 1 2.00",
        "DisplayName Acme Acme!",
        "amount: 3.00 → 5.00",
        "waits Acme",
        "blocked Acme",
        "12,345",
    ):
        assert words in page.words


def test_a_run_shows_what_was_written_and_what_was_not(report):
    _, page = pages(report("Acme"), [], ending(exit_code=1))
    for words in ("2 records are not in QuickBooks", "Written 1", "Acme created 1.00 USD 7", "failed Acme"):
        assert words in page.words


def test_a_run_that_stopped_at_the_pre_flight_lists_why(report):
    stopped = report("Acme", purchase_orders=False)
    plan, run = pages(stopped, [], ending(exit_code=1, problem=stopped.preflight.problem("the first write")))
    assert "The run stopped at the pre-flight" in run.words
    assert "A run would stop before its first write" in plan.words
    for page in (plan, run):
        assert "error Purchase orders are switched off in Acme" in page.words


def test_a_run_that_could_not_go_on_says_so():
    page = Page(run_page(RunReport(), CALLS, ending(exit_code=1, problem="QuickBooks kept failing.")))
    assert "The run could not go on: QuickBooks kept failing." in page.words


def test_a_run_without_trouble_says_so():
    page = Page(run_page(RunReport(), CALLS, ending()))
    assert "Everything that arrived is in QuickBooks." in page.words
    assert "No vendors or bills arrived." in page.words


def test_long_lists_are_cut_and_counted(report):
    entries = [update(str(number)) for number in range(1005)]
    page, _ = pages(report(), entries, ending())
    assert "and 5 more; all of them are in the JSON report" in page.words
