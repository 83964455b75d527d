"""Stopping a run: a valid last state, no half line, and the next run goes on from there."""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
import signal
import subprocess
import sys
import termios
import threading
import time
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from ap_simulator.testing import running
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk.singerlib import RecordMessage, StateMessage
from tap_bill.output import MessageWriter


@pytest.fixture(scope="module")
def simulator():
    with running("demo") as simulator:
        simulator.control.set_latency(system="bill", per_call_ms=15)
        yield simulator


#: The tap as it is, but for the patience with a reader that has stopped reading.
HASTY = (
    "import tap_bill.output as output; output.GRACE = 1.0\nfrom tap_bill.tap import TapBill; TapBill.cli()"
)


def start(simulator, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", HASTY, "--config=ENV", *map(str, arguments)],
        env=os.environ | simulator.env() | {"TAP_BILL_PAGE_SIZE": "40"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def drain(process):
    """Collect what is logged, so that the pipe does not fill up."""
    collected = []
    thread = threading.Thread(target=lambda: collected.extend(process.stderr), daemon=True)
    thread.start()
    return collected


def wait_until_full(pipe, *, seconds=30):
    """Until the pipe is well filled and nothing more comes: its writer is stuck in the middle of a line."""
    deadline = time.monotonic() + seconds
    unchanged, before = 0, 0
    while unchanged < 30:
        assert time.monotonic() < deadline
        time.sleep(0.01)
        waiting = int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)
        unchanged = unchanged + 1 if waiting == before > 30_000 else 0
        before = waiting


def records(lines, stream):
    messages = [json.loads(line) for line in lines]
    return [m["record"]["id"] for m in messages if m["type"] == "RECORD" and m["stream"] == stream]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_stopped_run_ends_with_its_state_and_the_next_one_goes_on_from_there(
    simulator, tmp_path, number, code
):
    with start(simulator) as process:
        log = drain(process)
        lines = []
        for line in process.stdout:
            lines.append(line)
            if len(lines) % 10 == 0 and line.startswith('{"type":"RECORD","stream":"bills"'):
                process.send_signal(number)
                break
        lines += process.stdout.readlines()
    assert process.returncode == code
    assert not any("Traceback" in line for line in log)

    last = json.loads(lines[-1])
    assert last["type"] == "STATE"
    done = records(lines, "bills")
    assert 0 < len(done) < 600
    (tmp_path / "state.json").write_text(json.dumps(last["value"]))

    with start(simulator, "--state", tmp_path / "state.json") as process:
        drain(process)
        lines = process.stdout.readlines()
    assert process.returncode == 0
    rest = records(lines, "bills")
    assert set(done) | set(rest) == {record["id"] for record in simulator.control.records("bill", "bills")}
    # Only the look-back is read twice.
    assert len(rest) < 610 - len(done)


def test_a_run_that_waits_for_bill_stops_at_once(simulator):
    simulator.control.add_fault("latency", system="bill", path="/connect/v3/vendors", delay_ms=20_000)
    try:
        with start(simulator) as process:
            drain(process)
            for line in process.stdout:
                if line.startswith('{"type":"SCHEMA","stream":"vendors"'):
                    break
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            process.stdout.read()
        assert process.returncode == 143
        assert time.monotonic() - began < 5
    finally:
        simulator.control.clear_faults()


def test_a_run_whose_output_nobody_takes_does_not_hang(simulator):
    """As under a connection test that has seen its record and only waits for the end."""
    with start(simulator) as process:
        drain(process)
        assert process.stdout.readline()
        wait_until_full(process.stdout)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 143


def test_a_message_under_way_is_finished_before_stopping(capsys):
    writer = MessageWriter()
    order = []

    class Message:
        def to_dict(self):
            # The signal arrives while the message is being written.
            return {"type": "RECORD"}

    real_write = sys.stdout.write

    def write(text):
        writer.between_messages(lambda: order.append("stopped"), exit_code=143)
        order.append("written")
        return real_write(text)

    sys.stdout.write = write
    try:
        writer.write_message(Message())
    finally:
        del sys.stdout.write
    assert order == ["written", "stopped"]
    assert capsys.readouterr().out == '{"type":"RECORD"}\n'


def test_between_messages_stopping_is_immediate():
    order = []
    MessageWriter().between_messages(lambda: order.append("stopped"), exit_code=143)
    assert order == ["stopped"]


WILD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def written_as(write):
    """The lines that a new writer writes."""
    with contextlib.redirect_stdout(io.StringIO()) as written:
        write(MessageWriter())
    return written.getvalue().splitlines()


@given(
    records=st.lists(st.dictionaries(st.text(), WILD, max_size=5), min_size=1, max_size=4),
    version=st.none() | st.integers(0),
)
def test_records_are_written_as_the_sdk_would_write_them(records, version):
    """To the digit, and in characters that every encoding has."""
    moment = datetime.now(UTC)

    def theirs(writer):
        for record in records:
            writer.write_message(
                RecordMessage(stream="bills", record=record, version=version, time_extracted=moment)
            )

    def ours(writer):
        for record in records:
            writer.gather_record("bills", record, version=version)
        writer.write_gathered()

    for line, their_line in zip(written_as(ours), written_as(theirs), strict=True):
        written, expected = (json.loads(text, parse_float=Decimal) for text in (line, their_line))
        assert datetime.fromisoformat(written.pop("time_extracted")) >= moment
        del expected["time_extracted"]
        assert written == expected
        assert list(written) == list(expected)
        assert line.isascii()


def test_halves_of_surrogate_pairs_come_out_as_they_came(capsys):
    writer = MessageWriter()
    for note in ("cut \ud83d", "whole"):
        writer.gather_record("bills", {"note": note})
    writer.write_gathered()
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["record"]["note"] for line in lines] == ["cut \ud83d", "whole"]


def test_line_ends_of_other_alphabets_end_no_message(capsys):
    writer = MessageWriter()
    writer.gather_record("bills", {"note": "a\u2028b\x85c\nd\re"})
    writer.write_gathered()
    assert json.loads(capsys.readouterr().out)["record"] == {"note": "a\u2028b\x85c\nd\re"}


def state_of(writer, number):
    writer.write_message(StateMessage(value={"bookmarks": {"bills": {"replication_key_value": number}}}))


def kinds(text):
    return [json.loads(line)["type"] for line in text.splitlines()]


def test_a_state_comes_after_the_records_that_it_tells_of(capsys):
    writer = MessageWriter()
    writer.gather_record("bills", {"id": "1"})
    writer.gather_record("bills", {"id": "2"})
    assert capsys.readouterr().out == ""
    state_of(writer, 2)
    assert kinds(capsys.readouterr().out) == ["RECORD", "RECORD", "STATE"]


def test_nothing_is_written_twice(capsys):
    writer = MessageWriter()
    writer.gather_record("bills", {"id": "1"})
    writer.write_gathered()
    writer.write_gathered()
    state_of(writer, 1)
    assert kinds(capsys.readouterr().out) == ["RECORD", "STATE"]


def test_no_more_is_gathered_than_a_slow_reader_takes(capsys):
    """Else a signal would find more to write than the time for it allows."""
    writer = MessageWriter()
    for number in range(50):
        assert capsys.readouterr().out == ""
        writer.gather_record("bills", {"id": str(number)})
    assert len(capsys.readouterr().out.splitlines()) == 50


def test_a_signal_between_records_finds_all_of_them_written_before_its_state(capsys):
    writer = MessageWriter()
    writer.gather_record("bills", {"id": "1"})
    writer.between_messages(lambda: state_of(writer, 1), exit_code=143)
    assert kinds(capsys.readouterr().out) == ["RECORD", "STATE"]


def test_a_signal_while_records_are_written_waits_for_the_last_of_them(capsys):
    writer = MessageWriter()
    for number in range(3):
        writer.gather_record("bills", {"id": str(number)})
    real_write = sys.stdout.write

    def write(text):
        if "RECORD" in text:
            writer.between_messages(lambda: state_of(writer, 3), exit_code=143)
        return real_write(text)

    sys.stdout.write = write
    try:
        writer.write_gathered()
    finally:
        del sys.stdout.write
    assert kinds(capsys.readouterr().out) == ["RECORD", "RECORD", "RECORD", "STATE"]
