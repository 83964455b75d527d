"""Ids as BILL mints them: a type prefix, then letters and digits, 20 characters in all."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Final
from uuid import UUID

#: The prefix of each collection's ids.
PREFIXES: Final = {
    "organization": "008",
    "users": "006",
    "roles": "0rl",
    "vendors": "009",
    "bills": "00n",
    "payments": "stp",
    "recurring_bills": "btp",
    "vendor_credits": "vcr",
    "chart_of_accounts": "0ca",
    "accounting_classes": "cls",
    "departments": "0de",
    "locations": "loc",
    "items": "0ii",
    "jobs": "job",
    "employees": "emp",
    "customers": "0cu",
    "bank_accounts": "bac",
}

_LOWER: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_UPPER: Final = _LOWER.upper()
_BODY_LENGTH: Final = 12
_TAIL_LENGTH: Final = 3


def identifier(prefix: str, *, seed: str, number: int) -> str:
    """The `number`-th id of `prefix`, e.g. `00n02JZNIEYMNPY99iz9`; the same for the same seed."""
    digest = hashlib.blake2b(f"{seed}/{prefix}/{number}".encode(), digest_size=16).digest()
    value = int.from_bytes(digest)
    text = ""
    for alphabet, length in ((_UPPER, _BODY_LENGTH), (_LOWER, _TAIL_LENGTH)):
        for _ in range(length):
            value, digit = divmod(value, len(alphabet))
            text += alphabet[digit]
    return f"{prefix}02{text}"


class Identifiers:
    """Mints ids from a seed and a counter per prefix: the same calls give the same ids."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._counts: Counter[str] = Counter()

    def mint(self, prefix: str) -> str:
        """The next id with `prefix`, of three characters."""
        return identifier(prefix, seed=self._seed, number=self._next(prefix))

    def mint_uuid(self) -> str:
        """The next UUID, for webhook subscriptions and events."""
        number = self._next("uuid")
        digest = hashlib.blake2b(f"{self._seed}/uuid/{number}".encode(), digest_size=16).digest()
        return str(UUID(bytes=digest, version=4))

    def mint_text(self, length: int) -> str:
        """The next text of `length` (at most 30) capitals and digits."""
        number = self._next("text")
        value = int.from_bytes(hashlib.blake2b(f"{self._seed}/text/{number}".encode()).digest())
        text = ""
        for _ in range(length):
            value, digit = divmod(value, len(_UPPER))
            text += _UPPER[digit]
        return text

    def mint_number(self, below: int) -> int:
        """The next number of a scattered series, from 0."""
        number = self._next("number")
        digest = hashlib.blake2b(f"{self._seed}/number/{number}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) % below

    def _next(self, prefix: str) -> int:
        self._counts[prefix] += 1
        return self._counts[prefix]
