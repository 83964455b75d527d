"""The target with its own limits of requests lifted, where the other side has lifted them, too."""

from __future__ import annotations

from target_quickbooks.quickbooks import governor
from target_quickbooks.target import TargetQuickbooks

governor.REQUESTS = governor.BATCHES = (governor.Bucket(10**6, 60.0),)  # type: ignore[assignment]

if __name__ == "__main__":
    TargetQuickbooks.cli()
