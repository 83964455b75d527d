"""The only writer to QuickBooks: intents before, outcomes after, nothing in between is lost."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import text
from target_quickbooks.changes import Submission
from target_quickbooks.errors import CompanyRefused, Stopped, StoreError, TemporaryError
from target_quickbooks.links import Link
from target_quickbooks.mapping.payload import Mapped
from target_quickbooks.mapping.refusal import Awaited, Refusal
from target_quickbooks.planning import Change, Operation, plan_linked, refused
from target_quickbooks.policies import Policies
from target_quickbooks.quickbooks.faults import Fault
from target_quickbooks.quickbooks.repeating import Unanswered
from target_quickbooks.quickbooks.responses import BatchAnswer, Refused
from target_quickbooks.report import RunReport
from target_quickbooks.store import audit_table, failure_table, intent_table, link_table
from target_quickbooks.store.failure_table import Failure
from target_quickbooks.vendor_planning import NamesInUse, plan_vendor
from target_quickbooks.writing import Writer

TAX_ID = "99-5688293"


def fault(code):
    return {"Fault": {"Error": [{"Message": "No", "code": code}], "type": "ValidationFault"}}


class ScriptedClient:
    """Answers each batch by the next step of its script; once that is done, stores everything.

    A step is an exception, or what to answer by the DisplayName of an item: a fault, ``None`` for no
    answer at all, or nothing for success.
    """

    def __init__(self, look=lambda: None):
        self.script = []
        self.batches = []
        self.statements = []
        self.held = []
        self.repeated = False
        self.clock_ahead = dt.timedelta(0)
        self._look = look

    def queries(self, statements, **_):
        self.statements += statements
        return [self.held for _ in statements]

    def query(self, statement):
        self.statements.append(statement)
        return self.held

    def begin(self, items, *, request_id):
        """The answer, or what was raised, for `batch` to take."""
        try:
            return self._answer(items, request_id)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised where the answer is taken
            return error

    def batch(self, items, *, request_id, begun=None, **_):
        answer = begun or self._answer(items, request_id)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _answer(self, items, request_id):
        self.batches.append((request_id, items))
        self._look()
        step = self.script.pop(0) if self.script else {}
        if callable(step):
            step = step(items)
        if isinstance(step, BaseException):
            raise step
        answers = {}
        for item in items:
            name = item["Vendor"]["DisplayName"]
            answer = step.get(name, {"Vendor": {"Id": f"Q-{name}", **item["Vendor"], "SyncToken": "0"}})
            if answer is not None:
                answers[item["bId"]] = {"bId": item["bId"], **answer}
        return BatchAnswer(answers, "tid-1", repeated=self.repeated)

    def names(self):
        """The vendors of each batch."""
        return [[item["Vendor"]["DisplayName"] for item in items] for _, items in self.batches]


@pytest.fixture
def client():
    return ScriptedClient()


@pytest.fixture
def report():
    return RunReport()


@pytest.fixture
def writer(store, client, report, moment, clock):
    def build(**changed):
        parts = {"store": store, "client": client, "report": report, "run_id": "run", "trigger": "test"}
        return Writer(**{**parts, "now": lambda: moment, "sleep": clock.sleep, **changed})

    return build


@pytest.fixture
def vendor(make_item, pair):
    """The submission of a new vendor, or of what ``plan`` makes of it."""

    def build(
        name, plan=lambda item: plan_vendor(item, NamesInUse(vendors={}), Policies()), link=None, **more
    ):
        payload = {"DisplayName": name, "TaxIdentifier": TAX_ID, **more}
        item = make_item(Mapped("Vendor", payload, f"vendor '{name}'"), bill_id=f"009-{name}", link=link)
        return Submission(pair, {"id": f"009-{name}", "taxId": TAX_ID}, plan(item))

    return build


@pytest.fixture
def on_disk(store, pair):
    """What the store holds: links, open intents, outcomes, failures, audit outcomes."""

    class Disk:
        def links(self):
            with store.reading() as connection:
                rows = connection.execute(text("SELECT bill_id FROM links ORDER BY bill_id")).scalars()
                return link_table.find(connection, pair, "Vendor", list(rows))

        def open_intents(self):
            with store.reading() as connection:
                return intent_table.unsettled(connection, store.cipher, pair.realm_id)

        def outcomes(self):
            with store.reading() as connection:
                rows = connection.execute(text("SELECT bill_id, outcome FROM intents ORDER BY id")).all()
            return [(row[0].removeprefix("009-"), row[1]) for row in rows]

        def failures(self):
            with store.reading() as connection:
                return failure_table.unsettled(connection, store.cipher, pair)

        def audit(self):
            with store.reading() as connection:
                assert audit_table.first_break(connection, store.fingerprint_key, pair.realm_id) is None
                rows = connection.execute(
                    text("SELECT bill_id, operation, outcome FROM audit ORDER BY sequence")
                )
                return [(row[0].removeprefix("009-"), row[1], row[2]) for row in rows]

    return Disk()


def test_a_new_vendor_is_written_and_recorded(writer, client, vendor, on_disk, report):
    assert writer().apply([vendor("A")]) == []
    [(request_id, [item])] = client.batches
    assert item == {
        "bId": "i1",
        "operation": "create",
        "Vendor": {"DisplayName": "A", "TaxIdentifier": TAX_ID},
    }
    assert len(request_id) <= 36
    link = on_disk.links()["009-A"]
    assert (link.quickbooks_id, link.sync_token, link.quickbooks_name) == ("Q-A", "0", "A")
    assert on_disk.outcomes() == [("A", "applied")]
    assert on_disk.audit() == [("A", "create", "applied")]
    assert report.table() == {"vendors": {"created": 1}}


def test_an_update_carries_its_operation(writer, client, vendor, on_disk):
    link = Link("Vendor", "009-A", "137", "3", payload_digest="old", desired={"DisplayName": "Old"})
    writer().apply([vendor("A", lambda item: plan_linked(item, link), link)])
    assert client.batches[0][1][0]["operation"] == "update"
    assert on_disk.audit() == [("A", "update", "applied")]


def test_intents_are_on_disk_before_anything_is_sent(writer, client, vendor, on_disk):
    seen = []
    client._look = lambda: seen.extend(on_disk.open_intents())
    writer().apply([vendor("A"), vendor("B")])
    assert [(intent.bill_id, intent.batch_item_id) for intent in seen] == [("009-A", "i1"), ("009-B", "i2")]
    assert {intent.request_id for intent in seen} == {client.batches[0][0]}
    assert seen[0].document["record"]["id"] == "009-A"


def test_nothing_is_sent_if_the_intents_cannot_be_stored(writer, client, vendor, monkeypatch):
    def fail(*_, **__):
        raise StoreError("disk full")

    monkeypatch.setattr(intent_table, "record", fail)
    with pytest.raises(StoreError):
        writer().apply([vendor("A")])
    assert client.batches == []


def test_batches_hold_thirty_items(writer, client, vendor):
    writer().apply([vendor(f"{number:02}") for number in range(65)])
    assert [len(names) for names in client.names()] == [30, 30, 5]
    assert len({request_id for request_id, _ in client.batches}) == 3
    assert {item["bId"] for item in client.batches[2][1]} == {"i1", "i2", "i3", "i4", "i5"}


# --- several batches ----------------------------------------------------------------------------------------


def many(vendor, count=150):
    return [vendor(f"{number:03}") for number in range(count)]


def told(client, monkeypatch, on_disk):
    """What happens in which order: batches that begin, and how many records are linked when they do."""
    happened = []
    begin, batch = client.begin, client.batch

    def begun(items, *, request_id):
        happened.append(("begun", len(on_disk.links())))
        return begin(items, request_id=request_id)

    def taken(items, **options):
        happened.append(("taken", len(on_disk.links())))
        return batch(items, **options)

    monkeypatch.setattr(client, "begin", begun)
    monkeypatch.setattr(client, "batch", taken)
    return happened


def test_a_batch_is_under_way_while_the_one_before_is_recorded(writer, client, vendor, on_disk, monkeypatch):
    """The first one goes alone: it shows whether QuickBooks takes anything."""
    happened = told(client, monkeypatch, on_disk)
    writer().apply(many(vendor))
    assert happened == [
        *(("begun", 0), ("taken", 0), ("begun", 30), ("begun", 30)),
        *(("taken", 30), ("begun", 60), ("taken", 60), ("begun", 90), ("taken", 90), ("taken", 120)),
    ]
    assert len(on_disk.links()) == 150
    assert on_disk.open_intents() == []


def test_what_is_under_way_is_on_disk(writer, client, vendor, on_disk, monkeypatch):
    begin, seen = client.begin, []

    def begun(items, *, request_id):
        seen.append({intent.request_id for intent in on_disk.open_intents()})
        assert request_id in seen[-1]
        return begin(items, request_id=request_id)

    monkeypatch.setattr(client, "begin", begun)
    writer().apply(many(vendor))
    assert [len(requests) for requests in seen] == [1, 1, 2, 2, 2]


def test_a_stop_records_what_is_under_way_and_leaves_nothing_open(writer, client, vendor, on_disk):
    stops = iter([False, True])

    def stop():
        if next(stops, True):
            raise Stopped(15)

    with pytest.raises(Stopped):
        writer(after_batch=stop).apply(many(vendor))
    assert [len(names) for names in client.names()] == [30, 30, 30]
    assert len(on_disk.links()) == 90
    assert on_disk.open_intents() == []
    assert {outcome for name, outcome in on_disk.outcomes() if name >= "090"} == {"abandoned"}


def test_when_a_run_ends_refusals_of_what_is_under_way_stay_on_record(writer, client, vendor, on_disk):
    """The next run decides on them; the records come again, since the STATE stays where it was."""
    client.script = [{}, {"030": fault("3100")}, {"060": fault("2050")}]
    with pytest.raises(CompanyRefused):
        writer().apply(many(vendor))
    assert len(on_disk.links()) == 30 + 29 + 29
    assert [intent.bill_id for intent in on_disk.open_intents()] == ["009-060"]
    assert on_disk.failures() == []


def test_when_a_run_ends_nothing_under_way_is_repeated(writer, client, vendor, on_disk):
    client.script = [{}, TemporaryError("down"), Unanswered("HTTP 500")]
    with pytest.raises(TemporaryError, match="down"):
        writer().apply(many(vendor))
    assert len(client.batches) == 3
    assert len(on_disk.open_intents()) == 60


def test_nothing_to_write_sends_nothing(writer, client):
    writer().apply([])
    assert client.batches == []


# --- refusals of an item ------------------------------------------------------------------------------------


def test_a_refused_item_fails_and_its_neighbours_go_through(writer, client, vendor, on_disk, report):
    client.script = [{"B": fault("2050")}]
    assert writer().apply([vendor("A"), vendor("B"), vendor("C")]) == []
    assert sorted(on_disk.links()) == ["009-A", "009-C"]
    [failed] = on_disk.failures()
    assert (failed.bill_id, failed.code, failed.status) == ("009-B", "quickbooks-2050", "open")
    assert failed.reason.startswith("Vendor 'B' has a text that is too long")
    assert failed.record == {"id": "009-B", "taxId": TAX_ID}
    assert failed.payload["DisplayName"] == "B"
    assert failed.faults[0]["intuit_tid"] == "tid-1"
    assert on_disk.outcomes() == [("A", "applied"), ("B", "refused"), ("C", "applied")]
    assert ("B", "create", "refused") in on_disk.audit()
    assert report.table() == {"vendors": {"created": 2, "failed": 1}}


@pytest.mark.parametrize("code", ["5010", "6240", "6140"])
def test_a_refusal_that_another_plan_may_overcome_comes_back(writer, client, vendor, on_disk, code):
    client.script = [{"A": fault(code)}]
    [conflict] = writer().apply([vendor("A")])
    assert (conflict.submission.item.bill_id, conflict.fault.code) == ("009-A", code)
    assert on_disk.failures() == []
    assert on_disk.outcomes() == [("A", "refused")]


def test_after_the_last_plan_it_is_a_failure(writer, client, vendor, on_disk):
    client.script = [{"A": fault("6240")}]
    assert writer().apply([vendor("A")], replan=False) == []
    assert [found.code for found in on_disk.failures()] == ["quickbooks-6240"]


def test_what_goes_through_resolves_its_failure(writer, client, vendor, on_disk, report):
    client.script = [{"A": fault("2050")}]
    writer().apply([vendor("A")])
    writer().apply([vendor("A")])
    assert on_disk.failures() == []
    assert report.failed_count == 0


def test_a_refusal_of_the_company_stops_the_run_and_fails_no_record(writer, client, vendor, on_disk):
    """The subscription ended: the records come again when it is paid."""
    client.script = [{"B": fault("6190")}]
    with pytest.raises(CompanyRefused, match="6190"):
        writer().apply([vendor("A"), vendor("B")])
    assert sorted(on_disk.links()) == ["009-A"]
    assert on_disk.failures() == []
    assert on_disk.open_intents() == []


# --- items that were not decided ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "undecided", [fault("3001"), fault("10000"), fault("3200"), None, {}, {"Vendor": {}}, {"Vendor": "odd"}]
)
def test_what_was_not_decided_is_sent_again_with_the_same_ids(writer, client, vendor, on_disk, undecided):
    """Throttled by itself, not answered, or answered without the object (QuickBooks manual 4.2, 10.9)."""
    client.script = [{"B": undecided}, {"B": undecided}]
    writer().apply([vendor("A"), vendor("B")])
    assert client.names() == [["A", "B"], ["B"], ["B"]]
    assert len({request_id for request_id, _ in client.batches}) == 1
    assert {items[-1]["bId"] for _, items in client.batches} == {"i2"}
    assert on_disk.links()["009-B"].quickbooks_id == "Q-B"
    assert on_disk.outcomes() == [("A", "applied"), ("B", "applied")]


def test_what_is_never_decided_stays_open_for_the_next_run(writer, client, vendor, on_disk):
    client.script = [{"B": None}] * 9
    with pytest.raises(TemporaryError, match=r"1 of 2 writes, e\.g\. vendor 'B'"):
        writer().apply([vendor("A"), vendor("B")])
    assert len(client.batches) == 5
    assert sorted(on_disk.links()) == ["009-A"]
    assert [intent.bill_id for intent in on_disk.open_intents()] == ["009-B"]


def answered_as(**names):
    """The vendors of these names, each with the answer of another."""
    return {
        name: {"Vendor": {"Id": f"Q-{other}", "SyncToken": "0", "DisplayName": other}}
        for name, other in names.items()
    }


@pytest.mark.parametrize("mixed_up", [answered_as(A="B", B="A"), answered_as(B="A")])
def test_answers_that_belong_to_other_items_are_not_believed(writer, client, vendor, on_disk, mixed_up):
    client.script = [mixed_up]
    writer().apply([vendor("A"), vendor("B")])
    assert client.names() == [["A", "B"], ["A", "B"]]
    assert len({request_id for request_id, _ in client.batches}) == 1
    assert {key: link.quickbooks_id for key, link in on_disk.links().items()} == {
        "009-A": "Q-A",
        "009-B": "Q-B",
    }


def test_an_update_that_is_answered_with_another_object_is_not_believed(writer, client, vendor, on_disk):
    link = Link("Vendor", "009-A", "137", "3", payload_digest="old", desired={"DisplayName": "Old"})
    client.script = [answered_as(A="B")]
    writer().apply([vendor("A", lambda item: plan_linked(item, link), link)])
    assert len(client.batches) == 2
    assert on_disk.links()["009-A"].quickbooks_id == "137"


def test_an_error_status_without_a_fault_may_hide_what_was_applied(writer, client, vendor, on_disk):
    client.script = [Refused([Fault("400", "HTTP 400", status=400)])]
    client.held = [live("B")]
    writer().apply([vendor("A"), vendor("B")])
    assert client.names() == [["A", "B"], ["A"]]
    assert on_disk.links()["009-B"].quickbooks_id == "L-B"


# --- a whole request refused --------------------------------------------------------------------------------


def refuses(*culprits):
    """Refuses any request that holds one of these vendors."""

    def step(items):
        names = {item["Vendor"]["DisplayName"] for item in items}
        return Refused([Fault("2010", "Invalid property")]) if names & set(culprits) else {}

    return step


def test_the_item_that_spoils_a_request_is_found_and_the_others_pass(writer, client, vendor, on_disk):
    client.script = [refuses("C")] * 20
    names = list("ABCDEFG")
    writer().apply([vendor(name) for name in names])
    assert sorted(on_disk.links()) == [f"009-{name}" for name in names if name != "C"]
    assert [found.bill_id for found in on_disk.failures()] == ["009-C"]
    assert on_disk.open_intents() == []
    assert len(client.batches) <= 1 + 2 * 3


def test_each_part_of_a_divided_request_is_a_request_of_its_own(writer, client, vendor):
    """A remembered refusal must not be replayed for the parts."""
    client.script = [refuses("B")] * 9
    writer().apply([vendor("A"), vendor("B")])
    assert len({request_id for request_id, _ in client.batches}) == len(client.batches) == 3


def test_two_culprits_are_both_found(writer, client, vendor, on_disk):
    client.script = [refuses("A", "D")] * 20
    writer().apply([vendor(name) for name in "ABCD"])
    assert sorted(found.bill_id for found in on_disk.failures()) == ["009-A", "009-D"]
    assert sorted(on_disk.links()) == ["009-B", "009-C"]


def test_a_single_item_refused_as_a_whole_may_be_planned_again(writer, client, vendor):
    client.script = [Refused([Fault("6240", "Duplicate")])]
    [conflict] = writer().apply([vendor("A")])
    assert conflict.fault.code == "6240"


# --- crashes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("crash", [TemporaryError("no answer"), KeyboardInterrupt(), Stopped(15)])
def test_a_lost_answer_leaves_an_open_intent(writer, client, vendor, on_disk, crash):
    client.script = [crash]
    with pytest.raises(type(crash)):
        writer().apply([vendor("A")])
    assert [intent.bill_id for intent in on_disk.open_intents()] == ["009-A"]
    assert on_disk.links() == {}


def test_the_next_run_settles_with_the_same_ids(writer, client, vendor, on_disk, pair):
    client.script = [TemporaryError("no answer")]
    with pytest.raises(TemporaryError):
        writer().apply([vendor("A"), vendor("B")])
    assert writer().settle_open_intents(pair.realm_id) == []
    first, second = client.batches
    assert first == second
    assert sorted(on_disk.links()) == ["009-A", "009-B"]
    assert on_disk.open_intents() == []
    assert on_disk.audit() == [("A", "create", "applied"), ("B", "create", "applied")]


def test_settling_returns_what_has_to_be_planned_again(writer, client, vendor, on_disk, pair):
    client.script = [TemporaryError("no answer"), {"A": fault("6240")}]
    with pytest.raises(TemporaryError):
        writer().apply([vendor("A")])
    [submission] = writer().settle_open_intents(pair.realm_id)
    assert submission.record["id"] == "009-A"
    assert on_disk.open_intents() == []


def live(name, created="2026-12-16T12:00:01Z", **fields):
    """A vendor as QuickBooks holds it, created a second after the intents of these tests."""
    return {"Id": f"L-{name}", "SyncToken": "0", "DisplayName": name} | {
        "MetaData": {"CreateTime": created},
        **fields,
    }


def interrupted(writer, client, *submissions):
    client.script = [TemporaryError("no answer")]
    with pytest.raises(TemporaryError):
        writer().apply(submissions)
    client.batches.clear()


def test_what_was_created_is_linked_and_not_sent_again(writer, client, vendor, on_disk, pair):
    interrupted(writer, client, vendor("A"), vendor("B"))
    client.held = [live("A")]
    assert writer().settle_open_intents(pair.realm_id) == []
    assert client.names() == [["B"]]
    assert client.batches[0][1][0]["bId"] == "i2"
    assert {bill_id: link.quickbooks_id for bill_id, link in on_disk.links().items()} == {
        "009-A": "L-A",
        "009-B": "Q-B",
    }
    assert on_disk.outcomes() == [("A", "applied"), ("B", "applied")]
    assert on_disk.audit() == [("A", "create", "applied"), ("B", "create", "applied")]


def test_a_vendor_of_somebody_else_is_no_trace(writer, client, vendor, on_disk, pair, store, moment):
    """Older than the intent, or linked to another BILL vendor."""
    with store.writing() as connection:
        link_table.save(connection, pair, Link("Vendor", "009-X", "L-B", "0"), now=moment)
    interrupted(writer, client, vendor("A"), vendor("B"))
    client.held = [live("A", created="2020-01-01T00:00:00-08:00"), live("B")]
    assert writer().settle_open_intents(pair.realm_id) == []
    assert client.names() == [["A", "B"]]
    assert on_disk.links()["009-A"].quickbooks_id == "Q-A"


def test_an_interrupted_update_is_planned_again_and_not_sent_blindly(writer, client, vendor, on_disk, pair):
    link = Link("Vendor", "009-A", "137", "3", payload_digest="old", desired={"DisplayName": "Old"})
    interrupted(writer, client, vendor("A", lambda item: plan_linked(item, link), link))
    [submission] = writer().settle_open_intents(pair.realm_id)
    assert submission.record["id"] == "009-A"
    assert client.batches == client.statements == []
    assert on_disk.outcomes() == [("A", "abandoned")]


@pytest.mark.parametrize("code", ["6000", "6240", "2050"])
def test_a_refusal_of_a_repeated_request_is_no_refusal_if_the_first_one_was_applied(
    writer, client, vendor, on_disk, code
):
    client.repeated = True
    client.script = [{"A": fault(code), "B": fault(code)}]
    client.held = [live("A")]
    conflicts = writer().apply([vendor("A"), vendor("B")])
    assert on_disk.links()["009-A"].quickbooks_id == "L-A"
    assert on_disk.outcomes() == [("A", "applied"), ("B", "refused")]
    assert [conflict.submission.item.bill_id for conflict in conflicts] == ["009-B"] * (code == "6240")


def test_a_refusal_of_a_request_sent_once_asks_for_no_traces(writer, client, vendor):
    client.script = [{"A": fault("6240")}]
    writer().apply([vendor("A")])
    assert client.statements == []


def test_an_update_that_is_not_replayed_is_planned_again(writer, client, vendor):
    link = Link("Vendor", "009-A", "137", "3", payload_digest="old", desired={"DisplayName": "Old"})
    client.repeated = True
    client.script = [{"A": fault("6000")}]
    [conflict] = writer().apply([vendor("A", lambda item: plan_linked(item, link), link)])
    assert conflict.fault.code == "6000"


def test_before_a_repeated_request_is_divided_what_it_created_is_linked(writer, client, vendor, on_disk):
    refusal = Refused([Fault("2010", "Invalid property")])
    refusal.repeated = True
    client.script = [refusal]
    client.held = [live("B")]
    writer().apply([vendor(name) for name in "ABC"])
    assert client.names() == [["A", "B", "C"], ["A"], ["C"]]
    assert on_disk.links()["009-B"].quickbooks_id == "L-B"
    assert on_disk.open_intents() == []


def test_several_interrupted_requests_are_settled_apart(writer, client, vendor, on_disk, pair):
    client.script = [TemporaryError("1"), TemporaryError("2")]
    for name in "AB":
        with pytest.raises(TemporaryError):
            writer().apply([vendor(name)])
    writer().settle_open_intents(pair.realm_id)
    assert client.names() == [["A"], ["B"], ["A"], ["B"]]
    assert client.batches[0] == client.batches[2]
    assert client.batches[1] == client.batches[3]
    assert on_disk.open_intents() == []


def test_the_open_intents_of_another_realm_are_left_alone(writer, client, vendor, on_disk):
    client.script = [TemporaryError("no answer")]
    with pytest.raises(TemporaryError):
        writer().apply([vendor("A")])
    assert writer().settle_open_intents("another realm") == []
    assert len(client.batches) == 1
    assert on_disk.open_intents()


def test_nothing_open_asks_nothing(writer, client, pair):
    assert writer().settle_open_intents(pair.realm_id) == []
    assert client.batches == []


@pytest.mark.parametrize(
    ("table", "name"),
    [
        (link_table, "save_all"),
        (intent_table, "settle_all"),
        (failure_table, "resolve"),
        (audit_table, "append"),
    ],
)
def test_the_outcomes_of_a_batch_are_on_disk_together(writer, vendor, on_disk, monkeypatch, table, name):
    """A crash while they are recorded leaves all of them open, to be settled by the next run."""
    original = getattr(table, name)

    def crash_after(*args, **options):
        original(*args, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(table, name, crash_after)
    with pytest.raises(KeyboardInterrupt):
        writer().apply([vendor("A"), vendor("B")])
    assert on_disk.links() == {}
    assert on_disk.audit() == []
    assert [intent.bill_id for intent in on_disk.open_intents()] == ["009-A", "009-B"]


def test_a_stop_between_batches_leaves_nothing_open(writer, client, vendor, on_disk):
    def stop():
        raise Stopped(15)

    with pytest.raises(Stopped):
        writer(after_batch=stop).apply([vendor(f"{number:02}") for number in range(40)])
    assert len(client.batches) == 1
    assert len(on_disk.links()) == 30
    assert on_disk.open_intents() == []


# --- what is only recorded ----------------------------------------------------------------------------------


def test_a_skip_remembers_the_record_and_resolves_its_failure(
    writer, client, vendor, on_disk, pair, store, moment
):
    link = Link("Vendor", "009-A", "137", "3", source_digest="old")
    with store.writing() as connection:
        link_table.save(connection, pair, link, now=moment)
    client.script = [{"A": fault("2050")}]
    writer().apply([vendor("A")])
    skip = vendor("A", lambda item: Change(Operation.SKIP, item, reason="unchanged"), link)
    writer().apply([skip])
    assert on_disk.links()["009-A"].source_digest == "source"
    assert on_disk.links()["009-A"].quickbooks_id == "137"
    assert on_disk.failures() == []
    assert len(client.batches) == 1


def test_a_link_is_stored_without_a_request(writer, client, vendor, on_disk):
    linked = vendor("A", lambda item: Change(Operation.LINK, item, quickbooks_id="137", sync_token="4"))
    writer().apply([linked])
    link = on_disk.links()["009-A"]
    assert (link.quickbooks_id, link.sync_token) == ("137", "4")
    assert client.batches == []
    assert on_disk.audit() == [("A", "link", "applied")]


def test_a_blocked_record_is_a_failure_with_its_reason(writer, client, vendor, on_disk, report):
    refusal = Refusal("account-unknown", "Account 'X' is not there.", advice="Add it.")
    writer().apply([vendor("A", lambda item: refused(item, refusal))])
    [failed] = on_disk.failures()
    assert (failed.code, failed.reason, failed.advice) == (
        "account-unknown",
        "Account 'X' is not there.",
        "Add it.",
    )
    assert client.batches == []
    assert on_disk.audit() == [("A", "blocked", "blocked")]
    assert report.failed_count == 1


def test_what_waits_says_for_what(writer, vendor, on_disk):
    refusal = Refusal("x-not-seen", "Not seen.", advice="", awaited=Awaited("customers", "0cu1"))
    writer().apply([vendor("A", lambda item: refused(item, refusal))])
    [failed] = on_disk.failures()
    assert (failed.status, failed.awaited) == ("waiting", Awaited("customers", "0cu1"))


def test_a_record_that_never_got_to_planning_is_stored_too(writer, pair, on_disk, report):
    failure = Failure("vendors", "009", "vendor", "record-invalid", "Odd.", "Fix it.", {"id": "009"})
    writer().record_failure(pair, failure)
    assert [found.bill_id for found in on_disk.failures()] == ["009"]
    assert report.failed_count == 1


def test_the_history_holds_no_tax_id(writer, vendor, store):
    writer().apply([vendor("A")])
    with store.reading() as connection:
        [after] = connection.execute(text("SELECT after FROM audit")).scalars()
        [desired] = connection.execute(text("SELECT desired FROM links")).scalars()
    assert TAX_ID not in after + desired
    assert "XXXXXX8293" in after


def test_a_location_that_orders_do_not_take_comes_back(writer, client, vendor):
    client.script = [{"A": fault("2010")}]
    [conflict] = writer().apply([vendor("A", DepartmentRef={"value": "1"})])
    assert conflict.fault.code == "2010"
