"""One JSON schema per stream, with every field that BILL documents."""
