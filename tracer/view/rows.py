"""Which steps of a timeline are rows of its table, and which belong to another's row or are left out.

Without ``--all`` an agent's every answer, each report of a worker's load and the like are left out; one leaving, which
several witnesses report in their own way, is one row; and an error that several spans report is one.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tracer import keys
from tracer.moment import Kind
from tracer.units import NS_PER_MS, NS_PER_S, plural
from tracer.view.details import detail
from tracer.view.failed import has_failed
from tracer.view.linked import participant as linked_participant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracer.timeline.entities import Participant
    from tracer.timeline.step import Step, StepKey
    from tracer.timeline.timeline import Timeline
    from tracer.why import Finding

__all__ = ["MomentRow", "MomentRows"]

ONE_LEAVING = NS_PER_S
"""Reports of one participant's leaving lie within this of each other, ns: webhooks have whole seconds."""
ONE_ERROR = 200 * NS_PER_MS
"""An error ends one span after the other, within this, ns."""
ONE_CHANGE = 500 * NS_PER_MS
"""Agents learn of one change within this of each other, ns."""
ONE_REPORT = 10 * NS_PER_MS
"""An agent's own room tells it twice, within this, ns, that the API muted its track (livekit 1.1.21, measured)."""
ONE_BLOCK = NS_PER_S
"""A loop is asked once a second, ns, and did not answer since."""
SLOW = 5 * NS_PER_S
"""An answer that took longer than this, ns, is shown."""
MOST_LOAD = 0.7
"""The server offers jobs to no worker whose load is above this (``agents.target_load``)."""


@dataclass
class MomentRow:
    """A step, and what else its row stands for."""

    step: Step
    others: list[Step] = field(default_factory=list)
    """Other reports of what happened there."""
    repeats: list[Step] = field(default_factory=list)
    """The same again, with nothing shown in between."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """All of them."""
        return (self.step, *self.others, *self.repeats)

    @property
    def witnesses(self) -> list[str]:
        """All that reported it."""
        return sorted({witness for step in (self.step, *self.others) for witness in step.witnesses})


class MomentRows:
    """The rows for a timeline, without what happened to ``hidden`` participants.

    What failed, by itself or by what `tracer why` found, has a row of its own, however usual it is elsewhere.
    """

    def __init__(
        self,
        timeline: Timeline,
        findings: Iterable[Finding],
        hidden: Iterable[Participant] = (),
        *,
        everything: bool = False,
    ) -> None:
        self.timeline = timeline
        self.findings = list(findings)
        sids = {participant.sid for participant in hidden}
        sids |= {track.sid for track in timeline.tracks if track.participant in sids}
        steps = [step for step in timeline.steps if step.subject not in sids]
        self.theirs = len(timeline.steps) - len(steps)
        """How many moments of hidden participants are left out."""
        self.conversation = 0
        """How many of the conversation are."""
        self.loads = 0
        """How many reports of workers are."""
        if everything:
            self.rows = [MomentRow(step) for step in steps]
        else:
            self.rows = self._collapsed(self._chosen(steps))

    def has_failed(self, row: MomentRow) -> bool:
        """Whether something failed at one of the steps that this row stands for."""
        return any(has_failed(self.timeline, step, self.findings) for step in row.steps)

    @property
    def left_out(self) -> str:
        """What is left out, for a line below; empty where nothing is."""
        counts = (
            (self.theirs, "of theirs"),
            (self.conversation, "of the conversation"),
            (self.loads, "of workers"),
        )
        known = [(count, what) for count, what in counts if count]
        if not known:
            return ""
        (first, what), *others = known
        parts = [f"{first} more {plural(first, 'moment')} {what}", *(f"{count} {what}" for count, what in others)]
        return f"… and {', '.join(parts)}: --all shows {'it' if known == [(1, what)] else 'them'}"

    def _chosen(self, steps: list[Step]) -> Iterator[MomentRow]:
        """A row for each step that has one of its own."""
        part_of = {
            **dict(_parts_of_leaves(self.timeline)),
            **dict(_parts_of_errors(steps)),
            **dict(_parts_of_changes(steps)),
            **dict(_parts_of_blocks(steps)),
        }
        loud = set(_loads_worth_a_row(steps))
        talk = _Conversation(self.timeline)
        rows: dict[StepKey, MomentRow] = {}
        for step in steps:
            if step.key in part_of:
                continue
            if step.kind in _REPORTS and step.key not in loud:
                self.loads += 1
            elif talk.is_routine(step) and not has_failed(self.timeline, step, self.findings):
                self.conversation += 1
            else:
                rows[step.key] = MomentRow(step)
        for step in steps:
            if (whole := part_of.get(step.key)) in rows:
                rows[whole].others.append(step)
        return iter(rows.values())

    def _collapsed(self, rows: Iterable[MomentRow]) -> list[MomentRow]:
        """Rows of which the next is the same are one."""
        found: list[MomentRow] = []
        for row in rows:
            if found and row.step.kind in _REPEATED and self._looks(found[-1].step) == self._looks(row.step):
                found[-1].repeats.append(row.step)
            else:
                found.append(row)
        return found

    def _looks(self, step: Step) -> tuple[Kind, str, str]:
        return step.kind, step.subject, detail(self.timeline, step)


_REPORTS = {Kind.WORKER_LOAD, Kind.WORKER_OFFERED}
_REPEATED = {Kind.MODEL_FAILED, Kind.MODEL_GAVE_NO_ANSWER}


def _parts_of_leaves(timeline: Timeline) -> Iterator[tuple[StepKey, StepKey]]:
    """Steps that report a leaving in another way, each with the step that is its row."""
    agents = {agent.sid: timeline.by_sid[job] for job, agent in timeline.agent_by_job.items()}
    unlinked: dict[str, list[Step]] = defaultdict(list)
    for step in timeline.steps:
        if step.kind is Kind.SESSION_UNLINKED and (who := linked_participant(timeline, step)):
            unlinked[who.sid].append(step)
    tracks: dict[str, list[Step]] = defaultdict(list)
    for track in timeline.tracks:
        if track.participant:
            tracks[track.participant] += [step for step in track.steps if step.kind is Kind.TRACK_UNPUBLISHED]
    for who in timeline.participants:
        gone = who.gone
        if gone is None:
            continue
        for step in who.steps:
            if step.kind in (Kind.PARTICIPANT_LEFT, Kind.PARTICIPANT_ABORTED) and step is not gone:
                yield step.key, gone.key
        own = agents[who.sid].steps if who.sid in agents else ()
        ends = [step for step in own if step.kind in (Kind.AGENT_DISCONNECTED, Kind.AGENT_CONNECTION_LOST)]
        shutdown = next((step.time for step in own if step.kind is Kind.JOB_SHUTDOWN), gone.earliest)
        meant = [step for step in ends if step.kind is Kind.AGENT_DISCONNECTED or step.time >= shutdown]
        for step in (*unlinked[who.sid], *tracks[who.sid], *meant):
            if _within(step, gone, ONE_LEAVING):
                yield step.key, gone.key


def _within(one: Step, other: Step, most: int) -> bool:
    """Whether two steps can be so near to each other, ns."""
    return one.earliest - most <= other.latest and other.earliest - most <= one.latest


def _parts_of_errors(steps: Iterable[Step]) -> Iterator[tuple[StepKey, StepKey]]:
    """Spans that an error went through, each with the first."""
    last: dict[tuple[str, object], tuple[Step, int]] = {}
    for step in steps:
        if step.kind is Kind.MODEL_FAILED:
            error = step.subject, step.facts.get(keys.ERROR_TYPE)
            first, until = last.get(error, (step, 0))
            if step.time <= until:
                yield step.key, first.key
            else:
                first = step
            last[error] = first, step.time + ONE_ERROR


def _parts_of_changes(steps: Iterable[Step]) -> Iterator[tuple[StepKey, StepKey]]:
    """Reports of one change by several agents, or by an agent and the API, each with the most accurate."""
    kept: list[Step] = []
    changes = [step for step in steps if step.kind in _CHANGES]
    for step in sorted(changes, key=lambda step: (step.uncertainty, step.time)):
        whole = next((one for one in kept if _is_one_change(one, step)), None)
        if whole:
            yield step.key, whole.key
        else:
            kept.append(step)


def _parts_of_blocks(steps: Iterable[Step]) -> Iterator[tuple[StepKey, StepKey]]:
    """Reports that an event loop stands still, each with the report of the whole, which comes when it runs again."""
    steps = list(steps)
    whole = [step for step in steps if step.kind is Kind.AGENT_BLOCKED]
    for step in steps:
        if step.kind is Kind.AGENT_STALLED:
            near = (one for one in whole if one.subject == step.subject and _within(one, step, ONE_BLOCK))
            if found := next(near, None):
                yield step.key, found.key


def _is_one_change(one: Step, other: Step) -> bool:
    """Whether two reports can mean the same: of the same job, only what it reports twice at once."""
    by = [(step.witnesses, step.facts.get(keys.JOB_ID)) for step in (one, other)]
    what = [
        (step.kind, step.subject, [fact for fact in sorted(step.facts.items()) if fact[0].startswith(_VALUES)])
        for step in (one, other)
    ]
    return what[0] == what[1] and _within(one, other, ONE_CHANGE if by[0] != by[1] else ONE_REPORT)


_CHANGES = {
    Kind.PARTICIPANT_ATTRIBUTES_CHANGED,
    Kind.PARTICIPANT_PERMISSIONS_CHANGED,
    Kind.TRACK_MUTED,
    Kind.TRACK_UNMUTED,
}
_VALUES = (keys.PARTICIPANT_ATTRIBUTE, keys.CAN_PUBLISH, keys.CAN_SUBSCRIBE)


def _loads_worth_a_row(steps: Iterable[Step]) -> Iterator[StepKey]:
    """Reports of a load that crosses the server's limit."""
    above: dict[str, bool] = {}
    for step in steps:
        load = step.facts.get(keys.WORKER_LOAD)
        if step.kind.value.startswith("worker.") and isinstance(load, float):
            is_above = load > MOST_LOAD
            if step.kind is Kind.WORKER_LOAD and above.get(step.subject, False) != is_above:
                yield step.key
            above[step.subject] = is_above


_TURNS = (Kind.SESSION_CALLER_SPOKE, Kind.SESSION_TURN_TRANSCRIBED)


class _Conversation:
    """An agent's answers, and what it hears of whom: the first is shown, and those that went wrong."""

    def __init__(self, timeline: Timeline) -> None:
        self.asked: dict[tuple[str, str], Step] = {}
        self.ended: set[tuple[str, str]] = set()
        self.spoke: dict[str, list[Step]] = defaultdict(list)
        self.last: dict[str, Step] = {}
        self.heard: dict[tuple[str, object], Step] = {}
        self.code: dict[tuple[str, str], Step] = {}
        self.took: dict[tuple[str, str], int] = {}
        self.turns: dict[tuple[Kind, str], Step] = {}
        self.waits = {
            (step.subject, step.occurrence) for step in timeline.steps if step.kind is Kind.SESSION_WAITING_FOR_AUDIO
        }
        for step in timeline.steps:
            answer = step.subject, step.occurrence
            if step.kind is Kind.MODEL_ASKED:
                self.asked[answer] = step
            elif step.kind in (Kind.MODEL_ANSWERED, Kind.MODEL_GAVE_NO_ANSWER, Kind.MODEL_FAILED):
                self.ended.add(answer)
            if step.kind.value.startswith("model."):
                self.last[step.subject] = step
            if step.kind in (Kind.AGENT_SPEAKING, Kind.MODEL_ANSWERED):
                self.spoke[step.subject].append(step)
            if step.kind is Kind.AGENT_CODE_BEGAN:
                self.code[answer] = step
            elif step.kind is Kind.AGENT_CODE_RETURNED:
                self.took[answer] = step.time - self.code[answer].time if answer in self.code else 0
            if step.kind in _TURNS:
                self.turns.setdefault((step.kind, step.subject), step)
            if step.kind is Kind.SESSION_AUDIO_RECEIVED:
                self.heard.setdefault(self._whom(step), step)

    def is_routine(self, step: Step) -> bool:
        """Whether a step is one of many of its kind, and went well."""
        answer = step.subject, step.occurrence
        match step.kind:
            case Kind.MODEL_ASKED:
                # One of which no end is known was interrupted, unless nothing came after it.
                return answer in self.ended or self.last[step.subject] is not step
            case Kind.MODEL_ANSWERED:
                asked = self.asked.get(answer)
                return asked is None or step.time - asked.time < SLOW
            case Kind.MODEL_GAVE_NO_ANSWER:
                # Whom the caller interrupted answers what they said instead.
                return any(step.time - SLOW <= spoke.time <= step.time + SLOW for spoke in self.spoke[step.subject])
            case Kind.AGENT_SPEAKING:
                first = next(one for one in self.spoke[step.subject] if one.kind is Kind.AGENT_SPEAKING)
                return step.key != first.key
            case Kind.AGENT_INTERRUPTED:
                return True  # a caller who speaks meanwhile does it
            case Kind.SESSION_CALLER_SPOKE | Kind.SESSION_TURN_TRANSCRIBED:
                return self.turns[step.kind, step.subject] is not step
            case Kind.AGENT_CODE_BEGAN | Kind.AGENT_CODE_RETURNED:
                return self.took.get(answer, SLOW) < SLOW
            case Kind.SESSION_AUDIO_RECEIVED:
                # An agent in Node tells of each time that they speak; one in Python waits for their audio once.
                return answer not in self.waits and self.heard[self._whom(step)] is not step
            case _:
                return False

    def _whom(self, step: Step) -> tuple[str, object]:
        return step.subject, step.facts.get(keys.LINKED_IDENTITY)
