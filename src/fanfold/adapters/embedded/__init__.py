"""The embedded backend: ledger, bus and host on one SQLite file."""
