"""The root of ``webhook-shim``: its commands put together; what goes wrong is one line and exit code 1."""

from __future__ import annotations

import sys

import click
from target_quickbooks.errors import TargetError

from webhook_shim import subscription_commands
from webhook_shim.run_command import run, waiting
from webhook_shim.serve_command import serve


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="bill-quickbooks-webhook-shim")
def commands() -> None:
    """Hear BILL and QuickBooks, run Meltano within seconds, show whether both books agree.

    \b
    Examples:
      webhook-shim serve
      webhook-shim run sync --parallel 4
      webhook-shim subscribe --url https://books.example.com
      meltano invoke webhook-shim:serve
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped


for command in (serve, run, waiting, *subscription_commands.COMMANDS):
    commands.add_command(command)


def main() -> None:
    """Run the command line."""
    try:
        commands(standalone_mode=True)
    except TargetError as error:
        click.echo(f"webhook-shim: {error}", err=True)
        sys.exit(error.exit_code)
