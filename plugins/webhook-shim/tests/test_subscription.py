"""BILL's subscription: one, whole, enabled, its key known; whatever was there before."""

from __future__ import annotations

import datetime as dt
import os

import pytest
import requests
from ap_simulator.testing import running
from click.testing import CliRunner
from target_quickbooks.errors import SettingsError
from webhook_shim import companies, subscription_commands
from webhook_shim.bill_events import BillRefused, open_for
from webhook_shim.companies import Books
from webhook_shim.receiver import Receiver
from webhook_shim.store import subscription_table
from webhook_shim.store.subscription_table import Subscription
from webhook_shim.subscription import Desk, Found

ORGANIZATION = "00802DEMOORGANIZTN01"
URL = "https://books.example/webhooks/bill/00802DEMOORGANIZTN01"
NOW = dt.datetime(2026, 3, 2, 9, 30, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def simulator():
    with running("empty") as found:
        yield found


@pytest.fixture
def books(simulator, new_books):
    simulator.control.reset()
    config = {
        name.removeprefix("TAP_BILL_").lower(): value
        for name, value in simulator.env().items()
        if name.startswith("TAP_BILL_")
    }
    known = ("api_url", "organization_id", "dev_key", "username", "password")
    plain = new_books()
    return Books(
        name=plain.name,
        title=plain.title,
        organization_id=plain.organization_id,
        realm_id=plain.realm_id,
        tap_config={name: config[name] for name in known},
        target_config=plain.target_config,
    )


@pytest.fixture
def context(new_context, books):
    return new_context([books])


@pytest.fixture
def desk(context, books, clock):
    return Desk(context.store, open_for(books, ""), ORGANIZATION, URL, clock)


def events_of(desk):
    (held,) = desk.bill.subscriptions()
    return held


def test_one_subscription_covers_vendors_bills_and_payments(desk):
    assert desk.subscribe() is Found.NEW
    held = events_of(desk)
    assert (held.url, held.enabled) == (URL, True)
    assert held.events >= {"vendor.created", "bill.updated", "bill.restored", "payment.updated"}
    assert all(kind.split(".")[0] in {"vendor", "bill", "payment"} for kind in held.events)
    assert desk.known().security_key


def test_subscribing_again_changes_nothing(desk):
    desk.subscribe()
    before = desk.known()
    assert desk.subscribe() is Found.GOOD
    assert desk.known() == before


def test_the_key_is_not_readable_in_the_store(desk, context):
    desk.subscribe()
    with context.store.reading() as connection:
        row = connection.execute(subscription_table.select(subscription_table.subscriptions)).first()
    assert desk.known().security_key not in str(row)
    assert desk.known().security_key not in repr(desk.known())


def test_a_lost_store_takes_the_subscription_over_with_a_new_key(desk, context):
    desk.subscribe()
    old = desk.known()
    with context.store.writing() as connection:
        subscription_table.forget(connection, ORGANIZATION)
    assert desk.subscribe() is Found.REPAIRED
    assert len(desk.bill.subscriptions()) == 1
    assert desk.known().subscription_id == old.subscription_id
    assert desk.known().security_key != old.security_key


def test_a_subscription_with_other_events_or_another_address_is_mended(desk, context, clock):
    desk.subscribe()
    held = events_of(desk)
    desk.bill.replace(held.id, name="changed", url=URL, events=["bill.created"])
    assert desk.subscribe() is Found.REPAIRED
    moved = Desk(context.store, desk.bill, ORGANIZATION, f"{URL}-moved", clock)
    assert moved.subscribe() is Found.REPAIRED
    assert (events_of(desk).url, events_of(desk).events) == (f"{URL}-moved", held.events)
    assert desk.known().url == f"{URL}-moved"


def test_others_that_notify_the_same_address_are_deleted_and_strangers_are_not(desk):
    desk.bill.create(name="older", url=URL, events=["bill.created"])
    desk.bill.create(name="older still", url=URL, events=["vendor.created"])
    desk.bill.create(name="somebody's", url="https://elsewhere.example/hook", events=["bill.created"])
    desk.subscribe()
    assert sorted(held.url for held in desk.bill.subscriptions()) == [
        URL,
        "https://elsewhere.example/hook",
    ]


def test_the_tenth_is_the_last(desk):
    for number in range(10):
        url = f"https://elsewhere.example/{number}"
        desk.bill.create(name=f"other {number}", url=url, events=["bill.created"])
    with pytest.raises(BillRefused, match=r"10 subscriptions already.*'other 3'"):
        desk.subscribe()
    assert len(desk.bill.subscriptions()) == 10


def test_a_disabled_subscription_is_enabled_and_remembered_until_it_has_caught_up(desk):
    desk.subscribe()
    desk.bill._call(
        "PATCH", f"/v3/subscriptions/{desk.known().subscription_id}", {"status": {"enabled": False}}
    )
    assert desk.check() is Found.DISABLED
    assert events_of(desk).enabled
    assert desk.known().disabled_at == NOW
    assert desk.check() is Found.GOOD
    assert desk.known().disabled_at == NOW
    desk.caught_up()
    assert desk.known().disabled_at is None


def test_a_deleted_subscription_is_made_anew(desk):
    desk.subscribe()
    desk.bill.delete(desk.known().subscription_id)
    assert desk.check() is Found.NEW
    assert desk.known().subscription_id == events_of(desk).id
    assert desk.known().disabled_at == NOW


def test_without_a_subscription_there_is_nothing_to_check(desk):
    assert desk.check() is None


def test_a_rotated_key_leaves_the_old_one_valid_for_a_day(desk, clock):
    desk.subscribe()
    old = desk.known().security_key
    desk.rotate_key()
    new = desk.known().security_key
    assert desk.known().keys(clock()) == (new, old)
    clock.advance(hours=25)
    assert desk.known().keys(clock()) == (new,)


def test_unsubscribing_ends_it_on_both_sides(desk):
    desk.subscribe()
    desk.unsubscribe()
    assert desk.bill.subscriptions() == []
    assert desk.known() is None


def test_unsubscribing_from_what_bill_has_forgotten_forgets_it_too(desk):
    desk.subscribe()
    desk.bill.delete(desk.known().subscription_id)
    desk.unsubscribe()
    assert desk.known() is None


def test_an_address_without_tls_is_bills_to_refuse(desk, context, clock):
    plain = Desk(context.store, desk.bill, ORGANIZATION, "http://books.example/hook", clock)
    with pytest.raises(BillRefused, match="https"):
        plain.subscribe()


def test_a_session_that_bill_has_ended_is_renewed(desk, simulator):
    desk.subscribe()
    simulator.control.add_fault("expired_token", system="bill", times=1)
    assert len(desk.bill.subscriptions()) == 1


@pytest.fixture
def commands(books, monkeypatch, tmp_path):
    monkeypatch.setattr(companies, "read", lambda _: (books,))
    monkeypatch.setenv("MELTANO_PROJECT_ROOT", str(tmp_path))
    runner = CliRunner()

    def run(command, *arguments, **options):
        found = getattr(subscription_commands, command)
        return runner.invoke(found, arguments, catch_exceptions=False, **options)

    return run


def test_the_commands_from_subscription_to_test_event_to_end(commands, desk, context, serve):
    server = serve(Receiver(context).routes())
    made = commands("subscribe", "--url", server.url, "--test")
    assert "is new" in made.output
    assert "answered 200" in made.output
    listed = commands("events")
    assert "200" in listed.output
    assert commands("rotate_key").exit_code == 0
    assert commands("unsubscribe", input="n\n").exit_code == 1
    assert commands("unsubscribe", "--yes").exit_code == 0
    assert desk.known() is None


def test_a_company_that_is_not_there_is_named_with_those_that_are(commands):
    with pytest.raises(SettingsError, match=r"There is no company 'other'\. There are: books"):
        commands("subscribe", "--company", "other")


def test_what_bill_delivers_is_accepted_by_the_receiver(desk, context, serve, clock):
    server = serve(Receiver(context).routes())
    desk = Desk(context.store, desk.bill, ORGANIZATION, f"{server.url}/webhooks/bill/{ORGANIZATION}", clock)
    desk.subscribe()
    sent = desk.bill.send_test(desk.known().subscription_id)
    assert sent.status == requests.codes.ok
    assert desk.known().last_event_at == NOW
    desk.rotate_key()
    assert desk.bill.send_test(desk.known().subscription_id).status == requests.codes.ok


def test_no_secret_is_shown_by_any_value(books, desk):
    desk.subscribe()
    shown = repr(books) + repr(desk.known()) + repr(desk)
    assert not any(secret in shown for secret in (books.tap_config["password"], desk.known().security_key))
    assert isinstance(desk.known(), Subscription)
    assert "PASSWORD" not in os.environ
