"""Governors of several processes keep QuickBooks' limits together, and nobody waits for long."""

from __future__ import annotations

import datetime as dt
import heapq
import itertools
import shutil
import threading
import uuid
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from target_quickbooks.errors import StoreError
from target_quickbooks.quickbooks import governor as governors
from target_quickbooks.quickbooks.governor import BATCHES, IN_FLIGHT, REQUESTS, Governor, MemoryLedger
from target_quickbooks.quickbooks.quota import GRACE, LAPSE, Place
from target_quickbooks.store.cipher import Cipher
from target_quickbooks.store.database import open_store
from target_quickbooks.store.quota_table import StoredLedger

REALM = "9341452000000001"
_PATIENCE = 60  # real seconds after which a test is stuck


class VirtualTime:
    """Runs functions in threads, one at a time; time passes only while all of them sleep."""

    def __init__(self):
        self.time = 1000.0
        self._numbers = itertools.count()
        self._asleep = []
        self._all_ended = threading.Event()
        self._errors = []

    def now(self):
        return self.time

    def sleep(self, seconds):
        self._fall_asleep(seconds).wait()

    def run(self, functions):
        """Run all functions to their ends."""
        self._all_ended.clear()
        threads = []
        for function in functions:
            woken = threading.Event()
            heapq.heappush(self._asleep, (self.time, next(self._numbers), woken))
            threads.append(threading.Thread(target=self._run, args=(function, woken), daemon=True))
            threads[-1].start()
        self._wake_next()
        assert self._all_ended.wait(_PATIENCE), "stuck"
        for thread in threads:
            thread.join(_PATIENCE)
        if self._errors:
            raise self._errors[0]

    def _run(self, function, woken):
        woken.wait()
        try:
            function()
        except Exception as error:  # noqa: BLE001 - told by the thread that runs the test
            self._errors.append(error)
        self._wake_next()

    def _fall_asleep(self, seconds):
        woken = threading.Event()
        heapq.heappush(self._asleep, (self.time + seconds, next(self._numbers), woken))
        self._wake_next()
        return woken

    def _wake_next(self):
        if not self._asleep:
            self._all_ended.set()
            return
        self.time, _, woken = heapq.heappop(self._asleep)
        woken.set()


@dataclass
class Request:
    """What a process does: it pauses, asks, sends; the request travels, is answered, is done."""

    pause: float = 0.0
    batch: bool = False
    travel: float = 0.0
    work: float = 0.0


@dataclass
class Service:
    """What QuickBooks sees of it."""

    time: VirtualTime
    arrivals: list = field(default_factory=list)
    waits: list = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0

    def process(self, governor, requests, name=""):
        """A process that makes its requests one after the other."""

        def work():
            for request in requests:
                self.time.sleep(request.pause)
                asked = self.time.now()
                with governor.request(batch=request.batch):
                    self.waits.append((name, request.batch, asked, self.time.now()))
                    self.time.sleep(request.travel)
                    self.arrivals.append((self.time.now(), request.batch))
                    self.in_flight += 1
                    self.most_in_flight = max(self.most_in_flight, self.in_flight)
                    self.time.sleep(request.work)
                    self.in_flight -= 1

        return work

    def check(self):
        """No window of any bucket holds too much."""
        assert self.most_in_flight <= IN_FLIGHT
        for buckets, times in (
            (REQUESTS, [at for at, _ in self.arrivals]),
            (BATCHES, [at for at, batch in self.arrivals if batch]),
        ):
            for bucket in buckets:
                assert most_in_a_window(times, bucket.seconds) <= bucket.calls

    def ended(self):
        return max(at for at, _ in self.arrivals) - 1000.0


def most_in_a_window(times, seconds):
    window, most = deque(), 0
    for at in sorted(times):
        window.append(at)
        while window[0] <= at - seconds:
            window.popleft()
        most = max(most, len(window))
    return most


def least_seconds(requests, batches):
    """The least time in which the limits let so many start, batches being among the requests."""
    minutes = max((requests - 1) // 500, (batches - 1) // 40, 0)
    left = max(requests - minutes * 500, 1)
    return minutes * 60 + (left - 1) // 10


def crowd(time, ledger_of, plans):
    """Runs a governor for each plan, all on what `ledger_of` gives them."""
    service = Service(time)
    time.run(
        service.process(Governor(ledger_of(number), now=time.now, sleep=time.sleep), plan, name=number)
        for number, plan in enumerate(plans)
    )
    return service


moments = st.sampled_from([0.0, 0.0, 0.0, 0.004, 0.2, 0.9, 3.0])
requests = st.builds(
    Request,
    pause=st.sampled_from([0.0, 0.0, 0.0, 0.0, 0.01, 0.3, 1.0, 20.0]),
    batch=st.booleans(),
    travel=moments,
    work=moments,
)
bursts = st.tuples(st.lists(requests, min_size=1, max_size=4), st.integers(1, 30)).map(
    lambda it: it[0] * it[1]
)
plans = st.lists(bursts, min_size=1, max_size=5)


@settings(max_examples=60)
@given(plans=plans)
def test_no_window_holds_more_than_a_limit_whatever_processes_do(plans):
    shared = MemoryLedger()
    crowd(VirtualTime(), lambda _: shared, plans).check()


@settings(max_examples=40)
@given(st.integers(1, 6), st.integers(1, 400), st.booleans(), st.sampled_from([0.0, 0.003]))
def test_together_processes_take_hardly_longer_than_the_limits_ask(processes, each, batch, work):
    each = min(each, 30) if batch else each
    shared = MemoryLedger()
    plans = [[Request(batch=batch, work=work)] * each] * processes
    service = crowd(VirtualTime(), lambda _: shared, plans)
    total = processes * each
    least = least_seconds(total, total if batch else 0)
    assert service.ended() <= 1.05 * least + 60 * work + 2


@pytest.mark.parametrize("late", [0.0, 0.1])
@pytest.mark.parametrize("work", [0.0, 3.0], ids=["limited by the second", "limited in flight"])
def test_one_among_ten_that_never_pause_gets_its_turn(work, late):
    """Who is in time for every place that becomes free must leave one to whoever asked before."""
    time, shared = VirtualTime(), MemoryLedger()
    service = Service(time)
    busy = [[Request(work=work)] * 40] * 10
    crowd_of = [Governor(shared, now=time.now, sleep=time.sleep) for _ in busy]
    one = Governor(shared, now=time.now, sleep=lambda seconds: time.sleep(seconds + late))
    time.run(
        [
            *(service.process(governor, plan) for governor, plan in zip(crowd_of, busy, strict=True)),
            service.process(one, [Request(pause=0.7)] * 10, name="one"),
        ]
    )
    service.check()
    waits = [started - asked for name, _, asked, started in service.waits if name == "one"]
    assert max(waits) <= 1.5 + work + 0.5
    assert sum(waits) > 5, "nothing to wait for"


def test_a_busy_reader_does_not_starve_a_writer():
    """Readers in a loop use all that is left over; the writer's batches go at their pace of 40 a minute."""
    time, shared = VirtualTime(), MemoryLedger()
    reader = [Request(work=0.002)] * 1500
    writer = [Request(batch=True, work=0.05)] * 100
    service = crowd(time, lambda _: shared, [reader, reader, writer])
    service.check()
    writes = [started for name, _, _, started in service.waits if name == 2]
    assert writes[-1] - 1000.0 <= 100 / 40 * 60


def test_one_process_is_not_slower_for_sharing():
    time, shared = VirtualTime(), MemoryLedger()
    crowd(time, lambda _: shared, [[Request(work=0.1)] * 10])
    assert time.time == pytest.approx(1001.0)


def test_a_throttle_answer_stops_all_processes():
    time, shared = VirtualTime(), MemoryLedger()
    seen, others = (Governor(shared, now=time.now, sleep=time.sleep) for _ in range(2))
    service = Service(time)

    def throttled():
        with seen.request():
            seen.close_for(30)

    time.run([throttled, service.process(others, [Request(pause=1.0)])])
    assert service.arrivals[0][0] == pytest.approx(1030.0)


# --- processes that die -------------------------------------------------------------------------------------


def killed(time, shared, *, while_requests=0, while_waiting=0, batch=False):
    """A process that is killed with requests under way, or while it waits."""
    governor = Governor(shared, now=time.now, sleep=time.sleep)
    for number in range(while_requests + while_waiting):
        wait = governor._take(str(number), batch=batch)
        assert (wait > 0) is (number >= while_requests)
    return governor


def test_places_of_a_process_that_is_gone_are_free_after_a_second(monkeypatch):
    time, shared = VirtualTime(), MemoryLedger()
    dead = killed(time, shared, while_requests=10, while_waiting=3)
    monkeypatch.setattr(governors, "is_gone", lambda name: name == dead._holder)
    assert crowd(time, lambda _: shared, [[Request()]]).ended() <= 1.1


def test_places_of_a_process_that_cannot_be_seen_lapse():
    time, shared = VirtualTime(), MemoryLedger()
    killed(time, shared, while_requests=10)
    assert crowd(time, lambda _: shared, [[Request()]]).ended() == pytest.approx(LAPSE + 1, abs=0.2)


def test_one_that_died_in_the_queue_costs_the_others_a_second():
    time, shared = VirtualTime(), MemoryLedger()
    busy = killed(time, shared, while_requests=10)
    for number in range(10):
        busy._give_back(str(number))
    killed(time, shared, while_waiting=1)
    assert crowd(time, lambda _: shared, [[Request(pause=0.5)] * 3]).ended() <= 1.02 + GRACE + 2 * 0.5


def test_nine_that_died_one_after_the_other_do_not_stop_the_next():
    """Each leaves a request under way behind, and nobody can see that they are gone."""
    time, shared = VirtualTime(), MemoryLedger()
    for _ in range(IN_FLIGHT - 1):
        killed(time, shared, while_requests=1)
    service = crowd(time, lambda _: shared, [[Request(work=0.1)] * 5])
    assert service.ended() < 6


# --- what is told -------------------------------------------------------------------------------------------


def test_several_threads_that_wait_tell_it_once():
    time, told = VirtualTime(), []
    governor = Governor(now=time.now, sleep=time.sleep, on_wait=told.append)
    governor.close_for(30)
    service = Service(time)
    time.run(service.process(governor, [Request()]) for _ in range(5))
    assert told == [pytest.approx(30)]


# --- in the store -------------------------------------------------------------------------------------------


class Machine:
    """Clocks of one machine: one that never goes back and has begun anywhere, and a time of day."""

    def __init__(self, time, name, *, began=0.0, steps=()):
        self._time = time
        self._began = began
        self._steps = steps
        self.name = name

    def ticks(self):
        return self._time.now() - self._began

    def wall(self):
        stepped = sum(by for at, by in self._steps if self._time.now() >= at)
        return dt.datetime(2026, 12, 16, tzinfo=dt.UTC) + dt.timedelta(seconds=self._time.now() + stepped)

    def governor(self, store, realm_id=REALM):
        ledger = StoredLedger(store, realm_id, ticks=self.ticks, clock=self.name, wall=self.wall)
        return Governor(ledger, now=self.ticks, sleep=self._time.sleep)


def stored_crowd(store, machines, plans, realm_id=REALM):
    """Runs a governor for each plan, on machines in turn."""
    time = machines[0]._time
    service = Service(time)
    time.run(
        service.process(machine.governor(store, realm_id), plan, name=number)
        for number, (machine, plan) in enumerate(zip(itertools.cycle(machines), plans, strict=False))
    )
    return service


@pytest.fixture(scope="module")
def shared_store(empty_store, encryption_key, tmp_path_factory):
    """A store for all examples of a test: each uses a realm of its own."""
    path = tmp_path_factory.mktemp("shared") / "store.sqlite3"
    shutil.copy(empty_store, path)
    opened = open_store(f"sqlite:///{path}", Cipher((encryption_key,)))
    yield opened
    opened.close()


@settings(max_examples=8)
@given(plans=plans, machines=st.integers(1, 3))
def test_processes_that_meet_in_a_store_keep_the_limits(shared_store, plans, machines):
    """Also on machines whose monotonic clocks have nothing in common."""
    time = VirtualTime()
    hosts = [Machine(time, f"host {number}", began=700.0 * number) for number in range(machines)]
    stored_crowd(shared_store, hosts, plans, realm_id=uuid.uuid4().hex).check()


@pytest.mark.parametrize("by", [0.0, -3600.0, 3600.0])
def test_nobody_minds_when_the_time_of_day_is_set(store, by):
    """Neither too fast nor too slow: the processes of a machine share a clock that is not set."""
    machine = Machine(VirtualTime(), "host", steps=[(1000.5 + number, by) for number in range(11)])
    service = stored_crowd(store, [machine], [[Request(work=0.002)] * 40] * 3)
    service.check()
    assert service.ended() <= least_seconds(120, 0) + 1


def test_a_machine_that_starts_anew_goes_by_the_time_of_day(store):
    time = VirtualTime()
    stored_crowd(store, [Machine(time, "first start")], [[Request()] * 10])
    service = stored_crowd(store, [Machine(time, "second start", began=time.now())], [[Request()]])
    assert service.arrivals[0][0] == pytest.approx(1001.02, abs=0.01)


@pytest.mark.parametrize("by", [-3600.0, 3600.0, 86400.0])
def test_another_machine_with_a_wrong_time_of_day_makes_nobody_wait_longer_than_a_window(store, by):
    time = VirtualTime()
    wrong = Machine(time, "wrong", steps=[(0.0, by)])
    stored_crowd(store, [wrong], [[Request(batch=True)] * 40])
    began = time.now()
    with wrong.governor(store).request():
        wrong.governor(store).close_for(60)
    stored_crowd(store, [Machine(time, "right", began=300.0)], [[Request(batch=True)]])
    assert time.now() - began <= 125


def test_companies_have_limits_of_their_own(store):
    time = VirtualTime()
    machine = Machine(time, "host")
    stored_crowd(store, [machine], [[Request()] * 10], realm_id="1")
    stored_crowd(store, [machine], [[Request()] * 10], realm_id="2")
    assert time.now() == 1000.0


def test_a_throttle_answer_is_seen_by_other_processes(store):
    machine = Machine(VirtualTime(), "host")
    machine.governor(store).close_for(30)
    assert stored_crowd(store, [machine], [[Request()]]).ended() == pytest.approx(30, abs=0.01)


def test_threads_that_open_the_ledger_at_once_lose_nothing(store):
    machine = Machine(VirtualTime(), "host")

    def note(start):
        ledger = StoredLedger(store, REALM, ticks=machine.ticks, clock="host", wall=machine.wall)
        for number in range(20):
            with ledger.open() as opened:
                opened.held[f"{start} {number}"] = Place("holder", batch=False, lapses_at=1100.0)

    threads = [threading.Thread(target=note, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_PATIENCE)
    with StoredLedger(store, REALM, ticks=machine.ticks, clock="host", wall=machine.wall).open() as opened:
        assert len(opened.held) == 80


@pytest.mark.parametrize(
    ("engine", "question", "hasty"),
    [("sqlite", "PRAGMA synchronous", 1), ("postgresql", "SHOW synchronous_commit", "off")],
)
def test_the_ledger_does_not_wait_for_the_disk_and_all_else_does(store, question, hasty):
    """SQLite's levels: 1 leaves the flush to a checkpoint, 2 flushes at each commit."""
    with store.noting() as connection:
        assert connection.exec_driver_sql(question).scalar() == hasty
    with store.writing() as connection:
        lasting = connection.exec_driver_sql(question).scalar()
    assert lasting == (2 if hasty == 1 else "on")


def test_the_end_of_a_request_survives_trouble_of_the_store(store):
    """The answer is there: it counts more than the note that it has come."""
    machine = Machine(VirtualTime(), "host")
    governor, other = machine.governor(store), machine.governor(store)
    with other.request(), governor.request():
        store.writing = store.noting = unusable
    del store.writing, store.noting
    with governor.request():
        pass


@contextmanager
def unusable():
    raise StoreError("locked")
    yield
