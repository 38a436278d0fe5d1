"""What the doctor found, in a terminal and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.text import Text

from tracer.doctor.diagnosis import State
from tracer.view.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderResult

    from tracer.doctor.diagnosis import Diagnosis

__all__ = ["DiagnosisView", "as_json"]

MARKS = {State.OK: "✓", State.WARNING: "!", State.FAILED: "✗", State.SKIPPED: "–"}  # noqa: RUF001  a dash, no minus
STYLES = {State.OK: "green", State.WARNING: "yellow", State.FAILED: "red", State.SKIPPED: "dim"}
NAME = 9
"""Columns of a check's name."""
ARROW = "→ "
NARROWEST = 40


class DiagnosisView:
    """A Rich renderable: for each finding mark, name and sentence; the fix behind it where it fits, else below."""

    def __init__(self, found: Sequence[Diagnosis]) -> None:
        self.found = found

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for one in self.found:
            yield from _lines(console, one, max(options.max_width, NARROWEST))


def _lines(console: Console, one: Diagnosis, columns: int) -> Iterator[Text]:
    head = f"{MARKS[one.state]} {one.check:{NAME}} "
    width = columns - cell_len(head)
    text, fix = plain(one.text), plain(one.fix)
    lines = [str(line) for line in Text(text).wrap(console, width)]
    if fix:
        if len(lines) == 1 and cell_len(f"{text} {ARROW}{fix}") <= width:
            lines[0] += f" {ARROW}{fix}"
        else:
            wrapped = Text(fix).wrap(console, width - len(ARROW))
            lines += [(" " * len(ARROW) if i else ARROW) + str(line) for i, line in enumerate(wrapped)]
    for number, line in enumerate(lines):
        shown = Text(no_wrap=True)
        shown.append(" " * cell_len(head) if number else head, style=STYLES[one.state])
        shown.append(line.rstrip(), style="dim" if one.state is State.SKIPPED else "")
        yield shown


def as_json(found: Sequence[Diagnosis]) -> dict[str, Any]:
    """The findings as JSON types, schema ``tracer.doctor/1``; a fix that is not needed is null."""
    return {
        "schema": "tracer.doctor/1",
        "sound": all(one.state is not State.FAILED for one in found),
        "findings": [
            {"check": one.check, "state": one.state, "text": one.text, "fix": one.fix or None} for one in found
        ],
    }
