"""What fanfold knows about runs: pure values and rules, no I/O, no clock, no chance."""
