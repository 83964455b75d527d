"""``mode: plan``: what a run would write, shown without writing it."""
