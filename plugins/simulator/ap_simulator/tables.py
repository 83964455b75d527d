"""The command line's tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import simplejson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ap_simulator.changes import Change

_LEAST_WIDTH: Final = 100


def console() -> Console:
    """Where tables go: as wide as the terminal, or 100 columns into a pipe or a file."""
    out = Console()
    return out if out.is_terminal or out.width >= _LEAST_WIDTH else Console(width=_LEAST_WIDTH)


def status_table(found: dict[str, Any]) -> Table:
    """What runs."""
    table = Table(show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    table.add_row("URL", found["url"])
    table.add_row("Process", str(found["pid"]))
    table.add_row("Run directory", found["run_dir"])
    table.add_row("Company", f"{found['company']}, seed {found['seed']}")
    table.add_row("Up for", f"{found['uptime_seconds']:,.0f} s")
    table.add_row("Simulated time", found["now"] + (" (frozen)" if found["frozen"] else ""))
    for system, companies in found["records"].items():
        for company_id, counts in companies.items():
            listed = ", ".join(f"{name} {count:,}" for name, count in counts.items() if count)
            title = "BILL" if system == "bill" else "QuickBooks"
            table.add_row(f"{title}\n{company_id}", listed or "no records")
    return table


def switch_table(found: dict[str, dict[str, dict[str, Any]]]) -> Table:
    """How the switches stand."""
    table = Table(title="Switches; * is not the default", title_justify="left", title_style="bold")
    table.add_column("Switch", no_wrap=True)
    table.add_column("Value", overflow="fold", max_width=16)
    table.add_column("About")
    for area, entries in found.items():
        for name, entry in entries.items():
            mark = "" if entry["value"] == entry["default"] else " *"
            value = simplejson.dumps(entry["value"], use_decimal=True).strip('"') + mark
            accepts = ", ".join(simplejson.dumps(choice).strip('"') for choice in entry["accepts"])
            table.add_row(f"{area}.{name}", Text(value), Text(f"{entry['about']} [{accepts}]"))
    return table


def webhook_table(found: dict[str, Any]) -> Table:
    """Who is told of changes, and what became of it."""
    table = Table(title="Webhooks", title_justify="left", title_style="bold")
    table.add_column("System", no_wrap=True)
    table.add_column("Receiver", overflow="fold")
    for column in ("Events", "Delivered", "Failed"):
        table.add_column(column, justify="right")
    table.add_column("Last", overflow="fold")
    receivers = [("BILL", one) for one in found["bill"]["subscriptions"]]
    receivers += [("QuickBooks", one) for one in found["quickbooks"]["endpoints"]]
    for system, one in receivers:
        url = one["url"] if one.get("enabled", True) else f"{one['url']} (disabled)"
        counts = (f"{one[name]:,}" for name in ("events", "delivered", "failed"))
        table.add_row(system, Text(url), *counts, Text(one["last"] or "never"))
    return table


def change_table(changes: Iterable[Change]) -> Table:
    """What was changed in BILL."""
    table = Table(title="Changed in BILL", title_justify="left", title_style="bold")
    table.add_column("Record", no_wrap=True)
    for column in ("Name", "Field", "Before", "After"):
        table.add_column(column, overflow="fold")
    for one in changes:
        table.add_row(*map(Text, (one.record_id, one.name, one.field, one.before, one.after)))
    return table
