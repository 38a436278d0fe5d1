"""How a call went, in one sentence: whether all went well, the answer of `tracer why`, and when the agent was ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from tracer.latency.gaps import Paths, first_job
from tracer.units import NS_PER_MS, milliseconds
from tracer.view.names import with_names

if TYPE_CHECKING:
    from tracer.timeline.timeline import Timeline
    from tracer.why import Explanation

__all__ = ["MARKS", "answer", "ready_after", "verdict"]

MARKS = {True: ("✓", "bold green"), False: ("✗", "bold red"), None: ("?", "bold")}
"""Mark and style: whether all went well; None where that is not known."""


def answer(timeline: Timeline, explanation: Explanation) -> Text:
    """What `tracer why` answers, behind its mark."""
    mark, style = MARKS[explanation.well]
    text = Text.assemble((f"{mark} ", style))
    text.append(with_names(timeline, explanation.summary), style="bold")
    return text


def verdict(timeline: Timeline, explanation: Explanation, width: int) -> Text:
    """The answer, and how long it took until the agent was ready, where that is known: on one line if there is room."""
    text = answer(timeline, explanation)
    if took := ready_after(timeline):
        words = f"agent ready after {took}"
        text.append("  " if cell_len(text.plain) + 2 + len(words) <= width else "\n")
        text.append(words, style="dim")
    return text


def ready_after(timeline: Timeline, paths: Paths | None = None) -> str:
    """From what first asked for an agent to its being ready, as the budget has it; empty where it never was.

    ``paths`` are those of the timeline, where whoever asks has them.
    """
    paths = paths or Paths(timeline)
    job, gaps = first_job(paths.corrected.timeline.jobs), paths.first
    if job is None or paths.ready(job) is None or not gaps:
        return ""
    about = "~" if any(gap.doubtful for gap in gaps) else ""
    return about + milliseconds(sum(gap.ns for gap in gaps) / NS_PER_MS)
