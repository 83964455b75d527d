"""The companies the shim looks after: pairs of a BILL organization and a QuickBooks realm.

Their configuration is the Meltano project's own; Meltano is asked for it once, at the start. Without Meltano
(``direct``) it is the environment's. A list of companies gives, for each, what differs: environment variables
laid over the project's.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tap_bill.tap import TapBill
from target_quickbooks.errors import SettingsError
from target_quickbooks.links import Company
from target_quickbooks.target import TargetQuickbooks

from webhook_shim.settings import Settings

TAP, TARGET = "tap-bill", "target-quickbooks"
_PREFIXES = {TAP: "TAP_BILL_", TARGET: "TARGET_QUICKBOOKS_"}
_ANSWER_SECONDS = 120
_REFERENCE = re.compile(r"\$\{(\w+)\}")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
_APART = {
    "name": "Each company needs a name of its own.",
    "organization_id": "A list keeps an organization of BILL in step with one company of QuickBooks; for a "
    "second one, make a project of its own.",
    "realm_id": "A list keeps a company of QuickBooks in step with one organization of BILL; for a second "
    "one, make a project of its own.",
}


@dataclass(frozen=True, slots=True)
class Books:
    """One company on both sides. ``repr`` shows no configuration.

    Attributes:
        name: Short, unique; part of Meltano's state id where there are several companies.
        title: What people call it.
        variables: Laid over the environment of everything that runs for this company.
        tap_config: Configuration of tap-bill.
        target_config: Configuration of target-quickbooks.
    """

    name: str
    title: str
    organization_id: str
    realm_id: str
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    tap_config: Mapping[str, Any] = field(default_factory=dict, repr=False)
    target_config: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def company(self) -> Company:
        """The key of everything the store keeps of it."""
        return Company(self.realm_id, self.organization_id)


def read(settings: Settings, environ: Mapping[str, str] = os.environ) -> tuple[Books, ...]:
    """The companies of the project.

    Raises:
        SettingsError: The project's configuration or the list of companies cannot be used.
    """
    configured = _of_environment(environ) if settings.direct else _of_project(settings)
    entries = _listed(settings.companies, environ) if settings.companies else [{"name": "books"}]
    found = tuple(_books(entry, configured) for entry in entries)
    _check_apart(found)
    return found


def choose(companies: Sequence[Books], names: Collection[str]) -> tuple[Books, ...]:
    """The companies of these names, in the order of the list; all of them if there are no names.

    Raises:
        SettingsError: There is no company of such a name.
    """
    known = {books.name for books in companies}
    if unknown := sorted(set(names) - known):
        there = ", ".join(books.name for books in companies)
        raise SettingsError(f"There is no company '{unknown[0]}'. There are: {there}.")
    return tuple(books for books in companies if not names or books.name in names)


def _check_apart(companies: Sequence[Books]) -> None:
    """Refuse a list in which two companies meet in one organization or in one realm.

    The store could keep them apart: what it knows of a pair is keyed by the pair. But an event names one
    side only, so whose it is could not be told; and of two organizations in one realm, each would report the
    orders of the other as missing in BILL.
    """
    for attribute, told in _APART.items():
        count = Counter(getattr(books, attribute) for books in companies)
        value, number = count.most_common(1)[0]
        if number > 1:
            names = " and ".join(
                f"'{books.name}'" for books in companies if getattr(books, attribute) == value
            )
            msg = f"The companies {names} have the same {attribute}, '{value}'. {told}"
            raise SettingsError(msg)


def _books(entry: Mapping[str, Any], configured: Mapping[str, Mapping[str, Any]]) -> Books:
    variables = {str(name): str(value) for name, value in entry.get("variables", {}).items()}
    configs = {plugin: {**configured[plugin], **configured_by(plugin, variables)} for plugin in (TAP, TARGET)}
    organization_id = str(configs[TAP].get("organization_id") or "")
    realm_id = str(configs[TARGET].get("realm_id") or "")
    name = str(entry["name"])
    if not organization_id or not realm_id:
        missing = "organization_id of tap-bill" if not organization_id else "realm_id of target-quickbooks"
        msg = f"Company '{name}': the {missing} is not set."
        raise SettingsError(msg)
    return Books(
        name=name,
        title=str(entry.get("title") or name),
        organization_id=organization_id,
        realm_id=realm_id,
        variables=variables,
        tap_config=configs[TAP],
        target_config=configs[TARGET],
    )


def configured_by(plugin: str, variables: Mapping[str, str]) -> dict[str, Any]:
    """What variables say of a plugin's settings, read as the plugin itself reads them.

    Raises:
        SettingsError: The value of a number, a truth or a map cannot be read.
    """
    kind = TapBill if plugin == TAP else TargetQuickbooks
    prefix = _PREFIXES[plugin]
    properties = kind.config_jsonschema["properties"]
    found: dict[str, Any] = {}
    for variable, value in variables.items():
        name = variable.removeprefix(prefix).lower()
        if variable.startswith(prefix) and name in properties:
            types = properties[name].get("type", "string")
            try:
                found[name] = value if "string" in types else json.loads(value)
            except ValueError:
                raise SettingsError(f"The variable {variable} cannot be read: it is not JSON.") from None
    return found


def _of_environment(environ: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    return {plugin: configured_by(plugin, environ) for plugin in (TAP, TARGET)}


def _of_project(settings: Settings) -> dict[str, dict[str, Any]]:
    with ThreadPoolExecutor() as pool:  # Meltano takes seconds to start
        asked = {plugin: pool.submit(_ask_meltano, settings, plugin) for plugin in (TAP, TARGET)}
    return {plugin: answer.result() for plugin, answer in asked.items()}


def _ask_meltano(settings: Settings, plugin: str) -> dict[str, Any]:
    """What Meltano would pass to a plugin, secrets included."""
    environment = ["--environment", settings.environment] if settings.environment else []
    command = [settings.meltano, "--log-level", "error", *environment, "config", "--unsafe", "print", plugin]
    try:
        answer = subprocess.run(  # noqa: S603 - the configured Meltano, no shell
            [*command, "--format", "json"],
            cwd=settings.project_root,
            capture_output=True,
            timeout=_ANSWER_SECONDS,
            check=False,
            umask=0o077,
        )
        config = json.loads(answer.stdout) if answer.returncode == 0 else None
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        msg = f"Meltano could not be asked for the configuration of {plugin} ({type(error).__name__})."
        raise SettingsError(msg) from None
    if not isinstance(config, dict):
        msg = (
            f"Meltano does not know the configuration of {plugin} in {settings.project_root}. Try "
            f"`meltano config print {plugin}` there."
        )
        raise SettingsError(msg)
    return config


def _listed(path: Path, environ: Mapping[str, str]) -> list[dict[str, Any]]:
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        msg = f"The list of companies {path} cannot be read ({type(error).__name__})."
        raise SettingsError(msg) from None
    if not isinstance(entries, list) or not entries:
        msg = f"The list of companies {path} is empty, or no list."
        raise SettingsError(msg)
    return [_entry(entry, number, path, environ) for number, entry in enumerate(entries, start=1)]


def _entry(entry: Any, number: int, path: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    name = str(entry.get("name") or "") if isinstance(entry, dict) else ""
    if not _NAME.fullmatch(name):
        msg = f"Entry {number} of {path} needs a name of lower-case letters, digits and hyphens."
        raise SettingsError(msg)
    variables = entry.get("variables") or {}
    if not isinstance(variables, dict):
        msg = f"Entry {number} of {path}: variables must be an object of names and values."
        raise SettingsError(msg)
    return {
        **entry,
        "variables": {key: _resolved(str(value), environ, name) for key, value in variables.items()},
    }


def _resolved(value: str, environ: Mapping[str, str], name: str) -> str:
    """The value with ``${NAME}`` replaced, so that the list itself needs no secrets."""

    def replaced(match: re.Match[str]) -> str:
        if match[1] not in environ:
            msg = f"Company '{name}' refers to the variable {match[1]}, which is not set."
            raise SettingsError(msg)
        return environ[match[1]]

    return _REFERENCE.sub(replaced, value)
