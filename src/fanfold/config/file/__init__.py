"""The file itself: its text, its YAML, and where each key and value stands."""
