"""Damaged answers of QuickBooks and of BILL: never a traceback, and a clean run later both books agree.

A fifth of SOAK_EXAMPLES is how many runs are tried in all; each meets damaged answers, of any call, until it
gives up or ends. An answer that lies in a valid shape (another company's preferences, an object of another
id) cannot be told from the truth and is left out.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest
import requests
from ap_simulator.testing import UNLIMITED, running
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter
from singer_sdk.exceptions import SingerSDKError
from tap_bill import client as bill_client
from tap_bill.tap import TapBill
from target_quickbooks import target
from target_quickbooks.mapping.purchase_order import read_marker
from target_quickbooks.quickbooks import governor

EXAMPLES = int(os.environ.get("SOAK_EXAMPLES", "300")) // 5
#: Of the examples, this share damages what QuickBooks answers, the rest what BILL answers.
QUICKBOOKS_SHARE = 0.8
RENEWED_AFTER = 20
BODIES = {
    "empty": b"",
    "html": b"<html><body><h1>502 Bad Gateway</h1></body></html>",
    "xml": b'<?xml version="1.0"?><IntuitResponse><Fault type="SystemFault"><Error code="3001">'
    b"<Message>Throttled</Message></Error></Fault></IntuitResponse>",
    "broken xml": b'<?xml version="1.0"?><IntuitResponse><Fault><Error code=',
    "xml bomb": b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><Fault><Error>&a;</Error></Fault>',
    "list": b"[]",
    "null": b"null",
    "text": b"OK",
    "number": b"9" * 5000,
    "not UTF-8": b'{"a": "\xff\xfe"}',
    "NUL": b"\x00\x00\x1b[31m",
    "deep": b"[" * 5000 + b"]" * 5000,
    "huge": b'{"BatchItemResponse":[' + b'{"bId":"x"},' * 20_000 + b'{"bId":"x"}]}',
    "fault": b'{"Fault":{"Error":[{"Message":"m","Detail":"d","code":"3001"}],"type":"SystemFault"}}',
    "lower-case fault": b'{"fault":{"error":[{"message":"m","detail":"d","code":"10000"}],"type":"x"}}',
    "odd fault": b'{"Fault":{"Error":"none","type":[]}}',
    "fault of numbers": b'{"Fault":{"Error":[{"Message":1,"Detail":{"a":1},"code":[7],"element":null}]}}',
    "fault without errors": b'{"Fault":{"Error":[]}}',
    "fault that is a text": b'{"Fault":"bad"}',
    "list of faults": b'{"Fault":{"Error":[null, 1, {"code": null}]}}',
    "BILL errors": b'[{"timestamp": 1, "code": "BDC_1111", "severity": "ERROR"}, null, "x"]',
    "odd BILL errors": b'{"errors": {"code": 7}}',
}
HEADERS = [
    {"Content-Type": "text/html"},
    {"Content-Type": "application/xml; charset=utf-16"},
    {"Content-Type": ""},
    {"Retry-After": "soon"},
    {"Retry-After": "9" * 400},
    {"Retry-After": "-5"},
    {"Date": "yesterday"},
    {"Date": "Thu, 01 Jan 1970 00:00:00 -0000"},
    {"Date": "Fri, 31 Dec 9999 23:59:59 GMT"},
    {"intuit_tid": "x" * 5000},
    {"Location": "http://127.0.0.1:1/elsewhere"},
]
ERRORS = (
    requests.ConnectionError,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
    requests.Timeout,
)
wrong = st.sampled_from(
    [None, True, [], {}, "", "x", -1, 1.5, 10**30, ["x"], {"x": 1}, [None], "\x00", "\ud800", "z" * 3000]
)


@dataclass(frozen=True)
class Damage:
    """What happens to an answer: which one (and for how many in a row), what, where and with what."""

    kind: str
    answer: int
    times: int
    place: int
    value: Any = None


damages = st.builds(
    Damage,
    st.sampled_from(
        [
            *["retype", "drop"] * 8,
            *["truncate", "bid", "swap bids", "double", "extra", "lose", "empty list"] * 2,
            *["status", "header", "broken"] * 3,
            *BODIES,
        ]
    ),
    st.integers(0, 12),
    st.sampled_from([1, 1, 1, 2, 3, 50]),
    st.integers(0, 10_000),
    wrong,
)


def members(value: Any, found: list | None = None) -> list[tuple[Any, Any]]:
    """Every (container, key) in JSON data, outermost first."""
    found = [] if found is None else found
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        found.append((value, key))
        members(value[key], found)
    return found


def is_lie_of_quickbooks(holder: Any, key: Any, damage: Damage) -> bool:
    """Tokens are believed whatever they are; a code that is none of ours says that a record is refused."""
    del holder, damage
    return key in {"access_token", "refresh_token", "code"}


def is_lie_of_bill(holder: Any, key: Any, damage: Damage) -> bool:
    """A shorter list, and other values of a record's own fields, are what BILL may well say."""
    empty = damage.kind == "empty list" or (damage.kind == "retype" and damage.value in ([], None))
    if key == "nextPage" or (key == "results" and empty):
        return True
    if isinstance(holder, list) and damage.kind == "drop":
        return True
    in_a_record = isinstance(holder, dict) and "results" not in holder and "sessionId" not in holder
    types = damage.kind == "retype" and key in {"id", "updatedTime"} and not isinstance(damage.value, str)
    return in_a_record and not types


def damage_body(content: bytes, damage: Damage, is_lie: Callable[[Any, Any, Damage], bool]) -> bytes:
    """The body with one thing wrong."""
    if damage.kind in BODIES:
        return BODIES[damage.kind]
    if damage.kind == "truncate":
        return content[: damage.place % max(len(content), 1)]
    try:
        body = json.loads(content)
    except ValueError:
        return content
    places = [(holder, key) for holder, key in members(body) if not is_lie(holder, key, damage)]
    if damage.kind == "empty list":
        places = [(holder, key) for holder, key in places if isinstance(holder[key], list)]
    items = body.get("BatchItemResponse") if isinstance(body, dict) else None
    if damage.kind in {"retype", "drop", "empty list"} and places:
        damage_member(*places[damage.place % len(places)], damage)
    elif isinstance(items, list) and items:
        damage_items(items, damage)
    return json.dumps(body).encode()


def damage_member(holder: Any, key: Any, damage: Damage) -> None:
    if damage.kind == "drop":
        del holder[key]
    else:
        holder[key] = [] if damage.kind == "empty list" else damage.value


def damage_items(items: list[dict], damage: Damage) -> None:
    """What makes it unclear which answer of a batch is whose."""
    at, other = damage.place % len(items), (damage.place // 7 + 1) % len(items)
    match damage.kind:
        case "bid":
            items[at]["bId"] = f"other-{damage.place}"
        case "swap bids":
            items[at]["bId"], items[other]["bId"] = items[other]["bId"], items[at]["bId"]
        case "double":
            items.append({**items[other], "bId": items[at]["bId"]})
        case "extra":
            items.append({"bId": "unasked", "Vendor": {"Id": "999999", "SyncToken": "0"}})
        case "lose":
            del items[at]


def damage_response(response: requests.Response, damage: Damage, is_lie: Callable) -> None:
    """Change an answer in place, or break the connection."""
    match damage.kind:
        case "status":
            statuses = (201, 204, 302, 400, 401, 403, 404, 408, 418, 429, 500, 502, 503, 504, 599)
            response.status_code = statuses[damage.place % len(statuses)]
        case "header":
            response.headers.update(HEADERS[damage.place % len(HEADERS)])
        case "broken":
            raise ERRORS[damage.place % len(ERRORS)]("broken")
        case _:
            response._content = damage_body(response.content, damage, is_lie)


class Wire:
    """Between the plugins and the services: damages the answers it is told to, of paths of one service."""

    def __init__(self, paths: str, is_lie: Callable[[Any, Any, Damage], bool]) -> None:
        self._paths = re.compile(paths)
        self._is_lie = is_lie
        self.plan: tuple[Damage, ...] = ()
        self.answers = 0
        self.damaged = 0

    def begin(self, plan: list[Damage]) -> None:
        self.plan, self.answers = tuple(plan), 0

    def pass_on(self, send, adapter, request, **options):
        response = send(adapter, request, **options)
        if not self._paths.search(request.url):
            return response
        number, self.answers = self.answers, self.answers + 1
        for damage in self.plan:
            if damage.answer <= number < damage.answer + damage.times:
                self.damaged += 1
                response.content  # noqa: B018 - reads it, so that the connection is free again
                damage_response(response, damage, self._is_lie)
                break
        return response


class Fuzzed:
    """The books all examples share, and the wire between them."""

    def __init__(self, books: Any, wire: Wire) -> None:
        self.books = books
        self.wire = wire
        self.rounds = 0

    def __repr__(self) -> str:
        return "fuzzed"


@contextlib.contextmanager
def hasty(wire: Wire):
    """No wait takes time: what counts as passed is what was slept."""
    send = HTTPAdapter.send
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(HTTPAdapter, "send", lambda *args, **options: wire.pass_on(send, *args, **options))
        for buckets in ("REQUESTS", "BATCHES"):
            patched.setattr(governor, buckets, (governor.Bucket(10**6, 60.0),))
        patched.setattr(target.TargetQuickbooks, "_sleep", lambda *_: None)
        patched.setattr(bill_client, "_FIRST_WAIT", 0.001)
        patched.setattr(bill_client, "_LONGEST_WAIT", 0.001)
        patient = bill_client._Patience.__init__
        patched.setattr(
            bill_client._Patience, "__init__", lambda one, _, monotonic: patient(one, 0.1, monotonic)
        )
        logging.getLogger("singer_sdk").setLevel(logging.ERROR)
        yield


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory, books_of):
    wire = Wire(r"/v3/company/|/oauth2/v1/tokens", is_lie_of_quickbooks)
    with hasty(wire), running("empty", switches=UNLIMITED) as simulator:
        yield Fuzzed(books_of(simulator, tmp_path_factory.mktemp("fuzzed")), wire)


SCHEMAS = [
    {
        "type": "SCHEMA",
        "stream": stream,
        "schema": {"properties": {"id": {"type": "string"}}},
        "key_properties": ["id"],
    }
    for stream in ("chart_of_accounts", "vendors", "bills")
]


def record(stream: str, content: dict) -> dict:
    content = {**content, "organizationId": "00802DEMOORGANIZTN01"}
    return {"type": "RECORD", "stream": stream, "record": content}


def input_of(books, number: int) -> list[str]:
    """Three new vendors with a bill each, and the first vendor of the round before renamed."""
    account = next(
        found
        for found in books.held("chart_of_accounts")
        if not found["archived"] and found["account"]["type"] == "EXPENSE"
    )
    messages = [*SCHEMAS, record("chart_of_accounts", account)]
    for each in range(3):
        key = f"{number}x{each}"
        messages.append(record("vendors", {"id": f"009{key}", "name": f"Vendor {key}"}))
        bill = {"id": f"00n{key}", "vendorId": f"009{key}", "amount": 10 + each, "dueDate": "2026-11-30"}
        bill["invoice"] = {"invoiceNumber": f"N{key}", "invoiceDate": "2026-11-01"}
        lines = [
            {"id": f"l{key}", "amount": 10 + each, "classifications": {"chartOfAccountId": account["id"]}}
        ]
        messages.append(record("bills", bill | {"billLineItems": lines}))
    if number > 1:
        messages.append(record("vendors", {"id": f"009{number - 1}x0", "name": f"Renamed {number - 1}"}))
    return [json.dumps(message) for message in messages]


def expected_orders(rounds: int) -> dict[str, Decimal]:
    return {f"00n{number}x{each}": Decimal(10 + each) for number in range(1, rounds + 1) for each in range(3)}


def expected_names(rounds: int) -> list[str]:
    names = [f"Vendor {number}x{each}" for number in range(1, rounds + 1) for each in (1, 2)]
    return sorted([*names, f"Vendor {rounds}x0", *(f"Renamed {number}" for number in range(1, rounds))])


def assert_agree(fuzzed: Fuzzed) -> None:
    orders = fuzzed.books.stored("PurchaseOrder")
    ids = [read_marker(order["PrivateNote"])[1] for order in orders]
    assert len(ids) == len(set(ids)), "a bill has two purchase orders"
    amounts = {bill: Decimal(str(order["TotalAmt"])) for bill, order in zip(ids, orders, strict=True)}
    assert amounts == expected_orders(fuzzed.rounds)
    vendors = fuzzed.books.stored("Vendor")
    assert sorted(vendor["DisplayName"] for vendor in vendors) == expected_names(fuzzed.rounds)
    name_of = {vendor["Id"]: vendor["DisplayName"] for vendor in vendors}
    for bill, order in zip(ids, orders, strict=True):
        number, each = bill.removeprefix("00n").split("x")
        renamed = each == "0" and int(number) < fuzzed.rounds
        expected = f"Renamed {number}" if renamed else f"Vendor {number}x{each}"
        assert name_of[order["VendorRef"]["value"]] == expected


def assert_clear(*told: str) -> None:
    """One line each, without the words of a programming error."""
    for words in told:
        assert not re.search(r"\n|Traceback|Error\(|<class|object at 0x|\x00|\x1b", words), words


@pytest.mark.timeout(600 + EXAMPLES)
@settings(
    max_examples=max(int(EXAMPLES * QUICKBOOKS_SHARE), 1),
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(plan=st.lists(damages, min_size=1, max_size=4), expired=st.booleans())
def test_no_answer_of_quickbooks_makes_a_traceback_or_lets_the_books_differ(fuzzed, plan, expired):
    if fuzzed.rounds >= RENEWED_AFTER:
        fuzzed.wire.begin([])
        fuzzed.books.simulator.control.reset()
        fuzzed.rounds = 0
    fuzzed.rounds += 1
    lines = input_of(fuzzed.books, fuzzed.rounds)
    faults = fuzzed.books.simulator.control
    if expired:
        faults.add_fault("expired_token", system="quickbooks", nth=1)
    fuzzed.wire.begin(plan)
    run = fuzzed.books.write(lines, max_retry_seconds=20)
    assert run.exit_code in {0, 1}
    assert bool(run.exit_code) == bool(run.error or run.reasons)
    assert_clear(run.error, *run.reasons.values())
    fuzzed.wire.begin([])
    faults.clear_faults()
    again = fuzzed.books.write(lines)
    assert again.exit_code == 0, (run.error, run.reasons, again.error, again.reasons)
    assert_agree(fuzzed)


class Reading:
    """What the tap reads while answers are damaged, and what it reads when they are not."""

    def __init__(self, books: Any, wire: Wire) -> None:
        self._books = books
        self.wire = wire
        self.truth, error, _ = self.read()
        assert not error
        assert len(self.truth) > 3 * PEOPLE

    def __repr__(self) -> str:
        return "reading"

    def read(self, state: dict | None = None) -> tuple[dict, str, dict]:
        """The records by stream and id, why the tap gave up, and the STATE it leaves."""
        output, error = io.StringIO(), ""
        tap = TapBill(config=self._books.settings("TAP_BILL_") | {"page_size": 2}, state=state)
        with contextlib.redirect_stdout(output):
            try:
                tap.sync_all()
            except SingerSDKError as failure:
                error = str(failure)
        messages = [json.loads(line) for line in output.getvalue().splitlines()]
        records = {
            (message["stream"], message["record"]["id"]): message["record"]
            for message in messages
            if message["type"] == "RECORD"
        }
        return records, error, json.loads(json.dumps(tap.state))


PEOPLE = 5


@pytest.fixture(scope="module")
def reading(tmp_path_factory, books_of):
    wire = Wire(r"/connect/v3/", is_lie_of_bill)
    with hasty(wire), running("empty") as simulator:
        books = books_of(simulator, tmp_path_factory.mktemp("reading"))
        account = next(one["id"] for one in books.held("chart_of_accounts") if not one["archived"])
        line = {"amount": 12.34, "classifications": {"chartOfAccountId": account}}
        for number in range(PEOPLE):
            books.bill.bill(books.bill.vendor(f"Vendor {number}")["id"], f"INV-{number}", [line])
        yield Reading(books, wire)


@pytest.mark.timeout(600 + EXAMPLES)
@settings(
    max_examples=max(EXAMPLES - int(EXAMPLES * QUICKBOOKS_SHARE), 1),
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(plan=st.lists(damages, min_size=1, max_size=4), later=st.integers(0, 30))
def test_no_answer_of_bill_makes_a_traceback_or_loses_a_record(reading, plan, later):
    reading.wire.begin([replace(damage, answer=damage.answer + later) for damage in plan])
    records, error, state = reading.read()
    reading.wire.begin([])
    assert_clear(error)
    for key, record in records.items():
        assert record["organizationId"] == reading.truth[key]["organizationId"]
        own = {name: value for name, value in record.items() if name != "updatedTime"}
        assert own.items() <= reading.truth[key].items()
    rest, error, _ = reading.read(state)
    assert not error
    assert (records | rest).keys() == reading.truth.keys()
