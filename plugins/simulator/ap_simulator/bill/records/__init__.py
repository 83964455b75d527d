"""What each kind of BILL record takes, derives and does."""
