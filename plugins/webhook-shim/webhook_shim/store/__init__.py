"""What the shim keeps, in the same database as the target's store."""
