"""The page in a real browser, with the real runner behind it: what a person does and sees, mouse or not.

Screenshots go to the directory that BROWSER_ARTIFACTS names. The browser is Debian's Chromium, or what
CHROMIUM names; without one these tests fail in CI (CI=true) and are skipped elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import socket
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import uvicorn
from ap_simulator.testing import running
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright
from target_quickbooks.store import failure_table
from webhook_shim import settings as shim_settings
from webhook_shim.companies import Books
from webhook_shim.service import Service
from webhook_shim.store import jobs_table
from webhook_shim.store.opening import open_for

pytestmark = pytest.mark.timeout(600)

PASSWORD = "a long enough password"
BASE = "/books/larkfield"
_LATER = {"payments", "recurring_bills", "vendor_credits"}
_SWITCHES = (
    "no-sandbox",
    "disable-gpu",
    "disable-quic",
    "no-first-run",
    "disable-background-networking",
    "disable-component-update",
    "disable-sync",
)
_SECONDS = 60_000
DESKTOP = {"viewport": {"width": 1280, "height": 900}}
DARK = {**DESKTOP, "color_scheme": "dark"}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
PAGES = {
    "overview": BASE,
    "failures": f"{BASE}/failures",
    "failure": f"{BASE}/failures/1",
    "runs": f"{BASE}/runs",
    "drift": f"{BASE}/drift",
    "history": f"{BASE}/history",
    "entry": f"{BASE}/history/300",
    "reconciliation": f"{BASE}/reconciliation",
    "preview": f"{BASE}/preview",
    "connection": f"{BASE}/connection",
    "disconnect": f"{BASE}/connection/disconnect",
    "nothing": "/nothing-here",
}


@pytest.fixture(scope="module")
def browser(chromium):
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium, args=[f"--{switch}" for switch in _SWITCHES]
        )
        yield started
        started.close()


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory):
    named = os.environ.get("BROWSER_ARTIFACTS")
    directory = Path(named) if named else tmp_path_factory.mktemp("browser")
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@dataclass
class Site:
    """A whole server: page, runner, store."""

    url: str
    service: Service
    store: object
    books: Books
    simulator: object

    def failures(self):
        with self.store.reading() as connection:
            return failure_table.unsettled(connection, self.store.cipher, self.books.company)


@pytest.fixture(scope="module")
def company(browser, books_of, tmp_path_factory):
    """The demo company after one run; not made where there is no browser to look at it."""
    assert browser.is_connected()
    with running("demo") as simulator:
        books = books_of(simulator, tmp_path_factory.mktemp("company"))
        # Payments would take a minute more, because of QuickBooks' limit of batches.
        books.write(line for line in books.read() if json.loads(line).get("stream") not in _LATER)
        yield books


@pytest.fixture(scope="module")
def site(company, tmp_path_factory):
    """The server that tests which change nothing share."""
    with serving(company, tmp_path_factory.mktemp("site")) as found:
        yield found


@pytest.fixture(scope="module")
def compared(site):
    """The site, with a comparison of the books that found something."""
    total = {"currency": "USD", "bills": 412, "bill_sum": Decimal("2098721.67"), "orders": 410}
    kept = {
        "in_step": False,
        "differences": 2,
        "refused_on_record": 5,
        "checked": {"vendors": 120, "bills": 417},
        "found": {"missing in QuickBooks": 2},
        "by_currency": [total | {"order_sum": Decimal("2098590.17")}],
    }
    with site.store.writing() as connection:
        for differences, now in ((0, datetime.now(UTC) - timedelta(days=1)), (2, datetime.now(UTC))):
            job_id = jobs_table.ask(connection, site.books.company, "reconcile", "nightly", (), now)
            jobs_table.begin(connection, job_id, host="h", log_path="deleted.log", last_event=0, now=now)
            found = kept | {"differences": differences, "in_step": not differences}
            jobs_table.end(
                connection,
                job_id,
                status=jobs_table.Status.SUCCEEDED,
                detail="",
                exit_code=1,
                counts={"reconciliation": found},
                now=now,
            )
    return site


@pytest.fixture
def own_site(company, tmp_path):
    """A server and a store of the test's own."""
    with serving(company, tmp_path) as found:
        yield found


@contextlib.contextmanager
def serving(company, directory):
    target = company.settings("TARGET_QUICKBOOKS_")
    store_path = directory / "store.sqlite3"
    for ending in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            shutil.copy(target["store_url"].removeprefix("sqlite:///") + ending, f"{store_path}{ending}")
    books = Books(
        name="larkfield",
        title="Larkfield Software Services",
        organization_id="00802DEMOORGANIZTN01",
        realm_id="9341452000000001",
        tap_config=company.settings("TAP_BILL_"),
        target_config={**target, "store_url": f"sqlite:///{store_path}"},
    )
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    settings = shim_settings.read(
        {
            "MELTANO_PROJECT_ROOT": str(directory),
            "WEBHOOK_SHIM_PUBLIC_URL": url,
            "WEBHOOK_SHIM_PASSWORD": PASSWORD,
            "WEBHOOK_SHIM_RECEIVE_ONLY": "true",  # does what is asked for, and nothing by itself
        }
    )
    store = open_for([books])
    service = Service(settings, (books,), store)
    server = uvicorn.Server(uvicorn.Config(service.application(), log_config=None, ws="none"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.01)
    try:
        yield Site(url, service, store, books, company.simulator)
    finally:
        server.should_exit = True
        thread.join(90)
        listener.close()
        service.close()


class Person:
    """Somebody at a browser."""

    def __init__(self, browser, site, **options):
        self.context = browser.new_context(base_url=site.url, **options)
        self.context.set_default_timeout(_SECONDS)
        self.page = self.context.new_page()
        self.complaints = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message):
        """Every error on the console but that of a page that is meant not to be there."""
        if message.type in {"error", "warning"} and "404" not in message.text and "403" not in message.text:
            self.complaints.append(message.text)

    def sign_in(self):
        self.page.goto("/sign-in")
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url("**/books/larkfield")

    def shows(self, text):
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=_SECONDS)


@pytest.fixture
def person_at(browser):
    """Makes people; each must not have met an error of a script or of the page's policy."""
    made = []

    def new(site, *, signed_in=True, **options):
        person = Person(browser, site, **(options or DESKTOP))
        made.append(person)
        if signed_in:
            person.sign_in()
        return person

    yield new
    complaints = [complaint for person in made for complaint in person.complaints]
    for person in made:
        person.context.close()
    assert not complaints


def serious(page):
    """What axe finds that keeps people out, as lines."""
    found = Axe().run(page).response["violations"]
    return [
        f"{violation['id']} ({violation['impact']}): {violation['nodes'][0]['html'][:200]}"
        for violation in found
        if violation["impact"] in {"serious", "critical"}
    ]


def test_signing_in(site, person_at, artifacts):
    """A wrong password is refused in words, the right one opens the books, signing out closes them."""
    person = person_at(site, signed_in=False)
    page = person.page
    page.goto(f"{BASE}/failures")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.screenshot(path=artifacts / "sign-in.png")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    person.shows("That is not the password.")
    assert serious(page) == []
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Failures")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    person.shows("You are signed out.")
    page.goto(BASE)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_overview_answers_at_a_glance(site, person_at, artifacts):
    """Whether the books agree, how much is missing, and the button to try again."""
    person = person_at(site)
    number = len(site.failures())
    person.shows("Not in step")
    person.shows(f"{number} records in BILL could not be written.")
    expect(person.page.get_by_role("button", name="Try again")).to_be_visible()
    expect(person.page.get_by_role("img", name=re.compile("Records written and refused"))).to_be_visible()
    person.page.screenshot(path=artifacts / "overview.png", full_page=True)


def test_failures_are_tried_again_until_they_are_gone(own_site, person_at, artifacts):
    """The account is made active in QuickBooks; one button later its bills are there."""
    before = own_site.failures()
    ours = [failure for failure in before if failure.code == "account-inactive"]
    assert ours
    assert len(ours) < len(before)
    number = ours[0].reason.partition("'")[2].split()[0]
    control = own_site.simulator.control
    accounts = control.records("quickbooks", "Account", realm=own_site.books.realm_id)
    account = next(record for record in accounts if record.get("AcctNum") == number)
    control.set_active("Account", account["Id"], active=True)
    person = person_at(own_site)
    page = person.page
    page.goto(f"{BASE}/failures")
    page.screenshot(path=artifacts / "failures.png", full_page=True)
    page.get_by_label("Reason").select_option("account-inactive")
    page.get_by_role("button", name="Filter").click()
    page.get_by_label("Choose all on this page").check()
    page.get_by_role("button", name="Try the chosen ones again").click()
    person.shows(f"Trying {len(ours)} records again.")
    page.screenshot(path=artifacts / "run-under-way.png")
    person.shows("All records went through.")
    page.screenshot(path=artifacts / "run.png", full_page=True)
    assert {failure.id for failure in own_site.failures()} == {
        failure.id for failure in before if failure not in ours
    }
    page.goto(BASE)
    person.shows(f"{len(before) - len(ours)} records in BILL could not be written.")


def test_a_failure_is_looked_at_and_dismissed(own_site, person_at, artifacts):
    """Why, what to do, the record itself; and letting it go with a reason that is kept."""
    failure = own_site.failures()[0]
    person = person_at(own_site)
    page = person.page
    page.goto(f"{BASE}/failures/{failure.id}")
    person.shows(failure.reason)
    person.shows(failure.advice)
    page.get_by_text("The record as BILL sent it").click()
    person.shows(failure.bill_id)
    page.screenshot(path=artifacts / "failure.png", full_page=True)
    page.get_by_role("textbox", name="Why").fill("entered by hand")
    page.get_by_role("button", name="Dismiss").click()
    person.shows("Dismissed 1 record.")
    page.goto(f"{BASE}/history?outcome=dismissed")
    person.shows("entered by hand")


def test_quickbooks_is_connected(own_site, person_at, artifacts):
    """To the consent page and back; the browser itself keeps the page's policy."""
    person = person_at(own_site)
    page = person.page
    page.goto(f"{BASE}/connection")
    page.screenshot(path=artifacts / "connection.png")
    page.get_by_role("button", name="Reconnect QuickBooks").click()
    expect(page.get_by_text("This is a simulated QuickBooks")).to_be_visible()
    page.get_by_label("Larkfield Software Services").check()
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_role("heading", name="Is this the company?")).to_be_visible()
    person.shows("Larkfield Software Services")
    assert serious(page) == []
    page.screenshot(path=artifacts / "connect-confirm.png")
    page.get_by_role("button", name="Yes, save this connection").click()
    person.shows("Connected to Larkfield Software Services.")
    person.shows("QuickBooks answers as Larkfield Software Services.")


def test_the_history_is_filtered_and_exported(site, person_at, artifacts):
    """Only rows of the record that was asked for, on the page and in the file."""
    person = person_at(site)
    page = person.page
    page.goto(f"{BASE}/history?outcome=applied")
    record = page.locator("tbody tr td .sub").first.inner_text().split()[0]
    page.get_by_label("Record id").fill(record)
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url(f"**record={record}**")
    rows = page.locator("tbody tr")
    assert rows.count() > 0
    assert all(record in row for row in rows.all_inner_texts())
    page.screenshot(path=artifacts / "history.png")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert len(lines) == rows.count() + 1


@pytest.mark.parametrize(("look", "options"), [("light", DESKTOP), ("dark", DARK), ("phone", PHONE)])
def test_every_page_is_accessible_and_fits(compared, person_at, artifacts, look, options):
    """No serious finding of axe, nothing wider than the screen: light, dark, and on a phone."""
    person = person_at(compared, **options)
    page = person.page
    found = {}
    for name, path in PAGES.items():
        page.goto(path)
        page.screenshot(path=artifacts / f"{name}-{look}.png", full_page=name != "history")
        wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        found[name] = [*serious(page), *([f"{wider} pixels too wide"] if wider > 0 else [])]
    assert {name: findings for name, findings in found.items() if findings} == {}


def test_the_colours_follow_the_system(site, person_at):
    def background(person):
        return person.page.evaluate("getComputedStyle(document.body).backgroundColor")

    light, dark = (
        [int(part) for part in re.findall(r"\d+", background(person_at(site, **options)))]
        for options in (DESKTOP, DARK)
    )
    assert min(light) > 200
    assert max(dark) < 60


def test_rows_become_cards_on_a_phone(site, person_at):
    """Labels stand above the values, the head row is for screen readers only."""
    page = person_at(site, **PHONE).page
    page.goto(f"{BASE}/failures")
    cell = page.locator("tbody td[data-label=Since]").first
    assert cell.evaluate("cell => getComputedStyle(cell, '::before').content") == '"Since"'
    assert page.locator("thead").evaluate("head => head.getBoundingClientRect().width") <= 1


def test_everything_can_be_done_with_the_keyboard(own_site, person_at):
    """Sign in, skip to the content, choose a record and try it again, without a mouse; focus can be seen."""
    person = person_at(own_site, signed_in=False)
    page = person.page
    page.goto("/sign-in")
    page.keyboard.type(PASSWORD)  # the field has the focus
    page.keyboard.press("Enter")
    page.wait_for_url("**/books/larkfield")
    page.goto(f"{BASE}/failures")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the content"
    page.keyboard.press("Enter")
    focus_on(page, "input[name=number]")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert float(outline.removesuffix("px")) >= 2
    page.keyboard.press("Space")
    focus_on(page, "button:not([formaction])", within="Try the chosen ones again")
    page.keyboard.press("Enter")
    person.shows("Trying 1 record again.")


def focus_on(page, selector, within=""):
    """Press Tab until something is reached."""
    script = """([selector, text]) => document.activeElement.matches(selector)
        && document.activeElement.textContent.includes(text)"""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate(script, [selector, within]):
            return
    pytest.fail(f"{selector} cannot be reached with the keyboard")


def test_without_scripts_everything_works_too(own_site, person_at):
    """Signing in, trying again and following the run need no JavaScript."""
    person = person_at(own_site, java_script_enabled=False, **DESKTOP)
    page = person.page
    page.get_by_role("button", name="Try again").click()
    person.shows("records again.")
    page.wait_for_url("**?refresh=1")
    person.shows("Exit code")
