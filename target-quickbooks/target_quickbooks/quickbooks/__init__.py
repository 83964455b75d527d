"""The QuickBooks Online API: HTTP client, OAuth, rate governor, faults, queries and batches."""
