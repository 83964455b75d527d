"""Signing in with the one password, and out again."""

from __future__ import annotations

import hashlib
import hmac
import logging
import math

from starlette.responses import Response

from webhook_shim.web.visits import Visit, local_path

logger = logging.getLogger("webhook-shim")


def ask_password(visit: Visit) -> Response:
    """The form."""
    wanted = local_path(visit.query("next"))
    if visit.site.is_open or visit.session.signed_in:
        return visit.send_to(wanted)
    return visit.show("sign_in.html", wanted=wanted, problem="")


def check_password(visit: Visit) -> Response:
    """Begin a new session, or tell that the password was not right, and nothing more."""
    wanted = local_path(visit.field("next"))
    if visit.site.is_open:
        return visit.send_to(wanted)
    address = visit.request.client.host if visit.request.client else ""
    attempts, password = visit.site.attempts, visit.context.settings.password
    wait = attempts.take(address)
    if wait.total_seconds() > 0:
        response = visit.show("sign_in.html", status=429, wanted=wanted, problem="wait")
        response.headers["retry-after"] = str(math.ceil(wait.total_seconds()))
        return response
    given = next((value for key, value in visit.form if key == "password"), "")
    if not is_password(given, password):
        logger.warning("Wrong password for the page from %s.", address)
        return visit.show("sign_in.html", status=403, wanted=wanted, problem="wrong")
    attempts.succeeded(address)
    visit.session = visit.site.sessions.begin(signed_in=True)
    return visit.send_to(wanted)


def sign_out(visit: Visit) -> Response:
    """End the session."""
    visit.site.sessions.end(visit.session)
    visit.session = visit.site.sessions.begin()
    return visit.send_to("/sign-in", tone="good", notice="You are signed out.")


def is_password(given: str, password: str) -> bool:
    """Whether a password is the page's, in a time that does not depend on it."""
    digests = (hashlib.sha256(text.encode()).digest() for text in (given, password))
    return bool(password) and hmac.compare_digest(*digests)
