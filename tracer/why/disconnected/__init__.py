"""Somebody was in the room and left, or was cut off."""
