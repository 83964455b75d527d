"""``mode: reconcile``: both books read entirely and compared, nothing written."""
