"""Takes the pictures of the documentation from the real pages: status page, failure, plan, reconciliation.

    python scripts/pictures.py           needs Chromium; CHROMIUM names another one

The company is the simulator's; the pages are those of the installed packages.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from ap_simulator.changes import BillApi, change_records
from ap_simulator.company.identities import DEMO
from ap_simulator.testing import RunningSimulator, running
from playwright.sync_api import Page, sync_playwright
from webhook_shim import settings as shim_settings
from webhook_shim.companies import Books
from webhook_shim.service import Service
from webhook_shim.store.opening import open_for

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
MOST_BYTES = 150_000
_VIEW = {"width": 1100, "height": 760}
_SWITCHES = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync")
_NAMES = ("chromium", "chromium-browser", "google-chrome")


def main() -> int:
    """Take all pictures; 1 if there is no browser or a picture is too large."""
    browser = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if not browser:
        print("No Chromium: make browser, or set CHROMIUM to one.", file=sys.stderr)
        return 1
    PICTURES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as name,
        running("demo") as simulator,
        sync_playwright() as playwright,
    ):
        directory = Path(name)
        started = playwright.chromium.launch(executable_path=browser, args=list(_SWITCHES))
        page = started.new_page(viewport=_VIEW)
        run(simulator, directory)
        with serving(simulator, directory) as url:
            status_pages(page, url)
        run(simulator, directory, mode="reconcile", report_path=str(directory / "reconciliation.html"))
        with BillApi(simulator.bill_url, DEMO) as api:
            change_records(api, 3)
        run(simulator, directory, mode="plan", report_path=str(directory / "plan.html"))
        page.goto((directory / "reconciliation.html").as_uri())
        take(page, "reconciliation")
        page.goto((directory / "plan.html").as_uri())
        page.get_by_role("link", name="To update").click()
        take(page, "plan")
        started.close()
    large = [path.name for path in PICTURES.glob("*.png") if path.stat().st_size > MOST_BYTES]
    if large:
        print(f"Too large: {', '.join(large)}.", file=sys.stderr)
    return 1 if large else 0


def run(simulator: RunningSimulator, directory: Path, **settings: str) -> None:
    """A whole run, tap into target; refused records are part of it."""
    environment = os.environ | simulator.env() | {"HOME": str(directory)}
    environment |= {f"TARGET_QUICKBOOKS_{name.upper()}": value for name, value in settings.items()}
    with subprocess.Popen(
        [sys.executable, "-m", "tap_bill", "--config=ENV"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as tap:
        subprocess.run(
            [sys.executable, "-m", "target_quickbooks", "--config=ENV"],
            env=environment,
            stdin=tap.stdout,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )


@contextlib.contextmanager
def serving(simulator: RunningSimulator, directory: Path) -> Iterator[str]:
    """The status page of the company, which starts no runs."""
    books = Books(
        name="larkfield",
        title="Larkfield Software Services",
        organization_id=DEMO.organization_id,
        realm_id=DEMO.realm_id,
        tap_config=config_of(simulator, "TAP_BILL_"),
        target_config=config_of(simulator, "TARGET_QUICKBOOKS_"),
    )
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    settings = shim_settings.read(
        {
            "MELTANO_PROJECT_ROOT": str(directory),
            "WEBHOOK_SHIM_PUBLIC_URL": url,
            "WEBHOOK_SHIM_RECEIVE_ONLY": "true",
        }
    )
    store = open_for([books])
    service = Service(settings, (books,), store)
    server = uvicorn.Server(uvicorn.Config(service.application(), log_config=None, ws="none"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield url
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()
        service.close()


def config_of(simulator: RunningSimulator, prefix: str) -> dict[str, str]:
    """A plugin's settings."""
    return {
        name.removeprefix(prefix).lower(): value
        for name, value in simulator.env().items()
        if name.startswith(prefix)
    }


def status_pages(page: Page, url: str) -> None:
    """The pages that answer: do the books agree, what was refused, what was done."""
    for name, path in (("status", ""), ("failures", "/failures"), ("history", "/history")):
        page.goto(f"{url}/books/larkfield{path}")
        take(page, name)


def take(page: Page, name: str) -> None:
    """The part of a page that fits a screen."""
    page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")


if __name__ == "__main__":
    sys.exit(main())
