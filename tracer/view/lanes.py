"""Who was there when, without a picture: a lane for each, with bars and marks in time. Pictures are drawn of it.

Times are ns since the epoch. There are no columns, characters and colours in it: whoever draws has those.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from tracer import keys
from tracer.moment import Kind
from tracer.timeline.overdue import expected
from tracer.units import FOREVER, NS_PER_MS, NS_PER_S, milliseconds
from tracer.view.failed import agentless, failed_stretches, failures, has_failed, last_known_of
from tracer.view.names import agent_number, name_of
from tracer.view.text import plain
from tracer.view.wording import say
from tracer.why.call.replaced import DUPLICATE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracer.timeline.entities import Dispatch, Job, Participant, Track
    from tracer.timeline.overdue import Missing
    from tracer.timeline.timeline import Timeline
    from tracer.view.failed import Failure
    from tracer.why import Explanation, Finding

__all__ = ["RED", "Bar", "Form", "Lane", "Mark", "failed_at", "lanes", "main_lanes", "style_of", "waits"]


class Form(StrEnum):
    """What a bar shows."""

    PRESENT = "present"
    """It is there, and all is well."""
    JOINING = "joining"
    """It is not yet as far."""
    SPAN = "span"
    """Something that was done, from its begin to its end."""
    MISSING = "missing"
    """Something should have come, and did not; the room is over."""
    AWAITED = "awaited"
    """Something should have come, and can still."""
    FAILED = "failed"
    """It did not do its work any more."""
    UNKNOWN = "unknown"
    """Nobody reported how it was."""
    MUTED = "muted"
    """A track that is published, and muted."""


RED = frozenset({Form.MISSING, Form.FAILED, Form.UNKNOWN})
"""The forms that show that something was wrong."""


class Bar(NamedTuple):
    """A stretch of a lane."""

    form: Form
    start: int
    end: int | None
    """None while it goes on."""
    text: str = ""
    """What is written beside it; harmless to print."""


class Mark(NamedTuple):
    """A point of a lane: what happened there is the name of a kind's last part, as ``joined``, or ``failed``."""

    form: str
    at: int
    text: str = ""


@dataclass
class Lane:
    """One line of the picture. Text is harmless to print."""

    id: str
    """SID or id of whom it is about, of the first stay where there are several; of something that it did with a name
    behind it."""
    of: str
    """room, caller, agent, other, dispatch, job, worker or track."""
    label: str
    note: str = ""
    agent: int = 0
    """The number of the agent that it is of, from 1; 0 for none."""
    parent: str = ""
    """The id of the lane that it can be folded into."""
    stays: dict[str, int | None] = field(default_factory=dict)
    """SID of each stay of a participant, in order, with its end, ns; None while it is there."""
    bars: list[Bar] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)

    @property
    def subjects(self) -> set[str]:
        """The SIDs and ids of what is seen on it."""
        return {self.id, *self.stays}


def lanes(timeline: Timeline, explanation: Explanation | None = None) -> list[Lane]:
    """The lanes of a room, from top to bottom: the room, who came, then each dispatch, job and its agent."""
    if explanation is None:
        return list(_Lanes(timeline, ()).all())
    found = list(_Lanes(timeline, explanation.findings).all())
    for failure in failures(timeline, explanation.findings):
        _fail(found, failure)
    for lack in agentless(explanation):
        _fail(found, lack._replace(since=_shown_until(found, lack)))
    return found


def _shown_until(found: list[Lane], lack: Failure) -> int:
    """When it begins that whoever had no agent must show that, ns, as nothing else does.

    That is when the last red bar ends; without one when something failed, if that is known.
    """
    until = FOREVER if lack.until is None else lack.until
    red = [bar for lane in found for bar in lane.bars if bar.form in RED and bar.start < until]
    ends = [until if bar.end is None else bar.end for bar in red if bar.end is None or bar.end > lack.since]
    if ends:
        return max(ends) if max(ends) <= until - NS_PER_S else until
    return min((at for at in failed_at(found) if lack.since < at < until), default=lack.since)


def _fail(found: list[Lane], failure: Failure) -> None:
    """Show on its lane what failed there, no longer than the lane is."""
    lane = next((lane for lane in found if failure.of in lane.subjects), None)
    if lane is None:
        return
    # Nobody is red before they were there.
    at, until = max([failure.since, *(bar.start for bar in lane.bars[:1])]), failure.until
    if until is not None and at >= until:
        return
    lane.marks.append(Mark("failed", at))
    if until is None or not lane.bars:
        return
    ends = [lane.stays[failure.of]] if failure.of in lane.stays else [bar.end for bar in lane.bars]
    last = None if None in ends else max(end for end in ends if end is not None)
    end = last if until == FOREVER else until if last is None else min(until, last)
    if end is None or end > at:
        lane.bars.append(Bar(Form.FAILED, at, end, failure.text))


def main_lanes(timeline: Timeline, shown: Iterable[Participant], explanation: Explanation | None = None) -> list[Lane]:
    """Those for a picture that folds nothing: of ``shown`` and of every agent, without tracks and sessions."""
    agents = {agent.sid for agent in timeline.agent_by_job.values()}
    hidden = {one.sid for one in timeline.participants} - agents - {one.sid for one in shown}
    chosen = (lane for lane in lanes(timeline, explanation) if lane.of != "track" and not lane.subjects <= hidden)
    return [lane for lane in chosen if not lane.id.endswith(f" {_SESSION}")]


def waits(timeline: Timeline, drawn: Iterable[Lane]) -> list[tuple[int, int]]:
    """When, from and until, ns, something was missing or had failed: a picture has room for it, whatever happens."""
    lanes = list(drawn)
    sids = {sid for lane in lanes for sid in lane.subjects}
    missing = (one for one in expected(timeline) if not one.lost and one.step.subject in sids)
    # When every caller has left, nobody waits any more.
    left = [bar.end for lane in lanes if lane.of == "caller" for bar in lane.bars]
    last = max((FOREVER if end is None else end for end in left), default=FOREVER)
    found = [(at, min(at + one.ns, last)) for one in missing if (at := one.step.time) < last]
    red = (bar for lane in lanes for bar in lane.bars if bar.form in RED - {Form.MISSING})
    return [*found, *((bar.start, bar.end) for bar in red if bar.end is not None)]


def failed_at(drawn: Iterable[Lane]) -> list[int]:
    """When something failed, ns: a picture shows that where it was, also where no moment beside it does."""
    return [mark.at for lane in drawn for mark in lane.marks if mark.form == "failed"]


class _Lanes:
    def __init__(self, timeline: Timeline, findings: tuple[Finding, ...]) -> None:
        self.timeline = timeline
        self.findings = findings
        self.missing = {one.step.subject: one for one in expected(timeline) if not one.lost}
        self.until = timeline.room.time(Kind.ROOM_FINISHED)
        """The end of what goes on until the room closes, ns; None while it is open."""
        self.stays = self._grouped()
        self.tracks: dict[str, list[Track]] = {}
        for track in timeline.tracks:
            self.tracks.setdefault(track.participant or "", []).append(track)

    def all(self) -> Iterator[Lane]:
        yield self._room()
        drawn = {one.sid for agent in self.timeline.agent_by_job.values() for one in self.stays[agent.sid]}
        for participant in self.timeline.participants:
            if participant.sid not in drawn:
                stays = self.stays[participant.sid]
                drawn |= {one.sid for one in stays}
                yield self._participant(stays)
                yield from self._tracks(stays)
        for dispatch in self.timeline.dispatches:
            if dispatch.at(Kind.DISPATCH_CREATED):
                yield self._dispatch(dispatch)
        for job in self.timeline.jobs:
            yield from self._job(job)
        yield from (self._track(track, "", 0) for track in self.tracks.get("", ()))

    def _room(self) -> Lane:
        room = self.timeline.room
        lane = Lane(room.sid, "room", "room", plain(room.name or ""))
        start = room.created or (room.steps[0] if room.steps else None)
        if start:
            lane.bars.append(Bar(Form.PRESENT, start.time, self.until))
        if room.finished:
            lane.marks.append(Mark("finished", room.finished.time, "closed"))
        return lane

    def _grouped(self) -> dict[str, list[Participant]]:
        """The stays of each participant, by the SID of every one: each of them ended before the next began.

        Those of a job are around the one that is known to be its; where two jobs have one identity, up to the other's.
        """
        known = {agent.sid for agent in self.timeline.agent_by_job.values()}
        by_name: dict[tuple[str, str], list[Participant]] = {}
        for one in sorted(self.timeline.participants, key=_began):
            by_name.setdefault((style_of(one), one.identity or one.sid), []).append(one)
        found: dict[str, list[Participant]] = {}
        for same in by_name.values():
            for one in sorted(same, key=lambda one: one.sid not in known):
                if one.sid in found:
                    continue
                stays, at, taken = [one], same.index(one), known | found.keys()
                for other in _before_any(taken, same[at + 1 :]):
                    if _is_over(stays[-1], other):
                        stays.append(other)
                for other in _before_any(taken, reversed(same[:at])):
                    if _is_over(other, stays[0]):
                        stays.insert(0, other)
                found |= dict.fromkeys((stay.sid for stay in stays), stays)
        return found

    def _participant(self, stays: list[Participant], parent: str = "") -> Lane:
        one = stays[0]
        number, name = agent_number(self.timeline, one.sid), name_of(self.timeline, one.sid)
        lane = Lane(one.sid, style_of(one), name, plain(one.kind or ""), number, parent)
        for stay in stays:
            self._stay(lane, stay)
        return lane

    def _stay(self, lane: Lane, participant: Participant) -> None:
        times = {kind: step.time for kind in _STATES if (step := participant.at(kind))}
        gone = participant.gone.time if participant.gone else None
        end = lane.stays[participant.sid] = gone if gone is not None else self.until
        first, active = min(times.values(), default=None), times.get(Kind.PARTICIPANT_ACTIVE)
        if first is not None and first != active:
            lane.bars.append(Bar(Form.JOINING, first, active if active is not None else end))
        if active is not None:
            lane.bars.append(Bar(Form.PRESENT, active, end))
        lane.marks += [Mark(kind.value.partition(".")[2], time) for kind, time in times.items()]
        if participant.gone:
            aborted = participant.gone.kind is Kind.PARTICIPANT_ABORTED
            words = "aborted" if aborted else "left"
            # Why one identity has two lanes: who came later put out who was there.
            twice = participant.disconnect_reason == DUPLICATE
            lane.marks.append(Mark(words, participant.gone.time, f"{words}: {DUPLICATE}" if twice else words))

    def _tracks(self, stays: list[Participant]) -> Iterator[Lane]:
        parent = stays[0].sid
        number = agent_number(self.timeline, parent)
        for one in stays:
            for track in self.tracks.get(one.sid, ()):
                yield self._track(track, parent, number, one.gone.time if one.gone else None)

    def _track(self, track: Track, parent: str, agent: int, gone: int | None = None) -> Lane:
        source = plain(track.text(keys.TRACK_SOURCE) or "track").lower()
        lane = Lane(track.sid, "track", source, plain(track.sid), agent, parent)
        published = track.at(Kind.TRACK_PUBLISHED) or track.steps[0]
        ends = [time for time in (track.time(Kind.TRACK_UNPUBLISHED), gone, self.until) if time is not None]
        ended = min(ends, default=None)
        form, since = Form.PRESENT, published.time
        for step in track.steps:
            changed = {Kind.TRACK_MUTED: Form.MUTED, Kind.TRACK_UNMUTED: Form.PRESENT}.get(step.kind, form)
            if changed is not form and (ended is None or step.time < ended):
                lane.bars.append(Bar(form, since, step.time))
                form, since = changed, step.time
        lane.bars.append(Bar(form, since, ended))
        return lane

    def _dispatch(self, dispatch: Dispatch) -> Lane:
        lane = Lane(dispatch.sid, "dispatch", "dispatch", plain(dispatch.mode.label if dispatch.mode else ""))
        created = dispatch.time(Kind.DISPATCH_CREATED)
        assert created is not None  # noqa: S101  only such have a lane
        offers = [job.time(Kind.JOB_OFFERED) for job in self.timeline.jobs if job.sid in dispatch.jobs]
        first = min((offer for offer in offers if offer is not None), default=None)
        missing = self.missing.get(dispatch.sid)
        if first is not None and first >= created:
            took = milliseconds((first - created) / NS_PER_MS)
            lane.bars.append(Bar(Form.SPAN, created, first, f"server collects bids, {took}"))
        elif missing:
            lane.marks.append(Mark("created", created))
            lane.bars.append(self._missed(missing, "no job"))
        else:
            lane.marks.append(Mark("created", created, "" if offers else "no job seen"))
        return lane

    @staticmethod
    def _missed(missing: Missing, what: str) -> Bar:
        start = missing.step.time
        words = f"{what} for {milliseconds(missing.ns / NS_PER_MS)}"
        return Bar(Form.MISSING if missing.over else Form.AWAITED, start, start + missing.ns, words)

    def _job(self, job: Job) -> Iterator[Lane]:
        agent = self.timeline.agent_of(job)
        number = agent_number(self.timeline, agent.sid) if agent else 0
        lane = Lane(job.sid, "job", f"job {plain(job.sid)}", plain(job.worker_id or ""), 0)
        first, started = job.at(Kind.JOB_OFFERED, Kind.JOB_RECEIVED), job.at(Kind.JOB_ENTRYPOINT_STARTED)
        missing = None if agent else self.missing.get(job.sid)
        if first and started and started.time >= first.time:
            took = "" if missing else f"{milliseconds((started.time - first.time) / NS_PER_MS)} to the entrypoint"
            lane.bars.append(Bar(Form.SPAN, first.time, started.time, took))
        elif first:
            lane.marks.append(Mark("offered", first.time))
        rejected = job.at(Kind.JOB_REJECTED)
        if rejected and not agent and not job.at(Kind.JOB_ASSIGNED):
            lane.marks.append(Mark("failed", rejected.time, say(self.timeline, rejected)[0]))
        shutdown, killed = job.at(Kind.JOB_SHUTDOWN), job.at(Kind.PROCESS_FAILED)
        if shutdown and killed and shutdown.time < killed.time and not (agent and _was_there(agent, killed.time)):
            took = f"{milliseconds((killed.time - shutdown.time) / NS_PER_MS)} of shutdown"
            lane.bars += [Bar(form, shutdown.time, killed.time, took) for form in (Form.SPAN, Form.FAILED)]
        for step in job.steps:
            if step.kind in _OF_JOB and has_failed(self.timeline, step):
                words = "job failed" if step.kind is Kind.JOB_ENDED else say(self.timeline, step)[0]
                lane.marks.append(Mark("failed", step.time, words))
        if missing:
            lane.bars.append(self._missed(missing, "no agent"))
        yield lane
        above = job.sid
        if agent:
            theirs = self._participant(self.stays[agent.sid])
            self._break(theirs, job)
            yield theirs
            above = theirs.id
        yield from self._spans(job, above, number)
        if agent:
            yield from self._tracks(self.stays[agent.sid])

    def _spans(self, job: Job, above: str, number: int) -> Iterator[Lane]:
        """What its agent does: it connects, waits for somebody, and runs sessions; each lane the same once more."""
        for name, begins, ends in _SPANS:
            lane = Lane(f"{job.sid} {name}", "span", name, "", number, above)
            for begin in (step for step in job.steps if step.kind in begins):
                later = (s for s in job.steps if s.kind in ends and s.occurrence == begin.occurrence)
                end = next((step for step in later if step.time >= begin.time), None)
                if end:
                    words = milliseconds((end.time - begin.time) / NS_PER_MS)
                    words += ", nobody" if end.kind is Kind.AGENT_WAIT_ENDED else ""
                    lane.bars.append(Bar(Form.SPAN, begin.time, end.time, words))
                else:
                    last = job.time(Kind.JOB_ENDED) or self.until
                    lane.bars.append(Bar(Form.JOINING, begin.time, last))
            if lane.bars:
                yield lane

    def _break(self, lane: Lane, job: Job) -> None:
        """From where the job had failed on, its agent's bar is broken until it left."""
        since = last_known_of(job, self.findings)
        for start, end in failed_stretches(self.timeline, job, self.findings):
            for left in _left_after(lane, start):
                until = left if end == FOREVER else end if left is None else min(end, left)
                lane.bars.append(Bar(Form.FAILED, start, until, "failed"))
                lane.marks.append(Mark("failed", start))
        if since is not None:
            lane.bars += [Bar(Form.UNKNOWN, since, left, "nothing reported") for left in _left_after(lane, since)]


def _began(participant: Participant) -> int:
    return participant.steps[0].time


def _was_there(participant: Participant, time: int) -> bool:
    return participant.gone is None or participant.gone.time > time


def _before_any(taken: set[str], participants: Iterable[Participant]) -> Iterator[Participant]:
    """Those that come before the first whose SID is taken."""
    return takewhile(lambda one: one.sid not in taken, participants)


def _is_over(stay: Participant, later: Participant) -> bool:
    """Whether this stay had ended when the other began."""
    return stay.gone is not None and stay.gone.time <= _began(later)


def _left_after(lane: Lane, time: int) -> list[int | None]:
    """When the stay ended, ns, in which that was or before which; nothing where they were gone for good."""
    return [end for end in lane.stays.values() if end is None or end > time][:1]


_STATES = (Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_JOINED, Kind.PARTICIPANT_ACTIVE)
_SESSION = "session"
"""Its bar is its agent's, once it has started."""
_SPANS = (
    ("room_connect", (Kind.AGENT_CONNECTING,), (Kind.AGENT_CONNECTED,)),
    (
        "wait_for_participant",
        (Kind.AGENT_WAITING_FOR_PARTICIPANT,),
        (Kind.AGENT_PARTICIPANT_READY, Kind.AGENT_WAIT_ENDED),
    ),
    ("session_start", (Kind.SESSION_STARTING,), (Kind.SESSION_STARTED,)),
    (_SESSION, (Kind.SESSION_STARTED,), (Kind.SESSION_CLOSED,)),
)
"""What an agent does, from which steps to which."""
_OF_JOB = {Kind.JOB_TIMED_OUT, Kind.PROCESS_FAILED, Kind.JOB_ENDED}
"""Failures of a job itself, whether its agent is in the room or not."""


def style_of(participant: Participant) -> str:
    """What a participant's lane is of: an agent and a caller are such, recorders and the like others."""
    return "agent" if participant.is_agent else "caller" if participant.is_caller else "other"
