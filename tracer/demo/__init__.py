"""A real call on a real server, to look at."""
