"""The life of one room, folded from its moments. Pure: no clock, no store, no view."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from tracer import ids, keys
from tracer.moment import NS_PER_MS, NS_PER_S, Kind
from tracer.timeline.entities import Dispatch, Entity, Job, Participant, Room, Track, Worker
from tracer.timeline.precedence import must_precede
from tracer.timeline.step import Step, merge
from tracer.timeline.trace_jobs import joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tracer.moment import Moment

__all__ = ["BY_API", "CREATED_TOGETHER", "LONG_SHUTDOWN", "Timeline", "fold"]

CREATED_TOGETHER = 20 * NS_PER_MS
"""A room and what made it lie this close, ns: on a real server 0.7 ms for a dispatch and 2 ms for a caller."""
LONG_AFTER = 200 * NS_PER_MS
"""A join that comes this long after a room, ns, did not make it: the one that does is a few ms after it."""
NO_SHUTDOWN = 30 * NS_PER_S
"""A job learns at once that its room has closed; one that has not begun to shut down after this, ns, does not live."""
LONG_SHUTDOWN = 330 * NS_PER_S
"""A job that is shutting down may take this long, ns: livekit-agents gives ``on_session_end`` alone 300 s."""
BEFORE = 10 * NS_PER_S
"""What a worker told this long before a room, ns, is shown with it."""
BY_API = "an API call"
"""What made a room that nobody's join made."""


@dataclass(frozen=True)
class Timeline:
    """Everything known of one room."""

    room: Room
    participants: tuple[Participant, ...] = ()
    dispatches: tuple[Dispatch, ...] = ()
    jobs: tuple[Job, ...] = ()
    tracks: tuple[Track, ...] = ()
    steps: tuple[Step, ...] = ()
    """Everything that happened, in order."""
    workers: tuple[Worker, ...] = ()
    """Workers that told of themselves until the room's end, whether they served it or not."""
    now: int = 0
    """Until when is told, ns since the epoch: what has not happened by then is missing."""
    earlier: Timeline | None = None
    """The room of this name before this one, where whoever made the timeline looked for it."""
    later: Timeline | None = None
    """The room of this name after this one."""
    created_by: str | None = None
    """Whose join or which call made the room, where it can be told."""
    end_reason: str | None = None
    """Why the room ended, where it can be told."""
    by_sid: Mapping[str, Entity] = field(default_factory=dict)
    """Every subject by its SID or id."""

    @property
    def zero(self) -> int:
        """What offsets are counted from: the room's creation or, if nobody saw it, the first step; ns."""
        created = self.room.created
        return created.time if created else min((step.time for step in self.steps), default=0)

    @property
    def trace_id(self) -> str:
        """The room's trace in Jaeger, 32 hexadecimal digits."""
        return f"{ids.trace_id(self.room.sid):032x}"

    def dispatch_of(self, job: Job) -> Dispatch | None:
        """The dispatch a job answers."""
        return next((d for d in self.dispatches if d.sid == job.dispatch_id), None)

    def lost(self, job: Job) -> int | None:
        """When a job must be taken for lost, ns: it began, and its end will not be told. None for any other."""
        if job.begun is None or self._ended(job):
            return None
        if failed := job.at(Kind.PROCESS_FAILED):
            return failed.time
        finished = self.room.finished
        patience = LONG_SHUTDOWN if job.at(Kind.JOB_SHUTDOWN) else NO_SHUTDOWN
        if finished is None or self.now - finished.time < patience:
            return None
        return max(finished.time, job.steps[-1].time)

    def is_open(self, job: Job) -> bool:
        """Whether a job began and has neither ended nor been lost."""
        return job.begun is not None and not self._ended(job) and self.lost(job) is None

    def open_jobs(self) -> list[Job]:
        """Jobs that began and have neither ended nor been lost."""
        return [job for job in self.jobs if self.is_open(job)]

    @staticmethod
    def _ended(job: Job) -> bool:
        """Whether a job's end was told, by itself or by the server; which calls it failed as soon as its agent left."""
        ended = job.at(Kind.JOB_ENDED)
        return ended is not None and ("agent" in ended.witnesses or ended.facts.get(keys.JOB_STATUS) != "JS_FAILED")

    @cached_property
    def callers(self) -> list[Participant]:
        """Those an agent can be meant for, in the order in which they came."""
        return sorted((p for p in self.participants if p.is_caller), key=lambda p: (p.steps[0].time, p.sid))

    @cached_property
    def agents(self) -> list[Participant]:
        """Agents that were in the room, avatars included."""
        return [p for p in self.participants if p.is_agent]

    def agent_of(self, job: Job) -> Participant | None:
        """The participant a job became; None while it is not in the room."""
        return self.agent_by_job.get(job.sid)

    @cached_property
    def agent_by_job(self) -> Mapping[str, Participant]:
        """For each job's id the participant it became; of several agents with its identity, the first."""
        by_sid = {agent.sid: agent for agent in self.agents}
        by_identity = {agent.identity: agent for agent in reversed(self.agents) if agent.identity}
        found = {}
        for job in self.jobs:
            connected = job.at(Kind.AGENT_CONNECTED)
            sid = str(connected.facts.get(keys.PARTICIPANT_ID)) if connected else ""
            # Without personal data nobody has an identity, and only the SID counts.
            agent = by_sid.get(sid) or by_identity.get(job.participant_identity)
            if agent:
                found[job.sid] = agent
        return found


def fold(room: str, moments: Iterable[Moment], *, workers: Iterable[Moment] = (), now: int | None = None) -> Timeline:
    """The life of the room with this SID. The order and repetition of the moments change nothing.

    ``workers`` is what workers told of themselves; ``now`` until when was looked, ns since the epoch: by default
    the last moment.
    """
    moments = set(moments)
    now = max((moment.time for moment in moments), default=0) if now is None else now
    merged = merge(_attempts(joined(moments)))
    known_workers = _workers(workers)
    steps = _in_order([*merged, *_beside(merged, known_workers, now)])
    grouped: dict[str, list[Step]] = defaultdict(list)
    for step in steps:
        grouped[step.subject].append(step)

    def lives(prefix: str) -> list[tuple[str, tuple[Step, ...]]]:
        return [(sid, tuple(own)) for sid, own in grouped.items() if sid.startswith(prefix)]

    room_life = Room(room, tuple(grouped.get(room, ())))
    participants = tuple(Participant(sid, own) for sid, own in lives("PA_"))
    jobs = tuple(Job(sid, own) for sid, own in lives("AJ_"))
    created_by = _created_by(room_life, participants)
    dispatches = _dispatches(dict(lives("AD_")), jobs, room_life, created_by)
    tracks = tuple(Track(sid, own) for sid, own in lives("TR_"))
    return Timeline(
        room=room_life,
        participants=participants,
        dispatches=dispatches,
        jobs=jobs,
        tracks=tracks,
        steps=tuple(steps),
        workers=known_workers,
        now=now,
        created_by=created_by,
        end_reason=_end_reason(room_life, participants),
        by_sid={life.sid: life for life in (*known_workers, room_life, *participants, *jobs, *dispatches, *tracks)},
    )


def _attempts(moments: list[Moment]) -> Iterator[Moment]:
    """The moments; of several times that a job began to connect, the last is the one, and the others occurrences."""
    last: dict[str, Moment] = {}
    for moment in moments:
        if moment.kind is Kind.AGENT_CONNECTING and moment.witness == "agent":
            before = last.get(moment.subject, moment)
            last[moment.subject] = max(before, moment, key=lambda m: m.earliest)
    for moment in moments:
        earlier = moment.kind is Kind.AGENT_CONNECTING and moment.witness == "agent" and not moment.occurrence
        if earlier and moment.latest < last[moment.subject].earliest:
            yield replace(moment, occurrence=str(moment.time))
        else:
            yield moment


def _workers(moments: Iterable[Moment]) -> tuple[Worker, ...]:
    grouped: dict[str, list[Step]] = defaultdict(list)
    for step in _in_order(merge(moments)):
        grouped[step.subject].append(step)
    return tuple(Worker(sid, tuple(own)) for sid, own in grouped.items())


def _beside(room: list[Step], workers: tuple[Worker, ...], now: int) -> list[Step]:
    """What workers told while the room was there, of those that served it or could have."""
    times = [step.time for step in room]
    ends = [step.time for step in room if step.kind is Kind.ROOM_FINISHED]
    if not times:
        return []
    served = {str(step.facts.get(keys.WORKER_ID)) for step in room}
    named = {step.facts.get(keys.AGENT_NAME) for step in room if step.kind is Kind.DISPATCH_CREATED}
    first, last = min(times) - BEFORE, min(ends) if ends else now
    return [
        step
        for worker in workers
        if worker.sid in served or worker.agent_name in named
        for step in worker.steps
        if first <= step.time <= last
    ]


def _in_order(steps: list[Step]) -> list[Step]:
    """By time; where the intervals leave it open, in causal order."""
    pairs = [pair for pair in must_precede(steps) if pair[0].earliest <= pair[1].latest]
    at = _times(steps, pairs)
    # Where even so the time is the same, a cause comes first and then what is defined first in Kind.
    place = {id(step): (step.kind.rank, 0) for step in steps}
    tied = [pair for pair in pairs if at[id(pair[0])] == at[id(pair[1])]]
    for _ in _until_settled(place):
        for cause, effect in tied:
            rank, after = place[id(cause)]
            place[id(effect)] = max(place[id(effect)], (rank, after + 1))
    steps.sort(key=lambda step: (at[id(step)], place[id(step)], step.kind.rank, step.subject, step.occurrence))
    return [step if step.time == at[id(step)] else replace(step, time=at[id(step)]) for step in steps]


def _times(steps: list[Step], pairs: list[tuple[Step, Step]]) -> dict[int, int]:
    """The most likely time of each step, by its ``id()``.

    Moved within its interval, and only as far as its causes and effects demand: first down to what must come after
    it, then up to what must come before it.
    """
    latest = {id(step): step.latest for step in steps}
    for _ in _until_settled(latest):
        for cause, effect in pairs:
            latest[id(cause)] = max(min(latest[id(cause)], latest[id(effect)]), cause.earliest)
    at = {id(step): min(step.time, latest[id(step)]) for step in steps}
    for _ in _until_settled(at):
        for cause, effect in pairs:
            at[id(effect)] = max(at[id(effect)], min(at[id(cause)], effect.latest))
    return at


def _until_settled(values: Mapping[int, object]) -> Iterator[None]:
    """Again until a round changes nothing.

    Each carries a change one link further at least, and no chain of causes is longer than the kinds there are.
    """
    for _ in Kind:
        before = dict(values)
        yield
        if values == before:
            break


def _dispatches(
    told: dict[str, tuple[Step, ...]], jobs: tuple[Job, ...], room: Room, created_by: str | None
) -> tuple[Dispatch, ...]:
    """The dispatches that were seen, and those known only from their jobs."""
    answered: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        if job.dispatch_id:
            answered[job.dispatch_id].append(job)
    seen = [Dispatch(sid, told.get(sid, ())) for sid in dict.fromkeys([*told, *answered])]
    automatic = any(d.agent_name == "" and (_after_room(d, room) or 0) <= LONG_AFTER for d in seen)
    return tuple(
        Dispatch(
            dispatch.sid,
            dispatch.steps,
            tuple(job.sid for job in answered[dispatch.sid]),
            _mode(dispatch, room, automatic=automatic, created_by=created_by),
        )
        for dispatch in seen
    )


def _after_room(dispatch: Dispatch, room: Room) -> int | None:
    """How long after the room the dispatch was made, ns."""
    created = dispatch.at(Kind.DISPATCH_CREATED)
    return created.time - room.created.time if created and room.created else None


def _mode(dispatch: Dispatch, room: Room, *, automatic: bool, created_by: str | None) -> str | None:
    """How a dispatch came about. The server does not say; it follows from its name, its time, and its company.

    A room that names its agents, in the token or in CreateRoom, gets no unnamed dispatch. One that names none gets
    it within a millisecond; a named one beside it then came by CreateDispatch.
    """
    after = _after_room(dispatch, room)
    if after is None or dispatch.agent_name is None:
        return None
    if after > LONG_AFTER:
        return "explicit"
    if not dispatch.agent_name:
        return "automatic"
    if automatic:
        return "explicit"
    if created_by is None or after > CREATED_TOGETHER:
        return None
    return "room" if created_by == BY_API else "token"


def _created_by(room: Room, participants: tuple[Participant, ...]) -> str | None:
    """Whose join made the room; an API call, where nobody joined for long; None in between."""
    if not room.created:
        return None
    joins = [(step.earliest, p) for p in participants if not p.is_agent and (step := p.at(Kind.PARTICIPANT_JOINING))]
    first = min(joins, key=lambda join: (join[0], join[1].sid), default=None)
    # That nobody joined can be said only where the API was watched from the start: webhooks get lost.
    watched = room.facts.get(keys.ROOM_WATCHED) is True
    if first is None:
        return BY_API if watched and participants and room.finished else None
    after = first[0] - room.created.earliest
    if 0 <= after <= CREATED_TOGETHER:
        return f"{first[1].identity or first[1].sid}'s join"
    return BY_API if watched and after > LONG_AFTER else None


def _end_reason(room: Room, participants: tuple[Participant, ...]) -> str | None:
    if not room.finished:
        return None
    told = room.text(keys.ROOM_END_REASON)
    if told:
        return told.removeprefix("ROOM_END_").lower().replace("_", " ")
    reasons = {p.disconnect_reason for p in participants}
    if "ROOM_DELETED" in reasons:
        return "deleted"
    # Each timeout is the time from the last leave of anyone but an agent to the end; agents keep no room open.
    leaves = [p.gone for p in participants if p.gone and not p.is_agent]
    key, since = (
        (keys.ROOM_DEPARTURE_TIMEOUT, max(leaves, key=lambda step: step.time))
        if leaves
        else (keys.ROOM_EMPTY_TIMEOUT, room.created)
    )
    timeout = room.facts.get(key)
    if not isinstance(timeout, int) or since is None:
        return None
    # The server looks every second, and a leave can be uncertain by one.
    late = (room.finished.time - since.time) / 1e9 - timeout
    if not -1.5 <= late <= 2.5:
        return None
    return "departure timeout" if leaves else "empty timeout"
