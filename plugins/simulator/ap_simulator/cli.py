"""The command line: serve, start, stop, status, report, change."""

from __future__ import annotations

import contextlib
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import click
import simplejson

from ap_simulator import process, report
from ap_simulator.changes import BillApi, ChangeError, change_records
from ap_simulator.company.build import CompanySizeError
from ap_simulator.company.identities import DEMO
from ap_simulator.control_client import ControlClient, ControlError
from ap_simulator.environment import UnquotableError, as_lines
from ap_simulator.rundir import DEFAULT_RUN_DIR, AlreadyRunningError, RunDir
from ap_simulator.server import ListenError
from ap_simulator.settings import COMPANIES, DEFAULT_SEED, CompanyName, Settings
from ap_simulator.simulation import Simulation
from ap_simulator.switches import SwitchError
from ap_simulator.tables import change_table, console, status_table, switch_table, webhook_table

_DEFAULT_PORT: Final = 8095
_NOT_RUNNING: Final = 3
_EXPECTED: Final = (
    AlreadyRunningError,
    CompanySizeError,
    ChangeError,
    ControlError,
    ListenError,
    SwitchError,
    UnquotableError,
    process.ProcessError,
)

_Command = Callable[..., Any]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ap-simulator")
def main() -> None:
    """BILL v3, QuickBooks Online v3 and Intuit OAuth, simulated on this machine.

    \b
    Examples:
      ap-simulator start --company demo
      set -a; eval "$(ap-simulator status --env)"; set +a
      ap-simulator report
      ap-simulator stop
    """  # noqa: D301 - the backspace is click's mark for text that is not to be wrapped


def _company_options(command: _Command) -> _Command:
    """Options that say what to serve."""
    for option in (
        click.option(
            "--switch",
            "switches",
            metavar="AREA.NAME=VALUE",
            multiple=True,
            help="Set a switch, where the vendors' manuals are silent; may be repeated.",
        ),
        click.option(
            "--existing-in-quickbooks",
            is_flag=True,
            help="QuickBooks has the vendors beyond the company's own already.",
        ),
        click.option("--seed", type=click.IntRange(min=0), default=DEFAULT_SEED, show_default=True),
        click.option(
            "--bills", type=click.IntRange(min=0), help="How many bills; default: the company's own."
        ),
        click.option(
            "--vendors",
            type=click.IntRange(min=0),
            help="How many vendors; default: the company's own.",
        ),
        click.option("--company", type=click.Choice(COMPANIES), default="demo", show_default=True),
        click.option(
            "--port",
            type=click.IntRange(0, 65535),
            default=_DEFAULT_PORT,
            show_default=True,
            help="Port to listen on; 0 picks a free one.",
        ),
    ):
        command = option(command)
    return command


def _run_dir_option(command: _Command) -> _Command:
    return click.option(
        "--run-dir",
        type=click.Path(file_okay=False, path_type=Path),
        default=DEFAULT_RUN_DIR,
        show_default=True,
        help="Where the simulator in the background keeps its pid, its log and the store.",
    )(command)


def _which_options(command: _Command) -> _Command:
    """Options that say which running simulator is meant."""
    return _run_dir_option(
        click.option(
            "--port",
            type=click.IntRange(1, 65535),
            help=f"The simulator on this port. Default: the one of the run directory, "
            f"else the one on port {_DEFAULT_PORT}.",
        )(command)
    )


@main.command()
@_company_options
@click.option("--host", default="127.0.0.1", show_default=True, help="Loopback address.")
@click.option("--allow-remote", is_flag=True, help="Let --host be an address others can reach.")
@click.option(
    "--run-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the target's store and the tap's session cache go. Default: a new temporary "
    "directory, removed at the end.",
)
def serve(
    *,
    port: int,
    company: CompanyName,
    vendors: int | None,
    bills: int | None,
    seed: int,
    existing_in_quickbooks: bool,
    switches: tuple[str, ...],
    host: str,
    allow_remote: bool,
    run_dir: Path | None,
) -> None:
    """Serve in the foreground until Ctrl-C or SIGTERM.

    \b
    Examples:
      ap-simulator serve
      ap-simulator serve --port 0 --company empty
      ap-simulator serve --vendors 10000 --bills 30000 --seed 7
      ap-simulator serve --switch bill.throttle_status=400 --switch oauth.rotation=always
    """  # noqa: D301
    settings = Settings(
        company=company,
        vendors=vendors,
        bills=bills,
        seed=seed,
        existing_in_quickbooks=existing_in_quickbooks,
        switches=_switches(switches),
    )
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    with _errors_in_one_line(), contextlib.ExitStack() as stack:
        if run_dir is None:
            temporary = tempfile.TemporaryDirectory(prefix="ap-simulator-")
            run_dir = Path(stack.enter_context(temporary))
        code = process.serve(
            settings,
            host=host,
            port=port,
            allow_remote=allow_remote,
            run_dir=RunDir(run_dir),
            announce=_announce,
        )
    sys.exit(code)


@main.command()
@_company_options
@_run_dir_option
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    default=120,
    show_default=True,
    help="Seconds to wait until it answers.",
)
def start(
    *,
    port: int,
    company: CompanyName,
    vendors: int | None,
    bills: int | None,
    seed: int,
    existing_in_quickbooks: bool,
    switches: tuple[str, ...],
    run_dir: Path,
    timeout: float,
) -> None:
    """Start a simulator with a new company in the background, and wait until it answers.

    \b
    Examples:
      ap-simulator start
      ap-simulator start --port 8096 --run-dir .simulator-2 --company empty
    """  # noqa: D301
    arguments = ["--company", company, "--seed", str(seed)]
    for name, number in (("--vendors", vendors), ("--bills", bills)):
        arguments += [] if number is None else [name, str(number)]
    if existing_in_quickbooks:
        arguments.append("--existing-in-quickbooks")
    for name, value in _switches(switches).items():
        arguments += ["--switch", f"{name}={value}"]
    with _errors_in_one_line():
        running, was_there = process.start(arguments, port=port, run_dir=RunDir(run_dir), timeout=timeout)
        verb = "already runs" if was_there else "runs"
        click.echo(f"The simulator {verb} at {running.url} (pid {running.pid})")


@main.command()
@_run_dir_option
def stop(*, run_dir: Path) -> None:
    """Stop the simulator in the background. It is no error if none runs.

    \b
    Example:
      ap-simulator stop
    """  # noqa: D301
    with _errors_in_one_line():
        stopped = process.stop(RunDir(run_dir))
        if stopped is None:
            click.echo(f"No simulator runs in {run_dir}")
        else:
            click.echo(f"Stopped the simulator at {stopped.url} (pid {stopped.pid})")


@main.command()
@_which_options
@click.option("--env", "as_environment", is_flag=True, help="Only the settings of both plugins, NAME=value.")
@click.option("--json", "as_json", is_flag=True, help="Everything, as JSON.")
def status(*, port: int | None, run_dir: Path, as_environment: bool, as_json: bool) -> None:
    """Show what runs. The exit code is 3 if nothing does.

    \b
    Examples:
      ap-simulator status
      ap-simulator status --env > .env
      set -a; eval "$(ap-simulator status --env --port 8095)"; set +a
    """  # noqa: D301
    with _errors_in_one_line(), _simulator(port, run_dir) as control:
        found = control.status()
        if as_environment:
            click.echo(as_lines(found["environment"]))
        elif as_json:
            click.echo(simplejson.dumps(found, use_decimal=True, indent=2))
        else:
            console().print(status_table(found))


@main.command("report")
@_which_options
@click.option("--realm", default=DEMO.realm_id, show_default=True, help="QuickBooks company.")
@click.option("--organization", default=DEMO.organization_id, show_default=True, help="BILL organization.")
@click.option("--all", "everything", is_flag=True, help="All vendors and records.")
@click.option("--json", "as_json", is_flag=True, help="The whole report as JSON.")
def report_command(
    *,
    port: int | None,
    run_dir: Path,
    realm: str,
    organization: str,
    everything: bool,
    as_json: bool,
) -> None:
    """Show what arrived in QuickBooks, against what BILL has.

    \b
    Examples:
      ap-simulator report
      ap-simulator report --all
      ap-simulator report --json | jq .currencies
    """  # noqa: D301
    with _errors_in_one_line(), _simulator(port, run_dir) as control:
        found = report.fetch(control, realm=realm, organization=organization)
        if as_json:
            click.echo(simplejson.dumps(report.as_json(found), use_decimal=True, indent=2))
        else:
            report.show(found, console(), everything=everything)


@main.command()
@_which_options
@click.option("--records", type=click.IntRange(min=1), default=3, show_default=True)
def change(*, port: int | None, run_dir: Path, records: int) -> None:
    """Change some records in BILL, as a person would in its web pages.

    \b
    Examples:
      ap-simulator change
      ap-simulator change --records 10
    """  # noqa: D301
    with _errors_in_one_line(), _simulator(port, run_dir) as control:
        url = control.status()["environment"]["TAP_BILL_API_URL"]
        with BillApi(url, DEMO) as api:
            changes = change_records(api, records)
        console().print(change_table(changes))


@main.command("switches")
@_which_options
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def switches_command(*, port: int | None, run_dir: Path, as_json: bool) -> None:
    """Show all switches of the simulator that runs: what it does where the manuals are silent.

    \b
    Examples:
      ap-simulator switches
      ap-simulator switches --json | jq .bill
    """  # noqa: D301
    with _errors_in_one_line(), _simulator(port, run_dir) as control:
        found = control.switches()
        if as_json:
            click.echo(simplejson.dumps(found, use_decimal=True, indent=2))
        else:
            console().print(switch_table(found))


@main.command("webhooks")
@_which_options
@click.option("--add", "url", metavar="URL", help="Tell this URL of changes in QuickBooks.")
@click.option("--realm", help="With --add: only of this company. Default: of all that are connected.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def webhooks_command(
    *, port: int | None, run_dir: Path, url: str | None, realm: str | None, as_json: bool
) -> None:
    """Show the receivers of webhooks and what became of their deliveries.

    BILL's are subscribed to through its API; those of QuickBooks are registered here, as a developer
    does in Intuit's portal.

    \b
    Examples:
      ap-simulator webhooks
      ap-simulator webhooks --add http://127.0.0.1:8096/webhooks/quickbooks/9341452000000001
    """  # noqa: D301
    if realm and not url:
        msg = "--realm goes with --add"
        raise click.UsageError(msg)
    with _errors_in_one_line(), _simulator(port, run_dir) as control:
        if url:
            control.add_webhook(url, **({"realm_id": realm} if realm else {}))
        found = control.webhooks()
        if as_json:
            click.echo(simplejson.dumps(found, use_decimal=True, indent=2))
        else:
            console().print(webhook_table(found))


def _announce(simulation: Simulation) -> None:
    settings = simulation.settings
    click.echo(
        f"The simulator listens at {simulation.url} "
        f"(company {settings.company}, seed {settings.seed}, run directory "
        f"{simulation.run_dir.path}); Ctrl-C stops it"
    )
    sys.stdout.flush()


def _switches(texts: tuple[str, ...]) -> dict[str, object]:
    """Names and values from `area.name=value`."""
    switches: dict[str, object] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator:
            msg = f"--switch takes AREA.NAME=VALUE, not {text!r}"
            raise click.UsageError(msg)
        switches[name] = value
    return switches


@contextlib.contextmanager
def _simulator(port: int | None, run_dir: Path) -> Iterator[ControlClient]:
    """The control API of the simulator that is meant."""
    state = RunDir(run_dir).read_state()
    if port is not None:
        url = f"http://127.0.0.1:{port}"
    else:
        url = state.url if state else f"http://127.0.0.1:{_DEFAULT_PORT}"
    with ControlClient(url) as control:
        try:
            control.status()
        except ControlError as error:
            raise _NotRunningError(str(error)) from error
        yield control


class _NotRunningError(click.ClickException):
    exit_code = _NOT_RUNNING


@contextlib.contextmanager
def _errors_in_one_line() -> Iterator[None]:
    try:
        yield
    except _EXPECTED as error:
        raise click.ClickException(str(error)) from error
