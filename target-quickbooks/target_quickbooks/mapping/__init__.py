"""BILL records and a QuickBooks chart in, QuickBooks payloads out. Pure: no I/O, no clock."""
