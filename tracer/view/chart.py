"""The chart above the moments: a row for each participant, dispatch and job, as bars on the folded axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from tracer.moment import Kind
from tracer.timeline.overdue import expected
from tracer.units import FOREVER, NS_PER_MS, milliseconds, plural
from tracer.view.axis import FOLD, Axis
from tracer.view.failed import failed_stretches, has_failed, last_known_of
from tracer.view.names import agent_number, name_of
from tracer.view.row import Row
from tracer.view.text import fit, plain
from tracer.view.wording import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracer.timeline.entities import Dispatch, Job, Participant
    from tracer.timeline.overdue import Missing
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline
    from tracer.why import Finding

__all__ = ["OF_JOB", "SPANS", "STYLES", "WIDE", "Chart", "colour_of", "style_of"]

STYLES = {
    "room": "bold",
    "caller": "green",
    "agent": "magenta",
    "other": "",
    "dispatch": "cyan",
    "job": "cyan",
    "inner": "magenta",
    "failed": "red",
}
"""Colours that read on light and dark ground; shapes say the same without them."""
AGENTS = (STYLES["agent"], "blue", "yellow", "bright_magenta", "bright_blue")
"""The colours of agents, one after the other, and from the beginning again."""

WIDE = 100
"""Columns from which on there is room for more."""
LABEL = 22
"""Columns of a row's name: an agent's identity has 21, wait_for_participant 22."""

SPANS = (
    ("room_connect", (Kind.AGENT_CONNECTING,), (Kind.AGENT_CONNECTED,)),
    (
        "wait_for_participant",
        (Kind.AGENT_WAITING_FOR_PARTICIPANT,),
        (Kind.AGENT_PARTICIPANT_READY, Kind.AGENT_WAIT_ENDED),
    ),
    ("session_start", (Kind.SESSION_STARTING,), (Kind.SESSION_STARTED,)),
)
"""What an agent does, from which steps to which."""


OF_JOB = {Kind.JOB_TIMED_OUT, Kind.PROCESS_FAILED, Kind.JOB_ENDED}
"""Failures of a job itself, whether its agent is in the room or not."""


class Chart:
    """The rows for a timeline, for a terminal this wide, on the axis of these steps."""

    def __init__(
        self,
        timeline: Timeline,
        shown: list[Participant],
        steps: list[Step],
        width: int,
        findings: Iterable[Finding] = (),
    ) -> None:
        self.timeline = timeline
        self.findings = tuple(findings)
        self.missing = {one.step.subject: one for one in expected(timeline) if not one.lost}
        self.shown = shown
        self.label_width = LABEL if width < WIDE else LABEL + 8
        self.note_width = 9 if width < WIDE else 15
        sids = {entity.sid for entity in (timeline.room, *shown, *timeline.dispatches, *timeline.jobs)}
        times = [step.time for step in steps if step.subject in sids]
        waits = [(one.step.time, one.step.time + one.ns) for one in self.missing.values() if one.step.subject in sids]
        times += [edge for wait in waits for edge in wait]
        self.axis = Axis(times, timeline.zero, width - self.label_width - self.note_width - 2, waits)

    def lines(self) -> Iterator[Text]:
        """Line after line, as wide as the terminal at the most."""
        yield self._scale()
        yield from map(self._finished, self._rows())

    def first(self, most: int) -> Iterator[Text]:
        """As ``lines``, ``most`` at the most: what agents did gives way first, then the last rows; they are counted."""
        rows = list(self._rows())
        room = most - 1
        if len(rows) > room:
            shown = [row for row in rows if not row.inner]
            shown = shown if len(shown) < room else shown[: room - 1]
        else:
            shown = rows
        yield self._scale()
        yield from map(self._finished, shown)
        if left := len(rows) - len(shown):
            yield Text(f"… and {left} more {plural(left, 'row')}: without --summary", style="dim")

    def _scale(self) -> Text:
        return Text(" " * (self.label_width + self.note_width + 2) + self.axis.scale(), style="dim")

    def _rows(self) -> Iterator[Row]:
        yield self._room()
        agents = {agent.sid for job in self.timeline.jobs if (agent := self.timeline.agent_of(job))}
        for participant in self.shown:
            if participant.sid not in agents:
                yield self._participant(participant)
        for dispatch in self.timeline.dispatches:
            if dispatch.at(Kind.DISPATCH_CREATED):
                yield self._dispatch(dispatch)
        for job in self.timeline.jobs:
            yield from self._job(job)

    def _finished(self, row: Row) -> Text:
        label = fit(row.label, self.label_width)
        note = fit(row.note, self.note_width)
        folds = {column + offset for column in self.axis.folds for offset in range(len(FOLD))}
        text = Text(no_wrap=True)
        text.append(label + " " * (self.label_width - cell_len(label) + 1), style=row.style)
        text.append(note + " " * (self.note_width - cell_len(note) + 1), style="dim")
        for column, char in enumerate(row.cells):
            if column in folds and char in " ━┄╌":
                mark = FOLD[min(column - start for start in self.axis.folds if start <= column)]
                text.append(" " if char == " " else mark, style="dim")
            else:
                text.append(char, style=STYLES["failed"] if column in row.failed else row.style)
        text.rstrip()
        return text

    def _row(self, label: str, note: str, style: str) -> Row:
        return Row(label, note, STYLES[style], self.axis)

    def _room(self) -> Row:
        row = self._row("room", "", "room")
        room = self.timeline.room
        if room.created:
            end = self.axis.column(room.finished.time) if room.finished else self.axis.width - 1
            row.fill(self.axis.column(room.created.time), end, "━")
            row.put(end, "┫" if room.finished else "▸")
        return row

    def _participant(self, participant: Participant) -> Row:
        row = self._row(name_of(self.timeline, participant.sid), plain(participant.kind or ""), style_of(participant))
        row.style = colour_of(self.timeline, participant)
        self._draw_states(row, participant)
        return row

    def _draw_states(self, row: Row, participant: Participant) -> None:
        at = {kind: self.axis.column(step.time) for kind in Kind if (step := participant.at(kind))}
        joining, joined = at.get(Kind.PARTICIPANT_JOINING), at.get(Kind.PARTICIPANT_JOINED)
        active = at.get(Kind.PARTICIPANT_ACTIVE)
        gone = self.axis.column(participant.gone.time) if participant.gone else None
        end = gone if gone is not None else self.axis.width - 1
        if joining is not None:
            row.fill(joining, active if active is not None else end, "┄")
        if active is not None:
            row.fill(active, end, "━")
        if gone is None:
            row.put(end, "▸")
        for column, char in ((joining, "◌"), (joined, "◐"), (active, "●")):
            if column is not None and row.cells[column] not in "◌◐":
                row.put(column, char)
            elif column is not None:
                # Two states in one column: the later one takes the next, if that is free.
                is_free = row.cells[column + 1 : column + 2] == ["┄"]
                row.put(column + 1 if is_free else column, char)
        if gone is not None and participant.gone:
            aborted = participant.gone.kind is Kind.PARTICIPANT_ABORTED
            row.put(gone, "✕" if aborted else "┫")
            row.after(gone + 1, "aborted" if aborted else "left")

    def _draw_failures(self, row: Row, job: Job, agent: Participant) -> None:
        """From where the job had failed on, its agent's bar is broken."""
        left = agent.gone.time if agent.gone else None
        for start, end in failed_stretches(self.timeline, job, self.findings):
            if left is not None and start >= left:
                continue
            last = min(end, left if left is not None else end)
            row.broken(self.axis.column(start), self.axis.width - 1 if last == FOREVER else self.axis.column(last))
        last_known = last_known_of(job, self.findings)
        if last_known is not None:
            # Somewhere in between it was lost: what nobody reported is no solid line, and no failure at a known time.
            row.unknown(self.axis.column(last_known), self.axis.width - 1 if left is None else self.axis.column(left))

    def _dispatch(self, dispatch: Dispatch) -> Row:
        row = self._row("dispatch", dispatch.mode or "", "dispatch")
        created = dispatch.at(Kind.DISPATCH_CREATED)
        offers = [step for job in self.timeline.jobs if job.sid in dispatch.jobs if (step := job.at(Kind.JOB_OFFERED))]
        if created is None:
            return row
        if offers:
            first = min(offers, key=lambda step: step.time)
            start, end = self.axis.column(created.time), self.axis.column(first.time)
            label = milliseconds((first.time - created.time) / NS_PER_MS)
            row.bracket(start, end, f"server collects bids, {label}" if end - start > 36 else label)
        else:
            row.bracket(self.axis.column(created.time), self.axis.column(created.time), "")
            missing = self.missing.get(dispatch.sid)
            self._draw_missing(row, missing, f"no job {_long(missing)}" if missing else "no job seen")
        return row

    def _draw_missing(self, row: Row, missing: Missing | None, words: str) -> None:
        """From when on it was missing, for as long as it was."""
        if missing is None:
            row.after(row.last + 1, words)
            return
        start, end = missing.step.time, missing.step.time + missing.ns
        row.missing(self.axis.column(start), self.axis.column(end), words)

    def _job(self, job: Job) -> Iterator[Row]:
        row = self._row(f"job {plain(job.sid)}", plain(job.worker_id or ""), "job")
        first = job.at(Kind.JOB_OFFERED, Kind.JOB_RECEIVED)
        started = job.at(Kind.JOB_ENTRYPOINT_STARTED)
        agent = self.timeline.agent_of(job)
        missing = None if agent else self.missing.get(job.sid)
        if first:
            last = started or first
            took = f"{milliseconds((last.time - first.time) / NS_PER_MS)} to the entrypoint"
            label = took if started and not missing else ""
            row.bracket(self.axis.column(first.time), self.axis.column(last.time), label)
        rejected = job.at(Kind.JOB_REJECTED)
        if rejected and not agent and not job.at(Kind.JOB_ASSIGNED):
            row.fail(self.axis.column(rejected.time), say(self.timeline, rejected)[0])
        for step in job.steps:
            if step.kind in OF_JOB and has_failed(self.timeline, step):
                words = "job failed" if step.kind is Kind.JOB_ENDED else say(self.timeline, step)[0]
                row.fail(self.axis.column(step.time), words)
        if missing:
            self._draw_missing(row, missing, f"no agent {_long(missing)}")
        yield row
        if agent:
            row = self._participant(agent)
            self._draw_failures(row, job, agent)
            yield row
        for name, starts, ends in SPANS:
            start = job.at(*starts)
            if start is None:
                continue
            inner = self._row(f"  {name}", "", "inner")
            inner.inner = True
            inner.style = colour_of(self.timeline, agent) if agent else inner.style
            end = self._end_of(job, start, ends)
            column = self.axis.column(start.time)
            if end is None:
                inner.fill(column, self.axis.width - 1, "┄")
            else:
                label = milliseconds((end.time - start.time) / NS_PER_MS)
                if end.kind is Kind.AGENT_WAIT_ENDED:
                    label += ", nobody"
                inner.bracket(column, self.axis.column(end.time), label)
            yield inner

    @staticmethod
    def _end_of(job: Job, start: Step, ends: tuple[Kind, ...]) -> Step | None:
        return next((s for s in job.steps if s.kind in ends and s.occurrence == start.occurrence), None)


def _long(missing: Missing) -> str:
    """For how long it was missing."""
    return f"for {milliseconds(missing.ns / NS_PER_MS)}"


def colour_of(timeline: Timeline, participant: Participant) -> str:
    """The style of a participant: each agent has a colour of its own."""
    number = agent_number(timeline, participant.sid)
    return AGENTS[(number - 1) % len(AGENTS)] if number else STYLES[style_of(participant)]


def style_of(participant: Participant) -> str:
    """Which of ``STYLES`` a participant has: agents and callers one each, recorders and the like none."""
    return "agent" if participant.is_agent else "caller" if participant.is_caller else "other"
