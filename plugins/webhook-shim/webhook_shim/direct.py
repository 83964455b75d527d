"""A run without Meltano: ``tap-bill | target-quickbooks`` as one process of its own, bookmarks in the store.

    python -m webhook_shim.direct PIPELINE...

It does what ``meltano run`` does for these two plugins in a quarter of the time, which counts where there are
many companies. Settings come from the environment alone. What each pipeline selects is what meltano.yml
selects; a test compares the two.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tap_bill.tap import TapBill
from target_quickbooks.errors import TargetError
from target_quickbooks.links import Company
from target_quickbooks.quickbooks.oauth import utc_now
from target_quickbooks.settings import from_config
from target_quickbooks.store.cipher import Cipher
from target_quickbooks.store.database import Store, default_url, open_store
from target_quickbooks.target import TargetQuickbooks

from webhook_shim.companies import TAP, TARGET, configured_by
from webhook_shim.store import bookmarks_table

#: Said at the good end of a run, as Meltano says it: what comes after a killed server reads it in the log.
COMPLETED = "[info     ] webhook-shim Run completed"
_MODE = "TARGET_QUICKBOOKS_MODE"
_TAP_PATIENCE_SECONDS = 20
_VENDORS_AND_BILLS = (
    "chart_of_accounts",
    "accounting_classes",
    "departments",
    "locations",
    "items",
    "jobs",
    "employees",
    "customers",
    "vendors",
    "bills",
)
_PAYMENTS_AND_RECURRING = ("payments", "recurring_bills", "vendor_credits")


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What a pipeline reads, and what it does with it.

    Attributes:
        streams: Of the tap; all of them if empty.
        variables: Of the target.
        remembers: Whether it goes on where its last run ended; otherwise it reads everything.
    """

    streams: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    remembers: bool = True


#: By the names of Meltano's jobs.
PIPELINES: Mapping[str, Pipeline] = {
    "sync-vendors-and-bills": Pipeline(_VENDORS_AND_BILLS),
    "sync-payments-and-recurring": Pipeline(_PAYMENTS_AND_RECURRING),
    "plan": Pipeline(variables={_MODE: "plan"}, remembers=False),
    "reconcile": Pipeline(_VENDORS_AND_BILLS, {_MODE: "reconcile"}, remembers=False),
}


def run(names: Sequence[str]) -> int:
    """Run pipelines one after the other; the first that fails is the last.

    Returns:
        The exit code: of the target (2: the books differ), or 1 if the tap failed.
    """
    for name in names:
        os.environ.update(PIPELINES[name].variables)
        exit_code = _run_one(name, PIPELINES[name])
        if exit_code:
            return exit_code
    print(COMPLETED, file=sys.stderr, flush=True)  # noqa: T201 - the log is what standard error goes to
    return 0


def _run_one(name: str, pipeline: Pipeline) -> int:
    config = {plugin: configured_by(plugin, os.environ) for plugin in (TAP, TARGET)}
    settings = from_config(config[TARGET], default_store_url=default_url())
    company = Company(str(config[TARGET]["realm_id"]), str(config[TAP]["organization_id"]))
    store = open_store(settings.store_url, Cipher(settings.encryption_keys))
    try:
        with store.reading() as connection:
            state = bookmarks_table.load(connection, company, name) if pipeline.remembers else {}
        with tempfile.TemporaryDirectory(prefix="bill-quickbooks-") as directory:
            catalog = _written(Path(directory, "catalog.json"), _catalog(config[TAP], pipeline.streams))
            arguments = [f"--catalog={catalog}"]
            if state:
                arguments.append(f"--state={_written(Path(directory, 'state.json'), state)}")
            output = Path(directory, "states")
            exit_code = _piped(arguments, output)
            if pipeline.remembers:
                _keep(store, company, name, output)
    finally:
        store.close()
    return exit_code


def _piped(arguments: list[str], output: Path) -> int:
    """Let the tap write to the target, which runs in this process; its output goes to a file."""
    tap = subprocess.Popen(  # noqa: S603 - our own tap
        [Path(sysconfig.get_path("scripts"), TAP), "--config=ENV", *arguments], stdout=subprocess.PIPE
    )
    assert tap.stdout is not None  # noqa: S101 - it is a pipe
    with output.open("wb") as states:
        os.dup2(tap.stdout.fileno(), 0)
        tap.stdout.close()
        kept = os.dup(1)
        os.dup2(states.fileno(), 1)
        exit_code = 0
        try:
            TargetQuickbooks.cli(["--config=ENV"])
        except SystemExit as end:
            exit_code = _code(end)
        finally:
            sys.stdout.flush()
            os.dup2(kept, 1)
            os.close(kept)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # a tap that goes on finds nobody listening
    try:
        ended = tap.wait(_TAP_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        tap.kill()
        ended = tap.wait()
    if exit_code == 0 and ended != 0:
        print(f"{TAP}: It ended with exit code {ended}; see above.", file=sys.stderr)  # noqa: T201 - as above
        return 1
    return exit_code


def _code(end: SystemExit) -> int:
    if end.code is None:
        return 0
    return end.code if isinstance(end.code, int) else 1


def _keep(store: Store, company: Company, name: str, output: Path) -> None:
    """Keep the last state that the target gave out: all before it is on disk."""
    state: dict[str, Any] = {}
    for line in output.read_text(encoding="utf-8").splitlines():
        with contextlib.suppress(ValueError):
            found = json.loads(line)
            if isinstance(found, dict):
                state = found
    if state:
        with store.writing() as connection:
            bookmarks_table.save(connection, company, name, state, now=utc_now())


def _catalog(config: Mapping[str, Any], streams: tuple[str, ...]) -> dict[str, Any]:
    """What the tap offers, with these streams selected."""
    catalog: dict[str, Any] = TapBill(config=dict(config), setup_mapper=False).catalog_dict
    for stream in catalog["streams"]:
        wanted = not streams or stream["tap_stream_id"] in streams
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = wanted
    return catalog


def _written(path: Path, document: Mapping[str, Any]) -> Path:
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


if __name__ == "__main__":
    try:
        sys.exit(run(sys.argv[1:]))
    except TargetError as error:
        print(f"{TARGET}: {error}", file=sys.stderr)  # noqa: T201 - as above
        sys.exit(error.exit_code)
