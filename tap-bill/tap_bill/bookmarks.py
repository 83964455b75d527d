"""What the tap remembers of a stream between runs, and what it accepts as remembered.

A stream's bookmark is a JSON object of strings:

- `replication_key`, `replication_key_value`: as in every Singer tap.
- `organization_id`: whose records were read, so that a state cannot serve another company.
- `archived`: whether BILL's list shows archived records (`included`) or `hides` them, once known.
- `archived_value`: the bookmark of the archived records where they have to be asked for.
- `moving`, `cleared`: ids of payments that are read again in every run, separated by spaces.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tap_bill import timestamps
from tap_bill.errors import StateError

ACTIVE: Final = "replication_key_value"
ARCHIVED: Final = "archived_value"
MOVING: Final = "moving"
CLEARED: Final = "cleared"
_KEY: Final = "replication_key"
_ORGANIZATION: Final = "organization_id"
_LISTING: Final = "archived"
_LISTINGS: Final = frozenset({"included", "hidden"})


class Bookmarks:
    """The bookmarks of one stream, kept in the stream's part of the state."""

    def __init__(self, state: dict[str, Any], *, replication_key: str, organization_id: str) -> None:
        """Use `state`, which is changed in place."""
        self._state = state
        self._replication_key = replication_key
        self._organization_id = organization_id

    def get(self, name: str) -> str | None:
        """The bookmark `ACTIVE` or `ARCHIVED`."""
        value: str | None = self._state.get(name)
        return value

    def put(self, name: str, value: str | None) -> None:
        """Move a bookmark; None removes it."""
        if value is None:
            self._state.pop(name, None)
            return
        self._state[_KEY] = self._replication_key
        self._state[_ORGANIZATION] = self._organization_id
        self._state[name] = value

    def ids(self, kind: str) -> list[str]:
        """The ids of payments that are to be read again, `MOVING` or `CLEARED`."""
        return str(self._state.get(kind) or "").split()

    def put_ids(self, kind: str, ids: Sequence[str]) -> None:
        """Remember the ids of payments that are to be read again."""
        if ids:
            self._state[kind] = " ".join(ids)
        else:
            self._state.pop(kind, None)

    @property
    def archived_included(self) -> bool:
        """Whether BILL's list is known to show archived records."""
        return self._state.get(_LISTING) == "included"

    def archived_seen(self, *, included: bool) -> None:
        """An archived record was seen: in the plain list, or only when it was asked for."""
        self._state[_LISTING] = "included" if included else "hidden"


def accept(state: Any, *, organization_id: str | None) -> dict[str, Any]:
    """Check a state that was handed to the tap.

    Args:
        state: What was read from the state file.
        organization_id: Of the settings, if they have one.

    Returns:
        A state of strings, moments in the tap's form. Keys that this version does not use are left out.

    Raises:
        StateError: It is no state of this tap, or one of another organization.
    """
    bookmarks = state.get("bookmarks", {}) if isinstance(state, Mapping) else None
    if not isinstance(bookmarks, Mapping):
        msg = 'the state is malformed: it has to be an object like {"bookmarks": {...}}; correct or remove it'
        raise StateError(msg)
    return {
        "bookmarks": {
            stream: _accept_stream(str(stream), kept, organization_id) for stream, kept in bookmarks.items()
        }
    }


def _accept_stream(stream: str, kept: Any, organization_id: str | None) -> dict[str, str]:
    if not isinstance(kept, Mapping):
        msg = f"the state of stream {stream} is malformed: it has to be an object; correct or remove it"
        raise StateError(msg)
    accepted: dict[str, str] = {}
    for name in (ACTIVE, ARCHIVED):
        if (value := kept.get(name)) is None:
            continue
        try:
            accepted[name] = timestamps.normalise(value)
        except (ValueError, TypeError, OverflowError):
            msg = f"the state of stream {stream} is malformed: {name} is no date; correct or remove it"
            raise StateError(msg) from None
    if isinstance(kept.get(_KEY), str):
        accepted[_KEY] = kept[_KEY]
    accepted |= {kind: kept[kind] for kind in (MOVING, CLEARED) if isinstance(kept.get(kind), str)}
    if kept.get(_LISTING) in _LISTINGS:
        accepted[_LISTING] = kept[_LISTING]
    owner = kept.get(_ORGANIZATION)
    if isinstance(owner, str):
        accepted[_ORGANIZATION] = owner
        if organization_id is not None and owner != organization_id:
            msg = (
                f"the state belongs to organization {owner}, but organization_id is {organization_id}: use a "
                "state of its own for each organization"
            )
            raise StateError(msg)
    return accepted
