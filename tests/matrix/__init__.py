"""Which versions a call is made with, and the table in docs/versions.md that says how it went."""
