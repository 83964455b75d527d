"""Whether a delivery really comes from BILL or Intuit. Pure.

Both sign with base64(HMAC-SHA256(key, body)) (BILL manual 5.6, QuickBooks manual 9.1). Comparison takes the
same time whatever differs, and every key is tried, so that timing tells nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable

_STRING_OR_SPACE = re.compile(rb'("(?:[^"\\]|\\.)*")|[ \t\r\n]+', re.DOTALL)


def signature(body: bytes, key: str) -> str:
    """The signature of a body under a key."""
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()


def is_signed(body: bytes, claimed: str, keys: Iterable[str]) -> bool:
    """Whether the signature is that of the body under any of the keys; an empty key signs nothing."""
    given = claimed.strip().encode("latin-1", "replace")
    matches = [hmac.compare_digest(signature(body, key).encode(), given) for key in keys if key]
    return any(matches)


def is_signed_by_bill(body: bytes, claimed: str, keys: Iterable[str]) -> bool:
    """As ``is_signed``; BILL signs the minified payload, which a proxy may have laid out anew."""
    known = tuple(keys)
    return is_signed(body, claimed, known) or is_signed(minified(body), claimed, known)


def minified(body: bytes) -> bytes:
    """JSON without white space between its tokens; everything else stays as it is, byte by byte."""
    return _STRING_OR_SPACE.sub(lambda match: match[1] or b"", body)
