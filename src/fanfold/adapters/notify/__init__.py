"""What takes the events of runs: one module for each kind of target."""
