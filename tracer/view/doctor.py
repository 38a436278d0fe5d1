"""What the doctor found, a line each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from tracer.doctor.diagnosis import State
from tracer.view.text import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    """A Rich renderable: mark, name and sentence; the fix behind it where there is room, else below."""

    def __init__(self, finding: Diagnosis) -> None:
        self.finding = finding

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        finding = self.finding
        head = f"{MARKS[finding.state]} {finding.check:{NAME}} "
        width = max(options.max_width, NARROWEST) - cell_len(head)
        text, fix = plain(finding.text), plain(finding.fix)
        lines = [str(line) for line in Text(text).wrap(console, width)]
        if fix:
            if len(lines) == 1 and cell_len(f"{text} {ARROW}{fix}") <= width:
                lines[0] += f" {ARROW}{fix}"
            else:
                wrapped = Text(fix).wrap(console, width - len(ARROW))
                lines += [(" " * len(ARROW) if i else ARROW) + str(line) for i, line in enumerate(wrapped)]
        for number, line in enumerate(lines):
            shown = Text(no_wrap=True)
            shown.append(" " * cell_len(head) if number else head, style=STYLES[finding.state])
            shown.append(line.rstrip(), style="dim" if finding.state is State.SKIPPED else "")
            yield shown


def as_json(findings: Sequence[Diagnosis]) -> str:
    """An object: whether nothing failed, and the findings in order. A fix that is not needed is null."""
    told = {
        "schema": "tracer.doctor/1",
        "sound": all(finding.state is not State.FAILED for finding in findings),
        "findings": [
            {"check": one.check, "state": one.state, "text": one.text, "fix": one.fix or None} for one in findings
        ],
    }
    return json.dumps(told, indent=2)
