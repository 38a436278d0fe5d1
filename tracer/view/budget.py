"""The budget below a timeline: where the time went until the agent was ready, and what can be done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from tracer.latency.gaps import Paths
from tracer.latency.owner import Owner
from tracer.latency.shorten import to_shorten
from tracer.units import NS_PER_MS, milliseconds, plural, share
from tracer.view.bar import bar
from tracer.view.text import fit, plain
from tracer.view.wording import say
from tracer.why.node_words import in_words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.clocks.corrected import CorrectedTimeline
    from tracer.latency.gaps import Gap
    from tracer.timeline.timeline import Timeline

__all__ = ["advice", "budget"]

BAR = 16
"""Columns of the longest bar; half as many where there is little room, and none where there is less."""
SMALL = NS_PER_MS
"""Gaps shorter than this, ns, are counted together, and so are those that would have 0 %."""
LEAST_SHARE = 0.005
"""Part of the whole from which on a gap has a line of its own."""
COLOURS = {
    Owner.SERVER: "cyan",
    Owner.WORKER: "blue",
    Owner.PROCESS: "yellow",
    Owner.CODE: "magenta",
    Owner.NETWORK: "green",
    Owner.SESSION: "bright_magenta",
    Owner.CALLER: "",
    Owner.SETTING: "bright_blue",
    Owner.UNKNOWN: "dim",
}
"""Of each owner's bars; the name beside them says the same. Red is for what failed.

Bright green, yellow and cyan are hardly seen on a light ground: one has the terminal's own colour.
"""


def budget(timeline: Timeline, width: int) -> Iterator[Text]:
    """A line for each gap in order of time, what of it is doubtful, and the longest that is yours to shorten."""
    paths = Paths(timeline)
    gaps = paths.first
    if not gaps:
        return
    whole = sum(gap.ns for gap in gaps)
    about = "~" if any(gap.doubtful for gap in gaps) else ""
    took = f": {about}{milliseconds(whole / NS_PER_MS)}"
    yield Text(_path(timeline, gaps[0], gaps[-1], width - cell_len(took)) + took, style="bold")
    columns = BAR if width >= 100 else BAR // 2 if width >= 80 else 0
    longest = max(gap.ns for gap in gaps)
    least = max(SMALL, LEAST_SHARE * whole)
    small = [gap for gap in gaps if gap.ns < least]
    for gap in gaps:
        if gap.ns >= least:
            line = _amount(gap.ns, whole, "~" if gap.doubtful else "")
            if columns:
                line.append(f"{bar(gap.ns, longest, columns):{columns}}  ", style=COLOURS[gap.owner])
            line.append(f"{gap.owner.label:14}  ")
            line.append(_path(timeline, gap, gap, width - cell_len(line.plain)), style="dim")
            line.rstrip()
            yield line
    if small:
        line = _amount(sum(gap.ns for gap in small), whole, "~" if any(gap.doubtful for gap in small) else "")
        owners = ", ".join(dict.fromkeys(gap.owner.label for gap in small))
        shorter = f"in {len(small)} shorter {plural(len(small), 'gap')}: {owners}"
        line.append(fit(shorter, width - cell_len(line.plain)))
        yield line
    yield from _doubts(paths.corrected, bool(about))
    if words := advice(timeline, paths):
        yield Text.assemble(("→ ", "bold cyan"), words)


def advice(timeline: Timeline, paths: Paths) -> str:
    """Which gap is the longest that the user can shorten, and how; empty where there is none."""
    yours = to_shorten(timeline, paths)
    if yours is None:
        return ""
    gap, waited, lasted = yours.gap, milliseconds(yours.ns / NS_PER_MS), milliseconds(yours.gap.ns / NS_PER_MS)
    part = "" if waited == lasted else f" (of {lasted}: before that nobody waited)"
    return f"longest gap you can shorten: {waited}{part}, {gap.owner.label}: {in_words_of(timeline, gap.advice)}"


def _amount(ns: int, whole: int, about: str) -> Text:
    part = share(ns, whole) if ns >= LEAST_SHARE * whole else "<1 %"
    return Text(f"  {about + milliseconds(ns / NS_PER_MS):>8} {part:>5}  ", no_wrap=True)


def _path(timeline: Timeline, first: Gap, last: Gap, width: int) -> str:
    """From which step to which, in words; each is given half of the room, and what the other leaves."""
    start, end = say(timeline, first.start)[0], say(timeline, last.end)[0]
    room = width - cell_len(" → ")
    end = fit(end, max(room // 2, room - cell_len(start)))
    return fit(f"{fit(start, room - cell_len(end))} → {end}", width)


def _doubts(corrected: CorrectedTimeline, about: bool) -> Iterator[Text]:
    if not about:
        return
    for clock, ahead in corrected.off.items():
        where = "ahead of" if ahead > 0 else "behind"
        off = milliseconds(abs(ahead) / NS_PER_MS)
        skew = f"the clock of the {plain(str(clock))} is at least {off} {where} the server's; corrected by that"
        yield Text(f"~ clock skew: {skew}", style="red")
    if not corrected.off:
        yield Text("~ impossible order: a clock was adjusted meanwhile, or a source is wrong", style="red")
