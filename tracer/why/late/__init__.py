"""The agent joined, or answered, late."""
