"""From templates to HTML: Jinja with everything escaped, and the words of the page at hand."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any

import simplejson
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from webhook_shim.web import links, words
from webhook_shim.web.sessions import Notice

if TYPE_CHECKING:
    from webhook_shim.web.visits import Visit

STATIC_FILES = {"books.css": "text/css", "books.js": "text/javascript", "icon.svg": "image/svg+xml"}


class Renderer:
    """Makes pages."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=PackageLoader("webhook_shim.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.static = {
            name: resources.files("webhook_shim.web").joinpath("static", name).read_bytes()
            for name in STATIC_FILES
        }
        digest = hashlib.sha256(b"".join(self.static.values())).hexdigest()[:12]
        self._environment.globals |= {"words": words, "links": links, "version": digest}
        self._environment.filters |= {"time": _time, "day": _day, "json": _json, "iso": _iso}

    def response(
        self,
        template: str,
        visit: Visit,
        *,
        status: int,
        notices: Sequence[Notice],
        **values: Any,
    ) -> Response:
        """A page as an answer."""
        text = self._environment.get_template(template).render(
            visit=visit,
            site=visit.site,
            companies=visit.context.companies,
            csrf=visit.session.csrf,
            now=visit.now,
            notices=notices,
            **values,
        )
        return HTMLResponse(text, status_code=status)


def _time(moment: dt.datetime | None) -> str:
    return f"{moment:%d %b %Y, %H:%M} UTC" if moment else ""


def _day(moment: dt.date | None) -> str:
    return f"{moment:%d %b %Y}" if moment else ""


def _iso(moment: dt.datetime | None) -> str:
    return moment.isoformat() if moment else ""


def _json(value: Any) -> str:
    return str(simplejson.dumps(value, indent=2, ensure_ascii=False, use_decimal=True, default=str))
