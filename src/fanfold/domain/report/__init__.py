"""What a report says: the fold, its entries, its sentences."""
