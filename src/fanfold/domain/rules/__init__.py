"""What follows from it: plan, schedule, claim, backoff, expectations. Pure functions."""
