"""What browsers are told of every answer: what it may load, where its forms may go, that it is not kept."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders

_FIXED = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "x-frame-options": "DENY",
}


#: A report is a file that others have made: it may show itself in its own style, and do nothing.
_REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
    "frame-ancestors 'none'; base-uri 'none'; sandbox"
)


def add(
    headers: MutableHeaders,
    *,
    form_target: str = "",
    secure: bool = False,
    keep: bool = False,
    brings_style: bool = False,
) -> None:
    """Set the security headers.

    Args:
        headers: Of the answer.
        form_target: A URL whose origin forms may lead to, through a redirect, besides this server.
        secure: Whether the page is reached by https.
        keep: Whether the answer is a file that browsers may keep.
        brings_style: Whether it is a report with its own style.
    """
    parts = urlsplit(form_target)
    origin = f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""
    headers["content-security-policy"] = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
        f"form-action 'self'{origin}; frame-ancestors 'none'; base-uri 'none'"
    )
    if brings_style:
        headers["content-security-policy"] = _REPORT_POLICY
    for name, value in _FIXED.items():
        headers[name] = value
    if secure:
        headers["strict-transport-security"] = "max-age=31536000"
    headers["cache-control"] = "public, max-age=31536000, immutable" if keep else "no-store"
