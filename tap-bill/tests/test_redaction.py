"""Nothing secret gets through."""

from __future__ import annotations

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk.logging import StructuredFormatter
from tap_bill import errors
from tap_bill.redaction import SECRETS, RedactingFormatter, Secrets, scrub, scrub_foreign


def _record(message, *args, error=None, **extra):
    exc_info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("tap-bill", logging.ERROR, __file__, 1, message, args, exc_info)
    record.__dict__.update(extra)
    return record


@given(st.text(min_size=5), st.text(), st.text())
def test_a_known_value_is_masked_in_every_spelling(value, before, after):
    secrets = Secrets()
    secrets.add(value)
    for spelling in (value, json.dumps(value), json.dumps(json.dumps(value)), repr(value)):
        assert value not in secrets.mask(f"{spelling}")
    assert value not in secrets.mask(f"{before}{value}{after}").replace("***", "")


def test_values_too_short_to_be_secrets_do_not_blank_out_the_text():
    secrets = Secrets()
    secrets.add("e", "", None)
    assert secrets.mask("every letter stays") == "every letter stays"


def test_the_longer_of_two_secrets_is_masked_whole():
    secrets = Secrets()
    secrets.add("secret-key", "secret-key-of-the-year")
    assert secrets.mask("secret-key-of-the-year") == "***"


@pytest.mark.parametrize(
    "text",
    [
        "sessionId=zzTOPsecret",
        "{'sessionId': 'zzTOPsecret'}",
        '{"devKey": "zzTOPsecret", "max": 1}',
        json.dumps(json.dumps({"password": "zzTOPsecret"})),
        "taxId: zzTOPsecret",
    ],
)
def test_values_with_a_telling_name_are_masked_without_being_known(text):
    assert "zzTOPsecret" not in scrub(text)


def test_words_about_settings_stay_readable():
    text = "password is missing: set it as TAP_BILL_PASSWORD; encryption_key is no Fernet key"
    assert scrub(text) == text


@pytest.mark.parametrize("tax_id", ["123-45-6789", "12-3456789", "123456789"])
def test_tax_ids_in_foreign_text_are_masked(tax_id):
    assert tax_id not in scrub_foreign(f"vendor {tax_id} is invalid")


def test_foreign_text_is_shortened_to_one_line():
    text = scrub_foreign("line\n" * 1000)
    assert len(text) < 400
    assert "\n" not in text


def test_logs_are_scrubbed_with_tracebacks_and_structured_fields():
    SECRETS.add('pa"ss\\word!')
    try:
        secret = 'pa"ss\\word!'
        raise ValueError(secret)  # noqa: TRY301
    except ValueError as error:
        record = _record("failed with %s", secret, error=error, detail={"nested": secret})
    for formatter in (logging.Formatter(), StructuredFormatter()):
        text = RedactingFormatter(formatter).format(record)
        assert "ss\\\\word" not in text
        assert "ss\\word" not in text
        assert "failed with" in text


@pytest.mark.parametrize(
    "error_class",
    [errors.GaveUpError, errors.ServerFaultError, errors.RequestRefusedError, errors.SettingsError],
)
def test_errors_are_scrubbed_when_they_are_made(error_class):
    SECRETS.add("zzTOPsecret")
    error = error_class("it was zzTOPsecret\nall along")
    assert str(error) == "it was *** all along"
    assert "zzTOPsecret" not in repr(error.__dict__)
