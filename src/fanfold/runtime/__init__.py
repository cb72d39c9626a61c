"""How the functions are put together, one file a backend, and how they are entered."""
