"""Real processes under fire, and a ledger outside of them: ``python -m tests.chaos``."""
