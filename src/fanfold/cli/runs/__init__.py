"""Runs as the commands meet them: started, found, followed, read."""
