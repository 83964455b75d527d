"""`quickbooks-admin --help`: every command shows examples, one to a line."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner
from target_quickbooks.admin import commands


def every_command(command=commands, path=()):
    """Each command with the words that lead to it."""
    yield path
    if isinstance(command, click.Group):
        for name, nested in command.commands.items():
            yield from every_command(nested, (*path, name))


@pytest.mark.parametrize("path", list(every_command()), ids=" ".join)
def test_examples_are_not_run_together(path):
    shown = CliRunner().invoke(commands, [*path, "--help"])
    assert shown.exit_code == 0
    assert "\\b" not in shown.output
    examples = [line.strip() for line in shown.output.partition("Examples:")[2].splitlines()]
    examples = examples[1 : examples.index("", 1)] if "Examples:" in shown.output else []
    assert all(line.startswith("quickbooks-admin") for line in examples)
    assert all(line.count("quickbooks-admin") == 1 for line in examples)
