"""``quickbooks-admin``: the command line for the people who look after the connection and the records."""

from target_quickbooks.admin.cli import commands, main

__all__ = ["commands", "main"]
