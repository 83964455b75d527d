"""The code location as Dagster loads it: ``dagster dev -m bill_quickbooks_dagster.definitions``."""

from __future__ import annotations

from bill_quickbooks_dagster.companies import names
from bill_quickbooks_dagster.location import make_definitions

defs = make_definitions(names())
