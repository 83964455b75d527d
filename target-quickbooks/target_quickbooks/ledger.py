"""What is known of payments, vendor credits, balances and recurring bills: on disk, or for one plan only.

Learning comes before writing: what is in hand together is written together, and what a crash interrupts is
still marked as unsettled afterwards.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from sqlalchemy import Connection
from typing_extensions import override

from target_quickbooks.links import Company
from target_quickbooks.mapping.payment_records import observe_bill, observe_credit, observe_payment
from target_quickbooks.mapping.payments import (
    Account,
    Balance,
    Credit,
    Payment,
    bills_of,
)
from target_quickbooks.mapping.refusal import Refusal
from target_quickbooks.recurring import Schedule, Turn, passed_turns, read_schedule, recognise
from target_quickbooks.store import failure_table, locks, payment_table, recurring_table
from target_quickbooks.store.database import Store

PAYMENTS, CREDITS, RECURRING, BILLS = "payments", "vendor_credits", "recurring_bills", "bills"
#: What is learned from, besides bills.
LEARNED_STREAMS = frozenset({PAYMENTS, CREDITS, RECURRING})
Records = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record that cannot be learned from."""

    stream: str
    record: Mapping[str, Any]
    refusal: Refusal


@dataclass(slots=True)
class _News:
    """What records say that was not known."""

    payments: list[Payment] = field(default_factory=list)
    credits: list[Credit] = field(default_factory=list)
    balances: list[Balance] = field(default_factory=list)
    schedules: list[Schedule] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.payments or self.credits or self.balances or self.schedules or self.turns)


class Ledger(Protocol):
    """What is paid of bills, and by what."""

    def learn(self, company: Company, arrived: Mapping[str, Records]) -> list[Unreadable]:
        """Take in what arrived, by stream; return what cannot be read."""

    def accounts(self, company: Company, bill_ids: Iterable[str]) -> dict[str, Account]:
        """All that is known of what is paid of these bills."""

    def unsettled(self, company: Company) -> list[str]:
        """Bills whose orders may not show their payments yet."""

    def settle(self, company: Company, bill_ids: Iterable[str]) -> None:
        """What is to be said of these bills' payments is on record."""

    def recognise(self, company: Company) -> None:
        """Find the bills that recurring bills have brought forth."""


class LastingLedger(Ledger):
    """Keeps it in the store."""

    def __init__(self, store: Store, now: Callable[[], dt.datetime]) -> None:
        self._store = store
        self._now = now
        self._vendors: defaultdict[Company, set[str]] = defaultdict(set)

    @override
    def learn(self, company: Company, arrived: Mapping[str, Records]) -> list[Unreadable]:
        with self._store.reading() as connection:
            news = _news(connection, company, arrived, self._now())
            recovered = _recovered(connection, company, arrived, news)
        self._vendors[company] |= {balance.vendor_id for balance in news.balances}
        self._vendors[company] |= {schedule.vendor_id for schedule in news.schedules}
        if news or recovered:
            with self._store.writing(locks.company(company.realm_id)) as connection:
                payment_table.save(connection, company, news.payments)
                payment_table.save_credits(connection, company, news.credits)
                payment_table.save_balances(connection, company, news.balances)
                recurring_table.save(connection, company, news.schedules)
                recurring_table.save_turns(connection, company, news.turns)
                for stream, ids in recovered.items():
                    failure_table.resolve(connection, company, stream, ids, now=self._now())
        return news.unreadable

    @override
    def accounts(self, company: Company, bill_ids: Iterable[str]) -> dict[str, Account]:
        with self._store.reading() as connection:
            return payment_table.accounts(connection, company, bill_ids)

    @override
    def unsettled(self, company: Company) -> list[str]:
        with self._store.reading() as connection:
            return payment_table.unsettled(connection, company)

    @override
    def settle(self, company: Company, bill_ids: Iterable[str]) -> None:
        with self._store.writing() as connection:
            payment_table.settle(connection, company, bill_ids)

    @override
    def recognise(self, company: Company) -> None:
        touched = self._vendors.pop(company, set())
        if not touched:
            return
        with self._store.reading() as connection:
            schedules = [
                schedule
                for schedule in recurring_table.of_company(connection, company)
                if schedule.vendor_id in touched
            ]
            if not schedules:
                return
            bills = payment_table.balances_of_vendors(
                connection, company, {schedule.vendor_id for schedule in schedules}
            )
            found = recognise(schedules, recurring_table.turns(connection, company), bills)
        if found:
            with self._store.writing() as connection:
                recurring_table.save_turns(connection, company, found)


class PassingLedger(Ledger):
    """Knows what the store knows, and what arrived in this run; keeps nothing beyond it."""

    def __init__(self, store: Store, now: Callable[[], dt.datetime]) -> None:
        self._store = store
        self._now = now
        self._payments: defaultdict[Company, dict[str, Payment]] = defaultdict(dict)
        self._credits: defaultdict[Company, dict[str, Credit]] = defaultdict(dict)
        self._balances: defaultdict[Company, dict[str, Balance]] = defaultdict(dict)
        self._unsettled: defaultdict[Company, set[str]] = defaultdict(set)
        self._settled: defaultdict[Company, set[str]] = defaultdict(set)

    @override
    def learn(self, company: Company, arrived: Mapping[str, Records]) -> list[Unreadable]:
        with self._store.reading() as connection:
            news = _news(connection, company, arrived, self._now())
        seen, read = self._payments[company], self._credits[company]
        news.payments = [payment for payment in news.payments if seen.get(payment.id) != payment]
        news.credits = [credit for credit in news.credits if read.get(credit.id) != credit]
        seen |= {payment.id: payment for payment in news.payments}
        read |= {credit.id: credit for credit in news.credits}
        self._balances[company] |= {balance.bill_id: balance for balance in news.balances}
        touched = {bill_id for payment in news.payments for bill_id in bills_of(payment)}
        touched |= {use.bill_id for credit in news.credits for use in credit.uses}
        self._unsettled[company] |= touched
        self._settled[company] -= touched
        return news.unreadable

    @override
    def accounts(self, company: Company, bill_ids: Iterable[str]) -> dict[str, Account]:
        with self._store.reading() as connection:
            stored = payment_table.accounts(connection, company, bill_ids)
        return {bill_id: self._with_arrived(company, account) for bill_id, account in stored.items()}

    def _with_arrived(self, company: Company, account: Account) -> Account:
        bill_id = account.bill_id
        payments = {payment.id: payment for payment in account.payments}
        payments |= {one.id: one for one in self._payments[company].values() if bill_id in bills_of(one)}
        named = {credit for payment in payments.values() for credit, _ in payment.part_of(bill_id).credits}
        used = {credit.id: credit for credit in account.credits}
        used |= {
            credit.id: credit
            for credit in self._credits[company].values()
            if credit.id in named or any(use.bill_id == bill_id for use in credit.uses)
        }
        return replace(
            account,
            balance=self._balances[company].get(bill_id, account.balance),
            payments=tuple(payments[one] for one in sorted(payments)),
            credits=tuple(used[one] for one in sorted(used)),
        )

    @override
    def unsettled(self, company: Company) -> list[str]:
        with self._store.reading() as connection:
            stored = payment_table.unsettled(connection, company)
        return sorted({*stored, *self._unsettled[company]} - self._settled[company])

    @override
    def settle(self, company: Company, bill_ids: Iterable[str]) -> None:
        self._settled[company] |= set(bill_ids)

    @override
    def recognise(self, company: Company) -> None:
        """Nothing: a plan is of what is written."""


def _news(
    connection: Connection, company: Company, arrived: Mapping[str, Records], now: dt.datetime
) -> _News:
    news = _News()
    by_id = {stream: {str(record["id"]): record for record in records} for stream, records in arrived.items()}
    payments, credits_, bills, schedules = (
        by_id.get(stream, {}) for stream in (PAYMENTS, CREDITS, BILLS, RECURRING)
    )
    known = payment_table.find(connection, company, payments)
    for one, record in payments.items():
        _observe(news, PAYMENTS, record, news.payments, known.get(one), _payment_at(now))
    read = payment_table.find_credits(connection, company, credits_)
    for one, record in credits_.items():
        _observe(news, CREDITS, record, news.credits, read.get(one), observe_credit)
    told = payment_table.find_balances(connection, company, bills)
    for one, record in bills.items():
        _observe(news, BILLS, record, news.balances, told.get(one), _bill_at(now))
    plans = recurring_table.find(connection, company, schedules)
    for one, record in schedules.items():
        _observe(news, RECURRING, record, news.schedules, plans.get(one), read_schedule)
    for schedule in news.schedules:
        before = plans.get(schedule.id)
        news.turns += [Turn(schedule.id, due) for due in passed_turns(before, schedule)] if before else []
    if news.turns:
        there = {(turn.recurring_id, turn.due_date) for turn in recurring_table.turns(connection, company)}
        news.turns = [turn for turn in news.turns if (turn.recurring_id, turn.due_date) not in there]
    return news


def _observe(
    news: _News,
    stream: str,
    record: Mapping[str, Any],
    changed: list[Any],
    known: Any,
    observe: Callable[[Mapping[str, Any], Any], Any],
) -> None:
    """Look at one record; what says nothing new leaves nothing behind."""
    try:
        found = observe(record, known)
    except Refusal as refusal:
        if stream != BILLS:  # the step for bills refuses those itself
            news.unreadable.append(Unreadable(stream, record, refusal))
        return
    if found != known:
        changed.append(found)


def _payment_at(now: dt.datetime) -> Callable[[Mapping[str, Any], Any], Payment]:
    return lambda record, known: observe_payment(record, known, now=now)


def _bill_at(now: dt.datetime) -> Callable[[Mapping[str, Any], Any], Balance]:
    return lambda record, known: observe_bill(record, known, now=now)


def _recovered(
    connection: Connection, company: Company, arrived: Mapping[str, Records], news: _News
) -> dict[str, list[str]]:
    """Records that could not be read before and can now, by stream."""
    unreadable = {(one.stream, str(one.record["id"])) for one in news.unreadable}
    recovered: dict[str, list[str]] = {}
    for stream in LEARNED_STREAMS & set(arrived):
        ids = [str(record["id"]) for record in arrived[stream]]
        failed = failure_table.unsettled_ids(connection, company, stream, ids)
        readable = sorted(one for one in failed if (stream, one) not in unreadable)
        if readable:
            recovered[stream] = readable
    return recovered
