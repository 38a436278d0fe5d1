"""What an entrypoint does and waits for until its agent is ready, and who spends that time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracer import keys
from tracer.latency.owner import Owner
from tracer.latency.request import first_published
from tracer.moment import Kind
from tracer.units import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.clocks.corrected import CorrectedStep, CorrectedTimeline
    from tracer.timeline.entities import Job, Participant

__all__ = ["Stretch", "stretches"]

PROMPT = 250 * NS_PER_MS
"""A track that is published this soon after its participant is ACTIVE, ns, is published as soon as they join."""


class Stretch(NamedTuple):
    """What the agent does or waits for between two steps."""

    start: CorrectedStep
    end: CorrectedStep
    owner: Owner


def stretches(corrected: CorrectedTimeline, job: Job) -> Iterator[Stretch]:
    """Session start, waits for the caller, and connecting; of two that are in one another, the outer first.

    What has begun and not ended is a stretch without a length.
    """
    at = {step.key: corrected.step(step) for step in job.steps}
    started = job.at(Kind.SESSION_STARTED)
    starting = next(
        (s for s in job.steps if s.kind is Kind.SESSION_STARTING and started and s.occurrence == started.occurrence),
        job.at(Kind.SESSION_STARTING),
    )
    if first := starting or started:
        yield Stretch(at[first.key], at[(started or first).key], Owner.SESSION)
    ends = {step.occurrence: step for step in job.steps if step.kind is Kind.AGENT_PARTICIPANT_READY}
    until = first or job.at(Kind.AGENT_PARTICIPANT_READY)  # without a session, who is heard of first is the caller
    for waiting in [step for step in job.steps if step.kind is Kind.AGENT_WAITING_FOR_PARTICIPANT]:
        heard = ends.get(waiting.occurrence)
        if until is None:
            yield Stretch(at[waiting.key], at[waiting.key], Owner.CALLER)
        elif heard and heard.time <= until.time:  # what the session itself waits for is part of its start
            yield from _waiting(corrected, job, at[waiting.key], at[heard.key])
    connecting, connected = job.at(Kind.AGENT_CONNECTING), job.at(Kind.AGENT_CONNECTED)
    if first := connecting or connected:
        yield from _connecting(corrected, job, at[first.key], at[(connected or first).key])


def _connecting(corrected: CorrectedTimeline, job: Job, start: CorrectedStep, end: CorrectedStep) -> Iterator[Stretch]:
    """Connecting: until JOINING, before any media, and after. Where JOINING was not seen, whose it is is unknown."""
    agent = corrected.timeline.agent_of(job)
    step = agent.at(Kind.PARTICIPANT_JOINING) if agent else None
    joining = corrected.step(step) if step else None
    if start.step is end.step:
        yield Stretch(start, end, Owner.NETWORK)
    elif joining is None or end.time - start.time < 2:
        yield Stretch(start, end, Owner.UNKNOWN)
    else:
        joining = joining.moved(min(max(joining.time, start.time + 1), end.time - 1))  # between the two by any clock
        yield Stretch(start, joining, Owner.WORKER)
        yield Stretch(joining, end, Owner.NETWORK)


def _waiting(corrected: CorrectedTimeline, job: Job, waiting: CorrectedStep, heard: CorrectedStep) -> Iterator[Stretch]:
    """A wait for a participant: until they join, are ACTIVE, and the agent has heard of them."""
    participants = corrected.timeline.participants
    who = next((p for p in participants if p.sid == heard.step.facts.get(keys.PARTICIPANT_ID)), None)
    before, missed = waiting, set[Owner]()
    for kind, owner in ((Kind.PARTICIPANT_JOINING, Owner.CALLER), (Kind.PARTICIPANT_ACTIVE, Owner.NETWORK)):
        step = who.at(kind) if who else None
        came = corrected.step(step) if step else None
        if came is None:
            missed.add(owner)
        elif came.time <= waiting.time:  # it took none of the agent's time, nor did what led to it
            missed.clear()
        else:
            came = came.moved(min(came.time, heard.time))
            yield Stretch(before, came, Owner.UNKNOWN if missed else owner)
            before, missed = came, set()
    if missed:
        yield Stretch(before, heard, Owner.UNKNOWN)
    elif who:
        yield from _hearing(corrected, job, who, before, heard)


def _hearing(
    corrected: CorrectedTimeline, job: Job, who: Participant, active: CorrectedStep, heard: CorrectedStep
) -> Iterator[Stretch]:
    """Until the agent hears of somebody who is ACTIVE: at once when they publish a track, else by their turn."""
    step = first_published(corrected.timeline, who.sid)
    published = corrected.step(step) if step else None
    announced = _announced(corrected, job, who)
    soon = heard.time - active.time <= PROMPT
    if published is None or (published.step.earliest if soon else published.time) >= heard.time:
        yield Stretch(active, heard, announced)
    elif soon or published.time - active.time <= PROMPT or announced is Owner.SERVER:
        yield Stretch(active, heard, Owner.SERVER)
    else:
        yield Stretch(active, published, announced)
        yield Stretch(published, heard, Owner.SERVER)


def _announced(corrected: CorrectedTimeline, job: Job, who: Participant) -> Owner:
    """Whose time it is until somebody who is ACTIVE and has no track is announced to the agent.

    The server has no reason to announce late who was there before the agent.
    """
    agent = corrected.timeline.agent_of(job)
    active, joining = who.at(Kind.PARTICIPANT_ACTIVE), agent.at(Kind.PARTICIPANT_JOINING) if agent else None
    if active is None or joining is None:
        return Owner.UNKNOWN
    if active.time <= joining.time:
        return Owner.SERVER
    reported = any("webhook" in step.witnesses for step in who.steps)  # only webhooks report tracks
    return Owner.SETTING if reported else Owner.UNKNOWN
