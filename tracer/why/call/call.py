"""A timeline as the causes look at it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from tracer.clocks.corrected import by_servers_clock
from tracer.timeline.lost_webhooks import not_whole
from tracer.why.call.agents import Agents
from tracer.why.call.callers import Callers
from tracer.why.call.dispatches import Dispatches
from tracer.why.call.limits import LONG_ENOUGH
from tracer.why.call.outage import Outage, outage
from tracer.why.call.participants import left_at, seen_until, witnesses_of
from tracer.why.call.replaced import Replaced, Retry, replaced_agents, retries
from tracer.why.call.taken_over import TakenOver, taken_over
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
        self._corrected = by_servers_clock(timeline)
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

    @cached_property
    def is_one_to_one(self) -> bool:
        """Whether there was one agent, and one caller at most at a time of a call that is known."""
        callers = {who.identity or who.sid for _, _, who in self.callers.active}
        return len(self.agents.all) == 1 and len(callers) == 1

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

    @cached_property
    def outage(self) -> Outage | None:
        """How the server went away while callers were in the room; None where it did not, as far as is known."""
        return outage(self.timeline)

    @cached_property
    def taken_over(self) -> TakenOver | None:
        """Whether another server of the cluster took the room over."""
        return taken_over(self.timeline)

    @cached_property
    def webhooks_lost(self) -> tuple[Step, ...]:
        """What shows that webhooks were lost of which nobody else has the content; a server that dies sends none."""
        return () if self.outage or self.taken_over else not_whole(self.timeline)

    @cached_property
    def replaced(self) -> list[Replaced]:
        """Agents that were disconnected when another joined with their identity."""
        return list(replaced_agents(self.timeline))

    @cached_property
    def retries(self) -> list[Retry]:
        """Jobs that joined twice, as their first try got no answer."""
        return list(retries(self.timeline))

    def alone_after(self, at: int) -> tuple[int, Participant] | None:
        """Who was there at this time, ns, and had no agent after it, and for how long at least, ns; the longest.

        None where nobody was, or an agent was there still.
        """
        if any(agent.steps[0].time <= at < self.left_at(agent) for agent in self.agents.all):
            return None
        came = min((a.steps[0].time for a in self.agents.all if a.steps[0].time > at), default=self.end)
        alone = [(min(until, came, self.end) - at, who) for until, who in self.callers.at(at)]
        return max(alone, key=lambda found: found[0], default=None)
