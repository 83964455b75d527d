"""Walks through lists, against a model of a list that changes while it is read."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tap_bill import parts
from tap_bill.bookmarks import ACTIVE, Bookmarks
from tap_bill.errors import RequestRefusedError
from tap_bill.parts import where_to_cut
from tap_bill.reading import Page, Part, Reading
from tap_bill.walk import OLDEST_FIRST, PRESUMED, SORTED, WHOLE, PageRequest, Walk


def at(tick):
    """A moment: tick 0 is midnight."""
    return f"2026-01-01T{tick // 3600:02}:{tick // 60 % 60:02}:{tick % 60:02}.000+00:00"


def record(name, tick=None):
    return {"id": name} if tick is None else {"id": name, "updatedTime": at(tick)}


def ids(records):
    return [one["id"] for one in records]


def begin(queries=SORTED, *, since=None, bookmark=None, started="2026-01-01T23:00:00.000+00:00"):
    return Walk(queries, since=since, bookmark=bookmark, started=started)


class Refused(Exception):
    pass


class ListModel:
    """A list of BILL: records by id, each with the tick of its last change.

    Page tokens are positions, a snapshot of the list, or the key of the last record: BILL documents
    none of it, so a walk has to work with all.
    """

    def __init__(self, *, tokens, filters="obeyed", sorts="obeyed", ends="obeyed", page_size=3):
        self.records = {}
        self.now = 0
        self.tokens = tokens
        self.filters = filters
        self.sorts = sorts
        self.ends = ends
        self.page_size = page_size
        self.snapshots = []

    def change(self, name, *, same_tick=False):
        self.now += not same_tick
        self.records[name] = self.now

    def page(self, request: PageRequest):
        if request.since is not None and self.filters == "refused":
            raise Refused("filters: 'updatedTime' is no field to filter by")
        if request.sort == OLDEST_FIRST and self.sorts == "refused":
            raise Refused("sort: 'updatedTime' is no field to sort by")
        rows = self._rows(request)
        first = 0
        if request.token is not None:
            kind, _, place = request.token.partition(":")
            first = int(place)
            if kind == "snapshot":
                number, first = divmod(first, 1000)
                rows = self.snapshots[number]
            elif kind == "key":
                last = self.snapshots[first]
                first = next((n for n, row in enumerate(rows) if self._key(row) > self._key(last)), len(rows))
        page = rows[first : first + self.page_size]
        more = first + self.page_size < len(rows)
        return [record(name, tick) for tick, name in page], self._token(rows, first, page) if more else None

    def _rows(self, request):
        rows = [(tick, name) for name, tick in self.records.items()]
        if self.filters == "obeyed" and request.since is not None:
            rows = [row for row in rows if at(row[0]) >= request.since]
        if self.filters == "obeyed" and self.ends == "refused" and request.before is not None:
            raise Refused("filters: updatedTime takes no lt")
        if self.filters == "obeyed" and self.ends == "obeyed" and request.before is not None:
            rows = [row for row in rows if at(row[0]) < request.before]
        self._by_time = request.sort == OLDEST_FIRST and self.sorts == "obeyed"
        return sorted(rows, key=self._key)

    def _key(self, row):
        return row if self._by_time else row[1]

    def _token(self, rows, first, page):
        if self.tokens == "position":
            return f"position:{first + self.page_size}"
        self.snapshots.append(rows if self.tokens == "snapshot" else page[-1])
        number = len(self.snapshots) - 1
        return (
            f"snapshot:{number * 1000 + first + self.page_size}"
            if self.tokens == "snapshot"
            else f"key:{number}"
        )


def read(model, *, bookmark=None, between_pages=lambda: None, queries=SORTED):
    """One run: walk the list and return what was emitted and the bookmark afterwards."""
    walk = Walk(queries, since=bookmark, bookmark=bookmark, started=at(model.now))
    emitted = []
    for _ in range(10_000):
        try:
            records, next_page = model.page(walk.request)
        except Refused as refusal:
            if not walk.refused(str(refusal)):
                raise
            continue
        emitted += walk.take(records)
        between_pages()
        if walk.advance(next_page) is None:
            return emitted, walk
    raise AssertionError("the walk does not end")


# What is asked for --------------------------------------------------------------------------------


def test_the_first_page_is_filtered_by_the_bookmark_and_sorted_oldest_first():
    assert begin(since=at(5)).request == PageRequest(at(5), OLDEST_FIRST, None)


def test_without_a_bookmark_there_is_no_filter():
    assert begin().request == PageRequest(None, OLDEST_FIRST, None)


def test_a_page_that_moved_on_in_time_is_followed_by_a_window_from_its_last_record():
    walk = begin()
    walk.take([record("a", 1), record("b", 2)])
    assert walk.advance("next") == PageRequest(at(2), OLDEST_FIRST, None)


def test_records_at_the_edge_of_a_window_are_emitted_once():
    walk = begin()
    assert ids(walk.take([record("a", 1), record("b", 2), record("c", 2)])) == ["a", "b", "c"]
    walk.advance("next")
    assert ids(walk.take([record("b", 2), record("c", 2), record("d", 2), record("e", 3)])) == ["d", "e"]


def test_within_one_moment_page_tokens_are_followed_with_the_same_filter():
    walk = begin(since=at(2))
    walk.take([record("a", 2), record("b", 2)])
    assert walk.advance("p2") == PageRequest(at(2), OLDEST_FIRST, "p2")
    walk.take([record("c", 2), record("d", 3)])
    assert walk.advance("p3") == PageRequest(at(3), OLDEST_FIRST, None)


def test_a_missing_next_page_ends_the_list():
    walk = begin()
    walk.take([record("a", 1)])
    assert walk.advance(None) is None


def test_an_empty_page_with_a_next_page_is_followed():
    walk = begin()
    walk.take([])
    assert walk.advance("p2") == PageRequest(None, OLDEST_FIRST, "p2")


def test_a_repeated_token_ends_the_list():
    walk = begin(WHOLE)
    walk.take([record("a", 1)])
    assert walk.advance("p2") is not None
    walk.take([record("b", 1)])
    assert walk.advance("p2") is None
    assert "repeated a page token" in walk.notes[0]


# What is refused or ignored -----------------------------------------------------------------------


def refusals(walk, *reasons):
    return [walk.request if walk.refused(reason) else None for reason in reasons]


def test_a_refused_filter_is_left_out_and_the_sort_kept():
    walk = begin(since=at(1))
    assert refusals(walk, "filters: unknown field updatedTime") == [PageRequest(None, OLDEST_FIRST, None)]
    assert len(walk.notes) == 1


def test_a_refused_sort_is_left_out_and_the_filter_kept():
    walk = begin(since=at(1))
    assert refusals(walk, "sort: unknown field updatedTime") == [PageRequest(at(1), None, None)]


def test_a_refusal_without_a_reason_tries_one_thing_after_the_other():
    walk = begin(since=at(1))
    assert refusals(walk, "no", "no", "no", "no") == [
        PageRequest(at(1), None, None),
        PageRequest(None, OLDEST_FIRST, None),
        PageRequest(None, None, None),
        None,
    ]


def test_without_a_filter_only_the_sort_can_be_refused():
    walk = begin()
    assert refusals(walk, "no", "no") == [PageRequest(None, None, None), None]


def test_a_filter_that_is_refused_for_the_second_page_gives_way_to_the_page_token():
    walk = begin()
    walk.take([record("a", 1), record("b", 2)])
    walk.advance("p2")
    assert walk.refused("filters: no")
    assert walk.request == PageRequest(None, OLDEST_FIRST, "p2")
    assert not walk.refused("filters: no")


def test_an_ignored_filter_is_noticed_and_compared_here():
    walk = begin(since=at(5), bookmark=at(5))
    assert ids(walk.take([record("a", 1), record("b", 6)])) == ["b"]
    assert walk.reached(at(6)) == at(5)
    assert walk.advance("p2") == PageRequest(at(5), OLDEST_FIRST, "p2")
    assert walk.bookmark == at(6)


def test_an_ignored_sort_is_noticed():
    walk = begin()
    assert ids(walk.take([record("a", 5), record("b", 1)])) == ["a", "b"]
    assert walk.reached(at(5)) is None
    assert "ignores the sort" in walk.notes[0]


# What may be remembered ---------------------------------------------------------------------------


def test_records_before_the_look_back_are_not_emitted_but_read():
    walk = begin(WHOLE, since=at(5), bookmark=at(7))
    assert ids(walk.take([record("a", 4), record("b", 5), record("c", 9)])) == ["b", "c"]
    assert walk.bookmark == at(9)


def test_the_bookmark_never_moves_back():
    walk = begin(since=at(5), bookmark=at(7))
    walk.take([record("a", 6)])
    assert walk.bookmark == at(7)


def test_an_empty_list_keeps_the_bookmark():
    walk = begin(since=at(5), bookmark=at(7))
    walk.take([])
    assert walk.bookmark == at(7)


def test_records_without_a_time_are_emitted_and_move_nothing():
    walk = begin()
    assert ids(walk.take([record("a"), record("b", 3), record("c")])) == ["a", "b", "c"]
    assert walk.bookmark == at(3)


def test_a_whole_list_that_changed_between_its_pages_keeps_the_old_bookmark():
    """A record may have slipped through, and would never be asked for again."""
    walk = begin(WHOLE, since=at(1), bookmark=at(1), started=at(50))
    walk.take([record("a", 2)])
    walk.advance("p2")
    walk.take([record("b", 51)])
    assert walk.bookmark == at(1)


def test_a_whole_list_on_one_page_is_consistent_by_itself():
    walk = begin(WHOLE, since=at(1), bookmark=at(1), started=at(50))
    walk.take([record("a", 51)])
    assert walk.bookmark == at(51)


def test_the_bookmark_is_held_at_a_moment_in_which_tokens_were_followed():
    """Within one moment a page token may be a position, too, and skip a record that moved up."""
    walk = begin(since=at(2), bookmark=at(2), started=at(50))
    walk.take([record("a", 2), record("b", 2)])
    walk.advance("p2")
    walk.take([record("c", 51)])
    assert walk.reached(at(51)) == at(2)
    assert walk.bookmark == at(2)


def test_the_bookmark_moves_on_after_a_moment_with_tokens_if_nothing_changed():
    walk = begin(since=at(2), bookmark=at(2), started=at(50))
    walk.take([record("a", 2), record("b", 2)])
    walk.advance("p2")
    walk.take([record("c", 40)])
    assert walk.bookmark == at(40)


# Whatever happens while the list is read ----------------------------------------------------------

NAMES = st.sampled_from([f"r{n:02}" for n in range(12)])
CHANGES = st.lists(st.tuples(NAMES, st.booleans()), max_size=4)


@settings(max_examples=300, deadline=None)
@given(
    behaviour=st.sampled_from(
        # Windows rely on the sort that BILL documents; the other ways rely on nothing.
        [(SORTED, sorts) for sorts in ("obeyed", "refused")]
        + [(queries, sorts) for queries in (PRESUMED, WHOLE) for sorts in ("obeyed", "refused", "ignored")]
    ),
    tokens=st.sampled_from(["position", "snapshot", "key"]),
    filters=st.sampled_from(["obeyed", "refused", "ignored"]),
    seed=st.lists(st.tuples(NAMES, st.booleans()), max_size=20),
    meanwhile=st.lists(CHANGES, max_size=12),
    runs=st.integers(1, 3),
)
def test_after_a_quiet_run_the_copy_agrees_with_the_list(behaviour, tokens, filters, seed, meanwhile, runs):
    """However the list behaves and whatever changes while it is read, nothing is lost."""
    queries, sorts = behaviour
    model = ListModel(tokens=tokens, filters=filters, sorts=sorts)
    for name, same_tick in seed:
        model.change(name, same_tick=same_tick)
    changes = itertools.chain(meanwhile, itertools.repeat([]))

    def between_pages():
        for name, _ in next(changes):
            model.change(name)

    copy = {}
    bookmark = None
    for run in range(runs + 1):
        # Changes of the next run happen later than what this one has read.
        model.now += 1
        quiet = run == runs
        emitted, walk = read(
            model,
            bookmark=bookmark,
            between_pages=(lambda: None) if quiet else between_pages,
            queries=queries,
        )
        bookmark = walk.bookmark
        copy.update({one["id"]: one["updatedTime"] for one in emitted})

    assert copy == {name: at(tick) for name, tick in model.records.items()}


@settings(max_examples=200, deadline=None)
@given(
    tokens=st.sampled_from(["position", "snapshot", "key"]),
    seed=st.lists(st.tuples(NAMES, st.booleans()), min_size=1, max_size=20),
    meanwhile=st.lists(CHANGES, max_size=12),
    interrupt=st.integers(1, 8),
)
def test_a_sorted_walk_can_stop_anywhere(tokens, seed, meanwhile, interrupt):
    """Where filter and sort work, whatever was emitted is a safe bookmark."""
    model = ListModel(tokens=tokens)
    for name, same_tick in seed:
        model.change(name, same_tick=same_tick)
    changes = itertools.chain(meanwhile, itertools.repeat([]))
    walk = Walk(SORTED, since=None, bookmark=None, started=at(model.now))
    copy = {}
    bookmark = None
    for _ in range(interrupt):
        records, next_page = model.page(walk.request)
        for one in walk.take(records):
            copy[one["id"]] = one["updatedTime"]
            bookmark = walk.reached(one["updatedTime"])
        for name, _ in next(changes):
            model.change(name)
        if walk.advance(next_page) is None:
            break

    emitted, _ = read(model, bookmark=bookmark)

    copy.update({one["id"]: one["updatedTime"] for one in emitted})
    assert copy == {name: at(tick) for name, tick in model.records.items()}


@pytest.mark.parametrize("tokens", ["position", "snapshot", "key"])
def test_a_quiet_list_is_read_with_hardly_more_requests_than_pages(tokens):
    model = ListModel(tokens=tokens, page_size=10)
    for number in range(95):
        model.change(f"r{number:03}")
    emitted, walk = read(model)
    assert len(emitted) == 95
    assert walk.pages <= 11


# In parts, side by side ---------------------------------------------------------------------------


@pytest.fixture
def _many_parts(monkeypatch):
    """Lists of a few pages are divided, too, up to the present moment."""
    monkeypatch.setattr(parts, "PAGES", 2)
    monkeypatch.setattr(parts, "UNSETTLED", timedelta())


class SideBySide:
    """A reading whose requests are under way up to three at a time and answered in any order."""

    def __init__(self, model, *, bookmark=None, queries=SORTED, order=lambda _: 0, started=None):
        started = started or at(model.now)
        walk = Walk(queries, since=bookmark, bookmark=bookmark, started=started)
        self.state = {}
        self.most = 0
        self.calls = 0
        self._model = model
        self._order = order
        self._under_way = []
        self.reading = Reading(
            name=ACTIVE,
            parts=[Part(walk)],
            bookmarks=Bookmarks(self.state, replication_key="updatedTime", organization_id="008"),
            ask=self._ask,
            shaped=list,
            tell=lambda _: None,
            page_size=model.page_size,
            started=started,
        )

    @property
    def bookmark(self):
        return self.state.get(ACTIVE)

    def _ask(self, asked, _reading, _part):
        self.calls += 1
        try:
            records, next_page = self._model.page(asked)
        except Refused as refusal:
            raise RequestRefusedError("refused", reason=str(refusal)) from None
        return Page(records, next_page)

    def records(self, between_answers=lambda: None):
        """What is emitted; the bookmark has moved when each record is handed over."""
        while True:
            page = self.reading.take()
            if page is not None:
                for one in page:
                    self.reading.emitted(one.get("updatedTime"))
                    yield one
                continue
            if self.reading.is_read:
                self.reading.finish()
                return
            while len(self._under_way) < 3 and (request := self.reading.next_request(room=True)):
                self._under_way.append(request)
            self.most = max(self.most, len(self._under_way))
            request = self._under_way.pop(self._order(len(self._under_way)) % len(self._under_way))
            try:
                page = request.send()
            except RequestRefusedError as error:
                request.failed(error)
            else:
                request.arrived(page)
            between_answers()


MANY = st.sampled_from([f"r{n:02}" for n in range(60)])
ORDERS = st.lists(st.integers(0, 2), max_size=40)
BEHAVIOURS = st.sampled_from(
    [("obeyed", "obeyed", ends) for ends in ("obeyed", "refused", "ignored")]
    + [("ignored", "obeyed", "obeyed"), ("refused", "obeyed", "obeyed"), ("obeyed", "refused", "obeyed")]
)


def in_order(orders):
    chosen = itertools.chain(orders, itertools.repeat(0))
    return lambda _: next(chosen)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    behaviour=BEHAVIOURS,
    tokens=st.sampled_from(["position", "snapshot", "key"]),
    seed=st.lists(st.tuples(MANY, st.integers(0, 30)), max_size=60),
    meanwhile=st.lists(CHANGES, max_size=12),
    orders=ORDERS,
    runs=st.integers(1, 2),
)
@pytest.mark.usefixtures("_many_parts")
def test_parts_answered_in_any_order_lose_nothing(behaviour, tokens, seed, meanwhile, orders, runs):
    """Bursts, gaps, changes while it is read, filters that are refused or ignored: the copy agrees."""
    filters, sorts, ends = behaviour
    model = ListModel(tokens=tokens, filters=filters, sorts=sorts, ends=ends)
    for name, gap in seed:
        model.now += max(gap - 20, 0) ** 2  # mostly bursts, and a few long gaps
        model.change(name, same_tick=gap < 5)
    changes = itertools.chain(meanwhile, itertools.repeat([]))

    def change():
        for name, _ in next(changes):
            model.change(name)

    copy, bookmark = {}, None
    for run in range(runs + 1):
        model.now += 1
        reading = SideBySide(model, bookmark=bookmark, order=in_order(orders))
        between = (lambda: None) if run == runs else change
        for one in reading.records(between):
            copy[one["id"]] = one["updatedTime"]
        bookmark = reading.bookmark or bookmark
        assert reading.most <= 3

    assert copy == {name: at(tick) for name, tick in model.records.items()}


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ends=st.sampled_from(["obeyed", "refused", "ignored"]),
    seed=st.lists(st.tuples(MANY, st.integers(0, 30)), min_size=1, max_size=60),
    meanwhile=st.lists(CHANGES, max_size=12),
    orders=ORDERS,
    interrupt=st.integers(1, 50),
)
@pytest.mark.usefixtures("_many_parts")
def test_a_reading_in_parts_can_stop_anywhere(ends, seed, meanwhile, orders, interrupt):
    """What was emitted is in order of time, and its bookmark is safe, whatever lay ready beyond it."""
    model = ListModel(tokens="key", ends=ends)
    for name, gap in seed:
        model.now += gap
        model.change(name)
    quiet_until = model.now
    changes = itertools.chain(meanwhile, itertools.repeat([]))

    def change():
        for name, _ in next(changes):
            model.change(name)

    reading = SideBySide(model, order=in_order(orders), started=at(quiet_until))
    copy, times = {}, []
    for one in itertools.islice(reading.records(change), interrupt):
        copy[one["id"]] = one["updatedTime"]
        times.append(one["updatedTime"])
    if ends == "obeyed":
        assert times == sorted(times)

    emitted, _ = read(model, bookmark=reading.bookmark)

    copy.update({one["id"]: one["updatedTime"] for one in emitted})
    assert copy == {name: at(tick) for name, tick in model.records.items()}


@pytest.mark.usefixtures("_many_parts")
def test_a_long_list_is_asked_for_three_pages_at_a_time_in_hardly_more_requests(monkeypatch):
    model = ListModel(tokens="key", page_size=10)
    for number in range(900):
        model.change(f"r{number:03}")
    monkeypatch.setattr(parts, "PAGES", 6)
    reading = SideBySide(model)
    emitted = list(reading.records())
    assert ids(emitted) == sorted(model.records)
    assert reading.most == 3
    assert reading.calls <= 115


def test_a_list_of_a_few_pages_costs_one_more_request_at_most():
    model = ListModel(tokens="key", page_size=10)
    for number in range(50):
        model.change(f"r{number:03}")
    model.now += 3600
    reading = SideBySide(model)
    assert len(list(reading.records())) == 50
    assert reading.calls <= 7


TIMES = [at(tick) for tick in range(0, 1000, 10)]
LATER_ON = "2026-06-01T00:00:00.000+00:00"


def test_a_walk_keeps_some_pages_and_leaves_the_rest():
    cut = where_to_cut(TIMES, page_size=100, before=None, started=LATER_ON)
    assert cut == at(990 + 13365)


@pytest.mark.parametrize("before", [at(12_000), None])
def test_what_is_nearly_read_is_not_divided(before):
    started = at(990 + 13365 + 600)
    assert where_to_cut(TIMES, page_size=100, before=before, started=started) is None


def test_one_moment_full_of_records_is_left_as_soon_as_possible():
    assert where_to_cut([at(5)] * 100, page_size=100, before=None, started=LATER_ON) == at(5).replace(
        ".000", ".001"
    )


@pytest.mark.parametrize("times", [[], [at(1)]])
def test_a_page_that_tells_no_distance_divides_nothing(times):
    assert where_to_cut(times, page_size=100, before=None, started=LATER_ON) is None
