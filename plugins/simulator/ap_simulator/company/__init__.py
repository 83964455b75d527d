"""The simulated companies: the same books, made from a seed, on BILL's and on QuickBooks' side."""
