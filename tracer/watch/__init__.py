"""Rooms while they happen: what is new in a store, shown as it comes, on a terminal or line by line."""
