"""What is kept of a room for figures over many: how long each gap was, and what went wrong. Pure.

A summary is made once, when a room is over: figures over thousands of rooms then need no moment read again.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from tracer.labelled import Labelled
from tracer.latency.gaps import Paths, first_cause, whole
from tracer.latency.owner import Owner
from tracer.latency.shorten import caller_active
from tracer.moment import Kind
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.clocks.corrected import CorrectedTimeline
    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["ARROW", "VERSION", "Counted", "JobSummary", "Summary", "summarize"]

VERSION = 9
"""Of what is counted and how: a summary of another version is made anew."""

ARROW = " → "
"""Between the kinds in a gap's name."""


class Counted(Labelled):
    """How a room or a job counts in figures."""

    MEASURED = "measured", "measured"
    """Over, and its agent reported how it became ready: its gaps are in the figures."""
    CLOCK_SKEW = "clock_skew", "with clock skew"
    """Measured, but for the time between clocks that are proven to be apart: that is in no figure."""
    NOT_READY = "not_ready", "not ready"
    """The agent reported how it began, and did not get as far as being ready."""
    NOT_REPORTED = "not_reported", "not reported"
    """An agent came, and reported nothing: its gaps are not known."""
    NO_AGENT = "no_agent", "without an agent"
    """No agent came."""
    OPEN = "open", "not over"
    """It has not ended, or its end was not seen: nothing of it is in the figures."""
    UNREADABLE = "unreadable", "not readable"
    """What is kept of it is damaged."""


_COUNTED = {one.value: one for one in Counted}
_OWNERS = {one.value: one for one in Owner}
"""By their values: for ten thousand rooms a call for each would take most of the time."""


class JobSummary(NamedTuple):
    """One job's path to being ready."""

    agent_name: str
    counted: Counted
    gaps: tuple[tuple[str, Owner, int | None], ...]
    """From which kind to which, who spent it, and ns, None where its clocks are apart; in order, each once. Empty
    unless it was measured."""
    whole: int | None
    """From what first asked for it to its being ready, ns; None where that is not known."""
    caller_waited: int | None
    """For how long somebody who was ACTIVE waited for the agent to be ready for them, ns, from when it was asked for; 0
    where the agent was first; None where that is not known."""
    is_node: bool = False
    """Whether its agent is one in Node."""


class Summary(NamedTuple):
    """One room."""

    counted: Counted
    jobs: tuple[JobSummary, ...] = ()
    """Those whose agent came."""
    causes: tuple[str, ...] = ()
    """Names of the causes that were found for certain, and of the first if it is only likely."""
    agent_names: tuple[str, ...] = ()
    """Agents that were asked for, come or not."""
    well: bool | None = None
    """Whether all went well; None where that is not known."""
    identities: tuple[str, ...] = ()
    """Who was there, each once: a room is found by them without its moments."""

    @property
    def ready_after(self) -> int | None:
        """From what first asked for the first agent to its being ready, ns; None where that is not known."""
        return self.jobs[0].whole if self.jobs else None

    def outcomes(self) -> list[tuple[str, Counted]]:
        """Each job with its agent's name and how it counts; and each name that was asked for and has no job.

        An agent that came, and of which no job is known, can be of any name.
        """
        came = self.counted is Counted.NOT_REPORTED and not self.jobs
        unserved = Counted.NOT_REPORTED if came else Counted.NO_AGENT
        without = sorted(set(self.agent_names).difference(job.agent_name for job in self.jobs))
        return [*((name, unserved) for name in without), *((job.agent_name, job.counted) for job in self.jobs)]

    def to_json(self) -> str:
        """As text; ``from_json`` reads it back."""
        return json.dumps(self, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str, *, gaps: bool = True) -> Summary:
        """A summary from what ``to_json`` made of it; without ``gaps`` its jobs have none, which takes half as long.

        Raises ValueError or TypeError for whatever is none.
        """
        counted, jobs, causes, agent_names, well, identities = json.loads(text)
        try:
            made = tuple(
                [
                    JobSummary(
                        name,
                        _COUNTED[how],
                        tuple([(what, _OWNERS[owner], ns) for what, owner, ns in between]) if gaps else (),
                        whole,
                        waited,
                        is_node,
                    )
                    for name, how, between, whole, waited, is_node in jobs
                ]
            )
            known = None if well is None else bool(well)
            return cls(_COUNTED[counted], made, tuple(causes), tuple(agent_names), known, tuple(identities))
        except KeyError as error:
            raise ValueError(f"{error} is no value of a summary") from None


def summarize(timeline: Timeline, *, live: bool = False) -> Summary:
    """What is worth keeping of a room for figures over many; ``live``: also what is known of one that is not over."""
    if not timeline.room.finished and not live:
        return Summary(Counted.OPEN)
    paths = Paths(timeline)
    corrected = paths.corrected.timeline
    jobs = tuple(_job(job, paths) for job in corrected.jobs if _came(corrected, job))
    explanation = explain(timeline)
    causes = [found.cause.name for n, found in enumerate(explanation.findings) if found.certain or n == 0]
    named = [d.agent_name for d in timeline.dispatches if d.agent_name is not None]
    asked = [name for name in named if name or not any(named)]  # beside a named one, the unnamed is not meant
    return Summary(
        _counted(timeline, jobs),
        jobs,
        tuple(dict.fromkeys(causes)),
        tuple(sorted({*asked, *(job.agent_name for job in jobs)})),
        explanation.well,
        tuple(dict.fromkeys(one.identity for one in timeline.participants if one.identity)),
    )


def _counted(timeline: Timeline, jobs: tuple[JobSummary, ...]) -> Counted:
    if not timeline.room.finished:
        return Counted.OPEN
    if not jobs:
        return Counted.NOT_REPORTED if timeline.agents else Counted.NO_AGENT
    counted = {job.counted for job in jobs}
    return next(one for one in Counted if one in counted)


def _came(timeline: Timeline, job: Job) -> bool:
    return timeline.agent_of(job) is not None or job.at(Kind.JOB_ENTRYPOINT_STARTED, Kind.AGENT_CONNECTED) is not None


def _job(job: Job, paths: Paths) -> JobSummary:
    name, at = job.agent_name or "", paths.ready(job)
    if at is None:
        reported = any("agent" in step.witnesses for step in job.steps)
        return JobSummary(name, Counted.NOT_READY if reported else Counted.NOT_REPORTED, (), None, None)
    gaps = paths.of(job)
    spent: dict[tuple[str, Owner], int | None] = {}
    for gap in gaps:
        key = f"{gap.start.kind}{ARROW}{gap.end.kind}", gap.owner
        before = spent.get(key, 0)
        spent[key] = None if gap.doubtful or before is None else before + gap.ns
    precise = None not in spent.values()
    return JobSummary(
        name,
        Counted.MEASURED if precise else Counted.CLOCK_SKEW,
        tuple((*key, ns) for key, ns in spent.items()),
        whole(job, gaps),
        _caller_waited(job, at, first_cause(job, gaps), paths.corrected),
        job.is_node,
    )


def _caller_waited(job: Job, at: Step, cause: Step | None, corrected: CorrectedTimeline) -> int | None:
    """How long the caller that the job met, or is for, or else the first of those who were there, waited for it."""
    first, now = caller_active(corrected, job, at), corrected.step(at)
    if first is None or first.doubtful(now):
        return None
    return max(now.time - max(first.time, cause.time if cause else first.time), 0)
