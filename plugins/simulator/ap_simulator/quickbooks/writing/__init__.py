"""Creating, updating, deleting and voiding records, and the rules of each entity."""
