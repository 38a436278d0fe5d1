"""Sentences that are longer than a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.padding import Padding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console
    from rich.text import Text

__all__ = ["wrapped"]

NARROWEST = 20
"""Columns of prose at the least, also where the terminal has no room for them."""


def wrapped(console: Console, text: Text, width: int, indent: int = 0, hang: int | None = None) -> Iterator[Padding]:
    """The text in lines of ``width`` columns: the first indented by ``indent``, later ones by ``hang`` or two more."""
    hang = indent + 2 if hang is None else hang
    for number, line in enumerate(text.wrap(console, max(width - max(indent, hang), NARROWEST))):
        line.rstrip()
        yield Padding(line, (0, 0, 0, hang if number else indent), expand=False)
