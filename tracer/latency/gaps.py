"""Where the time goes: from what first asked for an agent to its being ready for its caller, without holes.

Each gap has an owner, and what can be done about it. Two gaps that follow each other share a step, so that they add up
to the whole. What happens within something else counts as what it is itself: connecting within ``session.start()`` is
the network's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from tracer import keys
from tracer.clocks.corrected import CorrectedStep, CorrectedTimeline
from tracer.moment import NS_PER_MS, NS_PER_S, Kind
from tracer.timeline.fold import CREATED_TOGETHER
from tracer.timeline.step import merge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tracer.timeline.entities import Job, Participant
    from tracer.timeline.fold import Timeline
    from tracer.timeline.step import Step

__all__ = [
    "Gap",
    "Owner",
    "Ways",
    "advice",
    "first_job",
    "longest_of_yours",
    "ready",
]

OFFERED_WITHIN = NS_PER_S
"""A job that is offered later than this after the room, ns, was not asked for by the room: the server takes 0.2 s."""

AT_ONCE = 250 * NS_PER_MS
"""A track that is published this soon after its participant is ACTIVE, ns, is published as soon as they join."""


class Owner(StrEnum):
    """Who spends the time of a gap."""

    SERVER = "LiveKit server"
    """It collects workers' bids for 200 ms, assigns, and announces participants to each other."""
    WORKER = "worker"
    """livekit-agents in the worker process hands the job to a process that is ready."""
    PROCESS = "process start"
    """A process is made for the job, or takes it over; where nobody told of its ``setup_fnc``, with that."""
    CODE = "your code"
    """request_fnc, setup_fnc, the entrypoint."""
    NETWORK = "network"
    """Signalling and media between two machines."""
    SESSION = "session start"
    """livekit-agents starts the session, and the models their connections."""
    CALLER = "caller"
    """They are not there yet."""
    SETTING = "a setting"
    """A fixed wait that a setting, or how it is used, decides."""
    UNTOLD = "not told apart"
    """Several of the others: what lies between them was not seen."""


@dataclass(frozen=True, slots=True)
class Gap:
    """The time between two steps on the way to a ready agent, and who spent it."""

    start: Step
    end: Step
    owner: Owner
    doubtful: bool = False
    """Whether clocks that are proven to be apart told its two ends: its length is then what is left when they are set
    right by as much as is proven, and no figure."""

    @property
    def ns(self) -> int:
        """Its length, ns."""
        return self.end.time - self.start.time

    @property
    def advice(self) -> str:
        """What can be done about it; empty where nothing can."""
        return advice(self.owner, self.end.kind)


class _Link(NamedTuple):
    """A step on the way to the entrypoint, and who spends the time before it."""

    step: Step | None
    owner: Owner
    always: bool = True
    """Whether every job has it: where it was not seen, the time before the next is several owners'."""


class _Stretch(NamedTuple):
    """What the agent does or waits for between two steps."""

    start: CorrectedStep
    end: CorrectedStep
    owner: Owner


class _Mark(NamedTuple):
    """A step on the way, and who spent the time before it."""

    at: CorrectedStep
    owner: Owner


_ANSWER = "answer at once in request_fnc: what takes long belongs into the entrypoint"
_IDLE = "keep processes warm: num_idle_processes, 1 or more, and more than the calls that come at once"
_NEAR = "run the agent near the LiveKit server, and see that media needs no fallback to TCP or TURN"
_LOAD = "load models in setup_fnc; the spans below session_start say what takes long"
_SPEAK = "have the caller publish a track as soon as they join: without one they are announced up to 3 s late"
_OWN = {
    Kind.AGENT_CONNECTING: "connect first in the entrypoint, and do the rest afterwards",
    Kind.AGENT_WAITING_FOR_PARTICIPANT: "wait for the participant as soon as you are connected",
    Kind.SESSION_STARTING: "do what takes long before the call (setup_fnc), beside the rest, or after the greeting",
}
"""What to do about the entrypoint's own time, by what it ends with."""
_ADVICE: dict[tuple[str, Kind], str] = {
    (Owner.NETWORK, Kind.JOB_RECEIVED): _NEAR,
    (Owner.CODE, Kind.JOB_OFFERED): _ANSWER,
    (Owner.CODE, Kind.JOB_REJECTED): _ANSWER,
    (Owner.CODE, Kind.JOB_ACCEPTED): _ANSWER,
    (Owner.PROCESS, Kind.PROCESS_STARTED): _IDLE,
    (Owner.CODE, Kind.PROCESS_READY): (
        "make setup_fnc shorter, or keep processes warm so that nobody waits for it: num_idle_processes"
    ),
    (Owner.PROCESS, Kind.JOB_PROCESS_ASSIGNED): _IDLE,
    (Owner.NETWORK, Kind.AGENT_CONNECTED): _NEAR,
    (Owner.SETTING, Kind.TRACK_PUBLISHED): _SPEAK,
    (Owner.SETTING, Kind.AGENT_PARTICIPANT_READY): _SPEAK,
    **{(Owner.CODE, kind): text for kind, text in _OWN.items()},
    (Owner.SESSION, Kind.AGENT_CONNECTING): _LOAD,
    (Owner.SESSION, Kind.SESSION_STARTED): _LOAD,
}


def advice(owner: str, end: Kind) -> str:
    """What can be done about the time that this owner spends up to a step of this kind; empty where nothing can."""
    return _ADVICE.get((owner, end), "")


class Ways:
    """The ways of a room's jobs to their being ready."""

    def __init__(self, timeline: Timeline) -> None:
        self.right = CorrectedTimeline(timeline)

    @cached_property
    def first(self) -> tuple[Gap, ...]:
        """The way of the job that was asked for first; nothing where there is no job."""
        job = first_job(self.right.timeline.jobs)
        return self.of(job) if job else ()

    def of(self, job: Job) -> tuple[Gap, ...]:
        """A job's way, from what first asked for it, as far as it came."""
        return _gaps(job, self.right)


def _gaps(job: Job, right: CorrectedTimeline) -> tuple[Gap, ...]:
    timeline = right.timeline
    stretches = list(_entrypoint(job, right))
    links = [*_first_causes(job, timeline), *_request(job)]
    if not stretches and (agent := timeline.agent_of(job)):  # it came, and did not tell how
        links.append(_Link(agent.at(Kind.PARTICIPANT_JOINING), Owner.UNTOLD))
        links.append(_Link(agent.at(Kind.PARTICIPANT_ACTIVE), Owner.NETWORK))
    seen, missed = _seen(links, right)
    if not job.at(Kind.AGENT_CONNECTING, Kind.AGENT_CONNECTED):
        missed.add(Owner.NETWORK)
    marks = [*seen, *_inside(stretches, missed)]
    way = pairwise(zip(_in_order([mark.at for mark in marks]), marks, strict=True))
    return tuple(Gap(before.step, after.step, mark.owner, before.doubtful(after)) for (before, _), (after, mark) in way)


def ready(job: Job) -> Step | None:
    """When the agent was ready for its caller; None where it never was, or that cannot be told.

    That is when its session had started. An agent that has none, and whose entrypoint returned, was ready when it had
    its caller or, where it waits for nobody, when it was connected.
    """
    started = job.at(Kind.SESSION_STARTED)
    if started or job.at(Kind.SESSION_STARTING) or not job.at(Kind.JOB_ENTRYPOINT_RETURNED):
        return started
    return job.at(Kind.AGENT_PARTICIPANT_READY) or (
        None if job.at(Kind.AGENT_WAITING_FOR_PARTICIPANT) else job.at(Kind.AGENT_CONNECTED)
    )


def first_job(jobs: Sequence[Job]) -> Job | None:
    """The job that was asked for first, of those that came to run if any did."""
    begun = [job for job in jobs if job.at(Kind.JOB_ENTRYPOINT_STARTED)] or list(jobs)
    return min(begun, key=lambda job: ((job.at(Kind.JOB_OFFERED) or job.steps[0]).time, job.sid), default=None)


def longest_of_yours(found: Iterable[Gap]) -> Gap | None:
    """The longest gap that the user can do something about; None where there is none of a millisecond or more."""
    theirs = [gap for gap in found if gap.advice and gap.ns >= NS_PER_MS and not gap.doubtful]
    return max(theirs, key=lambda gap: gap.ns, default=None)


def _seen(links: Iterable[_Link], right: CorrectedTimeline) -> tuple[list[_Mark], set[Owner]]:
    """The steps that were seen, each with who spent the time before it; and who did after the last that was seen."""
    found: list[_Mark] = []
    missed: set[Owner] = set()
    for step, owner, always in links:
        if step:
            found.append(_Mark(right.placed(step), owner if missed <= {owner} else Owner.UNTOLD))
            missed = set()
        elif always:
            missed.add(owner)
    return found, missed


def _inside(stretches: list[_Stretch], missed: set[Owner]) -> Iterator[_Mark]:
    """The steps in the entrypoint, each with who spent the time before it: the innermost of what went on, or the code.

    ``missed`` are who spent the time up to the entrypoint, where that was not seen.
    """
    ends = [placed for stretch in stretches for placed in (stretch.start, stretch.end)]
    marks = sorted({id(placed): placed for placed in ends}.values(), key=lambda at: (at.time, at.step.kind.rank))
    place = {id(at): n for n, at in enumerate(marks)}
    for n, at in enumerate(marks):
        kind = at.step.kind
        going_on = [s for s in stretches if place[id(s.start)] < n <= place[id(s.end)]]
        unended = n > 0 and marks[n - 1].step.kind is Kind.AGENT_CONNECTING
        if going_on:
            yield _Mark(at, going_on[-1].owner)
        elif kind not in _OWN or unended or (n == 0 and missed - {Owner.CODE}):
            yield _Mark(at, Owner.UNTOLD)
        else:
            yield _Mark(at, Owner.CODE)
        if kind is Kind.SESSION_STARTED:
            return


def _in_order(way: Sequence[CorrectedStep]) -> list[CorrectedStep]:
    """None before the one that it follows: as far as a step's interval allows it gives way to the next, else to that.

    A cause whose time is not sure, as that of a webhook, is moved to its effect, and not the effect to the cause.
    """
    times = [placed.time for placed in way]
    for n in reversed(range(len(way) - 1)):
        times[n] = min(times[n], max(times[n + 1], way[n].step.earliest))
    for n in range(1, len(way)):
        times[n] = max(times[n], times[n - 1])
    return [placed.moved(time) for placed, time in zip(way, times, strict=True)]


def _first_causes(job: Job, timeline: Timeline) -> Iterator[_Link]:
    """What asked for a job: the room with its dispatch, a later dispatch, or the participant it is for.

    Nothing, where it was not seen: what was long before did not ask for it.
    """
    dispatch, created = timeline.dispatch_of(job), timeline.room.created
    asked = dispatch.at(Kind.DISPATCH_CREATED) if dispatch else None
    mine = job.text(keys.JOB_PARTICIPANT_ID)
    if mine:
        who = next((p for p in timeline.participants if p.sid == mine), None)
        published = job.text(keys.JOB_TYPE) == "JT_PUBLISHER"
        joining = who.at(Kind.PARTICIPANT_JOINING) if who else None
        came = _first_published(timeline, mine) if published else joining
        yield _Link(asked if came and asked and asked.time > came.time else came, Owner.SERVER, always=False)
        return
    until = asked or job.at(Kind.JOB_OFFERED)
    within = CREATED_TOGETHER if asked else OFFERED_WITHIN
    if created and until and abs(until.time - created.time) <= within:
        yield _Link(created, Owner.SERVER, always=False)
    yield _Link(asked, Owner.SERVER, always=False)


def _request(job: Job) -> Iterator[_Link]:
    """From the server's offer to the entrypoint; first come the workers that were asked before the one that took it."""
    given = job.at(Kind.JOB_ASSIGNED, Kind.JOB_PROCESS_ASSIGNED, Kind.JOB_ENTRYPOINT_STARTED)
    taker = str((given.facts if given else {}).get(keys.WORKER_ID, job.worker_id or ""))
    told = {(step.kind, step.occurrence): step for step in job.steps}
    asked = [step.occurrence for step in job.steps if step.kind is Kind.JOB_RECEIVED]
    if asked and taker not in asked:
        taker = asked[-1]
    offers = _offers(job)
    asks = Owner.SERVER
    for worker in asked:
        if worker != taker and worker in offers:
            refused = told.get((Kind.JOB_REJECTED, worker))
            full = refused is not None and refused.facts.get(keys.JOB_ANSWER) in ("full", "draining")
            yield _Link(offers[worker], asks)
            yield _Link(told[Kind.JOB_RECEIVED, worker], Owner.NETWORK)
            yield _Link(refused, Owner.WORKER if full else Owner.CODE, always=False)
            asks = Owner.SERVER if refused else Owner.CODE  # until the server no longer waits for an answer
    yield _Link(offers.get(taker) if taker else job.at(Kind.JOB_OFFERED), asks)
    yield _Link(told.get((Kind.JOB_RECEIVED, taker)), Owner.NETWORK)
    yield _Link(told.get((Kind.JOB_ACCEPTED, taker)), Owner.CODE)
    assigned = job.at(Kind.JOB_ASSIGNED)
    yield _Link(assigned, Owner.SERVER)
    # A process can have been on its way before the job came.
    setup, up = (
        step if (step := job.at(kind)) and assigned and step.time >= assigned.time else None
        for kind in (Kind.PROCESS_STARTED, Kind.PROCESS_READY)
    )
    yield _Link(setup, Owner.PROCESS, always=False)
    yield _Link(up, Owner.CODE, always=False)
    yield _Link(job.at(Kind.JOB_PROCESS_ASSIGNED), Owner.WORKER if up else Owner.PROCESS)
    yield _Link(job.at(Kind.JOB_ENTRYPOINT_STARTED), Owner.PROCESS)


def _offers(job: Job) -> dict[str, Step]:
    """For each worker when the job was offered to it; an offer of which nobody said to whom was to the last."""
    offered = job.at(Kind.JOB_OFFERED)
    if offered is None:
        return {}
    to = [str(dict(moment.facts).get(keys.WORKER_ID, job.worker_id or "")) for moment in offered.told]
    if len(set(to)) == 1:
        return {to[0]: offered}
    return {
        worker: merge(moment for moment, other in zip(offered.told, to, strict=True) if other == worker)[0]
        for worker in set(to)
    }


def _entrypoint(job: Job, right: CorrectedTimeline) -> Iterator[_Stretch]:
    """What the entrypoint does and waits for until the agent is ready; of two that are in one another, the outer first.

    What has begun and not ended is a stretch without a length.
    """
    at = {id(step): right.placed(step) for step in job.steps}
    started = job.at(Kind.SESSION_STARTED)
    starting = next(
        (s for s in job.steps if s.kind is Kind.SESSION_STARTING and started and s.occurrence == started.occurrence),
        job.at(Kind.SESSION_STARTING),
    )
    if first := starting or started:
        yield _Stretch(at[id(first)], at[id(started or first)], Owner.SESSION)
    ends = {step.occurrence: step for step in job.steps if step.kind is Kind.AGENT_PARTICIPANT_READY}
    until = first or job.at(Kind.AGENT_PARTICIPANT_READY)  # without a session, who is heard of first is the caller
    for waiting in [step for step in job.steps if step.kind is Kind.AGENT_WAITING_FOR_PARTICIPANT]:
        heard = ends.get(waiting.occurrence)
        if until is None:
            yield _Stretch(at[id(waiting)], at[id(waiting)], Owner.CALLER)
        elif heard and heard.time <= until.time:  # what the session itself waits for is part of its start
            yield from _coming(at[id(waiting)], at[id(heard)], job, right)
    connecting, connected = job.at(Kind.AGENT_CONNECTING), job.at(Kind.AGENT_CONNECTED)
    if first := connecting or connected:
        yield _Stretch(at[id(first)], at[id(connected or first)], Owner.NETWORK)


def _coming(waiting: CorrectedStep, heard: CorrectedStep, job: Job, right: CorrectedTimeline) -> Iterator[_Stretch]:
    """A wait for a participant: until they come, are ACTIVE, and the agent has heard of them."""
    who = next((p for p in right.timeline.participants if p.sid == heard.step.facts.get(keys.PARTICIPANT_ID)), None)
    before, missed = waiting, set[Owner]()
    for kind, owner in ((Kind.PARTICIPANT_JOINING, Owner.CALLER), (Kind.PARTICIPANT_ACTIVE, Owner.NETWORK)):
        step = who.at(kind) if who else None
        placed = right.placed(step) if step else None
        if placed is None:
            missed.add(owner)
        elif placed.time <= waiting.time:  # it took none of the agent's time, nor did what led to it
            missed.clear()
        else:
            placed = placed.moved(min(placed.time, heard.time))
            yield _Stretch(before, placed, Owner.UNTOLD if missed else owner)
            before, missed = placed, set()
    if missed:
        yield _Stretch(before, heard, Owner.UNTOLD)
    elif who:
        yield from _hearing(before, heard, who, job, right)


def _hearing(
    active: CorrectedStep, heard: CorrectedStep, who: Participant, job: Job, right: CorrectedTimeline
) -> Iterator[_Stretch]:
    """Until the agent hears of somebody who is ACTIVE: at once when they publish a track, else by their turn."""
    step = _first_published(right.timeline, who.sid)
    published = right.placed(step) if step else None
    soon = heard.time - active.time <= AT_ONCE
    if published and (published.step.earliest if soon else published.time) < heard.time:
        if soon or published.time - active.time <= AT_ONCE or _announced(who, job, right) is Owner.SERVER:
            yield _Stretch(active, heard, Owner.SERVER)
        else:
            yield _Stretch(active, published, _announced(who, job, right))
            yield _Stretch(published, heard, Owner.SERVER)
    else:
        yield _Stretch(active, heard, _announced(who, job, right))


def _announced(who: Participant, job: Job, right: CorrectedTimeline) -> Owner:
    """Whose time it is until somebody who is ACTIVE and has no track is announced to the agent.

    The server has no reason to announce late who was there before the agent.
    """
    timeline = right.timeline
    agent = timeline.agent_of(job)
    active, joining = who.at(Kind.PARTICIPANT_ACTIVE), agent.at(Kind.PARTICIPANT_JOINING) if agent else None
    if active is None or joining is None:
        return Owner.UNTOLD
    if right.placed(active).time <= right.placed(joining).time:
        return Owner.SERVER
    told = any("webhook" in step.witnesses for step in who.steps)  # only webhooks tell of tracks
    return Owner.SETTING if told else Owner.UNTOLD


def _first_published(timeline: Timeline, sid: str | None) -> Step | None:
    """When a participant first published a track."""
    steps = [s for t in timeline.tracks if t.participant == sid and (s := t.at(Kind.TRACK_PUBLISHED))]
    return min(steps, key=lambda step: step.time, default=None)
