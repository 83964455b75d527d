"""Damaged and invented Singer input: a clear error or a stored failure each time, and never a wrong write.

SOAK_EXAMPLES is how many inputs are tried; each begins with real lines of the demo company.
"""

from __future__ import annotations

import io
import json
import logging
import os
import re
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from ap_simulator.testing import UNLIMITED, running
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, select
from target_quickbooks import target
from target_quickbooks.exact_json import from_json
from target_quickbooks.mapping.names import comparable
from target_quickbooks.mapping.purchase_order import read_marker
from target_quickbooks.mapping.vendor import display_name
from target_quickbooks.quickbooks import governor
from target_quickbooks.store import tables

EXAMPLES = int(os.environ.get("SOAK_EXAMPLES", "100"))
REFERENCES = (
    "chart_of_accounts",
    "accounting_classes",
    "departments",
    "locations",
    "items",
    "jobs",
    "customers",
)
#: After so many examples both books begin anew, so that what failed before does not slow the rest down.
RENEWED_AFTER = 100
#: Tokens that json.dumps does not write: put into the text in place of a string.
RAW = re.compile(r'"@@([^"]*)@@"')
LONG = {"HUGE": "9" * 5000, "DEEP": "[" * 90 + "]" * 90, "TOO DEEP": "[" * 2000 + "]" * 2000}
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T.*)?", re.DOTALL)

raw_tokens = st.sampled_from(
    [
        "@@NaN@@",
        "@@-Infinity@@",
        "@@1e400@@",
        "@@1e99999999999999999999@@",
        "@@1E-400@@",
        "@@0.1e1@@",
        "@@-0@@",
        "@@HUGE@@",
        "@@DEEP@@",
        "@@TOO DEEP@@",
        "@@\\ud800@@",
    ]
)
texts = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            "",
            " ",
            "\x00",
            "\x1b[31m",
            "\ud800",
            "\u2028",
            "12.50",
            "1_000",
            "\uff11\uff12",
            " 12 ",
            "NaN",
            "2026-02-30",
            "20261101",
            "2026-W45-1",
            "2026-11-01T00:00:00Z",
            "0000-00-00",
            "'; DROP TABLE links; --",
            "x" * 5000,
            "[BILL 00802DEMOORGANIZTN01/00n02NY06ORQLUMUX0mw]",
        ]
    ),
)
values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.integers(-(10**40), 10**40),
        st.decimals(allow_nan=False, allow_infinity=False, places=3).map(lambda number: f"@@{number:f}@@"),
        raw_tokens,
        texts,
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=5,
)
places = st.integers(0, 10_000)


@dataclass(frozen=True)
class Damage:
    """One change to the input: what is done, to which line, at which of its members, with what."""

    kind: str
    line: int
    place: int
    value: Any = None
    name: str = ""


damages = st.one_of(
    st.builds(Damage, st.sampled_from(["retype", "grow"]), places, places, values, texts),
    st.builds(
        Damage,
        st.sampled_from(["drop", "rename", "swap"]),
        places,
        places,
        st.none(),
        st.sampled_from(["id", "type", "amount", "name", "record", "stream", "organizationId", "x"]) | texts,
    ),
    st.builds(
        Damage,
        st.sampled_from(["double", "move", "lose", "truncate", "blank", "stranger", "binary"]),
        places,
        places,
    ),
    st.builds(
        Damage,
        st.just("insert"),
        places,
        places,
        st.one_of(
            values,
            st.sampled_from(
                [
                    {"type": "ACTIVATE_VERSION", "stream": "bills", "version": 1},
                    {"type": "ACTIVATE_VERSION", "stream": "nowhere", "version": "x"},
                    {
                        "type": "BATCH",
                        "stream": "bills",
                        "encoding": {"format": "jsonl"},
                        "manifest": ["file:///nowhere"],
                    },
                    {"type": "BATCH"},
                    {"type": "STATE", "value": None},
                    {"type": "STATE", "value": {"bookmarks": "x", "n": "@@1.50@@"}},
                    {"type": "SCHEMA", "stream": "bills", "schema": {"properties": {}}, "key_properties": []},
                    {
                        "type": "SCHEMA",
                        "stream": "vendors",
                        "schema": {"properties": {"id": {}}},
                        "key_properties": ["y"],
                    },
                    {"type": "RECORD", "stream": "bills", "record": {}},
                    {"type": "RECORD", "stream": "meltano_test_stream", "record": {"id": 1}},
                ]
            ),
        ),
    ),
)


class Corpus:
    """References, which all that bills point to, and what is damaged: the other lines."""

    def __init__(self, references: list[bytes], lines: list[bytes]) -> None:
        self.references = references
        self.lines = lines

    def __repr__(self) -> str:
        return "corpus"  # a failing example prints it


class Sent:
    """What was sent to the books as they are now, as far as it could become a write."""

    def __init__(self, books: Any) -> None:
        self.books = books
        self.bills: dict[tuple[str, str], list[dict]] = {}
        self.names: set[str] = set()
        self.examples = 0

    def __repr__(self) -> str:
        return "fuzzed"

    def note(self, lines: list[bytes]) -> None:
        for line in lines:
            try:
                message = from_json(line)
            except ValueError:
                continue
            record = message.get("record") if isinstance(message, dict) else None
            if not isinstance(record, dict):
                continue
            if message.get("stream") == "vendors":
                self.names.add(comparable(display_name(str(record.get("name")))))
            if message.get("stream") == "bills":
                key = (str(record.get("organizationId")), str(record.get("id")))
                self.bills.setdefault(key, []).append(record)


def members(value: Any, found: list | None = None) -> list[tuple[Any, Any]]:
    """Every (container, key) in JSON data, outermost first."""
    found = [] if found is None else found
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        found.append((value, key))
        members(value[key], found)
    return found


def as_line(value: Any) -> bytes:
    return RAW.sub(lambda match: LONG.get(match[1], match[1]), json.dumps(value)).encode()


def damage_message(line: bytes, damage: Damage) -> bytes:
    """Change one member of a message; of records and schemas as often as of the envelope."""
    try:
        message = json.loads(line, parse_float=lambda number: f"@@{number}@@")
    except (ValueError, RecursionError):
        return line
    inner = message.get("record", message) if isinstance(message, dict) and damage.place % 4 else message
    found = members(inner)
    if not found:
        return line
    container, key = found[damage.place % len(found)]
    match damage.kind:
        case "retype":
            container[key] = deepcopy(damage.value)
        case "grow" if isinstance(container, dict):
            container[damage.name] = deepcopy(damage.value)
        case "grow":
            container.append(deepcopy(damage.value))
        case "drop":
            del container[key]
        case "rename" if isinstance(container, dict):
            container[damage.name] = container.pop(key)
        case "swap":
            other, elsewhere = found[(damage.place * 7 + 3) % len(found)]
            if members({"": container[key]}).count((other, elsewhere)) == 0:
                other[elsewhere] = deepcopy(container[key])
    return as_line(message)


def damage_lines(lines: list[bytes], damage: Damage) -> list[bytes]:  # noqa: PLR0911 - one for each kind
    """The input with one more thing wrong."""
    if not lines:
        return lines
    at = damage.line % len(lines)
    line, before, after = lines[at], lines[:at], lines[at + 1 :]
    match damage.kind:
        case "double":
            return [*before, line, line, *after]
        case "move":
            rest = before + after
            return [*rest[: damage.place % (len(rest) + 1)], line, *rest[damage.place % (len(rest) + 1) :]]
        case "lose":
            return before + after
        case "truncate":
            return [*before, line[: damage.place % max(len(line), 1)], *after]
        case "blank":
            return [*before, b" " * (damage.place % 3), line, *after]
        case "stranger":
            return [*before, line.replace(b"00802DEMO", b"00802ELSE"), *after]
        case "binary":
            cut = damage.place % max(len(line), 1)
            return [
                *before,
                line[:cut] + (b"\xff\xfe", b"\x00", b"\xed\xa0\x80")[damage.place % 3] + line[cut:],
                *after,
            ]
        case "insert":
            return [*before, as_line(damage.value), *lines[at:]]
    return [*before, damage_message(line, damage), *after]


def stream_of(line: str) -> str:
    return json.loads(line).get("stream", "")


def sample(lines: list[str]) -> list[bytes]:
    """All schemas and charts, some bills of all kinds with their vendors, one of each other stream."""
    records: dict[str, list[dict]] = {}
    for line in lines:
        message = from_json(line)
        if message["type"] == "RECORD":
            records.setdefault(message["stream"], []).append(message["record"])
    bills = records["bills"][:: len(records["bills"]) // 10]
    vendors = {bill["vendorId"] for bill in bills}
    kept = {bill["id"] for bill in bills} | vendors
    kept |= {found[0]["id"] for stream, found in records.items() if stream not in {"bills", "vendors"}}

    def wanted(line: str) -> bool:
        message = json.loads(line)
        return (
            message["type"] != "RECORD" or message["stream"] in REFERENCES or message["record"]["id"] in kept
        )

    return [line.encode() for line in lines if wanted(line)]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, books_of):
    with running("demo") as simulator:
        lines = sample(books_of(simulator, tmp_path_factory.mktemp("corpus")).read())
    references = [line for line in lines if stream_of(line.decode()) in REFERENCES]
    return Corpus(references, [line for line in lines if line not in references])


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory, books_of):
    """An empty company that all examples share, with what was sent to it so far."""
    with (
        pytest.MonkeyPatch.context() as patched,
        running("empty", switches=UNLIMITED) as simulator,
    ):
        patched.setattr(governor, "REQUESTS", ())
        patched.setattr(governor, "BATCHES", ())
        patched.setattr(target, "_FLUSH_AFTER_SECONDS", 3600)
        logging.getLogger("singer_sdk").setLevel(logging.ERROR)
        yield Sent(books_of(simulator, tmp_path_factory.mktemp("fuzzed")))


def number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not NUMBER.fullmatch(str(value)):
        return None
    return Decimal(str(value))


def amounts_of(bill: dict) -> tuple[Decimal | None, ...]:
    lines = bill.get("billLineItems") or [bill]
    return tuple(number(line.get("amount")) if isinstance(line, dict) else None for line in lines)


def day_of(value: Any) -> str | None:
    if value in (None, ""):
        return None
    return value[:10] if isinstance(value, str) and DATE.fullmatch(value) else "no date"


def assert_orders_come_from_bills(orders: list[dict], sent: Sent) -> None:
    seen = [read_marker(order.get("PrivateNote") or "") for order in orders]
    assert len(seen) == len(set(seen)), "a bill has two purchase orders"
    for order, key in zip(orders, seen, strict=True):
        assert key in sent.bills, f"no bill {key} was sent"
        amounts = tuple(Decimal(str(line["Amount"])) for line in order["Line"])
        versions = [bill for bill in sent.bills[key] if amounts_of(bill) == amounts]
        assert versions, f"{key}: {amounts} was never sent"
        totals = [bill for bill in versions if number(bill.get("amount")) == sum(amounts)]
        assert totals, f"{key}: no bill of this total was sent"
        if order.get("DueDate"):
            days = [day_of(bill.get("dueDate")) for bill in versions]
            assert order["DueDate"] in days, f"{key}: due {order['DueDate']}, sent {days}"


def assert_vendors_come_from_vendors(vendors: list[dict], sent: Sent) -> None:
    names = [comparable(vendor["DisplayName"].removesuffix(" (deleted)")) for vendor in vendors]
    assert len(names) == len(set(names)), "a vendor exists twice"
    for name in names:
        own = re.sub(r" \([^()]*\)$", "", name)
        assert own in sent.names or name in sent.names, f"no vendor {name!r} was sent"


def linked(store_url: str) -> dict[str, set[str]]:
    engine = create_engine(store_url)
    with engine.connect() as connection:
        rows = connection.execute(select(tables.links.c.entity, tables.links.c.quickbooks_id)).all()
    engine.dispose()
    return {kind: {row[1] for row in rows if row[0] == kind} for kind in ("Vendor", "PurchaseOrder")}


def assert_no_wrong_write(sent: Sent) -> None:
    books = sent.books
    vendors, orders = books.stored("Vendor"), books.stored("PurchaseOrder")
    assert_orders_come_from_bills(orders, sent)
    assert_vendors_come_from_vendors(vendors, sent)
    if vendors or orders:
        links = linked(books.settings("TARGET_QUICKBOOKS_")["store_url"])
        assert links["Vendor"] == {vendor["Id"] for vendor in vendors}
        assert links["PurchaseOrder"] == {order["Id"] for order in orders}


def assert_clear(run) -> None:
    """A failed run says in one line why, without the words of a programming error."""
    assert run.exit_code in {0, 1}
    assert bool(run.exit_code) == bool(run.error or run.reasons)
    assert "\n" not in run.error
    for words in (run.error, *run.reasons.values()):
        assert not re.search(r"Traceback|Error\(|<class|object at 0x", words), words


def try_input(corpus: Corpus, sent: Sent, damage: list[Damage], errors: str) -> None:
    if sent.examples % RENEWED_AFTER == 0:
        sent.books.simulator.control.reset()
        sent.bills.clear()
        sent.names.clear()
    whole = [*corpus.references, *corpus.lines] if sent.examples % RENEWED_AFTER == 0 else list(corpus.lines)
    sent.examples += 1
    for one in damage:
        whole = damage_lines(whole, one)
    sent.note(whole)
    source = io.TextIOWrapper(io.BytesIO(b"\n".join(whole)), encoding="utf-8", errors=errors, newline="\n")
    run = sent.books.feed(source, validate_records=len(whole) % 3 > 0)
    assert_clear(run)
    assert_no_wrong_write(sent)


@pytest.mark.timeout(600 + EXAMPLES)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    print_blob=True,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
        HealthCheck.data_too_large,
    ],
)
@given(
    damage=st.lists(damages, min_size=1, max_size=6), errors=st.sampled_from(["strict", "surrogateescape"])
)
def test_no_input_makes_a_traceback_or_a_wrong_write(corpus, fuzzed, damage, errors):
    try_input(corpus, fuzzed, damage, errors)
