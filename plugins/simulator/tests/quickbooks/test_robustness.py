"""Whatever a body holds, it is taken or refused with a fault; nothing breaks, nothing is half done."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from ap_simulator.calls import CallLog
from ap_simulator.clock import Clock
from ap_simulator.quickbooks.batch import answer_batch, read_batch
from ap_simulator.quickbooks.entities import ENTITIES
from ap_simulator.quickbooks.entities.fields import Choice, Group, Reference
from ap_simulator.quickbooks.problems import RefusedError
from ap_simulator.quickbooks.profile import RealmProfile
from ap_simulator.quickbooks.service import QuickBooksService
from ap_simulator.quickbooks.switches import QuickBooksSwitches
from ap_simulator.quickbooks.writing.operations import Operation, perform
from hypothesis import given, settings
from hypothesis import strategies as st

REALM = "1"
WRITABLE = sorted(name for name, entity in ENTITIES.items() if "create" in entity.operations)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**6), 10**6),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-1000, max_value=1000),
    st.sampled_from(["", " ", "1", "2", "33", "36", "41", "0", "-1", "x", "2026-02-30", "2026-02-03"]),
    st.text(max_size=5),
)
junk = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


def plausible(entry):
    """Values of the kind a field takes, mostly."""
    kind = entry.kind
    if isinstance(kind, Reference):
        value = st.fixed_dictionaries({"value": st.sampled_from(["1", "3", "33", "34", "36", "41", "99"])})
    elif isinstance(kind, Group):
        value = bodies(kind.fields)
    elif isinstance(kind, Choice):
        value = st.sampled_from(kind.values)
    else:
        value = scalars
    return st.lists(value, max_size=3) if entry.many else value


def bodies(fields):
    return st.fixed_dictionaries({}, optional={entry.name: plausible(entry) | junk for entry in fields})


LINE = {
    "Amount": Decimal(5),
    "DetailType": "AccountBasedExpenseLineDetail",
    "AccountBasedExpenseLineDetail": {"AccountRef": {"value": "36"}},
}
PURCHASE = {"VendorRef": {"value": "41"}, "CurrencyRef": {"value": "USD"}, "Line": [LINE]}
#: What each entity needs at least, to be changed at random.
SOUND = {
    "Vendor": {"DisplayName": "New"},
    "Customer": {"DisplayName": "New"},
    "Employee": {"GivenName": "New"},
    "Account": {"Name": "New", "AccountType": "Expense"},
    "Item": {"Name": "New", "ExpenseAccountRef": {"value": "36"}},
    "Class": {"Name": "New"},
    "Department": {"Name": "New"},
    "Term": {"Name": "New"},
    "PurchaseOrder": PURCHASE,
    "Bill": PURCHASE,
    "VendorCredit": PURCHASE,
    "BillPayment": {
        **PURCHASE,
        "TotalAmt": 5,
        "PayType": "Check",
        "CheckPayment": {"BankAccountRef": {"value": "34"}},
        "Line": [{"Amount": 5, "LinkedTxn": [{"TxnId": "2", "TxnType": "Bill"}]}],
    },
    "CompanyCurrency": {"Code": "EUR"},
    "ExchangeRate": {"SourceCurrencyCode": "EUR", "Rate": 2},
}


def payloads(name):
    def few(body):
        return {key: body[key] for key in sorted(body)[:3]}

    def changed(body, rest, *, sound):
        return {**SOUND[name], **few(body), **rest} if sound else {**body, **rest}

    envelope = {
        "Id": st.sampled_from(["1", "2", "33", "41"]) | scalars,
        "SyncToken": st.sampled_from(["0", "1"]) | junk,
        "sparse": st.booleans() | junk,
        "Unknown": junk,
    }
    return st.builds(
        changed,
        body=bodies(ENTITIES[name].fields),
        rest=st.fixed_dictionaries({}, optional=envelope),
        sound=st.booleans(),
    )


def new_realm():
    switches = QuickBooksSwitches()
    # Most random bodies fail at the first unknown word; here the rules behind are meant.
    switches.unknown_property = "ignore"
    service = QuickBooksService(
        clock=Clock(start=datetime(2026, 3, 2, tzinfo=UTC), frozen=True), switches=switches, calls=CallLog()
    )
    service.add_realm(realm_id=REALM, company=RealmProfile(name="Test", multicurrency=True))
    for entity, records in {
        "Account": [
            {"Id": "33", "Name": "AP", "FullyQualifiedName": "AP", "AccountType": "Accounts Payable"},
            {"Id": "34", "Name": "Bank", "FullyQualifiedName": "Bank", "AccountType": "Bank"},
            {"Id": "36", "Name": "Travel", "FullyQualifiedName": "Travel", "AccountType": "Expense"},
        ],
        "Vendor": [{"Id": "41", "DisplayName": "Hicks", "Balance": 0, "CurrencyRef": {"value": "USD"}}],
        "Customer": [{"Id": "3", "DisplayName": "Cool Cars", "FullyQualifiedName": "Cool Cars"}],
        "Term": [{"Id": "3", "Name": "Net 30", "DueDays": 30}],
        "Class": [{"Id": "1", "Name": "A", "FullyQualifiedName": "A"}],
        "Item": [{"Id": "1", "Name": "A", "FullyQualifiedName": "A", "ExpenseAccountRef": {"value": "36"}}],
    }.items():
        extra = {"AccountSubType": "Travel"} if entity == "Account" else {}
        service.load(REALM, entity, [{"Active": True, **extra, **record} for record in records])
    realm = service.realm(REALM)
    for entity in ("PurchaseOrder", "Bill"):
        perform(realm, ENTITIES[entity], PURCHASE, Operation(name="create"))
    return service, realm


def snapshot(service):
    return {name: copy.deepcopy(service.records(REALM, name)) for name in ENTITIES}


@pytest.mark.parametrize("name", WRITABLE)
@settings(max_examples=25)
@given(data=st.data())
def test_any_body_is_taken_or_refused(name, data):
    service, realm = new_realm()
    entity = ENTITIES[name]
    for _ in range(data.draw(st.integers(1, 3))):
        payload = data.draw(payloads(name) | junk)
        word = data.draw(st.sampled_from(["create", "update", "delete", "void", "other"]))
        include = data.draw(st.sampled_from([frozenset(), frozenset({"void"})]))
        before = snapshot(service)
        try:
            answer = perform(realm, entity, payload, Operation(name=word, include=include))
        except RefusedError:
            assert snapshot(service) == before
        else:
            assert answer.startswith(b'{"' + name.encode())
            snapshot(service)


@settings(max_examples=25)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(["bId", "operation", "optionsData", "Query", "Vendor", "X"]), junk),
        max_size=4,
    )
    | junk
)
def test_any_batch_is_answered_or_refused(items):
    service, realm = new_realm()
    try:
        batch = read_batch({"BatchItemRequest": items})
    except RefusedError:
        return
    answer = answer_batch(
        realm, batch, memory=service.memory(REALM), request_id="r", is_stale=lambda _: False
    )
    assert answer.count(b'"bId":') >= len(batch.items)
