"""The two pages a person sees: the consent form and the refusal of a broken request.

Plain HTML forms: they work without JavaScript, with a keyboard and with a screen reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from ap_simulator.oauth.consent import ConsentRequest, ShownError
from ap_simulator.oauth.errors import trace_headers

#: What each scope lets an app do, in the words of the consent page.
_SCOPE_TEXTS: Final = {
    "com.intuit.quickbooks.accounting": "Read and change the company's accounting data",
    "com.intuit.quickbooks.payment": "Take payments",
    "openid": "Know who you are",
    "profile": "Read your name",
    "email": "Read your e-mail address",
    "phone": "Read your phone number",
    "address": "Read your postal address",
}

_SECURITY_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_templates = Environment(
    loader=PackageLoader("ap_simulator.oauth"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A company that a person can connect."""

    realm_id: str
    name: str


def consent_page(
    request: ConsentRequest, companies: Sequence[Company], *, unchosen: bool = False
) -> HTMLResponse:
    """The form where a person picks a company and connects or cancels.

    Args:
        request: What is asked.
        companies: Those to choose from.
        unchosen: Whether the form comes back because no company was picked.
    """
    text = _templates.get_template("consent.html").render(
        client=request.client,
        redirect_uri=request.redirect_uri,
        scope=" ".join(request.scopes),
        state=request.state,
        rights=[_SCOPE_TEXTS[scope] for scope in request.scopes],
        companies=companies,
        unchosen=unchosen,
    )
    status = HTTPStatus.BAD_REQUEST if unchosen else HTTPStatus.OK
    return HTMLResponse(text, status_code=status, headers=_headers())


def error_page(error: ShownError) -> HTMLResponse:
    """Why nothing was connected, for the person whom a broken request brought here."""
    text = _templates.get_template("error.html").render(error=error)
    return HTMLResponse(text, status_code=HTTPStatus.BAD_REQUEST, headers=_headers())


def _headers() -> dict[str, str]:
    return {**trace_headers(), **_SECURITY_HEADERS}
