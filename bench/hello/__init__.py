"""What :mod:`bench.cold_start` compares the functions with."""
