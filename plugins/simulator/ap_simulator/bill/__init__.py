"""BILL v3: the accounts payable API and its webhooks, in memory (BILL manual 1 to 7)."""
