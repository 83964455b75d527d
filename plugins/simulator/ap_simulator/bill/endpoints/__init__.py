"""What each path of BILL's APIs does with a request that was let in."""
