"""What the command and the console both show: gathered here once, and printed or drawn by them."""
