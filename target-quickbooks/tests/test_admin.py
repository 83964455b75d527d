"""``quickbooks-admin`` shows whatever the store holds."""

from __future__ import annotations

import json

import click
import pytest
from click.testing import CliRunner
from sqlalchemy import text
from target_quickbooks.admin import commands
from target_quickbooks.errors import SettingsError
from target_quickbooks.links import Link
from target_quickbooks.store import audit_table, failure_table, link_table
from target_quickbooks.store.audit_table import Entry
from target_quickbooks.store.failure_table import Failure


def _every_command(group, prefix=""):
    """The names of all commands, nested ones with their group's."""
    for name, command in group.commands.items():
        yield prefix + name
        yield from _every_command(command, f"{name} ") if isinstance(command, click.Group) else ()


@pytest.fixture
def admin(store_url, encryption_key):
    def run(*arguments, **changed):
        variables = {"STORE_URL": store_url, "ENCRYPTION_KEY": encryption_key, **changed}
        env = {f"TARGET_QUICKBOOKS_{name}": value for name, value in variables.items()}
        return CliRunner(env={**env, "COLUMNS": "150"}).invoke(commands, list(arguments))

    return run


@pytest.fixture
def fail(store, pair, moment):
    def build(*numbers, label="bill 'INV-1'", reason="Account 'X' is not there."):
        with store.writing() as connection:
            for number in numbers:
                record = {"id": str(number), "taxId": "99-5688293"}
                failed = Failure("bills", str(number), label, "account-unknown", reason, "Add it.", record)
                failure_table.save(connection, store.cipher, pair, failed, run_id="run", now=moment)

    return build


def test_names_are_shown_as_they_are(admin, fail):
    """Brackets and colons are no markup."""
    fail(1, label="bill '[red]' of Acme [/b] :car:", reason="Said [hidden].")
    result = admin("failures", "list")
    assert result.exit_code == 0
    assert "bill '[red]' of Acme [/b] :car:" in " ".join(result.output.split())
    assert "Said [hidden]." in result.output


def test_every_failure_is_listed(admin, fail):
    fail(*range(1005))
    listed = json.loads(admin("failures", "list", "--json").output)
    assert [failure["record_id"] for failure in listed] == [str(number) for number in range(1005)]
    assert json.loads(admin("failures", "show", "1005").output)["record_id"] == "1004"


def test_a_failure_is_shown_whole_without_its_tax_id(admin, fail):
    fail(1)
    shown = json.loads(admin("failures", "show", "1").output)
    assert shown["record"] == {"id": "1", "taxId": "XXXXXX8293"}
    assert (shown["code"], shown["advice"], shown["attempts"]) == ("account-unknown", "Add it.", 1)


def test_a_failure_that_is_not_there_is_told(admin, store):
    assert store
    result = admin("failures", "show", "7")
    assert isinstance(result.exception, SettingsError)
    assert "There is no failure 7" in str(result.exception)


def test_without_failures_all_is_well(admin):
    assert "No failures" in admin("failures", "list").output


def test_the_status_tells_what_the_store_holds(admin, store, pair, moment, fail):
    with store.writing() as connection:
        link_table.save(connection, pair, Link("Vendor", "1", "137", "0"), now=moment)
    fail(1)
    found = json.loads(admin("status", "--json").output)
    assert found["links"] == [
        {"realm_id": pair.realm_id, "organization_id": pair.organization_id, "entity": "Vendor", "count": 1}
    ]
    assert found["failures"] == {"open": 1}
    assert "Vendor" in admin("status").output


def test_the_history_is_verified(admin, store, pair, moment):
    assert "The audit trail is empty." in admin("audit", "verify").output
    entry = Entry(pair, "vendors", "009", "", "Vendor", "137", "create", "applied", None, {"Id": "137"})
    with store.writing() as connection:
        audit_table.append(
            connection, store.fingerprint_key, [entry, entry], run_id="run", trigger="test", now=moment
        )
    assert "2 rows, the chain holds" in admin("audit", "verify").output
    with store.writing() as connection:
        connection.execute(text("UPDATE audit SET operation = 'none' WHERE sequence = 2"))
    result = admin("audit", "verify")
    assert (result.exit_code, "breaks at row 2" in result.output) == (1, True)


def test_a_missing_key_is_told(admin):
    result = admin("status", ENCRYPTION_KEY="")
    assert "TARGET_QUICKBOOKS_ENCRYPTION_KEY is not set" in str(result.exception)


def test_settings_that_a_command_does_not_need_are_not_missed(admin, store, caplog):
    assert store
    assert admin("status").exit_code == 0
    assert caplog.messages == []


@pytest.mark.parametrize("name", sorted(_every_command(commands)))
def test_every_command_explains_itself_with_an_example(admin, name):
    output = admin(*name.split(), "--help").output
    assert "Example" in output
    assert f"quickbooks-admin {name}" in " ".join(output.split())
