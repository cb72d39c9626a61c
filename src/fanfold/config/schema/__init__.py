"""What may stand in the file: every key, its type and its default."""
