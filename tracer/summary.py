"""What is kept of a room for figures over many: how long each gap was, and what went wrong. Pure.

A summary is made once, when a room is over, so that figures over thousands of rooms need no moment read again.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tracer import keys
from tracer.cause import explain
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.lives import Job
    from tracer.timeline import Timeline

__all__ = ["ARROW", "VERSION", "Counted", "JobSummary", "Summary", "summarize"]

VERSION = 1
"""Of what is counted and how: a summary of another version is made anew."""

ARROW = " → "
"""Between the kinds in a gap's name."""


class Counted(StrEnum):
    """How a room or a job counts in figures."""

    MEASURED = "measured"
    """Over, and its whole way was told: its gaps are in the figures."""
    OPEN = "open"
    """It has not ended, or its end was not seen."""
    UNTOLD = "untold"
    """An agent came, and told nothing: its gaps are not known."""
    UNFINISHED = "unfinished"
    """The agent told how it began, and did not get as far as being ready."""
    WITHOUT = "without an agent"
    """No agent came."""


@dataclass(frozen=True, slots=True)
class JobSummary:
    """One job's way."""

    agent_name: str
    counted: str
    gaps: tuple[tuple[str, str, int], ...]
    """From which kind to which, who spent it, and ns; in order."""
    whole: int | None
    """From what first asked for it to its being ready, ns; None when it never was."""
    caller_waited: int | None
    """From the caller's being ACTIVE to the agent's being ready for them, ns; 0 where the agent was first; None where
    one of the two was not seen."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One room."""

    counted: str
    jobs: tuple[JobSummary, ...]
    causes: tuple[str, ...]
    """Names of the causes that were found for certain, and of the first if it is only likely."""
    agent_names: tuple[str, ...]
    """Agents that were asked for, come or not."""

    def to_json(self) -> str:
        """As text; ``from_json`` reads it back."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Summary:
        """A summary from what ``to_json`` made of it."""
        told = json.loads(text)
        jobs = tuple(
            JobSummary(
                job["agent_name"],
                job["counted"],
                tuple((what, owner, ns) for what, owner, ns in job["gaps"]),
                job["whole"],
                job["caller_waited"],
            )
            for job in told["jobs"]
        )
        return cls(told["counted"], jobs, tuple(told["causes"]), tuple(told["agent_names"]))


def summarize(timeline: Timeline) -> Summary:
    """What is worth keeping of a room for figures over many."""
    jobs = tuple(_job(timeline, job) for job in timeline.jobs if _came(timeline, job))
    explanation = explain(timeline)
    causes = [found.cause.name for n, found in enumerate(explanation.findings) if found.certain or n == 0]
    named = [d.agent_name for d in timeline.dispatches if d.agent_name is not None]
    asked = [name for name in named if name or not any(named)]
    return Summary(
        _counted(timeline, jobs),
        jobs,
        tuple(dict.fromkeys(causes)),
        tuple(sorted({*asked, *(job.agent_name for job in jobs)})),
    )


def _counted(timeline: Timeline, jobs: tuple[JobSummary, ...]) -> str:
    if not timeline.room.finished:
        return Counted.OPEN
    if not jobs:
        return Counted.UNTOLD if any(p.is_agent for p in timeline.participants) else Counted.WITHOUT
    counted = {job.counted for job in jobs}
    return next(one for one in (Counted.MEASURED, Counted.UNFINISHED, Counted.UNTOLD) if one in counted)


def _came(timeline: Timeline, job: Job) -> bool:
    return timeline.agent_of(job) is not None or job.at(Kind.JOB_ENTRYPOINT_STARTED) is not None


def _job(timeline: Timeline, job: Job) -> JobSummary:
    found = timeline.gaps_of(job)
    ready = job.at(Kind.SESSION_STARTED)
    told = job.at(Kind.JOB_RECEIVED, Kind.JOB_ENTRYPOINT_STARTED, Kind.AGENT_CONNECTING) is not None
    counted = Counted.MEASURED if ready else Counted.UNFINISHED if told else Counted.UNTOLD
    if not ready and (end := job.at(Kind.AGENT_CONNECTED)) and not job.at(Kind.SESSION_STARTING):
        # An agent without a session is ready when it has its caller, or is in the room.
        ready = next((s for s in job.steps if s.kind is Kind.AGENT_PARTICIPANT_READY), end)
        counted = Counted.MEASURED
    measured = tuple((f"{gap.start.kind}{ARROW}{gap.end.kind}", gap.owner.value, gap.ns) for gap in found)
    return JobSummary(
        job.agent_name or "",
        counted,
        measured if counted == Counted.MEASURED else (),
        ready.time - found[0].start.time if ready and found else None,
        _caller_waited(timeline, job, ready.time) if ready else None,
    )


def _caller_waited(timeline: Timeline, job: Job, ready: int) -> int | None:
    """How long the caller that the job met, or else the first, was ACTIVE before the agent was ready."""
    met = next((s.facts.get(keys.PARTICIPANT_ID) for s in job.steps if s.kind is Kind.AGENT_PARTICIPANT_READY), None)
    callers = [p for p in timeline.participants if not p.is_agent and p.at(Kind.PARTICIPANT_ACTIVE)]
    mine = [p for p in callers if p.sid == (met or job.text(keys.JOB_PARTICIPANT_ID))] or callers
    times = [active for p in mine if (active := p.time(Kind.PARTICIPANT_ACTIVE)) is not None]
    return max(ready - min(times), 0) if times else None
