"""The settings of the shim: read from ``WEBHOOK_SHIM_...`` variables, as Meltano passes them.

What it needs to know of BILL and QuickBooks is not set here: that is the project's own configuration of
tap-bill and target-quickbooks (see ``companies``).
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from target_quickbooks.errors import SettingsError

PREFIX = "WEBHOOK_SHIM_"
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_LAST_PORT = 65535
_NEVER = "never"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as people see it.

    Attributes:
        kind: ``string``, ``integer``, ``boolean`` or ``password``, in Meltano's words.
    """

    name: str
    label: str
    description: str
    kind: str = "string"
    default: Any = None

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return PREFIX + self.name.upper()


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "host", "Host", "Address to listen on. Anything but loopback needs `password`.", default="127.0.0.1"
    ),
    Setting("port", "Port", "Port to listen on.", "integer", 8096),
    Setting(
        "public_url",
        "Public URL",
        "Where browsers and the two services reach this server, such as `https://books.example.com`. "
        "Default: the address it listens on.",
    ),
    Setting(
        "password",
        "Password",
        "Password of the status page. Without one the page is open, and the server listens on loopback only.",
        "password",
    ),
    Setting(
        "trusted_proxies",
        "Trusted Proxies",
        "Addresses of reverse proxies, separated by commas, that say from whom a request is. Default: none.",
    ),
    Setting("project_root", "Project Root", "The Meltano project. Default: the one it is started from."),
    Setting(
        "environment", "Environment", "Meltano environment of all runs. Default: the one it is started in."
    ),
    Setting("meltano", "Meltano", "The Meltano to run.", default="meltano"),
    Setting(
        "companies",
        "Companies",
        "JSON file that lists the companies; without one there is one, that of the project's configuration.",
    ),
    Setting(
        "direct",
        "Direct",
        "Run tap and target without Meltano, in a quarter of the time: for many companies. Their settings "
        "are those of the environment and of the list of companies then, and bookmarks are kept in the "
        "store.",
        "boolean",
        default=False,
    ),
    Setting(
        "quickbooks_verifier_token",
        "QuickBooks Verifier Token",
        "Verifier token of the Intuit app's webhooks; several separated by commas while it is replaced.",
        "password",
    ),
    Setting(
        "bill_events_url",
        "BILL Events URL",
        "Base URL of BILL's webhook API, ending in `/connect-events`. Default: beside the tap's own.",
    ),
    Setting(
        "receive_only",
        "Receive Only",
        "Store events and show the page, but start no runs: an external scheduler does.",
        "boolean",
        default=False,
    ),
    Setting("debounce_seconds", "Debounce Seconds", "Wait after the first event, for more.", "integer", 5),
    Setting("poll_minutes", "Poll Minutes", "Run this often even without events.", "integer", 15),
    Setting(
        "daily_at", "Daily At", "UTC time of the daily run of payments and recurring bills.", default="05:30"
    ),
    Setting(
        "reconcile_at",
        "Reconcile At",
        "UTC time at which both books are compared each day, which writes nothing; `never` leaves it out.",
        default="02:45",
    ),
    Setting("max_runs", "Max Runs", "Runs at the same time, of different companies.", "integer", 2),
    Setting("run_minutes", "Run Minutes", "A run that takes longer is stopped.", "integer", 120),
    Setting("log_path", "Log Path", "Directory of the logs of runs. Default: `logs/runs` in the project."),
    Setting(
        "keep_days",
        "Keep Days",
        "Settled events, ended runs and their logs are kept this long.",
        "integer",
        90,
    ),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, typed. ``repr`` never shows a secret."""

    host: str
    port: int
    public_url: str
    project_root: Path
    environment: str
    meltano: str
    companies: Path | None
    receive_only: bool
    debounce: dt.timedelta
    poll_every: dt.timedelta
    daily_at: dt.time
    reconcile_at: dt.time | None
    max_runs: int
    run_limit: dt.timedelta
    log_path: Path
    keep: dt.timedelta
    bill_events_url: str
    direct: bool = False
    trusted_proxies: tuple[str, ...] = ()
    password: str = field(default="", repr=False)
    verifier_tokens: tuple[str, ...] = field(default=(), repr=False)

    @property
    def is_public(self) -> bool:
        """Whether others than this machine can reach the server."""
        return self.host not in _LOOPBACK


def read(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of these variables.

    Raises:
        SettingsError: One is wrong, or the page would be open to everybody.
    """
    root = Path(_text(environ, "project_root") or environ.get("MELTANO_PROJECT_ROOT") or Path.cwd())
    companies = _text(environ, "companies")
    host, port = _text(environ, "host"), _number(environ, "port", 1, _LAST_PORT)
    shown_host = f"[{host}]" if ":" in host else host
    settings = Settings(
        host=host,
        port=port,
        public_url=(_text(environ, "public_url") or f"http://{shown_host}:{port}").rstrip("/"),
        password=environ.get(f"{PREFIX}PASSWORD", ""),
        project_root=root,
        environment=_text(environ, "environment") or environ.get("MELTANO_ENVIRONMENT", ""),
        meltano=_meltano(environ, root),
        companies=root / companies if companies else None,
        trusted_proxies=_list(_text(environ, "trusted_proxies")),
        verifier_tokens=_list(environ.get(f"{PREFIX}QUICKBOOKS_VERIFIER_TOKEN", "")),
        bill_events_url=_text(environ, "bill_events_url").rstrip("/"),
        direct=_truth(environ, "direct"),
        receive_only=_truth(environ, "receive_only"),
        debounce=dt.timedelta(seconds=_number(environ, "debounce_seconds", 0, 3600)),
        poll_every=dt.timedelta(minutes=_number(environ, "poll_minutes", 1, 1440)),
        daily_at=_time(environ, "daily_at"),
        reconcile_at=None if _text(environ, "reconcile_at") == _NEVER else _time(environ, "reconcile_at"),
        max_runs=_number(environ, "max_runs", 1, 64),
        run_limit=dt.timedelta(minutes=_number(environ, "run_minutes", 1, 1440)),
        log_path=root / (_text(environ, "log_path") or "logs/runs"),
        keep=dt.timedelta(days=_number(environ, "keep_days", 1, 3650)),
    )
    if settings.is_public and not settings.password:
        msg = (
            f"{PREFIX}HOST is {host}, which others can reach, but no password is set. Set {PREFIX}PASSWORD, "
            "or listen on 127.0.0.1."
        )
        raise SettingsError(msg)
    return settings


def _meltano(environ: Mapping[str, str], root: Path) -> str:
    """The Meltano that is set or on the path; else the one that last ran in the project."""
    named = _text(environ, "meltano")
    if named != _setting("meltano").default or shutil.which(named, path=environ.get("PATH")):
        return named
    last = root / ".meltano" / "run" / "bin"
    return str(last) if last.exists() else named


def _setting(name: str) -> Setting:
    return next(setting for setting in SETTINGS if setting.name == name)


def _text(environ: Mapping[str, str], name: str) -> str:
    setting = _setting(name)
    return environ.get(setting.variable, "").strip() or str(setting.default or "")


def _number(environ: Mapping[str, str], name: str, least: int, most: int) -> int:
    text = _text(environ, name)
    if not (text.isascii() and text.isdecimal()) or not least <= int(text) <= most:
        msg = f"{_setting(name).variable} is '{text}', but must be a whole number from {least} to {most}."
        raise SettingsError(msg)
    return int(text)


def _truth(environ: Mapping[str, str], name: str) -> bool:
    setting = _setting(name)
    text = environ.get(setting.variable, str(setting.default)).strip().lower()
    if text not in _TRUE | _FALSE:
        msg = f"{setting.variable} is '{text}', but must be true or false."
        raise SettingsError(msg)
    return text in _TRUE


def _time(environ: Mapping[str, str], name: str) -> dt.time:
    text = _text(environ, name)
    try:
        return dt.datetime.strptime(text, "%H:%M").replace(tzinfo=dt.UTC).timetz()
    except ValueError:
        msg = f"{_setting(name).variable} is '{text}', but must be a time such as 05:30."
        raise SettingsError(msg) from None


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
