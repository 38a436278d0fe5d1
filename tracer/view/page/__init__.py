"""The page in a browser: what it shows of a room, and the files that it is made of."""
