"""What the signs of a timeline mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from tracer.view.prose import wrapped

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

__all__ = ["Legend"]

SIGNS = (
    ("✓ ✗ ?", "all went well, something went wrong, not everything is known"),
    ("◌ ◐ ●", "a participant is JOINING, JOINED, ACTIVE"),
    ("┄ ━", "before it is ACTIVE, and while it is"),
    ("┫ ▸", "it left, it is still there"),
    ("├─┤", "how long something took"),
    ("✕ ╌", "something failed or was missing, and for how long"),
    ("⋯", "time in which nothing happens, folded"),
    ("±0", "accuracy: the server or the agent gave the time itself"),
    ("±4.0 ms", "accuracy: so much earlier or later, as seen by polling the API"),
    ("-99 ms", "accuracy: no later than shown, and so much earlier at the most, as of a webhook"),
    ("?!", "accuracy: two sources contradict each other"),
)
"""Each sign with its meaning; docs/reading-a-timeline.md says more."""
COLUMN = 9
"""Columns of a sign and the space behind it."""


class Legend:
    """A Rich renderable: a line for each sign."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for sign, meaning in SIGNS:
            line = Text(f"{sign:{COLUMN}}")
            line.append(meaning, style="dim")
            yield from wrapped(console, line, options.max_width, 0, COLUMN)
