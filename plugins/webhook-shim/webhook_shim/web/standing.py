"""Whether both books agree, as one word and one sentence. Pure: what is known goes in."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from webhook_shim.web.words import Word, count


@dataclass(frozen=True, slots=True)
class Signs:
    """What tells whether a company is in step.

    Attributes:
        connected: Whether there is a connection to QuickBooks, or a seed to make one from.
        dead_since: When QuickBooks refused the connection.
        last_ended_at: When a run that writes ended last.
        last_failed: Whether that run ended early, other than by refused records.
        events: Reported changes that no run has covered yet.
        running: Whether a run is under way.
        failures: Records that were refused.
        waiting: Records that wait for another one.
        drift: Differences found in QuickBooks that nobody has dealt with.
        differences: What the last comparison of both books found to differ.
        compared_ago: How long ago that was, for people; empty if they were never compared.
    """

    connected: bool = True
    dead_since: dt.datetime | None = None
    last_ended_at: dt.datetime | None = None
    last_failed: bool = False
    events: int = 0
    running: bool = False
    failures: int = 0
    waiting: int = 0
    drift: int = 0
    differences: int = 0
    compared_ago: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """The verdict: a word, and why."""

    word: Word
    sentence: str


def judge(signs: Signs) -> Standing:
    """The most important thing first."""
    return _trouble(signs) or _calm(signs)


def _trouble(signs: Signs) -> Standing | None:
    if signs.dead_since or not signs.connected:
        return Standing(
            Word("Disconnected", "bad"),
            "QuickBooks no longer accepts the connection. Nothing is written until you reconnect."
            if signs.dead_since
            else "There is no connection to QuickBooks yet.",
        )
    if signs.failures or signs.drift or signs.differences:
        return Standing(Word("Not in step", "bad"), _differences(signs))
    if signs.last_failed:
        return Standing(
            Word("Not sure", "warn"),
            "The last run ended early, so QuickBooks may lack the latest changes of BILL.",
        )
    return None


def _calm(signs: Signs) -> Standing:
    if signs.running or signs.events:
        sentence = (
            "A run is under way."
            if signs.running
            else f"{count(signs.events, 'change')} about to be taken over."
        )
        return Standing(Word("Catching up", "busy"), sentence)
    if signs.waiting:
        return Standing(
            Word("Almost in step", "warn"),
            f"{count(signs.waiting, 'record waits', 'records wait')} for another record and will follow by "
            "themselves.",
        )
    if signs.last_ended_at is None:
        return Standing(Word("Not started", "quiet"), "No run has ended yet.")
    sent = "Everything that BILL has sent is in QuickBooks, as of the last run."
    if signs.compared_ago:
        sent = f"{sent} Both books agreed to the cent when they were compared {signs.compared_ago}."
    return Standing(Word("In step", "good"), sent)


def _differences(signs: Signs) -> str:
    parts = []
    if signs.failures:
        parts.append(f"{count(signs.failures, 'record')} in BILL could not be written")
    if signs.drift:
        parts.append(
            f"{count(signs.drift, 'object')} differ in QuickBooks"
            if signs.drift != 1
            else "1 object differs in QuickBooks"
        )
    if signs.differences:
        differ = count(signs.differences, "difference")
        parts.append(f"{differ} when the books were compared {signs.compared_ago}")
    return f"{', and '.join(parts)}."
