"""``python -m target_quickbooks``."""

from target_quickbooks.target import TargetQuickbooks

TargetQuickbooks.cli()
