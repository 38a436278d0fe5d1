"""The clocks of a room as `tracer check` found them, in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from tracer.check.sentences import skew
from tracer.view.prose import wrapped
from tracer.view.text import fit, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, RenderableType

    from tracer.clocks.offsets import Clocks, Offset
    from tracer.view.check_verdict import Steps

__all__ = ["ClockLines"]


class ClockLines:
    """How far each clock is ahead of the server's, or behind it, and what shows it."""

    def __init__(self, clocks: Clocks, steps: Steps, *, everything: bool) -> None:
        self.offsets = [(plain(str(clock)), offset) for clock, offset in clocks.offsets.items()]
        self.steps = steps
        self.everything = everything

    def skewed(self, console: Console, width: int) -> Iterator[RenderableType]:
        """A line for each clock that does not show the server's time."""
        for clock, offset in self.offsets:
            if _is_skewed(offset):
                text = Text(f"! clock skew: {clock} is {skew(offset)}", style="bold red")
                yield from wrapped(console, text, width)

    def all(self, console: Console, width: int) -> Iterator[RenderableType]:
        """A line for each clock; below those with a skew, or all where everything is wanted, what shows it."""
        if not self.offsets:
            return
        yield Text("clocks, compared to the server's", style="bold")
        columns = min(max(cell_len(clock) for clock, _ in self.offsets), width // 3)
        for clock, offset in self.offsets:
            yield from wrapped(console, _line(clock, offset, columns), width, 0, columns + 4)
            if self.everything or _is_skewed(offset):
                for text in self._shown_by(offset):
                    yield from wrapped(console, Text(text, style="dim"), width, columns + 4)

    def _shown_by(self, offset: Offset) -> Iterator[str]:
        """The steps that bound the offset."""
        for bound, steps in (("lower", offset.by_least), ("upper", offset.by_most)):
            if steps:
                yield f"{bound} bound: {' before '.join(self.steps.named(step) for step in steps)}"


def _is_skewed(offset: Offset) -> bool:
    return offset.off or offset.contradictory


def _line(clock: str, offset: Offset, columns: int) -> Text:
    mark, style = ("!", "bold red") if _is_skewed(offset) else (" ", "")
    name = fit(clock, columns)
    line = Text(f"{mark} ", style=style)
    line.append(name + " " * (columns - cell_len(name) + 2))
    line.append(skew(offset))
    return line
