"""Runs the tap as `python -m tap_bill`."""

from __future__ import annotations

from tap_bill.tap import TapBill

TapBill.cli()
