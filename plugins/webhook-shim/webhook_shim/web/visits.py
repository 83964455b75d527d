"""What stands before every page: host, session, sign-in, form token; and what turns trouble into a page.

A page is a plain function from a ``Visit`` to a response; it runs in a thread, because the store blocks.
"""

from __future__ import annotations

import datetime as dt
import hmac
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from target_quickbooks.errors import TargetError
from target_quickbooks.links import Company
from target_quickbooks.store import drift_table, failure_table
from target_quickbooks.store.drift_table import Kind as DriftKind
from target_quickbooks.store.failure_table import UNSETTLED

from webhook_shim.companies import Books
from webhook_shim.context import Context
from webhook_shim.store.jobs_table import Kind
from webhook_shim.web import headers, hosts
from webhook_shim.web.attempts import Attempts
from webhook_shim.web.figures import Figures
from webhook_shim.web.pending import PendingConnections
from webhook_shim.web.rendering import Renderer
from webhook_shim.web.sessions import Session, Sessions

_LONGEST_FORM = 512 * 1024
#: What is too long is read up to here, so that the browser gets to see the answer.
_LONGEST_DRAINED = 8 * 1024 * 1024
_MOST_FIELDS = 5000
_LONGEST_PARAMETER = 200

logger = logging.getLogger("webhook-shim")


#: Asks for work within a write transaction; the answer is the job's id (see ``jobs_table.ask``).
Ask = Callable[[Connection, Company, str, str, Sequence[int], dt.datetime], str]


@dataclass(frozen=True, slots=True)
class Site:
    """What all pages share."""

    context: Context
    ask: Ask
    sessions: Sessions
    attempts: Attempts
    pages: Renderer
    figures: Figures
    pending: PendingConnections

    @property
    def is_open(self) -> bool:
        """Whether there is no password."""
        return not self.context.settings.password

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach the page by https."""
        return self.context.settings.public_url.startswith("https:")


@dataclass(slots=True)
class Visit:
    """One request of one browser.

    Attributes:
        session: As it will be written back.
        form: Fields of a posted form, in order.
        form_target: Where else forms of the answer may lead.
        passive: Whether a program asks, not a person: does not keep the session alive.
        brings_style: Whether the answer is a report that brings its own style, and needs nothing else.
    """

    site: Site
    request: Request
    session: Session
    form: Sequence[tuple[str, str]] = ()
    form_target: str = ""
    passive: bool = False
    brings_style: bool = False

    @property
    def context(self) -> Context:
        """The server's parts."""
        return self.site.context

    @property
    def now(self) -> dt.datetime:
        """The current time, aware."""
        return self.site.context.now()

    @property
    def books(self) -> Books:
        """The company that the address names.

        Raises:
            HTTPException: There is none of this name.
        """
        name = str(self.request.path_params.get("company", ""))
        found = next((books for books in self.context.companies if books.name == name), None)
        if found is None:
            raise HTTPException(404)
        return found

    def field(self, name: str) -> str:
        """A form field, trimmed; empty if it was not sent."""
        return next((_text(value) for key, value in self.form if key == name), "")

    def fields(self, name: str) -> list[str]:
        """All values of a form field."""
        return [value for key, value in self.form if key == name]

    def query(self, name: str) -> str:
        """A parameter of the address, trimmed."""
        return _text(self.request.query_params.get(name, ""))[:_LONGEST_PARAMETER]

    def path(self, rest: str = "") -> str:
        """An address below the company's own."""
        return f"/books/{self.books.name}{rest}"

    def show(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """A page; shows and forgets the session's notices."""
        if "tab" in values:
            values["waiting"] = self._waiting()
        notices, self.session = self.session.notices, replace(self.session, notices=())
        return self.site.pages.response(template, self, status=status, notices=notices, **values)

    def _waiting(self) -> dict[str, int]:
        """What the company's tabs count."""
        company = self.books.company
        with self.context.store.reading() as connection:
            failures = failure_table.counts(connection, company)
            drift = drift_table.counts(connection, company)
        return {
            "failures": sum(failures.get(str(status), 0) for status in UNSETTLED),
            "drift": sum(number for kind, number in drift.items() if kind is not DriftKind.ORPHAN),
        }

    def send_to(self, path: str, *, tone: str = "", notice: str = "") -> Response:
        """Lead to another page, with a sentence to show there."""
        if notice:
            self.session = self.session.with_notice(tone, notice)
        return RedirectResponse(path, status_code=303)

    def ask(self, kind: Kind, arguments: Sequence[int] = ()) -> str:
        """Ask for a job of this company, in the name of a person."""
        with self.context.store.writing() as connection:
            job_id = self.site.ask(connection, self.books.company, str(kind), "person", arguments, self.now)
        self.context.wake()
        return job_id


Act = Callable[[Visit], Response]
Endpoint = Callable[[Request], Awaitable[Response]]


def page(site: Site, act: Act, *, public: bool = False, passive: bool = False) -> Endpoint:
    """The endpoint of a page.

    Args:
        site: What all pages share.
        act: The page.
        public: Whether it is shown without signing in.
        passive: Whether programs ask for it, not people.
    """

    async def endpoint(request: Request) -> Response:
        held = site.sessions.read(request.cookies.get(site.sessions.cookie))
        unattended = passive or "refresh" in request.query_params
        visit = Visit(site, request, held or site.sessions.begin(), passive=unattended)
        try:
            refusal = _refusal(visit, public=public)
            if refusal is None and request.method == "POST":
                visit.form = await _form(request)
                refusal = _forged(visit, held)
            response = await run_in_threadpool(_acted, act, visit) if refusal is None else refusal
        except HTTPException as error:
            response = await run_in_threadpool(_problem, visit, error.status_code, "")
        except ClientDisconnect:
            return Response(status_code=400)
        headers.add(
            response.headers,
            form_target=visit.form_target,
            secure=site.is_secure,
            brings_style=visit.brings_style,
        )
        if not visit.passive:
            site.sessions.write(response, visit.session, held)
        return response

    return endpoint


def _text(value: str) -> str:
    """Trimmed, without what no database takes."""
    return value.replace("\x00", "").strip()


def _refusal(visit: Visit, *, public: bool) -> Response | None:
    """Why the page is not shown, if so."""
    site, request = visit.site, visit.request
    if site.is_open:
        return None if hosts.is_local(request) else _problem(visit, 403, "open")
    if public or visit.session.signed_in:
        return None
    if visit.passive and "refresh" not in request.query_params:
        return Response("Sign in first.", status_code=401)
    wanted = request.url.path if request.method == "GET" else "/"
    return visit.send_to(f"/sign-in?next={quote(wanted)}" if wanted != "/" else "/sign-in")


async def _form(request: Request) -> list[tuple[str, str]]:
    body, length = bytearray(), 0
    async for chunk in request.stream():
        length += len(chunk)
        if length > _LONGEST_DRAINED:
            break
        if length <= _LONGEST_FORM:
            body += chunk
    if length > _LONGEST_FORM:
        raise HTTPException(413)
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise HTTPException(400) from None


def _forged(visit: Visit, held: Session | None) -> Response | None:
    """The answer to a form that this session's pages did not contain."""
    token = next((value for key, value in visit.form if key == "csrf"), "")
    ours = visit.session.csrf if held else ""
    genuine = bool(ours) and hmac.compare_digest(token.encode(), ours.encode())
    site = visit.request.headers.get("sec-fetch-site", "same-origin")
    if genuine and site in {"same-origin", "none"}:
        return None
    return _problem(visit, 403, "form")


def _acted(act: Act, visit: Visit) -> Response:
    try:
        return act(visit)
    except TargetError as error:
        logger.warning("The page %s could not be shown: %s", visit.request.url.path, error)
        return _problem(visit, 503, "")
    except HTTPException:
        raise
    except Exception:
        logger.exception("The page %s is broken", visit.request.url.path)
        return _problem(visit, 500, "")


def _problem(visit: Visit, status: int, reason: str) -> Response:
    response = visit.show("problem.html", status=status, reason=reason, problem=status)
    if status == 413:  # noqa: PLR2004
        response.headers["connection"] = "close"
    return response


def local_path(path: str) -> str:
    """The path if it leads to this server, else the start page."""
    parts = urlsplit(path)
    own = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.netloc
    return path if own and path.isprintable() and "\\" not in path else "/"
