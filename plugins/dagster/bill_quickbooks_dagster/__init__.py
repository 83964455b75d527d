"""A Dagster code location that keeps companies in step between BILL and QuickBooks Online."""

from __future__ import annotations

from bill_quickbooks_dagster.location import COMPANY_TAG, make_definitions
from bill_quickbooks_dagster.runner import BooksRunner

__all__ = ["COMPANY_TAG", "BooksRunner", "make_definitions"]
