"""QuickBooks Online's accounting API v3: companies side by side, in memory, on loopback."""
