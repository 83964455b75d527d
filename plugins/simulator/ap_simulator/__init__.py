"""BILL, QuickBooks Online and Intuit OAuth on loopback: the other side of the wire."""
