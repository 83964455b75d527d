"""Settings: checks in words, and values in the types they mean."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from tap_bill import settings
from tap_bill.errors import SettingsError
from tap_bill.tap import TapBill

KEY, OLDER_KEY = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def problems(config):
    return settings.check(dict(config), settings.json_schema())


def test_complete_settings_are_accepted_and_filled_with_defaults(config):
    assert problems(config) == []
    parsed = settings.parse(config)
    assert (parsed.page_size, parsed.lookback_seconds, parsed.max_concurrency, parsed.hourly_limit) == (
        100,
        120,
        3,
        "wait",
    )
    assert parsed.max_retry_seconds == 300
    assert parsed.user_agent.startswith("tap-bill/")


@pytest.mark.parametrize("name", ["dev_key", "username", "password", "organization_id"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_setting_is_named_with_its_variable(config, name, value):
    (problem,) = problems(config | {name: value})
    assert problem == f"{name} is missing: set it in the configuration or as TAP_BILL_{name.upper()}"


def test_every_missing_setting_is_named():
    assert [problem.split()[0] for problem in problems({})] == [
        "dev_key",
        "username",
        "password",
        "organization_id",
    ]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("environment", "test", "environment must be one of production, sandbox, not 'test'"),
        ("page_size", 0, "page_size must be at least 1, not 0"),
        ("page_size", 101, "page_size must be at most 100, not 101"),
        ("page_size", "many", "page_size must be a whole number, not 'many'"),
        ("max_concurrency", 4, "max_concurrency must be at most 3, not 4"),
        ("lookback_seconds", -1, "lookback_seconds must be at least 0, not -1"),
        ("hourly_limit", "ignore", "hourly_limit must be one of wait, stop, not 'ignore'"),
        ("password", 12345678, "password must be text"),
        ("dev_key", ["zzTOP"], "dev_key must be text"),
        (
            "start_date",
            "yesterday",
            "start_date 'yesterday' is no date: give one like 2026-01-31 or 2026-01-31T08:00:00Z",
        ),
        ("api_url", "bill.example/connect", "api_url 'bill.example/connect' is no address"),
        ("api_url", "ftp://bill.example/connect", "api_url 'ftp://bill.example/connect' is no address"),
    ],
)
def test_a_wrong_setting_is_told_with_what_is_right(config, name, value, expected):
    (problem,) = problems(config | {name: value})
    assert problem.startswith(expected)


def test_the_value_of_a_secret_setting_is_never_quoted(config):
    for name in ("password", "dev_key", "encryption_key"):
        for value in (12345678, ["zzTOP-secret"], {"a": "zzTOP-secret"}):
            told = " ".join(problems(config | {name: value}))
            assert told
            assert str(value) not in told
            assert "zzTOP-secret" not in told


def test_a_session_cache_needs_a_key(config, tmp_path):
    (problem,) = problems(config | {"session_path": str(tmp_path / "sessions")})
    assert problem.startswith("session_path needs encryption_key")


@pytest.mark.parametrize("key", ["short", f"{KEY},short", "x" * 44], ids=["short", "second", "long"])
def test_a_bad_key_is_refused_without_quoting_it(config, key):
    (problem,) = problems(config | {"encryption_key": key})
    assert problem.startswith("encryption_key is no Fernet key")
    assert key not in problem


def test_several_keys_are_read_newest_first(config):
    parsed = settings.parse(config | {"encryption_key": f" {KEY} , {OLDER_KEY},"})
    assert parsed.encryption_keys == (KEY, OLDER_KEY)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"environment": "production", "api_url": None}, "https://gateway.prod.bill.com/connect"),
        ({"environment": "sandbox", "api_url": ""}, "https://gateway.stage.bill.com/connect"),
        ({"api_url": "http://127.0.0.1:8095/connect/"}, "http://127.0.0.1:8095/connect"),
        ({"api_url": "http://127.0.0.1:8095/connect/v3"}, "http://127.0.0.1:8095/connect"),
    ],
)
def test_the_address_is_the_environments_or_the_one_given(config, given, expected):
    assert settings.parse(config | given).base_url == expected


def test_the_start_date_gets_the_one_form(config):
    assert settings.parse(config | {"start_date": "2026-01-31"}).start == "2026-01-31T00:00:00.000+00:00"


def test_the_path_of_the_cache_may_begin_with_the_home_directory(config, monkeypatch):
    monkeypatch.setenv("HOME", "/somewhere")
    parsed = settings.parse(config | {"session_path": "~/sessions", "encryption_key": KEY})
    assert parsed.session_path == Path("/somewhere/sessions")


def test_parsing_unchecked_settings_refuses_what_the_check_would(config):
    with pytest.raises(SettingsError, match="page_size"):
        settings.parse(config | {"page_size": 0})


def test_the_environment_gives_whole_numbers(config, monkeypatch):
    for name, value in config.items():
        monkeypatch.setenv(f"TAP_BILL_{name.upper()}", value)
    monkeypatch.setenv("TAP_BILL_PAGE_SIZE", "50")
    monkeypatch.setenv("TAP_BILL_START_DATE", "")
    tap = TapBill(parse_env_config=True)
    assert tap.config["page_size"] == 50
    assert "start_date" not in tap.config


def test_a_number_in_the_environment_that_is_none_is_named(config, monkeypatch):
    monkeypatch.setenv("TAP_BILL_PAGE_SIZE", "fifty")
    with pytest.raises(SettingsError, match="TAP_BILL_PAGE_SIZE must be a whole number, not 'fifty'"):
        TapBill(config=config, parse_env_config=True)


def test_every_setting_is_described_and_every_secret_is_marked():
    described = settings.json_schema()["properties"]
    assert all(schema["title"] and schema["description"] for schema in described.values())
    assert {name for name, schema in described.items() if schema.get("secret")} == {
        "dev_key",
        "password",
        "encryption_key",
    }


def test_the_names_of_the_settings_are_fixed():
    """Other programs and published definitions rely on them."""
    assert list(settings.json_schema()["properties"]) == [
        "dev_key",
        "username",
        "password",
        "organization_id",
        "environment",
        "api_url",
        "start_date",
        "page_size",
        "lookback_seconds",
        "max_concurrency",
        "hourly_limit",
        "max_retry_seconds",
        "session_path",
        "encryption_key",
        "user_agent",
    ]
