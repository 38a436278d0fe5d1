"""What the answers of scenarios are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.units import NS_PER_MS, milliseconds, offset

if TYPE_CHECKING:
    from tracer.timeline.entities import Job, Participant
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["at", "between", "first_call"]


def first_call(timeline: Timeline) -> tuple[Participant, Job] | None:
    """The first caller and the first job; None when one of them was not seen."""
    caller = next((p for p in timeline.participants if not p.is_agent), None)
    job = next(iter(timeline.jobs), None)
    return (caller, job) if caller and job else None


def at(timeline: Timeline, step: Step | None) -> str:
    """When a step was, from the room's creation."""
    return offset((step.time - timeline.zero) / NS_PER_MS) if step else "an unknown time"


def between(start: Step | None, end: Step | None) -> str:
    """How long it was from one step to another."""
    return milliseconds((end.time - start.time) / NS_PER_MS) if start and end else "an unknown time"
