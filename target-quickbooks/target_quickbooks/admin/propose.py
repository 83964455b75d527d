"""``quickbooks-admin links propose``: what QuickBooks may hold already, for a person to decide on."""

from __future__ import annotations

from pathlib import Path

import click

from target_quickbooks.admin.company import client_for, settings_for
from target_quickbooks.admin.environment import opened_store
from target_quickbooks.admin.output import print_json
from target_quickbooks.admin.rebuild import read_records
from target_quickbooks.adoption.proposals import Proposals
from target_quickbooks.adoption.proposing import as_file, rows_of
from target_quickbooks.adoption.records import Records
from target_quickbooks.policies import VendorConflict


@click.command("propose")
@click.option(
    "--from",
    "source",
    metavar="FILE",
    required=True,
    help="BILL's records, as tap-bill prints them; - for a pipe.",
)
@click.option("--realm", help="Of this company (realm).")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of CSV.")
def propose_links(*, source: str, realm: str | None, as_json: bool) -> None:
    """Propose links to vendors and purchase orders that people typed into QuickBooks.

    Prints a table with the evidence for each proposal and a column "decision": write link (take it over), new
    (write a new one) or skip (leave the record out) into it, save it, and name the file in the setting
    adoptions_path. Runs then do as decided; what is not decided waits. Names that are exactly the same are
    decided already, as vendor_conflict does by itself. Nothing is written.

    \b
    Examples:
      quickbooks-admin links propose --from bill.jsonl > adoptions.csv
    """  # noqa: D301 - the backspace is click's mark for lines that are not to be wrapped
    settings = settings_for(realm)
    with Records() as records, opened_store() as store:
        read_records(records, source)
        client = client_for(settings, store)
        proposals = Proposals(settings=settings, store=store, client=client, records=records).make()
    adopts = settings.policies.vendor_conflict is VendorConflict.ADOPT
    rows = rows_of(proposals, adopts=adopts)
    if as_json:
        print_json(rows)
    else:
        click.echo(as_file(rows, Path("adoptions.csv")), nl=False)
    click.echo(f"{len(rows)} proposals, {sum(not row['decision'] for row in rows)} to decide.", err=True)
