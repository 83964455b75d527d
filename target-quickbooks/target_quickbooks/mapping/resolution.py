"""From a BILL classification to the QuickBooks account, class, location, customer or item it stands for.

In this order: the explicit map of the settings, the account number, the full name. Nothing is guessed: a
miss is a refusal that says what it looked for and what comes closest.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from target_quickbooks.mapping.chart import Entries, Entry
from target_quickbooks.mapping.names import comparable
from target_quickbooks.mapping.refusal import Awaited, Refusal
from target_quickbooks.mapping.source import Kind, Reference

_SUGGESTIONS = 3
_CLOSENESS = 0.6


@dataclass(frozen=True, slots=True)
class Resolver:
    """Resolves references of one kind against one list of QuickBooks.

    Attributes:
        entries: The QuickBooks list.
        explicit: The setting's map: BILL id, number or full name to QuickBooks id, number or full name.
        setting: The map's name, for advice.
    """

    entries: Entries
    explicit: Mapping[str, str]
    setting: str

    def resolve(self, reference: Reference) -> Entry:
        """The QuickBooks entry for a BILL reference.

        Raises:
            Refusal: No entry answers, or the one that does is inactive.
        """
        entry = self._explicit(reference) or self._by_number(reference) or self._by_name(reference)
        if entry is None:
            raise self._miss(reference)
        if not entry.active:
            kind = self.entries.kind
            raise Refusal(
                f"{kind}-inactive",
                f"{kind.capitalize()} '{entry.label.removesuffix(' (deleted)')}' is inactive in QuickBooks.",
                advice=(
                    f"Make it active again in QuickBooks, code the bill to another {kind} in BILL, or send "
                    f"'{reference.label}' to another one with the setting {self.setting}."
                ),
            )
        return entry

    def _explicit(self, reference: Reference) -> Entry | None:
        for key in (reference.id, reference.number, reference.full_name, reference.name):
            wanted = self.explicit.get(key) if key else None
            if wanted is None:
                continue
            entry = self.entries.find(wanted)
            if entry is None:
                raise Refusal(
                    f"{self.entries.kind}-map-broken",
                    f"{self.setting} sends '{key}' to '{wanted}', which is not in QuickBooks"
                    f"{did_you_mean(self.entries, wanted)}",
                    advice=f"Correct the setting {self.setting}.",
                )
            return entry
        return None

    def _by_number(self, reference: Reference) -> Entry | None:
        return self.entries.by_number.get(reference.number) if reference.number else None

    def _by_name(self, reference: Reference) -> Entry | None:
        return self.entries.by_full_name.get(comparable(reference.full_name or reference.name))

    def _miss(self, reference: Reference) -> Refusal:
        kind = self.entries.kind
        return Refusal(
            f"{kind}-unknown",
            f"{kind.capitalize()} '{reference.label}' of BILL is not in QuickBooks"
            f"{did_you_mean(self.entries, reference.label)}",
            advice=(f"Add it in QuickBooks, or say which {kind} is meant with the setting {self.setting}."),
        )


def did_you_mean(entries: Entries, wanted: str) -> str:
    """How a sentence ends that says that ``wanted`` is not there: the active entries that come closest."""
    labels = {entry.label.casefold(): entry.label for entry in entries.entries if entry.active}
    names = {entry.full_name.casefold(): entry.label for entry in entries.entries if entry.active}
    known = {**labels, **names}
    near = difflib.get_close_matches(wanted.casefold(), known, n=_SUGGESTIONS, cutoff=_CLOSENESS)
    found = list(dict.fromkeys({**names, **labels}[key] for key in near))
    return f"; did you mean {' or '.join(repr(label) for label in found)}?" if found else "."


def known(
    references: Mapping[tuple[Kind, str], Reference], kind: Kind, bill_id: str, *, what: str
) -> Reference:
    """The remembered BILL record behind an id.

    Raises:
        Refusal: The record has not been seen yet; it is awaited.
    """
    reference = references.get((kind, bill_id))
    if reference is None:
        raise Refusal(
            f"{kind.value}-not-seen",
            f"{what} refers to {bill_id} of BILL's {kind.value.replace('_', ' ')}, which has not arrived.",
            advice=f"Let the tap send the stream {kind.value}; the bill follows by itself.",
            awaited=Awaited(kind.value, bill_id),
        )
    return reference
