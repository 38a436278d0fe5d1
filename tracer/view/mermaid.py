"""A room as a sequence diagram for Mermaid, as GitHub, GitLab and many wikis draw it in Markdown.

Who talks to whom, in order: the room (LiveKit's server), participants, workers and agents. A sequence shows what a
Gantt chart cannot: most of what matters lies within a second of a call of minutes.
https://mermaid.js.org/syntax/sequenceDiagram.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.moment import Kind
from tracer.timeline.entities import Job, Participant, Track
from tracer.timeline.overdue import expected
from tracer.units import NS_PER_MS, milliseconds, offset, plural
from tracer.view.names import name_of, with_names
from tracer.view.rows import MomentRows
from tracer.view.terminal import notable
from tracer.view.text import fit, plain
from tracer.view.verdict import MARKS
from tracer.view.wording import say
from tracer.why import explain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline
    from tracer.view.rows import MomentRow

__all__ = ["MOST_ROWS", "mermaid"]

MOST_ROWS = 150
"""Mermaid draws no more than 50,000 characters."""
LONGEST = 90
"""Columns of what an arrow says."""
SERVER = "R"
"""The room."""
_PLAIN = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,'()/+-_")
"""What Mermaid reads as text and nothing else; all other is written by its number."""
_TO_SERVER = ("participant.", "track.", "agent.connect", "job.received", "job.accepted", "job.rejected")
_FROM_SERVER = ("job.offered", "job.assigned", "job.timed_out")
_OF_WORKER = ("job.", "process.", "worker.")


def mermaid(timeline: Timeline, *, everything: bool = False) -> str:
    """The diagram. Text in it is inert: no part of a name can be anything but text."""
    return "\n".join(_Diagram(timeline, everything=everything).lines()) + "\n"


class _Diagram:
    def __init__(self, timeline: Timeline, *, everything: bool) -> None:
        self.timeline = timeline
        self.explanation = explain(timeline)
        shown = list(timeline.participants) if everything else notable(timeline)
        self.hidden = [one for one in timeline.participants if one not in shown]
        self.rows = MomentRows(timeline, self.explanation.findings, self.hidden, everything=everything)
        self.actors = {timeline.room.sid: SERVER}
        """The short name of each actor, by the SID or id of what it is."""
        self.names = {SERVER: f"room {plain(timeline.room.name or timeline.room.sid)}"}

    def lines(self) -> Iterator[str]:
        """Line after line, without their ends."""
        messages = [self._message(row) for row in self.rows.rows[:MOST_ROWS]]
        missing = list(self._missing())
        yield "sequenceDiagram"
        for short, name in self.names.items():
            yield f"    participant {short} as {_text(fit(name, 40))}"
        everyone = f"{SERVER},{list(self.names)[-1]}" if len(self.names) > 1 else SERVER
        mark = MARKS[self.explanation.well][0]
        yield f"    Note over {everyone}: {_text(f'{mark} {with_names(self.timeline, self.explanation.summary)}')}"
        yield from (f"    {message}" for message in messages)
        if (left := len(self.rows.rows) - MOST_ROWS) > 0:
            more = f"… and {left} more {plural(left, 'moment')}"
            yield f"    Note over {SERVER}: {_text(more)}"
        yield from (f"    {note}" for note in missing)

    def _missing(self) -> Iterator[str]:
        """What should have come, and did not."""
        for one in expected(self.timeline):
            if not one.lost:
                what = say(self.timeline, one.step)[0]
                words = f"✕ {what}: nothing came of it for {milliseconds(one.ns / NS_PER_MS)}"
                yield f"Note over {self._actor(one.step)}: {_text(words)}"

    def _message(self, row: MomentRow) -> str:
        step, failed = row.step, self.rows.has_failed(row)
        what, detail = say(self.timeline, step)
        at = offset((step.time - self.timeline.zero) / NS_PER_MS).strip()
        text = _text(fit(f"{at}  {what} {detail}".strip(), LONGEST))
        actor, kind = self._actor(step), step.kind.value
        if kind.startswith(_TO_SERVER) and actor != SERVER:
            return f"{actor}{'-x' if failed else '->>'}{SERVER}: {text}"
        if kind.startswith(_FROM_SERVER) and actor != SERVER:
            return f"{SERVER}{'-x' if failed or step.kind is Kind.JOB_TIMED_OUT else '->>'}{actor}: {text}"
        return f"Note over {actor}: {'✕ ' if failed else ''}{text}"

    def _actor(self, step: Step) -> str:
        """Who does it: the worker of a job until its agent is there, then the agent."""
        entity = self.timeline.by_sid.get(step.subject)
        if isinstance(entity, Track) and entity.participant:
            entity = self.timeline.by_sid.get(entity.participant)
        if isinstance(entity, Job):
            agent = self.timeline.agent_of(entity)
            if agent and not step.kind.value.startswith(_OF_WORKER):
                return self._named(agent.sid, "A", name_of(self.timeline, agent.sid))
            worker = entity.worker_id or entity.sid
            return self._named(worker, "W", f"worker {plain(worker)}")
        if isinstance(entity, Participant):
            return self._named(entity.sid, "A" if entity.is_agent else "P", name_of(self.timeline, entity.sid))
        return SERVER

    def _named(self, sid: str, letter: str, name: str) -> str:
        if sid not in self.actors:
            self.actors[sid] = f"{letter}{len(self.actors)}"
            self.names[self.actors[sid]] = name
        return self.actors[sid]


def _text(text: str) -> str:
    """Text as Mermaid shows it: what could mean something to it, or to a browser, by its number."""
    return "".join(char if char in _PLAIN or ord(char) > 0x7F else f"#{ord(char)};" for char in plain(text))
