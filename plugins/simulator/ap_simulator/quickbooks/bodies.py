"""Reads the bodies of requests: content types, JSON, query statements (QuickBooks manual 1.4, 10.18)."""

from __future__ import annotations

from typing import Any, Final

import simplejson
from starlette.requests import Request

from ap_simulator.quickbooks.problems import refused, unparsable
from ap_simulator.quickbooks.switches import QuickBooksSwitches

_QUERY_TYPES: Final = frozenset({"application/text", "text/plain"})


async def read_json(request: Request, switches: QuickBooksSwitches) -> Any:
    """The JSON of a request, fractions as Decimal.

    Raises:
        RefusedError: 1050 for another content type, 500 for bytes that are no text, 2010 for what
            is no JSON.
    """
    kind = _content_type(request)
    if kind not in {"", "application/json"}:
        refusal = refused("1050", f"Invalid Content Type : {kind}")
        refusal.status = switches.wrong_content_type_status
        raise refusal
    body = await request.body()
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_text() from error
    if "\x00" in text:
        raise _not_text()
    try:
        return simplejson.loads(text, use_decimal=True)
    except (ValueError, RecursionError) as error:
        raise unparsable() from error


async def read_statement(request: Request) -> str:
    """The query statement of a request: its `query` parameter or its body.

    A body in another content type than text is not seen, which leaves an empty statement.
    """
    statement = request.query_params.get("query")
    if statement is not None or request.method != "POST":
        return statement or ""
    if _content_type(request) not in _QUERY_TYPES:
        return ""
    body = await request.body()
    return body.decode("utf-8", errors="replace")


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _not_text() -> Exception:
    return refused("500", "Unsupported Operation")
