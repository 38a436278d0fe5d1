"""A timeline as the causes look at it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from tracer.clocks.corrected import CorrectedTimeline
from tracer.why.call.agents import Agents
from tracer.why.call.callers import Callers
from tracer.why.call.dispatches import Dispatches
from tracer.why.call.limits import LONG_ENOUGH
from tracer.why.call.participants import left_at, seen_until, witnesses_of
from tracer.why.call.voices import Voice, voices
from tracer.why.call.workers import Workers

if TYPE_CHECKING:
    from tracer.timeline.entities import Participant
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["Call"]


class Call:
    """One room's timeline; what causes ask of it is worked out once, by topic."""

    def __init__(self, timeline: Timeline) -> None:
        self._corrected = CorrectedTimeline(timeline)
        self.timeline = self._corrected.timeline
        """By the server's clock: the others are corrected as far as a skew is proven."""
        self.callers = Callers(self.timeline)
        self.agents = Agents(self.timeline)
        self.workers = Workers(self.timeline)
        self.dispatches = Dispatches(self.timeline, self.callers, self.agents, self.workers)

    def as_reported(self, step: Step) -> Step:
        """The step by the clock of its source, before any correction: so it is shown."""
        return self._corrected.as_reported(step)

    @cached_property
    def witnesses(self) -> set[str]:
        """Which witnesses reported on this room."""
        return witnesses_of(self.timeline)

    @cached_property
    def _voices(self) -> dict[str, list[Voice]]:
        return voices(self.timeline)

    def voices(self, who: str) -> list[Voice]:
        """The tracks that can be heard of a participant, by SID."""
        return self._voices.get(who, [])

    @cached_property
    def end(self) -> int:
        """Until when the room was there, as far as is known, ns."""
        finished = self.timeline.room.finished
        return finished.time if finished else self.timeline.now

    def left_at(self, who: Participant) -> int:
        """When a participant left, ns; ``FOREVER`` for one who is still there."""
        return left_at(self.timeline, who)

    def seen_until(self, who: Participant) -> int:
        """Until when a participant was there for certain, ns."""
        return seen_until(self.timeline, who)

    def first_caller_found_none(self, at: int) -> bool:
        """Whether the first caller joined later than this, ns, when an agent had left, and found no other one."""
        came = self.callers.first_active
        if came is None or came <= at:
            return False
        return not any(
            agent.steps[0].time < came + LONG_ENOUGH and self.left_at(agent) > came for agent in self.agents.all
        )
