"""More agents than wanted, or another one than wanted."""
