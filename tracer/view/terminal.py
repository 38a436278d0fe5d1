"""The timeline in a terminal: who was there when, then every moment, then what it comes to."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from tracer.moment import Kind
from tracer.timeline.entities import Job, Participant, Track, Worker
from tracer.timeline.lost_webhooks import untold_by_webhooks
from tracer.timeline.origin import end_reason_label
from tracer.timeline.overdue import expected
from tracer.units import NS_PER_MS, NS_PER_S, duration, milliseconds, offset, rfc3339
from tracer.view.axis import idle_stretches
from tracer.view.budget import budget
from tracer.view.chart import STYLES, WIDE, Chart
from tracer.view.text import fit, plain
from tracer.view.wording import created_by, name_of, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, ConsoleOptions, RenderResult

    from tracer.timeline.overdue import Missing
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["TimelineView"]

NARROWEST = 60
WIDEST = 200
MOST_PARTICIPANTS = 12
"""Participants shown without --all."""
MOST_UNTOLD = 3
MOST_MISSING = 12
"""Rows for what has not come."""


class TimelineView:
    """A Rich renderable of one timeline, as wide as the console, from 60 to 200 columns."""

    def __init__(self, timeline: Timeline, *, everything: bool = False) -> None:
        self.timeline = timeline
        self.shown = list(timeline.participants) if everything else _notable(timeline)
        self.hidden = [p for p in timeline.participants if p not in self.shown]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(max(options.max_width, NARROWEST), WIDEST)
        yield from self._header(width)
        yield Text()
        if self.timeline.steps:
            yield from Chart(self.timeline, self.shown, width).lines()
            if self.hidden:
                yield Text(self._more(), style="dim")
            yield Text()
            yield from self._moments(width)
            yield Text()
        findings = list(self._findings())
        yield from findings
        lines = list(budget(self.timeline, width))
        if findings and lines:
            yield Text()
        yield from lines

    def _header(self, width: int) -> Iterator[Text]:
        room = self.timeline.room
        parts = [plain(room.sid)]
        if self.timeline.created_by:
            parts.append(f"created by {created_by(self.timeline)}")
        if room.created and room.finished:
            lasted = duration((room.finished.time - room.created.time) / NS_PER_S)
            reason = f": {plain(end_reason_label(self.timeline.end_reason))}" if self.timeline.end_reason else ""
            parts.append(f"closed after {lasted}{reason}")
        elif room.finished:
            parts.append("closed")
        else:
            parts.append("still open, or its end was not seen")
        text = Text(no_wrap=True)
        text.append(f"room {fit(plain(room.name or '?'), width // 3)}", style="bold")
        rest = "   ".join(parts)
        if cell_len(text.plain) + 3 + cell_len(rest) <= width:
            text.append("   " + rest)
            yield text
        else:
            yield text
            for part in parts:
                yield Text("  " + fit(part, width - 2))

    def _more(self) -> str:
        states: dict[str, int] = {}
        for participant in self.hidden:
            state = participant.state or "seen only in passing"
            states[state] = states.get(state, 0) + 1
        told = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
        return f"… and {len(self.hidden)} more participants ({told}): --all shows them"

    def _moments(self, width: int) -> Iterator[Text]:
        hidden = {p.sid for p in self.hidden}
        hidden |= {track.sid for track in self.timeline.tracks if track.participant in hidden}
        steps = [step for step in self.timeline.steps if step.subject not in hidden]
        idle = {end for _, end in idle_stretches(step.time for step in steps)}
        columns = _Columns(width, len(steps))
        yield columns.head()
        for number, (before, step) in enumerate(pairwise([None, *steps]), 1):
            if step is None:
                continue
            if before and step.time in idle and before.time != step.time:
                yield Text(f"{'⋯':>{columns.number + 2 + columns.offset}}", style="dim")
            line = Text(no_wrap=True)
            line.append(f"{number:{columns.number}}  ")
            line.append(f"{offset((step.time - self.timeline.zero) / NS_PER_MS):>{columns.offset}}  ")
            since = f"+{milliseconds((step.time - before.time) / NS_PER_MS)}" if before else ""
            line.append(f"{since:>{columns.since}}  ", style="dim")
            line.append_text(self._what(step, columns.what))
            line.append(f"  {columns.witnesses(step)}", style="dim")
            line.append(f"  {_uncertainty(step):<{columns.sure}}", style="red" if step.contradicted else "dim")
            line.append(columns.more(step), style="dim")
            line.rstrip()
            yield line
        for missing in expected(self.timeline)[:MOST_MISSING]:
            if missing.step.subject not in hidden:
                yield self._missing(columns, missing)
        if hidden:
            yield Text(f"… and {len(self.timeline.steps) - len(steps)} more moments of theirs", style="dim")
        if not columns.wide:
            yield Text(f"{'':{columns.number}}  told by W webhook, O observer of the API, A agent", style="dim")

    def _missing(self, columns: _Columns, missing: Missing) -> Text:
        """A row for what should have come: after what, and for how long it has been missed."""
        end = missing.step.time + missing.ns
        name = name_of(self.timeline, missing.step.subject)
        line = Text(f"{'':{columns.number}}  ", no_wrap=True)
        line.append(f"{offset((end - self.timeline.zero) / NS_PER_MS):>{columns.offset}}  ", style="dim")
        line.append(f"{milliseconds(missing.ns / NS_PER_MS):>{columns.since}}  ", style="dim")
        took = milliseconds(missing.ns / NS_PER_MS)
        until = "when the room closed" if missing.over else "by now"
        told = missing.what if missing.lost else f"{missing.what} after {took}, {until}"
        room = columns.what + columns.told_by + columns.sure + 4
        line.append(fit(f"✕ {told}  {name}", room), style="red" if missing.over else "yellow")
        return line

    def _what(self, step: Step, width: int) -> Text:
        saying, detail = say(self.timeline, step, width)
        text = Text()
        text.append(fit(saying, width), style=self._style(step))
        left = width - cell_len(text.plain)
        if detail and left > 4:
            text.append("  " + fit(detail, left - 2))
        text.append(" " * (width - cell_len(text.plain)))
        return text

    def _style(self, step: Step) -> str:
        life = self.timeline.by_sid.get(step.subject)
        if isinstance(life, Track) and life.participant:
            life = self.timeline.by_sid.get(life.participant)
        if isinstance(life, Participant):
            return STYLES["agent" if life.is_agent else "caller"]
        if isinstance(life, Job):
            return STYLES["job" if step.kind.value.startswith("job") else "agent"]
        if isinstance(life, Worker):
            return STYLES["job"]
        return STYLES["dispatch" if step.kind is Kind.DISPATCH_CREATED else "room"]

    def _findings(self) -> Iterator[Text]:
        for step in self.timeline.steps:
            if step.contradicted:
                what, _ = say(self.timeline, step)
                told = " and ".join(step.witnesses)
                yield Text(f"! {what}: {told} do not agree on the time; a clock is off, or one is wrong", style="red")
        own = [step for step in self.timeline.steps if not isinstance(self.timeline.by_sid.get(step.subject), Worker)]
        told_by = {witness for step in own for witness in step.witnesses}
        for witness, missing in _MISSING.items():
            if witness not in told_by:
                yield Text(missing, style="dim")
        untold = untold_by_webhooks(self.timeline)
        if untold:
            sayings = [say(self.timeline, step)[0] for step in untold[:MOST_UNTOLD]]
            sayings += ["…"] * (len(untold) > MOST_UNTOLD)
            yield Text(f"! webhooks were lost; only another witness told: {', '.join(sayings)}", style="red")
        if "observer" in told_by and not any(step.kind is Kind.DISPATCH_CREATED for step in self.timeline.steps):
            yield Text("the observer saw no dispatch: the server does not show them to this key", style="dim")
        if not self.timeline.room.created:
            yield Text("nobody saw the room being made: offsets count from the first moment", style="dim")


_MISSING = {
    "webhook": "no webhook told of this room: times of joining and leaving are those of the observer's looks",
    "observer": "no observer watched this room: JOINED and dispatches are not known",
    "agent": "no agent told of this room: what its job did is not known (is it instrumented?)",
}


class _Columns:
    """The widths of the table of moments."""

    offset = 11
    since = 9
    sure = 8

    def __init__(self, width: int, rows: int) -> None:
        self.wide = width >= WIDE
        self.number = len(str(rows))
        self.told_by = 17 if self.wide else 3
        self.clock = width >= WIDE + 20
        self.utc = width >= WIDE + 50
        rest = self.number + self.offset + self.since + self.told_by + self.sure + 10
        self.what = width - rest - 10 * self.clock - 17 * self.utc

    def head(self) -> Text:
        told_by = "told by" if self.wide else "by"
        head = (
            f"{'':{self.number}}  {'offset':>{self.offset}}  {'since':>{self.since}}  {'what':{self.what}}"
            f"  {told_by:{self.told_by}}  {'sure to':{self.sure}}"
        )
        return Text(head + "  clock   " * self.clock + "  UTC" * self.utc, style="dim")

    def witnesses(self, step: Step) -> str:
        if self.wide:
            return f"{fit(plain(', '.join(step.witnesses)), self.told_by):{self.told_by}}"
        return f"{''.join(sorted({plain(witness)[:1].upper() for witness in step.witnesses}))[:3]:3}"

    def more(self, step: Step) -> str:
        """What only a wide terminal has room for: whose clock it is, and the time of day."""
        clock = f"  {fit(plain(step.clock), 8):8}" if self.clock else ""
        at = (rfc3339(step.time) or "")[11:26]
        return clock + (f"  {at}" if self.utc else "")


def _uncertainty(step: Step) -> str:
    """How far off the time can be, and to which side."""
    if step.contradicted:
        return "?!"
    before, after = (step.time - step.earliest) / NS_PER_MS, (step.latest - step.time) / NS_PER_MS
    if max(before, after) < 0.05:
        return "±0"
    if after * 8 < before:
        return f"-{milliseconds(before)}"
    if before * 8 < after:
        return f"+{milliseconds(after)}"
    return f"±{milliseconds(max(before, after))}"


def _notable(timeline: Timeline) -> list[Participant]:
    """All of a small room; of a large one the agents, those who gave up, and the first to come."""
    everyone = list(timeline.participants)
    if len(everyone) <= MOST_PARTICIPANTS:
        return everyone
    agents = [p for p in everyone if p.is_agent][: MOST_PARTICIPANTS // 2]
    aborted = [p for p in everyone if p.at(Kind.PARTICIPANT_ABORTED)][: MOST_PARTICIPANTS // 4]
    chosen = {p.sid for p in (*agents, *aborted)}
    for participant in everyone:
        if len(chosen) >= MOST_PARTICIPANTS:
            break
        chosen.add(participant.sid)
    return [p for p in everyone if p.sid in chosen]
