"""Connecting QuickBooks: to Intuit and back, with the company's name before anything is saved."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.responses import Response
from target_quickbooks.errors import TargetError
from target_quickbooks.quickbooks import authorization
from target_quickbooks.quickbooks.client import QuickBooksClient
from target_quickbooks.quickbooks.directory import Directory
from target_quickbooks.quickbooks.governor import Governor
from target_quickbooks.quickbooks.oauth import TokenSource
from target_quickbooks.settings import Settings, from_config
from target_quickbooks.store import connection_table
from target_quickbooks.store.quota_table import StoredLedger

from webhook_shim.companies import Books
from webhook_shim.web import connections
from webhook_shim.web.pending import Answered, Asked
from webhook_shim.web.visits import Visit

CALLBACK = "/connect/callback"
CONFIRM = "/connect/confirm"
_TEST_SECONDS = 30


def show_connection(visit: Visit) -> Response:
    """How the connections are, and what can be done about them."""
    books, now = visit.books, visit.now
    with visit.context.store.reading() as connection:
        held = connections.grant(connection, books)
        subscribed = connections.subscription(connection, books.organization_id)
    # Browsers hold a form's redirect to Intuit against the form's own page.
    visit.form_target = _request(visit, books).url
    return visit.show(
        "connection.html",
        tab="connection",
        held=held,
        alive=held is not None and held.is_alive(now),
        health=connections.health(books, held, subscribed, now),
        redirect_uri=_redirect_uri(visit),
        elsewhere=_elsewhere(visit),
    )


def start(visit: Visit) -> Response:
    """Send the person to Intuit."""
    books = visit.books
    request = _request(visit, books)
    visit.form_target = request.url
    visit.site.pending.put(visit.session.id, Asked(books.name, request))
    return visit.send_to(request.url)


def callback(visit: Visit) -> Response:
    """Take Intuit's answer, once, and get the company's name."""
    asked = visit.site.pending.take_asked(visit.session.id)
    if asked is None:
        return visit.send_to(
            "/",
            tone="bad",
            notice="An answer of Intuit came that nobody waits for. Nothing was saved; start again here.",
        )
    books = _books(visit, asked.company)
    back = f"/books/{books.name}/connection"
    settings = _settings(books)
    try:
        answer = authorization.read_callback(visit.request.url.query, asked.request)
        if answer.realm_id != books.realm_id:
            return visit.send_to(
                back,
                tone="bad",
                notice=f"You chose the company with id {answer.realm_id}, but these books belong to "
                f"{books.realm_id}. Nothing was saved; start again and choose that one.",
            )
        granted = authorization.exchange(settings, answer, asked.request)
        name = authorization.read_company_name(visit.context.store, settings, granted)
    except TargetError as error:
        return visit.send_to(back, tone="bad", notice=str(error))
    visit.site.pending.put(visit.session.id, Answered(books.name, name, granted))
    return visit.send_to(CONFIRM)


def ask_confirmation(visit: Visit) -> Response:
    """Show which company was chosen."""
    answered = visit.site.pending.answered(visit.session.id)
    if answered is None:
        return visit.send_to("/", tone="bad", notice="Nothing waits to be confirmed. Start again.")
    return visit.show("confirm.html", books=_books(visit, answered.company), answered=answered)


def confirm(visit: Visit) -> Response:
    """Save the connection and try it; or forget it."""
    answered = visit.site.pending.answered(visit.session.id)
    if answered is None:
        return visit.send_to("/", tone="bad", notice="Nothing waits to be confirmed. Start again.")
    books = _books(visit, answered.company)
    back = f"/books/{books.name}/connection"
    if visit.field("decision") != "save":
        visit.site.pending.drop(visit.session.id)
        return visit.send_to(back, tone="info", notice="Nothing was saved.")
    settings, store = _settings(books), visit.context.store
    try:
        authorization.save(store, settings, replace(answered.connection, company_name=answered.name))
    except TargetError as error:
        return visit.send_to(CONFIRM, tone="bad", notice=str(error))
    visit.site.pending.drop(visit.session.id)
    visit.context.wake()
    return _tried(visit, books, done=f"Connected to {answered.name}.")


def test(visit: Visit) -> Response:
    """Try the connection."""
    return _tried(visit, visit.books, done="The connection works.")


def ask_disconnect(visit: Visit) -> Response:
    """Make sure."""
    with visit.context.store.reading() as connection:
        held = connections.grant(connection, visit.books)
    if held is None:
        return visit.send_to(visit.path("/connection"), tone="info", notice="There is no connection to end.")
    return visit.show("disconnect.html", tab="connection", held=held)


def disconnect(visit: Visit) -> Response:
    """End the connection at Intuit."""
    settings, store = _settings(visit.books), visit.context.store
    back = visit.path("/connection")
    with store.reading() as connection:
        held = connection_table.load(connection, store.cipher, settings.realm_id, settings.client_id)
    if held is None:
        return visit.send_to(back, tone="info", notice="There is no connection to end.")
    try:
        alive = authorization.revoke(store, settings, held)
    except TargetError as error:
        return visit.send_to(back, tone="bad", notice=str(error))
    notice = "The connection is ended." if alive else "The connection had ended before; it is marked so now."
    return visit.send_to(back, tone="good", notice=notice)


def _tried(visit: Visit, books: Books, *, done: str) -> Response:
    back = f"/books/{books.name}/connection"
    settings, store = _settings(books), visit.context.store
    client = QuickBooksClient(
        api_url=settings.api_url,
        realm_id=settings.realm_id,
        tokens=TokenSource(settings, store),
        governor=Governor(StoredLedger(store, settings.realm_id)),
        user_agent=settings.user_agent,
        max_retry_seconds=settings.max_retry_seconds,
    )
    try:
        name = Directory(client).company().name
    except TargetError as error:
        return visit.send_to(back, tone="bad", notice=str(error))
    with store.writing() as connection:
        connection_table.name_company(connection, settings.realm_id, name)
    return visit.send_to(back, tone="good", notice=f"{done} QuickBooks answers as {name}.")


def _request(visit: Visit, books: Books) -> authorization.AuthorizationRequest:
    return authorization.authorization_request(_settings(books), redirect_uri=_redirect_uri(visit))


def _redirect_uri(visit: Visit) -> str:
    return f"{visit.context.settings.public_url}{CALLBACK}"


def _elsewhere(visit: Visit) -> str:
    """Where the page must be opened to connect, if not here: the answer goes to the public address only."""
    public = visit.context.settings.public_url
    here = visit.request.headers.get("host", "").lower()
    return "" if urlsplit(public).netloc.lower() == here else f"{public}{visit.path('/connection')}"


def _settings(books: Books) -> Settings:
    """The target's settings, with patience for a person who waits."""
    settings = from_config(books.target_config, default_store_url="")
    return replace(settings, max_retry_seconds=min(settings.max_retry_seconds, _TEST_SECONDS))


def _books(visit: Visit, name: str) -> Books:
    found = next((books for books in visit.context.companies if books.name == name), None)
    if found is None:
        raise HTTPException(404)
    return found
