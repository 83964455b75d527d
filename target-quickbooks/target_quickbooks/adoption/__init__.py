"""Links to what QuickBooks already holds: of a lost store, or of vendors that people typed."""
