"""Where the time goes: from what first asked for an agent to its being ready for its caller, without holes.

Each gap has an owner, and what can be done about it. Two gaps that follow each other share a step, so that they add up
to the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

from tracer import keys
from tracer.moment import NS_PER_MS, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracer.lives import Dispatch, Job, Participant, Room, Track
    from tracer.step import Step

__all__ = ["CREATED_TOGETHER", "Gap", "Owner", "first_job", "gaps", "longest_of_yours"]

CREATED_TOGETHER = 20 * NS_PER_MS
"""A room and what made it lie this close, ns: on a real server 0.7 ms for a dispatch and 2 ms for a caller."""


class Owner(StrEnum):
    """Who spends the time of a gap."""

    SERVER = "LiveKit server"
    """It collects workers' bids for 200 ms, assigns, and announces participants to each other."""
    WORKER = "worker"
    """livekit-agents in the worker process: it checks its load and hands the job to a process."""
    PROCESS = "process start"
    """A process is made for the job, or takes it over."""
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


@dataclass(frozen=True, slots=True)
class Gap:
    """The time between two steps on the way to a ready agent, and who spent it."""

    start: Step
    end: Step
    owner: Owner
    advice: str = ""
    """What can be done about it; empty where nothing can."""

    @property
    def ns(self) -> int:
        """Its length, ns."""
        return self.end.time - self.start.time


_IDLE = "keep processes warm: num_idle_processes, 1 or more, and more than the calls that come at once"
_SETUP = "make setup_fnc shorter, or keep processes warm so that nobody waits for it: num_idle_processes"
_NEAR = "run the agent near the LiveKit server, and see that media needs no fallback to TCP or TURN"
_SILENT = "have the caller publish a track as soon as they join: without one they are announced up to 3 s late"

_REQUEST = (
    (Kind.JOB_OFFERED, Owner.SERVER, ""),
    (Kind.JOB_RECEIVED, Owner.NETWORK, "run the worker near the LiveKit server"),
    (Kind.JOB_ACCEPTED, Owner.CODE, "answer at once in request_fnc: what takes long belongs into the entrypoint"),
    (Kind.JOB_ASSIGNED, Owner.SERVER, ""),
    (Kind.PROCESS_STARTED, Owner.PROCESS, _IDLE),
    (Kind.PROCESS_READY, Owner.CODE, _SETUP),
    (Kind.JOB_PROCESS_ASSIGNED, Owner.PROCESS, _IDLE),
    (Kind.JOB_ENTRYPOINT_STARTED, Owner.PROCESS, ""),
    (Kind.AGENT_CONNECTING, Owner.CODE, "connect first in the entrypoint, and do the rest afterwards"),
    (Kind.AGENT_CONNECTED, Owner.NETWORK, _NEAR),
)
"""A job's way into its room: each step, who spends the time before it, and what to do about it."""


def gaps(
    job: Job,
    room: Room,
    participants: Sequence[Participant],
    dispatches: Sequence[Dispatch],
    tracks: Sequence[Track],
) -> tuple[Gap, ...]:
    """A job's way, from what first asked for it, as far as it came."""
    way: list[tuple[Step | None, Owner, str]] = [
        (step, Owner.SERVER, "") for step in _first_causes(job, room, participants, dispatches, tracks)
    ]
    way += [(job.at(kind), owner, advice) for kind, owner, advice in _REQUEST]
    way += _meeting(job, participants, tracks)
    return tuple(_between(way))


def first_job(jobs: Sequence[Job]) -> Job | None:
    """The job that was asked for first, of those that came to run if any did."""
    begun = [job for job in jobs if job.at(Kind.JOB_ENTRYPOINT_STARTED)] or list(jobs)
    return min(begun, key=lambda job: (job.steps[0].time, job.sid), default=None)


def _first_causes(
    job: Job,
    room: Room,
    participants: Sequence[Participant],
    dispatches: Sequence[Dispatch],
    tracks: Sequence[Track],
) -> list[Step | None]:
    """What asked for a job: the room with its dispatch, a later dispatch, or the participant it is for."""
    mine = next((p for p in participants if p.sid == job.text(keys.JOB_PARTICIPANT_ID)), None)
    if mine:
        first = [s for t in tracks if t.participant == mine.sid and (s := t.at(Kind.TRACK_PUBLISHED))]
        published = min(first, key=lambda step: step.time, default=None)
        return [published if job.text(keys.JOB_TYPE) == "JT_PUBLISHER" else mine.at(Kind.PARTICIPANT_JOINING)]
    dispatch = next((d for d in dispatches if d.sid == job.dispatch_id), None)
    asked = dispatch.at(Kind.DISPATCH_CREATED) if dispatch else None
    together = room.created and (asked is None or abs(asked.time - room.created.time) <= CREATED_TOGETHER)
    return [room.created if together else None, asked]


def _between(way: list[tuple[Step | None, Owner, str]]) -> Iterator[Gap]:
    """The gaps between the steps that were seen; one that lies before the step it should follow is passed over."""
    seen: list[tuple[Step, Owner, str]] = []
    for step, owner, advice in way:
        if step and (not seen or step.time >= seen[-1][0].time):
            seen.append((step, owner, advice))
    for (before, *_), (after, owner, advice) in pairwise(seen):
        yield Gap(before, after, owner, advice)


def _meeting(
    job: Job, participants: Sequence[Participant], tracks: Sequence[Track]
) -> Iterator[tuple[Step | None, Owner, str]]:
    """From being in the room to being ready for the caller: waiting for them, and starting the session."""
    starting = job.at(Kind.SESSION_STARTING)
    waits = [step for step in job.steps if step.kind is Kind.AGENT_WAITING_FOR_PARTICIPANT]
    ends = {step.occurrence: step for step in job.steps if step.kind is Kind.AGENT_PARTICIPANT_READY}
    for waiting in waits:
        ready = ends.get(waiting.occurrence)
        if ready is None or (starting and waiting.time >= starting.time):  # the session's own wait is part of its start
            continue
        yield waiting, Owner.CODE, "wait for the participant as soon as you are connected"
        who = next((p for p in participants if p.sid == ready.facts.get(keys.PARTICIPANT_ID)), None)
        heard = (Owner.SERVER, "")
        if who:
            joining, active = who.at(Kind.PARTICIPANT_JOINING), who.at(Kind.PARTICIPANT_ACTIVE)
            if active and active.time <= ready.time:
                yield from _coming(waiting, joining, active)
                published = [s for t in tracks if t.participant == who.sid and (s := t.at(Kind.TRACK_PUBLISHED))]
                if active.time >= waiting.time and not any(step.earliest < ready.time for step in published):
                    heard = (Owner.SETTING, _SILENT)
        yield ready, *heard
    yield starting, Owner.CODE, "do what takes long before the call (setup_fnc), beside the rest, or after the greeting"
    yield (
        job.at(Kind.SESSION_STARTED),
        Owner.SESSION,
        "load models in setup_fnc; the spans below session_start say what takes long",
    )


def _coming(waiting: Step, joining: Step | None, active: Step) -> Iterator[tuple[Step | None, Owner, str]]:
    """The caller's coming, where the agent waits for it."""
    if joining and joining.time >= waiting.time:
        yield joining, Owner.CALLER, ""
    if active.time >= waiting.time:
        yield active, Owner.NETWORK, ""


def longest_of_yours(found: Sequence[Gap]) -> Gap | None:
    """The longest gap that the user can do something about; None where there is none of a millisecond or more."""
    theirs = [gap for gap in found if gap.advice and gap.ns >= NS_PER_MS]
    return max(theirs, key=lambda gap: gap.ns, default=None)
