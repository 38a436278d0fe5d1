"""How long each part of a call took, in one room and over many."""
