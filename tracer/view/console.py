"""The terminal to print on."""

from __future__ import annotations

import sys

from rich.console import Console

__all__ = ["console"]


def console() -> Console:
    """Standard output: colours only on a terminal, and never with NO_COLOR; nothing is read as markup or emoji."""
    return Console(file=sys.stdout, highlight=False, markup=False, emoji=False, soft_wrap=False)
