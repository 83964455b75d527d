"""Hears BILL and QuickBooks, runs Meltano, and shows whether both books agree."""
