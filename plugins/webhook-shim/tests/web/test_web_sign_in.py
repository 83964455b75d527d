"""Who is let in: password, sessions, form tokens, hosts, headers."""

from __future__ import annotations

import datetime as dt

import pytest

PASSWORD = "correct horse battery"
NOW = dt.datetime(2026, 3, 2, 9, 30, tzinfo=dt.UTC)


class Clock:
    def __init__(self):
        self.time = NOW

    def __call__(self):
        return self.time

    def advance(self, **by):
        self.time += dt.timedelta(**by)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def locked(serve_pages, empty_books, clock):
    """A page with a password."""
    return serve_pages(empty_books(), now=clock, password=PASSWORD)


def is_in(visitor):
    return visitor.open("/books/empty", allow_redirects=False).status_code == 200


def test_pages_lead_to_the_sign_in_and_back(locked):
    """Somebody without a session is sent to sign in, and then to the page they wanted."""
    visitor = locked.visitor()
    page = visitor.open("/books/empty/history?record=x")
    assert page.url.endswith("/sign-in?next=/books/empty/history")
    visitor.submit("/sign-in", password=PASSWORD, next="/books/empty/history")
    assert visitor.page.url.endswith("/books/empty/history")
    assert "History" in visitor.text


def test_no_page_or_form_works_without_a_session(locked):
    """What changes something is refused as well as what shows something."""
    visitor = locked.visitor()
    for path in ("/", "/books/empty", "/books/empty/failures", "/connect/callback", "/connect/confirm", "/x"):
        answer = visitor.open(path, allow_redirects=False)
        assert (answer.status_code, answer.headers["location"][:8]) == (303, "/sign-in")
    visitor.open("/sign-in")
    visitor.submit("/books/empty/runs", follow=False)
    assert visitor.page.headers["location"].startswith("/sign-in")
    assert visitor.open("/books/empty/runs/x/progress").status_code == 401
    assert locked.jobs() == []


def test_a_wrong_password_is_refused_without_a_hint(locked):
    visitor = locked.visitor()
    visitor.sign_in(PASSWORD[:-1])
    assert visitor.page.status_code == 403
    assert "That is not the password." in visitor.text
    assert not is_in(visitor)


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(locked):
    visitor = locked.visitor()
    visitor.open("/sign-in")
    visitor.submit("/sign-in", follow=False, password=PASSWORD, next="/")
    cookie = visitor.page.headers["set-cookie"]
    assert cookie.startswith("books=")
    assert {"httponly", "samesite=lax", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
    assert "secure" not in cookie.lower()
    assert PASSWORD not in cookie


def test_behind_https_the_cookie_is_for_https_and_this_host_only(serve_pages, empty_books):
    server = serve_pages(empty_books(), password=PASSWORD, public_url="https://books.example.com")
    answer = server.visitor().open("/sign-in")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-books=")
    assert "; secure" in cookie.lower()
    assert "domain" not in cookie.lower()
    assert answer.headers["strict-transport-security"]


def test_signing_in_makes_a_new_session(locked):
    """A cookie that somebody planted before is not the one that is signed in."""
    visitor = locked.visitor()
    visitor.open("/sign-in")
    planted = visitor.http.cookies["books"]
    visitor.submit("/sign-in", password=PASSWORD, next="/")
    other = locked.visitor()
    other.http.cookies.set("books", planted)
    assert is_in(visitor)
    assert not is_in(other)


def test_signing_out_makes_the_cookie_worthless(locked):
    visitor = locked.visitor()
    visitor.sign_in(PASSWORD)
    kept = visitor.http.cookies["books"]
    visitor.submit("/sign-out")
    assert "You are signed out." in visitor.text
    thief = locked.visitor()
    thief.http.cookies.set("books", kept)
    assert not is_in(visitor)
    assert not is_in(thief)


def test_an_idle_session_ends(locked, clock):
    visitor = locked.visitor()
    visitor.sign_in(PASSWORD)
    clock.advance(minutes=29)
    assert is_in(visitor)
    clock.advance(minutes=29)
    assert is_in(visitor)
    clock.advance(minutes=31)
    assert not is_in(visitor)


def test_a_session_ends_even_if_it_is_used(locked, clock):
    visitor = locked.visitor()
    visitor.sign_in(PASSWORD)
    for _ in range(47):
        clock.advance(minutes=15)
        assert is_in(visitor)
    clock.advance(minutes=16)
    assert not is_in(visitor)


def test_a_page_that_follows_a_run_does_not_keep_the_session_alive(locked, clock):
    visitor = locked.visitor()
    visitor.sign_in(PASSWORD)
    for _ in range(4):
        clock.advance(minutes=8)
        visitor.open("/books/empty?refresh=1")
    assert not is_in(visitor)


def test_a_new_password_ends_all_sessions(serve_pages, empty_books, locked):
    visitor = locked.visitor()
    visitor.sign_in(PASSWORD)
    changed = serve_pages(empty_books(), password="another one")
    other = changed.visitor()
    other.http.cookies.set("books", visitor.http.cookies["books"])
    assert not is_in(other)


@pytest.mark.parametrize("cookie", ["", "x", "gAAAAA" + "x" * 80, "\xff"])
def test_a_made_up_cookie_is_no_session(locked, cookie):
    answer = locked.visitor().open(
        "/books/empty", allow_redirects=False, headers={"cookie": f"books={cookie}".encode("latin-1")}
    )
    assert answer.status_code == 303


def test_guessing_is_stopped_for_longer_each_time(locked, clock):
    """After five wrong passwords even the right one has to wait; one more wrong one doubles the wait."""
    visitor = locked.visitor()
    for _ in range(5):
        visitor.sign_in("guess")
    visitor.sign_in(PASSWORD)
    assert visitor.page.status_code == 429
    assert visitor.page.headers["retry-after"] == "30"
    clock.advance(seconds=31)
    visitor.sign_in("guess")
    assert visitor.page.status_code == 403
    visitor.sign_in(PASSWORD)
    assert visitor.page.headers["retry-after"] == "60"
    clock.advance(seconds=61)
    visitor.sign_in(PASSWORD)
    assert is_in(visitor)


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example/", "/\\evil.example", "\\\\evil", "/\x0b/x", "x"]
)
def test_signing_in_leads_nowhere_else(locked, target):
    visitor = locked.visitor()
    visitor.open("/sign-in")
    visitor.submit("/sign-in", follow=False, password=PASSWORD, next=target)
    assert visitor.page.headers["location"] == "/"


def test_a_form_needs_the_token_of_its_own_session(serve_pages, empty_books):
    server = serve_pages(empty_books())
    visitor, other = server.visitor(), server.visitor()
    visitor.open("/books/empty")
    other.open("/books/empty")
    for token in ("", "x", other.csrf()):
        visitor.submit("/books/empty/runs", csrf=token)
        assert visitor.page.status_code == 403
        assert "This form is out of date" in visitor.text
    assert server.jobs() == []


def test_a_form_of_another_site_is_refused_even_with_a_token(serve_pages, empty_books):
    server = serve_pages(empty_books())
    visitor = server.visitor()
    visitor.open("/books/empty")
    visitor.submit("/books/empty/runs", headers={"sec-fetch-site": "cross-site"})
    assert visitor.page.status_code == 403
    assert server.jobs() == []


def test_a_form_without_a_cookie_is_refused(serve_pages, empty_books):
    server = serve_pages(empty_books())
    visitor = server.visitor()
    visitor.open("/books/empty")
    token = visitor.csrf()
    visitor.http.cookies.clear()
    visitor.submit("/books/empty/runs", csrf=token)
    assert visitor.page.status_code == 403


def test_a_form_that_is_too_large_is_refused(serve_pages, empty_books):
    server = serve_pages(empty_books())
    visitor = server.visitor()
    visitor.open("/books/empty")
    visitor.submit("/books/empty/runs", padding="x" * 600_000)
    assert visitor.page.status_code == 413
    visitor = server.visitor()
    visitor.open("/books/empty")
    visitor.submit("/books/empty/runs", number=["1"] * 6000)
    assert visitor.page.status_code == 400


@pytest.mark.parametrize(
    "header",
    [
        {"host": "evil.example"},
        {"host": "evil.example:8096"},
        {"host": "127.0.0.1.evil.example"},
        {"x-forwarded-for": "203.0.113.9"},
        {"forwarded": "for=203.0.113.9"},
        {"x-forwarded-host": "books.example.com"},
    ],
)
def test_an_open_page_answers_this_machine_only(serve_pages, empty_books, header):
    """Neither a website that rebinds its name nor a tunnel gets at a page without a password."""
    visitor = serve_pages(empty_books()).visitor()
    assert visitor.open("/books/empty", headers=header).status_code == 403
    assert "Open on this machine only" in visitor.text
    assert visitor.open("/metrics", headers=header).status_code == 401


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "[::1]:80", "127.0.0.1"])
def test_an_open_page_answers_every_name_of_this_machine(serve_pages, empty_books, host):
    assert (
        serve_pages(empty_books()).visitor().open("/books/empty", headers={"host": host}).status_code == 200
    )


def test_with_a_password_any_host_is_answered(locked):
    visitor = locked.visitor()
    assert visitor.open("/sign-in", headers={"host": "books.example.com"}).status_code == 200


def test_every_answer_carries_the_security_headers(locked):
    """Pages, redirects, refusals, files and metrics alike."""
    visitor = locked.visitor()
    for path in (
        "/",
        "/sign-in",
        "/books/empty",
        "/static/books.css?v=1",
        "/static/nothing",
        "/metrics",
        "/x",
    ):
        answer = visitor.open(path, allow_redirects=False)
        policy = answer.headers["content-security-policy"].split("; ")
        assert {"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} <= set(policy)
        assert "form-action 'self'" in policy
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        kept = path.startswith("/static/books")
        assert ("no-store" in answer.headers["cache-control"]) is not kept


def test_no_page_needs_what_the_policy_forbids(demo, serve_pages, tmp_path):
    """No inline script, style or handler, and nothing from elsewhere."""
    visitor = serve_pages(demo.books(tmp_path)).visitor()
    base = "/books/larkfield"
    for path in ("", "/failures", "/failures/1", "/runs", "/drift", "/history", "/preview", "/connection"):
        page = visitor.open(base + path).text
        for forbidden in (
            "<style",
            " style=",
            "<script>",
            " onclick=",
            "javascript:",
            'http-equiv="set-cookie',
        ):
            assert forbidden not in page
        assert page.count("<script ") == 1
