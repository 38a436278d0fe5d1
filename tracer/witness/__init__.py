"""The borders: each turns what one witness says into moments, and nothing after it knows LiveKit's messages."""
