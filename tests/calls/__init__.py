"""Recorded calls of real servers and agents, each with what really happened in it: see expected.py."""
