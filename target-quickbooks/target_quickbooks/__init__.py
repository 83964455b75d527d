"""Singer target for QuickBooks Online: vendors and purchase orders from BILL."""
