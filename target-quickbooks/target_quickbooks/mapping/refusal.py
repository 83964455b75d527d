"""Why a record cannot become a QuickBooks object, in words for the person who keeps the books."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Awaited:
    """The BILL record a refused one waits for: once it is known, the refused one is tried again."""

    stream: str
    bill_id: str


class Refusal(Exception):
    """The record cannot be written as it is. Stored with the record; the neighbours go on.

    Attributes:
        code: Short stable name to select failures by, e.g. ``account-unknown``.
        reason: What is wrong, naming the record's own values; always one line.
        advice: What to do about it.
        awaited: Set when the record merely came before another one.
    """

    def __init__(self, code: str, reason: str, *, advice: str, awaited: Awaited | None = None) -> None:
        self.code = code
        self.reason = " ".join(reason.split())
        super().__init__(self.reason)
        self.advice = advice
        self.awaited = awaited
