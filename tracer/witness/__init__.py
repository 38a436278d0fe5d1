"""The borders: each turns what one witness reports into moments, and nothing after it knows LiveKit's messages."""
