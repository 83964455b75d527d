"""How tokens and codes look. They are opaque; only length and first letters are Intuit's.

Random on purpose: two simulators with the same seed must not accept each other's tokens.
"""

from __future__ import annotations

import secrets
import string
from typing import Final

_ALPHABET: Final = string.ascii_letters + string.digits
#: base64url of {"enc":"A128CBC-HS256","alg":"dir"}, with which the real access tokens begin.
_JWE_HEADER: Final = "eyJlbmMiOiJBMTI4Q0JDLUhTMjU2IiwiYWxnIjoiZGlyIn0"


def new_access_token() -> str:
    """An access token: about 1,100 characters in the five parts of a JWE, the second one empty."""
    return ".".join(
        (
            _JWE_HEADER,
            "",
            secrets.token_urlsafe(16),
            secrets.token_urlsafe(760),
            secrets.token_urlsafe(16),
        )
    )


def new_refresh_token() -> str:
    """A refresh token: 50 characters that begin with `AB11`."""
    return "AB11" + _letters(46)


def new_code() -> str:
    """An authorization code: 50 characters that begin with `AB11`."""
    return "AB11" + _letters(46)


def _letters(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
