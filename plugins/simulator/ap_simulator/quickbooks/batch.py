"""Batch requests: up to 30 independent items with an answer or a fault each (QuickBooks manual 4)."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ap_simulator.quickbooks.entities import ENTITIES
from ap_simulator.quickbooks.envelopes import fault
from ap_simulator.quickbooks.problems import (
    RefusedError,
    missing,
    refused,
    unparsable,
    unsupported,
)
from ap_simulator.quickbooks.query.answer import answer_query
from ap_simulator.quickbooks.realm import Realm
from ap_simulator.quickbooks.rendering import dumps
from ap_simulator.quickbooks.replay import ReplayMemory, check_length, unexpected
from ap_simulator.quickbooks.writing.operations import Operation, perform

MOST_ITEMS: Final = 30
MOST_OBJECTS: Final = 1000
_WORDS: Final = frozenset({"bId", "operation", "optionsData", "Query"})
_UNSUPPORTED_QUERIES: Final = frozenset({"CDCQuery", "ReportQuery"})


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch request as a whole is in order: these are its items."""

    items: tuple[Mapping[str, Any], ...]

    @property
    def writes(self) -> bool:
        """Whether an item asks for a change."""
        return any("Query" not in item for item in self.items)


def read_batch(payload: Any) -> Batch:
    """Check a batch request as far as it is refused whole.

    Raises:
        RefusedError: 2010 for another shape, 1040 for too many items, 2020 and 2600 for a missing or
            repeated `bId`.
    """
    if not isinstance(payload, dict) or payload.keys() - {"BatchItemRequest"}:
        raise unparsable()
    items = payload.get("BatchItemRequest")
    if not items:
        raise RefusedError([missing("BatchItemRequest")])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise unparsable()
    if len(items) > MOST_ITEMS:
        raise refused(
            "1040",
            f"Batch size exceeds allowed limit : at most {MOST_ITEMS} items are allowed in a "
            f"batch, {len(items)} were sent.",
        )
    seen: set[str] = set()
    for item in items:
        batch_id = item.get("bId")
        if batch_id is None or batch_id == "":
            raise RefusedError([missing("bId")])
        if isinstance(batch_id, dict | list | bool):
            raise unparsable()
        if str(batch_id) in seen:
            raise refused("2600", f"Invalid Request Conflict Element in Request : bId {batch_id} is repeated")
        seen.add(str(batch_id))
    return Batch(tuple(items))


def answer_batch(
    realm: Realm,
    batch: Batch,
    *,
    memory: ReplayMemory,
    request_id: str | None,
    is_stale: Callable[[int], bool],
) -> bytes:
    """Carry out the items and word the BatchItemResponse.

    Args:
        realm: The company.
        batch: The items.
        memory: Its request ids.
        request_id: Of the whole request.
        is_stale: Whether the item at a position is to be answered as stale.
    """
    answers: list[bytes] = [b""] * len(batch.items)
    objects = 0
    for position in _order(realm, len(batch.items)):
        item = batch.items[position]
        runner = _Item(realm, item, memory=memory, request_id=request_id)
        try:
            part, rows = runner.run(stale=is_stale(position))
            if rows and objects + rows > MOST_OBJECTS:
                raise refused("10100", f"Result Set Big : more than {MOST_OBJECTS} objects")
            objects += rows
        except RefusedError as refusal:
            part = dumps({"Fault": fault(refusal)})
        answers[position] = part[:-1] + b',"bId":' + dumps(str(item["bId"])) + b"}"
    return b'{"BatchItemResponse":[' + b",".join(answers) + b"]}"


def _order(realm: Realm, count: int) -> Iterable[int]:
    if realm.switches.batch_order == "request":
        return range(count)
    positions = list(range(count))
    generator = random.Random(realm.switches.batch_seed)  # noqa: S311 - reproducible on purpose
    generator.shuffle(positions)
    return positions


class _Item:
    """One item of a batch."""

    def __init__(
        self,
        realm: Realm,
        item: Mapping[str, Any],
        *,
        memory: ReplayMemory,
        request_id: str | None,
    ) -> None:
        self._realm = realm
        self._item = item
        self._memory = memory
        self._id = None if request_id is None else f"{request_id}{item['bId']}"

    def run(self, *, stale: bool) -> tuple[bytes, int]:
        """Carry the item out.

        Returns:
            The JSON object of its answer without `bId`, and how many records a query brought.

        Raises:
            RefusedError: Whatever stands against it.
        """
        if self._id is not None:
            check_length(self._id)
        if "Query" in self._item:
            answer = answer_query(self._realm, str(self._item["Query"]))
            return b'{"%s":%s}' % (answer.key.encode(), answer.body), answer.rows
        known = self._memory.recall(self._id, self._item)
        if known is not None:
            if self._realm.switches.batch_replay == "6000":
                raise unexpected()
            return known, 0
        try:
            part = self._write(stale=stale)
        except RefusedError as refusal:
            self._memory.remember(self._id, self._item, refusal)
            raise
        self._memory.remember(self._id, self._item, part)
        return part, 0

    def _write(self, *, stale: bool) -> bytes:
        names = [name for name in self._item if name not in _WORDS]
        if unsupported_query := _UNSUPPORTED_QUERIES.intersection(names):
            raise unsupported(min(unsupported_query))
        if len(names) != 1:
            raise unparsable()
        entity = ENTITIES.get(names[0])
        if entity is None:
            raise refused("2000", f"Object Name: {names[0]}")
        operation = self._item.get("operation")
        if not operation:
            raise RefusedError([missing("operation")])
        options = str(self._item.get("optionsData") or "")
        include = frozenset(filter(None, (part.strip() for part in options.lower().split(","))))
        return perform(
            self._realm,
            entity,
            self._item[entity.name],
            Operation(name=str(operation).lower(), include=include, stale=stale),
        )
