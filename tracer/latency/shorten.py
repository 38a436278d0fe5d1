"""Which gap is worth shortening: the longest that a caller waited for, and that can be shortened. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracer import keys
from tracer.latency.gaps import first_job, ready
from tracer.moment import Kind
from tracer.timeline.reporting import FROM_THE_SERVER
from tracer.units import NS_PER_MS
from tracer.why import Symptom, explain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracer.clocks.corrected import CorrectedStep, CorrectedTimeline
    from tracer.latency.gaps import Gap, Paths
    from tracer.timeline.entities import Job, Participant
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["FLOOR", "Shortened", "caller_active", "is_worth_it", "longest_of_yours", "to_shorten"]

FLOOR = 200 * NS_PER_MS
"""Who waits for less than this, ns, does not notice."""
SHARE = 10
"""A gap of less than this share of the whole, per cent, is not what to begin with."""
WELL_ENOUGH = (Symptom.DUPLICATED, Symptom.LATE, Symptom.UNRECORDED)
"""Symptoms of calls in which an agent served its caller."""


class Shortened(NamedTuple):
    """A gap, and by how much a caller would wait less without it."""

    gap: Gap
    ns: int


def to_shorten(timeline: Timeline, paths: Paths) -> Shortened | None:
    """What is worth shortening on the way to a room's first agent.

    None in a call that failed, which is not about time; where nobody waited; and where no gap is worth it.
    """
    gaps, job = paths.first, first_job(paths.corrected.timeline.jobs)
    at = ready(job) if job else None
    if job is None or at is None or _failed(timeline):
        return None
    active = caller_active(paths.corrected, job, at)
    known = any(set(step.witnesses) & FROM_THE_SERVER for p in timeline.participants for step in p.steps)
    if active is None and known:
        return None
    return longest_of_yours(gaps, active.time if active else 0)


def longest_of_yours(gaps: Iterable[Gap], since: int = 0) -> Shortened | None:
    """The longest gap after ``since``, ns, that the user can do something about; None where none is worth it."""
    every = list(gaps)
    theirs = [
        Shortened(gap, gap.end.time - max(gap.start.time, since)) for gap in every if gap.advice and not gap.doubtful
    ]
    longest = max(theirs, key=lambda one: one.ns, default=None)
    return longest if longest and is_worth_it(longest.ns, sum(gap.ns for gap in every)) else None


def is_worth_it(ns: int, whole: int) -> bool:
    """Whether a gap of this length, ns, is worth shortening on a path that is ``whole`` ns long."""
    return ns >= FLOOR and ns * 100 >= whole * SHARE


def caller_active(corrected: CorrectedTimeline, job: Job, at: Step) -> CorrectedStep | None:
    """When the caller was ACTIVE that the job met, or is for, or else the first of those who were there ``at`` a step.

    None where that is not known.
    """
    met = next((s.facts.get(keys.PARTICIPANT_ID) for s in job.steps if s.kind is Kind.AGENT_PARTICIPANT_READY), None)
    mine = met or job.text(keys.JOB_PARTICIPANT_ID)
    callers = [p for p in corrected.timeline.callers if (p.sid == mine if mine else _there(p, at))]
    seen = [corrected.step(active) for p in callers if (active := p.at(Kind.PARTICIPANT_ACTIVE))]
    return min(seen, key=lambda step: step.time, default=None)


def _there(who: Participant, at: Step) -> bool:
    return who.gone is None or who.gone.time > at.time


def _failed(timeline: Timeline) -> bool:
    """Whether something worse than waiting is known of the call."""
    explanation = explain(timeline)
    if explanation.well is not False:
        return False
    symptoms = {finding.cause.symptom for finding in explanation.findings}
    return not symptoms <= set(WELL_ENOUGH) or not symptoms or bool(explanation.advice)
