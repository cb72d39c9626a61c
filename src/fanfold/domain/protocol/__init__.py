"""What a collector is asked, and what it may say."""
