"""Singer tap for BILL (bill.com) accounts payable."""
