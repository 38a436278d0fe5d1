"""Agents that only a scenario needs; the sample agent is in `agent/`."""
