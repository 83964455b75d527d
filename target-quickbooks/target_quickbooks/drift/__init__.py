"""What people change in QuickBooks after our last write: found, noted, and dealt with by the policies."""
