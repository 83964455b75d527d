"""Where runs work: log files, and for each of several companies a system directory of its own.

Meltano keeps a tap's catalog and state in one file per plugin, not per run: of two runs at the same time,
one may read the bookmarks of the other and skip records. So each company has its own ``run`` directory,
with all else (plugins, system database) shared through links.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from webhook_shim.settings import Settings
from webhook_shim.store.jobs_table import Job

SYSTEM_DIRECTORY = "MELTANO_SYS_DIR_ROOT"
_OWN = "run"
_DATABASE = "meltano.db"
_TAIL_BYTES = 256 * 1024


def log_of(settings: Settings, job: Job, now: dt.datetime) -> Path:
    """The log of a job that begins now."""
    name = f"{now.astimezone(dt.UTC):%Y%m%d-%H%M%S}-{job.kind}-{job.id[:8]}.log"
    return settings.log_path.resolve() / name


def report_of(log: Path) -> Path:
    """Beside the log: what a plan or a replay reports, as JSON."""
    return log.with_suffix(".json")


def reports_of(log: Path) -> Path:
    """Beside the log: the directory of what a reconciliation reports, as page, JSON and CSV."""
    return log.with_suffix("")


def tail(path: Path) -> str:
    """The end of a file; nothing if there is no such file."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - _TAIL_BYTES, 0))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def own_system_directory(settings: Settings, name: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Prepare a company's system directory; the variable that makes Meltano use it.

    Raises:
        OSError: It cannot be made.
    """
    shared = Path(environ.get(SYSTEM_DIRECTORY) or settings.project_root / ".meltano").resolve()
    own = shared / _OWN / "webhook-shim" / name
    own.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = {entry.name for entry in shared.iterdir()} - {_OWN}
    for entry in names | {_DATABASE}:
        with contextlib.suppress(FileExistsError):
            (own / entry).symlink_to(shared / entry)
    return {SYSTEM_DIRECTORY: str(own)}


def forget_logs(settings: Settings, *, before: dt.datetime) -> int:
    """Delete logs and reports last written before a time; how many."""
    deleted = 0
    for pattern in ("*.log", "*.json"):
        for path in settings.log_path.glob(pattern):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < before.timestamp():
                    path.unlink()
                    deleted += 1
    for path in settings.log_path.glob("*-reconcile-*/"):
        with contextlib.suppress(OSError):
            if path.is_dir() and path.stat().st_mtime < before.timestamp():
                shutil.rmtree(path)
                deleted += 1
    return deleted
