"""What the signs of a timeline mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from tracer.explain.signs import ACCURACY, SIGNS
from tracer.view.prose import wrapped

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

__all__ = ["Legend"]

LINES = (*((" ".join(one.signs), one.meaning) for one in SIGNS if one.in_chart), *ACCURACY)
"""Signs with their meanings; docs/reading-a-timeline.md says more."""
COLUMN = 9
"""Columns of a sign and the space behind it."""


class Legend:
    """A Rich renderable: a line for each sign."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for sign, meaning in LINES:
            line = Text(f"{sign:{COLUMN}}")
            line.append(meaning, style="dim")
            yield from wrapped(console, line, options.max_width, 0, COLUMN)
