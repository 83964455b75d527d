"""The names of the companies, from the list that the runs read, too. Names only: no secret is looked at."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

#: The name of the one company of a project without a list.
ONLY = "books"


class CompaniesError(Exception):
    """The list of companies cannot be used."""


def names(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The companies of the project, in the order of the list.

    Args:
        environ: ``WEBHOOK_SHIM_COMPANIES`` names the list, from ``WEBHOOK_SHIM_PROJECT_ROOT`` or
            ``MELTANO_PROJECT_ROOT``, or from where the process works.

    Raises:
        CompaniesError: There is no such list, or it is none.
    """
    path = environ.get("WEBHOOK_SHIM_COMPANIES", "")
    if not path:
        return (ONLY,)
    root = environ.get("WEBHOOK_SHIM_PROJECT_ROOT") or environ.get("MELTANO_PROJECT_ROOT") or "."
    try:
        entries = json.loads(Path(root, path).read_text(encoding="utf-8"))
        return tuple(str(entry["name"]) for entry in entries)
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"The list of companies {Path(root, path)} cannot be used ({type(error).__name__})."
        raise CompaniesError(msg) from None


def whose_turn(companies: Sequence[str], *, minute: int, every: int) -> list[str]:
    """The companies whose turn it is in a minute, if each has one turn in so many minutes.

    The turns are spread by name, so that a thousand companies do not ask BILL in the same second.

    Args:
        companies: All of them.
        minute: Minutes since any fixed time.
        every: Minutes from one turn to the next.
    """
    return [name for name in companies if zlib.crc32(name.encode()) % every == minute % every]
