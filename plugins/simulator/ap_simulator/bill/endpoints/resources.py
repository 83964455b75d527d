"""The paths that most collections have: list, get, create, change, archive, and all that in bulk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import Response

from ap_simulator.bill.errors import JSON_TYPE, Code, Problem, Refusal, invalid, refusal
from ap_simulator.bill.gate import Call, Handler
from ap_simulator.bill.list_fields import LISTS
from ap_simulator.bill.listing import ListRequest, answer_list
from ap_simulator.bill.rendering import rendered, rendering_of
from ap_simulator.bill.wire import Record

#: Takes the call, the body of one record, and what its field names begin with in errors.
Create = Callable[[Call, Any, str], Record]
#: Takes the call, the record's id, the body, and what its field names begin with in errors.
Change = Callable[[Call, str, Any, str], Record]
#: Takes the call, the record's id, and whether to archive or restore it.
Archive = Callable[[Call, str, bool], Record]

CREATED: Final = 201


def same(_: Call, record: Record) -> Record:
    """The view of a created record that hides nothing."""
    return record


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """Bulk requests of a resource.

    Attributes:
        key: Wraps the answer; None is a bare array.
        most: Records per request.
        operations: Of `create`, `patch`, `put`, `archive` and `restore`.
    """

    key: str | None
    most: int
    operations: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A collection with its paths.

    Attributes:
        path: The path below `/v3/`.
        collection: The collection's name.
        create: Answers POST; None if there is none. Likewise the others.
        created_view: What a create answers of the new record.
        restorable: Whether there is a way back from the archive.
        bulk: Bulk requests.
    """

    path: str
    collection: str
    create: Create | None = None
    created_view: Callable[[Call, Record], Record] = same
    patch: Change | None = None
    put: Change | None = None
    archive: Archive | None = None
    restorable: bool = True
    bulk: Bulk | None = None

    def handlers(self) -> list[tuple[str, str, Handler]]:
        """Method, path and handler of each request there is, fixed paths before those with ids."""
        path, one = f"/{self.path}", f"/{self.path}/{{id}}"
        table: list[tuple[str, str, Handler | None]] = [
            ("GET", path, self._list),
            ("POST", path, self._create if self.create else None),
            *self._bulk_handlers(f"{path}/bulk"),
            ("GET", one, self._get),
            ("PATCH", one, self._patch if self.patch else None),
            ("PUT", one, self._put if self.put else None),
            ("POST", f"{one}/archive", self._archive if self.archive else None),
            ("POST", f"{one}/restore", self._restore if self.archive and self.restorable else None),
        ]
        return [(method, where, handler) for method, where, handler in table if handler is not None]

    def _bulk_handlers(self, path: str) -> list[tuple[str, str, Handler | None]]:
        operations = self.bulk.operations if self.bulk else frozenset()
        table: dict[str, tuple[str, str, Handler]] = {
            "create": ("POST", path, self._bulk_create),
            "patch": ("PATCH", path, self._bulk_patch),
            "put": ("PUT", path, self._bulk_put),
            "archive": ("POST", f"{path}/archive", self._bulk_archive),
            "restore": ("POST", f"{path}/restore", self._bulk_restore),
        }
        return [entry for name, entry in table.items() if name in operations]

    async def _list(self, call: Call) -> Response:
        records = call.organization.books[self.collection]
        rendering = rendering_of(call.switches)

        def render(record: Record) -> bytes:
            return rendered(self.collection, record, call.switches)

        request = ListRequest(
            scope=f"{call.organization.id}/{self.collection}",
            records=records,
            spec=LISTS[self.collection],
            body_of=lambda record_id: records.body(record_id, render, rendering),
            switches=call.switches,
            now=call.service.clock.now(),
        )
        return Response(answer_list(request, call.parameters), media_type=JSON_TYPE)

    async def _get(self, call: Call) -> Response:
        return call.record(self.collection, call.organization.books.get(self.collection, call.id))

    async def _create(self, call: Call) -> Response:
        assert self.create is not None  # noqa: S101 - else there is no such path
        record = self.create(call, await call.body(), "")
        return call.record(self.collection, self.created_view(call, record), status=CREATED)

    async def _patch(self, call: Call) -> Response:
        assert self.patch is not None  # noqa: S101 - else there is no such path
        return call.record(self.collection, self.patch(call, call.id, await call.body(), ""))

    async def _put(self, call: Call) -> Response:
        assert self.put is not None  # noqa: S101 - else there is no such path
        return call.record(self.collection, self.put(call, call.id, await call.body(), ""))

    async def _archive(self, call: Call) -> Response:
        assert self.archive is not None  # noqa: S101 - else there is no such path
        return call.record(self.collection, self.archive(call, call.id, True))

    async def _restore(self, call: Call) -> Response:
        assert self.archive is not None  # noqa: S101 - else there is no such path
        return call.record(self.collection, self.archive(call, call.id, False))

    async def _bulk_create(self, call: Call) -> Response:
        create = self.create
        assert create is not None  # noqa: S101 - else there is no such path
        items = self._items(await call.body())
        created = all_or_none(call, items, lambda item, where: create(call, item, where))
        return self._bulk_answer(call, [self.created_view(call, record) for record in created], CREATED)

    async def _bulk_patch(self, call: Call) -> Response:
        assert self.patch is not None  # noqa: S101 - else there is no such path
        return await self._bulk_change(call, self.patch)

    async def _bulk_put(self, call: Call) -> Response:
        assert self.put is not None  # noqa: S101 - else there is no such path
        return await self._bulk_change(call, self.put)

    async def _bulk_change(self, call: Call, change: Change) -> Response:
        def one(item: Any, where: str) -> Record:
            record_id = item.get("id") if isinstance(item, dict) else None
            if not isinstance(record_id, str):
                msg = f"{where}.id: must not be null"
                raise invalid(msg)
            body = {name: value for name, value in item.items() if name != "id"}
            return change(call, record_id, body, where)

        changed = all_or_none(call, self._items(await call.body()), one)
        return self._bulk_answer(call, changed)

    async def _bulk_archive(self, call: Call) -> Response:
        return self._bulk_set_archived(call, archived=True)

    async def _bulk_restore(self, call: Call) -> Response:
        return self._bulk_set_archived(call, archived=False)

    def _bulk_set_archived(self, call: Call, *, archived: bool) -> Response:
        archive = self.archive
        assert archive is not None  # noqa: S101 - else there is no such path
        sent = ",".join(call.request.query_params.getlist("ids"))
        ids = self._items([record_id.strip() for record_id in sent.split(",") if record_id.strip()])
        changed = all_or_none(call, ids, lambda record_id, _: archive(call, record_id, archived))
        return self._bulk_answer(call, changed)

    def _items(self, body: Any) -> Sequence[Any]:
        most = self.bulk.most if self.bulk else 0
        if not isinstance(body, list) or not 1 <= len(body) <= most:
            msg = f"must be an array of 1 to {most}"
            raise invalid(msg)
        return body

    def _bulk_answer(self, call: Call, records: Sequence[Record], status: int = 200) -> Response:
        key = self.bulk.key if self.bulk else None
        return call.records(self.collection, records, key=key, status=status)


def all_or_none(call: Call, items: Sequence[Any], act: Callable[[Any, str], Record]) -> list[Record]:
    """Do `act` for every item, or, if one is refused, for none.

    Raises:
        Refusal: Every item that is at fault, and BDC_1246 for each of the others.
    """
    problems: list[Problem] = []
    faulty = 0
    status = 400
    results: list[Record] = []
    with call.organization.books.transaction():
        for number, item in enumerate(items):
            try:
                results.append(act(item, f"[{number}]"))
            except Refusal as error:
                faulty += 1
                status = error.status or status
                problems.extend(error.problems)
        if faulty:
            problems.extend(refusal(Code.ROLLED_BACK).problems * (len(items) - faulty))
            raise Refusal(problems, status=status)
    return results
