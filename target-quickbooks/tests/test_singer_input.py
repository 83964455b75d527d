"""Singer messages from standard input: exact numbers, and errors that never quote the line."""

from __future__ import annotations

import io
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_quickbooks.errors import InputError
from target_quickbooks.singer_input import MessageReader

RECORD = '{"type": "RECORD", "stream": "vendors", "record": {"id": "1", "amount": 1.10}}'


def read(text, **callbacks):
    """Read a whole input; returns the reader, the messages and what was counted."""
    reader, messages = MessageReader(), []
    taken = callbacks or {"RECORD": messages.append, "STATE": messages.append}
    counted = reader.process_lines(io.StringIO(text), taken)
    return reader, messages, counted


def test_messages_go_to_their_callbacks_in_order():
    state = '{"type": "STATE", "value": {}}'
    _, messages, counted = read(f"{RECORD}\n{state}\n{RECORD}\n")
    assert [message["type"] for message in messages] == ["RECORD", "STATE", "RECORD"]
    assert counted == {"RECORD": 2, "STATE": 1}


def test_numbers_are_exact():
    _, [message], _ = read(RECORD)
    assert message["record"]["amount"] == Decimal("1.10")
    assert isinstance(message["record"]["amount"], Decimal)


def test_empty_lines_are_left_out_and_counted():
    reader, messages, _ = read(f"\n  \n{RECORD}\n")
    assert len(messages) == 1
    assert reader.line_number == 3


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("secret, not JSON", "is not JSON"),
        ('{"type": "RECORD", "secret": NaN}', "is not JSON"),
        ('"secret"', "is not a JSON object"),
        ("[1]", "is not a JSON object"),
        ("[" * 100_000, "is not JSON"),
        ('{"secret": 1}', "is not a Singer message of a known type"),
        ('{"type": "secret"}', "is not a Singer message of a known type"),
        ('{"type": ["RECORD"]}', "is not a Singer message of a known type"),
    ],
)
def test_an_unusable_line_is_named_by_its_number_and_never_quoted(line, words):
    """It may hold tax ids and bank numbers."""
    with pytest.raises(InputError) as error:
        read(f"{RECORD}\n\n{line}\n")
    assert f"Line 3 of the input {words}" in str(error.value)
    assert "secret" not in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_input_that_is_not_utf_8_is_told():
    reader = MessageReader()
    lines = io.TextIOWrapper(io.BytesIO(b'{"type": "RECORD"}\n\xff\xfe\n'), encoding="utf-8")
    with pytest.raises(InputError, match="is not UTF-8"):
        reader.process_lines(lines, {"RECORD": lambda _: None})


def test_bytes_that_utf_8_mode_lets_through_are_told():
    """With PYTHONUTF8=1 standard input hands them over instead of failing."""
    data = b'{"type": "STATE", "value": {"a": "\xff"}}\n'
    lines = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", errors="surrogateescape")
    with pytest.raises(InputError, match="Line 1 of the input is not UTF-8"):
        MessageReader().process_lines(lines, {"STATE": lambda _: None})


@given(st.text(max_size=40))
def test_any_line_is_taken_or_refused(line):
    try:
        read(line)
    except InputError as error:
        assert "of the input" in str(error)  # noqa: PT017 - either outcome is fine, a crash is not


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=4))
def test_any_object_of_a_known_type_is_taken(members):
    _, messages, _ = read(json.dumps({**members, "type": "RECORD"}))
    assert len(messages) == 1


@pytest.mark.parametrize("message", [{}, {"stream": None}, {"stream": 7}, {"stream": ["vendors"]}])
def test_a_message_that_lacks_what_it_needs_is_told(message):
    reader, _, _ = read("\n\n")
    with pytest.raises(InputError, match="Line 2 of the input is a RECORD message without a usable 'stream'"):
        reader.require({"type": "RECORD", **message}, stream=str)


def test_a_message_that_has_what_it_needs_passes():
    MessageReader().require({"type": "RECORD", "stream": "vendors", "record": {}}, stream=str, record=dict)
