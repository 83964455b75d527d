"""The settings that both plugins need to work with a simulator, as environment variables.

The lines are read by a POSIX shell (`set -a; eval "$(ap-simulator status --env)"; set +a`) and as a
`.env` file (python-dotenv, which Meltano uses). The two differ in what quotes and backslashes mean,
so a value is written in a form that both read alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ap_simulator.company.identities import DEMO, Identities
from ap_simulator.rundir import RunDir

#: Before anything that a company of the simulator knows.
_START_DATE: Final = "2000-01-01T00:00:00Z"
_PLAIN: Final = re.compile(r"[A-Za-z0-9_./:@%+=,-]+")
#: What a shell or python-dotenv would read as more than itself within double quotes.
_SPECIAL_IN_DOUBLE: Final = re.compile(r"[\\$`\n\r!]")
_SPECIAL_IN_SINGLE: Final = re.compile(r"['\\\n\r]|\$\{")


class UnquotableError(ValueError):
    """A value that no notation shows alike to a shell and to a reader of `.env` files."""


def environment(*, url: str, run_dir: RunDir, identities: Identities = DEMO) -> dict[str, str]:
    """The settings of both plugins for a company of the simulator at `url`.

    Args:
        url: Base URL of the simulator.
        run_dir: Where the target's store and the tap's session cache go; the store is one for all
            companies.
        identities: Of the company.
    """
    session = run_dir.session
    if identities.organization_id != DEMO.organization_id:
        session = session.with_name(f"{session.name}-{identities.organization_id}")
    return {
        "TAP_BILL_DEV_KEY": identities.dev_key,
        "TAP_BILL_USERNAME": identities.username,
        "TAP_BILL_PASSWORD": identities.password,
        "TAP_BILL_ORGANIZATION_ID": identities.organization_id,
        "TAP_BILL_API_URL": f"{url}/connect",
        "TAP_BILL_START_DATE": _START_DATE,
        "TAP_BILL_SESSION_PATH": str(session),
        "TAP_BILL_ENCRYPTION_KEY": identities.encryption_key,
        "TARGET_QUICKBOOKS_CLIENT_ID": identities.client_id,
        "TARGET_QUICKBOOKS_CLIENT_SECRET": identities.client_secret,
        "TARGET_QUICKBOOKS_REFRESH_TOKEN": identities.refresh_token,
        "TARGET_QUICKBOOKS_REALM_ID": identities.realm_id,
        "TARGET_QUICKBOOKS_API_URL": url,
        "TARGET_QUICKBOOKS_TOKEN_URL": f"{url}/oauth2/v1/tokens/bearer",
        "TARGET_QUICKBOOKS_STORE_URL": f"sqlite:///{run_dir.store}",
        "TARGET_QUICKBOOKS_ENCRYPTION_KEY": identities.encryption_key,
        "WEBHOOK_SHIM_QUICKBOOKS_VERIFIER_TOKEN": identities.verifier_token,
    }


def as_lines(variables: Mapping[str, str]) -> str:
    """One `NAME=value` line for each variable.

    Raises:
        UnquotableError: A value that cannot be written for both kinds of readers.
    """
    return "\n".join(f"{name}={quoted(name, value)}" for name, value in variables.items())


def quoted(name: str, value: str) -> str:
    """`value` as a shell and python-dotenv both read it.

    Raises:
        UnquotableError: There is no such notation, e.g. for both a quote and a dollar sign.
    """
    if _PLAIN.fullmatch(value):
        return value
    if not _SPECIAL_IN_SINGLE.search(value):
        return f"'{value}'"
    if not _SPECIAL_IN_DOUBLE.search(value):
        escaped = value.replace('"', '\\"')
        return f'"{escaped}"'
    msg = f"{name} cannot be written for a shell and a .env file alike: {value!r}. "
    msg += "Choose a run directory without quotes, dollar signs and backslashes"
    raise UnquotableError(msg)
