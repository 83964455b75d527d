"""What people write on the command line of ``quickbooks-admin``: ages, points in time."""

from __future__ import annotations

import datetime as dt
import re

import click

_AGE = re.compile(r"(\d{1,4})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def age(text: str) -> dt.timedelta:
    """A length of time such as ``30m``, ``12h``, ``3d`` or ``2w``.

    Raises:
        click.BadParameter: It is something else.
    """
    found = _read_age(text)
    if found is None:
        raise click.BadParameter(f"'{text}' is not an age: write 30m, 12h, 3d or 2w.")
    return found


def time(text: str) -> dt.datetime:
    """A date or time (ISO 8601, UTC unless it says otherwise), or how long ago (``12h``, ``3d``).

    Raises:
        click.BadParameter: It is something else.
    """
    ago = _read_age(text)
    try:
        if ago is not None:
            return dt.datetime.now(dt.UTC) - ago
        moment = dt.datetime.fromisoformat(text)
        return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError):
        problem = f"'{text}' is not a time: write 2026-12-15, 2026-12-15T08:00, 12h or 3d."
        raise click.BadParameter(problem) from None


def _read_age(text: str) -> dt.timedelta | None:
    found = _AGE.fullmatch(text.strip().lower())
    return dt.timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None
