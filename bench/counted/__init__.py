"""What :mod:`bench.scale` puts on the path of the functions that it measures."""
