"""Change data capture: limits, full answers, odd answers."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

import pytest
from target_quickbooks.quickbooks import cdc
from target_quickbooks.quickbooks.answers import OddAnswer
from target_quickbooks.quickbooks.cdc import capture, changes_in
from target_quickbooks.quickbooks.faults import Fault
from target_quickbooks.quickbooks.responses import Refused

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
ENTITIES = ("Vendor", "PurchaseOrder")


def minutes(number):
    return dt.timedelta(minutes=number)


def changed(number, at, **fields):
    return {"Id": str(number), "SyncToken": "1", "MetaData": {"LastUpdatedTime": at.isoformat()}, **fields}


class QuickBooks:
    """A company whose objects changed at these moments, which answers as QuickBooks does."""

    def __init__(self, *, limit_counts="response", newest_first=False, ahead=dt.timedelta(0), **objects):
        self.objects = {"Vendor": [], "PurchaseOrder": [], **objects}
        self.limit_counts = limit_counts
        self.newest_first = newest_first
        self.time = NOW
        self.clock_ahead = dt.timedelta(0)
        self.ahead = ahead
        self.asked = []

    def changes(self, entities, since, check):
        self.asked.append((tuple(entities), dt.datetime.fromisoformat(since)))
        moment = dt.datetime.fromisoformat(since)
        if self.ahead:  # what its answers tell of the clocks
            self.clock_ahead = self.ahead
        if NOW - self.ahead - moment > cdc.LOOK_BACK:
            raise Refused([Fault(code="2190", message="", detail="too long ago")])
        left, groups = 1000, []
        for entity in entities:
            rows = [row for row in self.objects[entity] if self._at(row) >= moment]
            rows.sort(key=lambda row: (row.get("status") == "Deleted", self._at(row)))
            limit = 1000 if self.limit_counts == "entity" else left
            kept = rows[-limit:] if self.newest_first and limit else rows[:limit]
            left -= len(kept)
            groups.append({entity: kept, "startPosition": 1, "maxResults": len(kept)} if kept else {})
        body = {"CDCResponse": [{"QueryResponse": groups}], "time": self.time.isoformat()}
        check(body)
        return body

    def query(self, statement):
        entity = re.search(r"FROM (\w+)", statement)[1]
        since = dt.datetime.fromisoformat(re.search(r">= '([^']+)'", statement)[1])
        start = int(re.search(r"STARTPOSITION (\d+)", statement)[1])
        self.asked.append((entity, since, start))
        rows = [row for row in self.objects[entity] if self._at(row) >= since and "status" not in row]
        rows.sort(key=self._at)
        return rows[start - 1 : start + 999]

    @staticmethod
    def _at(row):
        return dt.datetime.fromisoformat(row["MetaData"]["LastUpdatedTime"])


def take(quickbooks, since=NOW - dt.timedelta(days=1)):
    return capture(quickbooks, ENTITIES, since, now=lambda: NOW)


def test_one_answer_tells_what_changed_and_what_was_deleted():
    gone = changed(979, NOW, status="Deleted")
    del gone["SyncToken"]
    quickbooks = QuickBooks(
        Vendor=[changed(63, NOW, Balance=Decimal(1))], PurchaseOrder=[changed(34, NOW), gone]
    )
    found = take(quickbooks)
    assert set(found.objects) == {("Vendor", "63"), ("PurchaseOrder", "34"), ("PurchaseOrder", "979")}
    assert found.objects["PurchaseOrder", "979"] is None
    assert (found.until, found.hidden, found.complete) == (NOW - minutes(1), frozenset(), True)
    assert len(quickbooks.asked) == 1


def test_it_never_goes_back():
    since = NOW - dt.timedelta(seconds=5)
    assert take(QuickBooks(), since).until == since.replace(microsecond=0)


def test_what_is_too_long_ago_is_cut_off():
    found = take(QuickBooks(), NOW - dt.timedelta(days=31))
    assert found.since == NOW - cdc.LOOK_BACK + minutes(5)


def test_a_wrong_clock_is_found_out_by_the_refusal():
    quickbooks = QuickBooks(ahead=-dt.timedelta(hours=3))
    found = take(quickbooks, NOW - dt.timedelta(days=31))
    assert found.since == NOW + dt.timedelta(hours=3) - cdc.LOOK_BACK + minutes(5)
    assert len(quickbooks.asked) == 2


def test_another_refusal_is_told():
    quickbooks = QuickBooks(ahead=dt.timedelta(hours=3))
    quickbooks.changes = lambda *_: (_ for _ in ()).throw(
        Refused([Fault(code="5020", message="", detail="")])
    )
    with pytest.raises(Refused):
        take(quickbooks)


@pytest.mark.parametrize("limit_counts", ["response", "entity"])
@pytest.mark.parametrize("newest_first", [False, True])
def test_more_than_a_thousand_changes_are_read_page_by_page(limit_counts, newest_first):
    """Whichever of them a full answer holds; what it hides of deletions is told, of that entity only."""
    start = NOW - minutes(600)
    orders = [changed(number, start + dt.timedelta(seconds=number // 2)) for number in range(2500)]
    quickbooks = QuickBooks(
        limit_counts=limit_counts, newest_first=newest_first, PurchaseOrder=orders, Vendor=[changed(1, NOW)]
    )
    found = take(quickbooks)
    assert len(found.objects) == 2501
    assert (found.hidden, found.complete) == ({"PurchaseOrder"}, True)
    assert len(quickbooks.asked) == 6  # three answers and three pages


def test_a_page_of_one_second_does_not_stop_it():
    moment = NOW - minutes(5)
    quickbooks = QuickBooks(PurchaseOrder=[changed(number, moment) for number in range(2100)])
    assert len(take(quickbooks).objects) == 2100


def test_what_is_too_much_for_one_time_goes_on_where_it_ended(monkeypatch):
    monkeypatch.setattr(cdc, "MOST_PAGES", 2)
    start = NOW - minutes(600)
    orders = [changed(number, start + dt.timedelta(seconds=number)) for number in range(3500)]
    first = take(QuickBooks(PurchaseOrder=orders))
    assert not first.complete
    second = take(QuickBooks(PurchaseOrder=orders), first.until)
    assert len(first.objects | second.objects) == 3500


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"CDCResponse": {}},
        {"CDCResponse": [{}]},
        {"CDCResponse": [{"QueryResponse": {"Vendor": []}}]},
        {"CDCResponse": [{"QueryResponse": [{"Vendor": [{"SyncToken": "1"}]}]}]},
        {"CDCResponse": [{"QueryResponse": [{"Vendor": [{"Id": "1"}]}]}]},
        {"CDCResponse": [{"QueryResponse": [{"Account": [{"Id": "1", "SyncToken": "1"}]}]}]},
    ],
)
def test_an_answer_that_quickbooks_cannot_mean_is_not_believed(body):
    with pytest.raises(OddAnswer):
        changes_in(ENTITIES, body)


def test_entities_without_changes_may_be_empty_or_left_out():
    assert changes_in(ENTITIES, {"CDCResponse": [{"QueryResponse": [{}]}]}).objects == {}
    assert changes_in(ENTITIES, {"CDCResponse": [{"QueryResponse": []}]}).objects == {}
