"""Bad input on the command line: one readable line, exit code 1, nothing written, nothing secret shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from cryptography.fernet import Fernet

KEY = Fernet.generate_key().decode()
SETTINGS = {
    "TARGET_QUICKBOOKS_CLIENT_ID": "client",
    "TARGET_QUICKBOOKS_CLIENT_SECRET": "very-secret-client-secret",
    "TARGET_QUICKBOOKS_REALM_ID": "9341452000000001",
    "TARGET_QUICKBOOKS_ENCRYPTION_KEY": KEY,
    "TARGET_QUICKBOOKS_REFRESH_TOKEN": "AB11very-secret-refresh-token",
    "TARGET_QUICKBOOKS_TOKEN_URL": "http://127.0.0.1:9/token",
    "TARGET_QUICKBOOKS_API_URL": "http://127.0.0.1:9",
    "TARGET_QUICKBOOKS_MAX_RETRY_SECONDS": "0",
    "TARGET_QUICKBOOKS_LOGLEVEL": "WARNING",
}
SCHEMA = {
    "type": "SCHEMA",
    "stream": "vendors",
    "schema": {"properties": {"id": {"type": "string"}, "name": {"type": ["string", "null"]}}},
    "key_properties": ["id"],
}
VENDOR = {"id": "00901", "organizationId": "00801", "name": "Acme"}


def record(content, stream="vendors"):
    return {"type": "RECORD", "stream": stream, "record": content}


@pytest.fixture
def run(tmp_path):
    """Run the target with the given input; changed settings by keyword, None removes one."""

    def run(*messages, arguments=("--config=ENV",), **changes):
        environment = {**SETTINGS, "TARGET_QUICKBOOKS_STORE_URL": f"sqlite:///{tmp_path}/store.sqlite3"}
        environment |= {f"TARGET_QUICKBOOKS_{name.upper()}": value for name, value in changes.items()}
        lines = [line if isinstance(line, str) else json.dumps(line) for line in messages]
        return subprocess.run(
            [sys.executable, "-m", "target_quickbooks", *arguments],
            input="".join(f"{line}\n" for line in lines),
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                **{name: value for name, value in environment.items() if value is not None},
            },
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def complaint(result):
    """The one line that was printed, after checking that it is the only one and holds no secret."""
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    assert result.returncode == 1, result.stderr
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("target-quickbooks: ")
    assert "Traceback" not in result.stderr
    for secret in ("very-secret", KEY, "123-45-6789"):
        assert secret not in result.stderr
    assert result.stdout == ""
    return lines[0]


def test_missing_settings_are_named_together(run):
    line = complaint(run(client_id=None, realm_id=None))
    assert "client_id is missing" in line
    assert "realm_id is missing" in line


def test_a_value_outside_an_enumeration_is_named_with_what_is_allowed(run):
    line = complaint(run(vendor_conflict="guess"))
    assert "vendor_conflict" in line
    assert "adopt" in line


def test_a_realm_that_is_no_number_is_explained(run):
    assert "realm_id 'acme' is not a company id" in complaint(run(SCHEMA, record(VENDOR), realm_id="acme"))


def test_a_bad_encryption_key_says_how_to_make_one(run):
    line = complaint(run(SCHEMA, record(VENDOR), encryption_key="abc"))
    assert "quickbooks-admin generate-key" in line


def test_a_map_that_is_not_json_is_named_as_such(run):
    assert "JSON" in complaint(run(account_map="{broken"))


def test_a_missing_configuration_file_is_named(run):
    assert "nowhere.json was not found" in complaint(run(arguments=("--config=nowhere.json",)))


def test_a_store_that_cannot_be_opened_is_named(run, tmp_path):
    (tmp_path / "file").write_text("")
    line = complaint(run(SCHEMA, record(VENDOR), store_url=f"sqlite:///{tmp_path}/file/store.sqlite3"))
    assert "store_url" in line


def test_a_store_of_an_unknown_kind_is_explained(run):
    assert "store_url" in complaint(run(SCHEMA, record(VENDOR), store_url="nosuchdb://somewhere"))


def test_no_connection_and_no_seed_says_how_to_connect(run):
    line = complaint(run(SCHEMA, record(VENDOR), refresh_token=None))
    assert "quickbooks-admin connect" in line


def test_an_unreachable_token_endpoint_is_explained(run):
    assert "token endpoint" in complaint(run(SCHEMA, record(VENDOR)))


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        (["this is no JSON: 123-45-6789"], "Line 1 of the input is not JSON"),
        (["[1, 2]"], "Line 1 of the input is not a JSON object"),
        ([{"type": "SOMETHING"}], "not a Singer message of a known type"),
        (
            [SCHEMA, {"type": "RECORD", "stream": "vendors"}],
            "Line 2 of the input is a RECORD message without",
        ),
        ([{"type": "SCHEMA", "stream": "vendors"}], "without a usable 'schema'"),
        ([{"type": "SCHEMA", "stream": "vendors", "schema": {}}], "names no properties"),
        ([{"type": "STATE", "value": "text"}], "without a usable 'value'"),
        ([record(VENDOR)], "came before the stream's SCHEMA"),
        ([SCHEMA, record({"name": "Acme", "taxId": "123-45-6789"})], "A record of stream vendors has no id"),
        (
            [SCHEMA, record({"id": "00901", "name": "A"})],
            "Record '00901' of stream vendors has no organizationId",
        ),
        ([{**SCHEMA, "stream": "invoices"}], "Stream 'invoices' is not one of BILL's"),
        ([{**SCHEMA, "schema": {"properties": {"id": {"type": 7}}}}], "not a usable JSON schema"),
        ([{**SCHEMA, "key_properties": "id"}], "has unusable key_properties"),
        ([{**SCHEMA, "key_properties": [1]}], "has unusable key_properties"),
        (
            [{**SCHEMA, "key_properties": ["number"]}, record(VENDOR)],
            "Record '00901' of stream vendors has no number",
        ),
        ([SCHEMA, {"type": "BATCH", "stream": "vendors"}], "A BATCH message arrived"),
    ],
)
def test_unusable_input_is_explained_without_quoting_it(run, messages, words):
    assert words in complaint(run(*messages))


def test_an_unknown_stream_is_ignored_with_one_warning_when_asked(run):
    result = run(
        {**SCHEMA, "stream": "invoices"},
        record({"anything": 1}, stream="invoices"),
        record({"anything": 2}, stream="invoices"),
        ignore_unknown_streams="true",
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("is not known here and ignored") == 1


def test_empty_input_is_fine(run):
    result = run()
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""


def test_state_alone_is_passed_through_exactly(run):
    """Nothing came before it, so it is safe; numbers with fractions must not crash the target."""
    result = run({"type": "STATE", "value": {"bookmarks": {"vendors": {"x": 1.10}}}})
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {"bookmarks": {"vendors": {"x": 1.1}}}
