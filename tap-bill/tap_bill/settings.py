"""The tap's settings: their JSON schema, their checks, and the values in the types they mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from singer_sdk import typing as th
from singer_sdk.plugin_base import JSONSchemaValidator

from tap_bill import timestamps
from tap_bill.errors import SettingsError
from tap_bill.session import Credentials
from tap_bill.session_cache import fernet

#: BILL manual 1.
API_URLS: Final = {
    "production": "https://gateway.prod.bill.com/connect",
    "sandbox": "https://gateway.stage.bill.com/connect",
}

_OWN: Final = th.PropertiesList(
    th.Property(
        "dev_key",
        th.StringType(nullable=False),
        required=True,
        secret=True,
        title="Developer key",
        description="Developer key of the BILL app, from the same environment as the user.",
    ),
    th.Property(
        "username",
        th.StringType(nullable=False),
        required=True,
        title="User name",
        description="E-mail address of the BILL user or, better, the name of a sync token "
        "(in BILL: Settings > Sync & Integrations > Tokens).",
    ),
    th.Property(
        "password",
        th.StringType(nullable=False),
        required=True,
        secret=True,
        title="Password",
        description="Password of the BILL user, or the value of the sync token.",
    ),
    th.Property(
        "organization_id",
        th.StringType(nullable=False),
        required=True,
        title="Organization id",
        description="Id of the BILL organization to read; it begins with 008.",
    ),
    th.Property(
        "environment",
        th.StringType(nullable=False, allowed_values=["production", "sandbox"]),
        default="production",
        title="Environment",
        description="Which of BILL's environments to read. They share no keys, users or data.",
    ),
    th.Property(
        "api_url",
        th.StringType(),
        title="API address",
        description="Address of the API instead of the environment's own. It ends in `/connect`, such as "
        "`http://127.0.0.1:8095/connect`.",
    ),
    th.Property(
        "start_date",
        th.DateTimeType(),
        title="Start date",
        description="Read only records updated at or after this moment: a date, or a date-time in ISO 8601 "
        "(UTC if it has no zone). Without it the first run reads everything.",
    ),
    th.Property(
        "page_size",
        th.IntegerType(minimum=1, maximum=100, nullable=False),
        default=100,
        title="Page size",
        description="Records per request, 1 to 100.",
    ),
    th.Property(
        "lookback_seconds",
        th.IntegerType(minimum=0, nullable=False),
        default=120,
        title="Look-back",
        description="Each run begins this many seconds before the bookmark, so that records are not missed "
        "that BILL stored late or stamped with a clock that runs behind. What it reads twice is the same "
        "record with the same id.",
    ),
    th.Property(
        "max_concurrency",
        th.IntegerType(minimum=1, maximum=3, nullable=False),
        default=3,
        title="Requests at a time",
        description="Most requests in flight, 1 to 3. BILL allows three at a time per developer key and "
        "organization; leave room if other programs use the same key.",
    ),
    th.Property(
        "hourly_limit",
        th.StringType(nullable=False, allowed_values=["wait", "stop"]),
        default="wait",
        title="When the hour is used up",
        description="What to do when BILL's 20,000 requests (or 200 logins) of the hour are used up: `wait` "
        "until the next full hour, or `stop` with an error and go on with the next run.",
    ),
    th.Property(
        "max_retry_seconds",
        th.IntegerType(minimum=0, nullable=False),
        default=300,
        title="Longest retry",
        description="How long one call is repeated after throttling, failures on BILL's side, timeouts and "
        "broken connections before the run ends with an error. The wait for the next full hour does not "
        "count.",
    ),
    th.Property(
        "session_path",
        th.StringType(),
        title="Session cache",
        description="File in which login sessions are kept between runs, encrypted with `encryption_key`. "
        "Parallel runs share it, and keep BILL's limits together by files beside it. Without it every run "
        "logs in.",
    ),
    th.Property(
        "encryption_key",
        th.StringType(),
        secret=True,
        title="Encryption key",
        description="Fernet key of the session cache, or several separated by commas, newest first: the "
        "first one encrypts, the others still decrypt.",
    ),
    th.Property(
        "user_agent",
        th.StringType(),
        title="User agent",
        description="Value of the `User-Agent` header. Default: `tap-bill/<version>`.",
    ),
).to_dict()

NEW_KEY_COMMAND: Final = (
    'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
)


def json_schema() -> dict[str, Any]:
    """The JSON schema of the settings; a copy, because the SDK adds its own to it."""
    return deepcopy(_OWN)


def secrets_in(config: Mapping[str, Any]) -> Iterator[str]:
    """The values in `config` that must not be printed."""
    for name, schema in _OWN["properties"].items():
        if schema.get("secret") and isinstance(value := config.get(name), str):
            yield value
            yield from _keys(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings in the types they mean; see the JSON schema for what they do."""

    credentials: Credentials
    environment: str
    base_url: str
    start: str | None
    page_size: int
    lookback_seconds: int
    max_concurrency: int
    hourly_limit: Literal["wait", "stop"]
    max_retry_seconds: int
    session_path: Path | None
    encryption_keys: tuple[str, ...] = field(repr=False)
    user_agent: str

    @property
    def place(self) -> str:
        """Environment and address in words."""
        own = API_URLS.get(self.environment) == self.base_url
        return f"the {self.environment} environment, {self.base_url}" if own else self.base_url


def check(config: dict[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Fill `config` with defaults and say what is wrong with it.

    Args:
        config: Changed in place: defaults are added, blank values count as absent.
        schema: The JSON schema, with the SDK's own settings added.

    Returns:
        One sentence per problem. None quotes the value of a secret setting.
    """
    for name, value in list(config.items()):
        if value is None or (isinstance(value, str) and not value.strip()):
            del config[name]
    found = [_in_words(error, schema) for error in JSONSchemaValidator(schema).iter_errors(config)]
    if found:
        return found
    return [problem for problem in _own_checks(config) if problem]


def environment_problems(environment: Mapping[str, str]) -> list[str]:
    """What is wrong with `TAP_BILL_...` variables that stand for whole numbers."""
    problems = []
    for name, schema in _OWN["properties"].items():
        value = environment.get(variable := f"TAP_BILL_{name.upper()}", "0")
        if "integer" in schema["type"] and not re.fullmatch(r"\s*[+-]?\d+\s*", value):
            problems.append(f"{variable} must be a whole number, not {value!r}")
    return problems


def parse(config: Mapping[str, Any]) -> Settings:
    """Read settings that `check` found no fault with.

    Raises:
        SettingsError: There is a fault after all.
    """
    if problems := check(filled := dict(config), json_schema()):
        raise SettingsError(*problems)
    path = filled.get("session_path")
    start = filled.get("start_date")
    return Settings(
        credentials=Credentials(
            username=filled["username"],
            password=filled["password"],
            organization_id=filled["organization_id"],
            dev_key=filled["dev_key"],
        ),
        environment=filled["environment"],
        base_url=_base_url(filled),
        start=timestamps.normalise(start) if start else None,
        page_size=filled["page_size"],
        lookback_seconds=filled["lookback_seconds"],
        max_concurrency=filled["max_concurrency"],
        hourly_limit=filled["hourly_limit"],
        max_retry_seconds=filled["max_retry_seconds"],
        session_path=Path(path).expanduser() if path else None,
        encryption_keys=_keys(filled.get("encryption_key", "")),
        user_agent=filled.get("user_agent") or f"tap-bill/{version('tap-bill')}",
    )


def _base_url(config: Mapping[str, Any]) -> str:
    given = config.get("api_url") or API_URLS[config["environment"]]
    return re.sub(r"(/v3)?/*$", "", given.strip())


def _keys(text: str) -> tuple[str, ...]:
    return tuple(key for part in text.split(",") if (key := part.strip()))


def _own_checks(config: Mapping[str, Any]) -> Iterator[str | None]:
    yield _address_problem(config)
    yield _start_date_problem(config)
    yield _encryption_problem(config)


def _address_problem(config: Mapping[str, Any]) -> str | None:
    url = urlsplit(_base_url(config))
    if url.scheme in {"https", "http"} and url.hostname and not url.query:
        return None
    return (
        f"api_url {config['api_url']!r} is no address: give one like {API_URLS['sandbox']}, or leave it out"
    )


def _start_date_problem(config: Mapping[str, Any]) -> str | None:
    start = config.get("start_date")
    if start is None:
        return None
    try:
        timestamps.normalise(start)
    except ValueError:
        return f"start_date {start!r} is no date: give one like 2026-01-31 or 2026-01-31T08:00:00Z"
    return None


def _encryption_problem(config: Mapping[str, Any]) -> str | None:
    keys = _keys(config.get("encryption_key", ""))
    if not keys:
        if "session_path" not in config:
            return None
        return (
            "session_path needs encryption_key, because a session is as good as a password: make a key "
            f"with {NEW_KEY_COMMAND}"
        )
    try:
        fernet(keys)
    except ValueError:
        return (
            "encryption_key is no Fernet key (44 characters, url-safe base64; several are separated by "
            f"commas): make one with {NEW_KEY_COMMAND}"
        )
    return None


def _in_words(error: Any, schema: Mapping[str, Any]) -> str:
    """A jsonschema `ValidationError` as a sentence; secret values are not quoted."""
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        # Each missing name is reported on its own.
        name = next((name for name in missing if repr(name) in error.message), missing[0])
        return f"{name} is missing: set it in the configuration or as TAP_BILL_{name.upper()}"
    name = ".".join(map(str, error.absolute_path)) or "the configuration"
    top = str(error.absolute_path[0]) if error.absolute_path else ""
    if schema["properties"].get(top, {}).get("secret"):
        return f"{name} must be text"
    wanted = {
        "enum": lambda choices: f"one of {', '.join(map(str, choices))}",
        "minimum": lambda least: f"at least {least}",
        "maximum": lambda most: f"at most {most}",
        "type": _type_in_words,
    }.get(error.validator)
    if wanted is None:
        return f"{name}: {error.message}"
    return f"{name} must be {wanted(error.validator_value)}, not {error.instance!r}"


def _type_in_words(kinds: str | list[str]) -> str:
    words = {"string": "text", "integer": "a whole number", "boolean": "true or false"}
    named = [kinds] if isinstance(kinds, str) else [kind for kind in kinds if kind != "null"]
    return " or ".join(words.get(kind, f"of type {kind}") for kind in named)
