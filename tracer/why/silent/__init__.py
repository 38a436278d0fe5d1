"""The agent is in the room and does not answer."""
