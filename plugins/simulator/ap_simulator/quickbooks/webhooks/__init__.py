"""Intuit's webhooks: which changes they tell, in which shape, to whom (QuickBooks manual 9)."""
