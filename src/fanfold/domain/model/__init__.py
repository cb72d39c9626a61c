"""What there is: runs, collectors, their states, requests, names, errors. Frozen values."""
