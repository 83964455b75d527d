"""BILL's webhooks: subscriptions, events, signed delivery (BILL manual 5)."""
