"""Page tokens: opaque to clients, to the simulator a place in a list with its filters and order.

A token is base64 with `+`, `/` and `=`, which clients have to encode in a URL. It is bound to the
organization and the list by a checksum.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Any, Final

from ap_simulator.bill.errors import invalid
from ap_simulator.bill.wire import from_json, to_json

_CHECKSUM_LENGTH: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class PageToken:
    """Where a page begins.

    Attributes:
        filters: The `filters` of the list's first page, as sent.
        sort: Its `sort`, as sent; empty if none was.
        limit: Its `max`.
        values: Sort values and id of the record next to the page.
        backward: Whether the page ends before that record in place of beginning behind it.
        issued: When the token was given, in milliseconds since 1970.
    """

    filters: str
    sort: str
    limit: int
    values: list[Any]
    backward: bool
    issued: int

    def encode(self, scope: str) -> str:
        """The token's text for the list that `scope` names."""
        parts = [self.filters, self.sort, self.limit, self.values, int(self.backward), self.issued]
        data = to_json(parts)
        return base64.b64encode(_checksum(data, scope) + data).decode()


def decode_page_token(text: str, scope: str) -> PageToken:
    """Read a token.

    Raises:
        Refusal: 400: not a token of this list.
    """
    try:
        data = base64.b64decode(text, validate=True)
        checksum, data = data[:_CHECKSUM_LENGTH], data[_CHECKSUM_LENGTH:]
        if checksum == _checksum(data, scope):
            filters, sort, limit, values, backward, issued = from_json(data)
            return PageToken(
                filters=filters, sort=sort, limit=limit, values=values, backward=bool(backward), issued=issued
            )
    except (binascii.Error, ValueError):
        pass
    msg = "page: not a page of this list"
    raise invalid(msg)


def _checksum(data: bytes, scope: str) -> bytes:
    return hashlib.blake2b(data, digest_size=_CHECKSUM_LENGTH, key=scope.encode()[:64]).digest()
