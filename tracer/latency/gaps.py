"""Where the time goes: from what first asked for an agent to its being ready for its caller, without a break.

Two gaps that follow each other share a step, so that they add up to the whole. What happens within something else
counts as what it is itself: connecting within ``session.start()`` is connecting.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from tracer.clocks.corrected import CorrectedStep, CorrectedTimeline, by_servers_clock
from tracer.latency.entrypoint import Stretch, stretches
from tracer.latency.owner import Owner, advice
from tracer.latency.request import PathStep, request
from tracer.moment import Kind
from tracer.timeline.entities import Job

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["Gap", "Paths", "first_cause", "first_job", "ready", "whole"]

_AFTER_CODE = (Kind.AGENT_CONNECTING, Kind.AGENT_WAITING_FOR_PARTICIPANT, Kind.SESSION_STARTING)
"""What the entrypoint does by itself: the time before it, where nothing else goes on, is the user's code."""


@dataclass(frozen=True, slots=True)
class Gap:
    """The time between two steps on the path to a ready agent, and who spent it."""

    start: Step
    """By the server's clock, as is the end."""
    end: Step
    owner: Owner
    doubtful: bool = False
    """Whether its ends are by clocks that are proven to be apart: its length is then what is left when they are
    corrected by as much as is proven, and no figure."""

    @property
    def ns(self) -> int:
        """Its length, ns."""
        return self.end.time - self.start.time

    @property
    def advice(self) -> str:
        """What can be done about it; empty where nothing can."""
        return advice(self.owner, self.end.kind)


class Paths:
    """The paths of a room's jobs to their being ready."""

    def __init__(self, timeline: Timeline) -> None:
        self.corrected = by_servers_clock(timeline)

    @cached_property
    def first(self) -> tuple[Gap, ...]:
        """The path of the job that was asked for first; nothing where there is no job."""
        job = first_job(self.corrected.timeline.jobs)
        return self.of(job) if job else ()

    @cached_property
    def ready_after(self) -> int | None:
        """From what first asked for that job to its agent's being ready, ns; None where it was not, or is not known."""
        job = first_job(self.corrected.timeline.jobs)
        return whole(job, self.first) if job and self.ready(job) else None

    def ready(self, job: Job) -> Step | None:
        """When the agent was ready in this room: not once that was over, for then it was in the next of its name."""
        at, over = ready(job), self.corrected.timeline.room.finished
        if at is None or over is None:
            return at
        end, now = self.corrected.step(over), self.corrected.step(at)
        return None if end.time < now.time and not end.doubtful(now) else at

    def of(self, job: Job) -> tuple[Gap, ...]:
        """A job's path, from what first asked for it, as far as it came."""
        own = self.corrected.timeline.by_sid.get(job.sid)  # as corrected
        return _gaps(self.corrected, own if isinstance(own, Job) else job)


def ready(job: Job) -> Step | None:
    """When the agent was ready for its caller; None where it never was, or that is not known.

    That is when its session had started. An agent that has none, and whose entrypoint returned, was ready when it had
    its caller or, where it waits for nobody, when it was connected.
    """
    started = job.at(Kind.SESSION_STARTED)
    if started or job.at(Kind.SESSION_STARTING) or not job.at(Kind.JOB_ENTRYPOINT_RETURNED):
        return started
    return job.at(Kind.AGENT_PARTICIPANT_READY) or (
        None if job.at(Kind.AGENT_WAITING_FOR_PARTICIPANT) else job.at(Kind.AGENT_CONNECTED)
    )


def first_cause(job: Job, gaps: Sequence[Gap]) -> Step | None:
    """What first asked for a job, whose path this is; None where that was not seen."""
    return gaps[0].start if gaps and gaps[0].start.subject != job.sid else None


def whole(job: Job, gaps: Sequence[Gap]) -> int | None:
    """From that to the end of its path, ns; None where it was not seen, or clocks are apart."""
    doubtful = any(gap.doubtful for gap in gaps)
    return sum(gap.ns for gap in gaps) if first_cause(job, gaps) and not doubtful else None


def first_job(jobs: Sequence[Job]) -> Job | None:
    """The job that was asked for first, of those that came to run if any did."""
    begun = [job for job in jobs if job.at(Kind.JOB_ENTRYPOINT_STARTED)] or list(jobs)
    return min(begun, key=lambda job: ((job.at(Kind.JOB_OFFERED) or job.steps[0]).time, job.sid), default=None)


class _Mark(NamedTuple):
    """A step on the path, and who spent the time before it."""

    at: CorrectedStep
    owner: Owner


def _gaps(corrected: CorrectedTimeline, job: Job) -> tuple[Gap, ...]:
    inside = list(stretches(corrected, job))
    steps = list(request(corrected.timeline, job))
    if not inside and (agent := corrected.timeline.agent_of(job)):  # it came, and did not report how
        steps.append(PathStep(agent.at(Kind.PARTICIPANT_JOINING), Owner.UNKNOWN))
        steps.append(PathStep(agent.at(Kind.PARTICIPANT_ACTIVE), Owner.NETWORK))
    seen, missed = _seen(corrected, steps)
    if not job.at(Kind.AGENT_CONNECTING, Kind.AGENT_CONNECTED):
        missed.add(Owner.NETWORK)
    marks = [*seen, *_inside(inside, missed)]
    path = pairwise(zip(_in_order([mark.at for mark in marks]), marks, strict=True))
    return tuple(Gap(start.step, end.step, mark.owner, start.doubtful(end)) for (start, _), (end, mark) in path)


def _seen(corrected: CorrectedTimeline, steps: Iterable[PathStep]) -> tuple[list[_Mark], set[Owner]]:
    """The steps that were seen, each with who spent the time before it; and who did after the last that was seen."""
    found: list[_Mark] = []
    missed: set[Owner] = set()
    for step, owner, always in steps:
        if step:
            found.append(_Mark(corrected.step(step), owner if missed <= {owner} else Owner.UNKNOWN))
            missed = set()
        elif always:
            missed.add(owner)
    return found, missed


def _inside(found: list[Stretch], missed: set[Owner]) -> Iterator[_Mark]:
    """The steps in the entrypoint, each with who spent the time before it: the innermost of what went on, or the code.

    ``missed`` are who spent the time up to the entrypoint, where that was not seen.
    """

    def identity(at: CorrectedStep) -> tuple[object, int]:
        return at.step.key, at.time

    ends = {identity(at): at for stretch in found for at in (stretch.start, stretch.end)}
    marks = sorted(ends.values(), key=lambda at: (at.time, at.step.kind.rank))
    place = {identity(at): n for n, at in enumerate(marks)}
    for n, at in enumerate(marks):
        kind = at.step.kind
        going_on = [s for s in found if place[identity(s.start)] < n <= place[identity(s.end)]]
        unended = n > 0 and marks[n - 1].step.kind is Kind.AGENT_CONNECTING
        if going_on:
            yield _Mark(at, going_on[-1].owner)
        elif kind not in _AFTER_CODE or unended or (n == 0 and missed - {Owner.CODE}):
            yield _Mark(at, Owner.UNKNOWN)
        else:
            yield _Mark(at, Owner.CODE)
        if kind is Kind.SESSION_STARTED:
            return


def _in_order(path: Sequence[CorrectedStep]) -> list[CorrectedStep]:
    """None before the one that it follows: as far as a step's interval allows it gives way to the next, else to that.

    A cause whose time is uncertain, as that of a webhook, is moved to its effect, and not the effect to the cause.
    """
    times = [at.time for at in path]
    for n in reversed(range(len(path) - 1)):
        times[n] = min(times[n], max(times[n + 1], path[n].step.earliest))
    for n in range(1, len(path)):
        times[n] = max(times[n], times[n - 1])
    return [at.moved(time) for at, time in zip(path, times, strict=True)]
