"""The configuration file: reading, checking, and saying what is wrong with it."""
