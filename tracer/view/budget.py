"""The budget below a timeline: where the time went until the agent was ready, and what can be done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from tracer.gaps import longest_of_yours
from tracer.moment import NS_PER_MS
from tracer.view.text import fit, milliseconds, share
from tracer.view.wording import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.gaps import Gap
    from tracer.timeline import Timeline

__all__ = ["budget"]

BAR = 16
"""Columns of the longest bar."""
SMALL = NS_PER_MS
"""Gaps shorter than this, ns, are counted together."""


def budget(timeline: Timeline, width: int) -> Iterator[Text]:
    """A line for each gap in order of time, then what each owner spent, then the longest that is yours to shorten."""
    gaps = timeline.gaps
    whole = sum(gap.ns for gap in gaps)
    if not gaps:
        return
    first, last = say(timeline, gaps[0].start)[0], say(timeline, gaps[-1].end)[0]
    yield Text(fit(f"{first} → {last}: {milliseconds(whole / NS_PER_MS)}", width), style="bold")
    longest = max(gap.ns for gap in gaps) or 1
    small = [gap for gap in gaps if gap.ns < SMALL]
    for gap in gaps:
        if gap.ns >= SMALL:
            line = Text(f"  {milliseconds(gap.ns / NS_PER_MS):>7} {share(gap.ns, whole):>5}  ", no_wrap=True)
            line.append(f"{'▇' * max(round(BAR * gap.ns / longest), 1):{BAR}}  ", style="cyan")
            line.append(f"{gap.owner:14}  ")
            line.append(fit(between(timeline, gap), width - cell_len(line.plain)), style="dim")
            line.rstrip()
            yield line
    if small:
        spent = milliseconds(sum(gap.ns for gap in small) / NS_PER_MS)
        yield Text(
            fit(f"  {spent:>7} {share(sum(gap.ns for gap in small), whole):>5}  in {len(small)} shorter gaps", width)
        )
    yours = longest_of_yours(gaps)
    if yours:
        text = Text("→ ", style="bold cyan")
        text.append(
            f"longest that you can shorten: {milliseconds(yours.ns / NS_PER_MS)}, {yours.owner}: {yours.advice}"
        )
        yield text


def between(timeline: Timeline, gap: Gap) -> str:
    """From which step to which, in words."""
    return f"{say(timeline, gap.start)[0]} → {say(timeline, gap.end)[0]}"
