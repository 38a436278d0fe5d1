"""What an agent said, reply by reply, and whether it was interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracer import keys
from tracer.kinds import Kind
from tracer.units import FOREVER, NS_PER_S
from tracer.why.call.speech import spoken_until

if TYPE_CHECKING:
    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step

__all__ = ["Reply", "replies_of"]


class Reply(NamedTuple):
    """What an agent said in one turn of its own; one that goes on after a pause is told of twice."""

    spoken: tuple[Step, ...]
    cut: Step | None
    """That it was interrupted; None where it was not, as far as is known."""

    @property
    def since(self) -> int:
        """When the agent began to speak, ns."""
        return self.spoken[0].time

    @property
    def until(self) -> int:
        """When it had spoken, ns; FOREVER where that is not known."""
        return max(map(spoken_until, self.spoken))

    @property
    def lasted(self) -> int | None:
        """How long it spoke, by its session, ns; None where that is not known."""
        return None if self.until == FOREVER else sum(spoken_until(step) - step.time for step in self.spoken)

    @property
    def played(self) -> int | None:
        """How much of what was interrupted had been played, ns; None where that is not known."""
        seconds = self.cut.facts.get(keys.PLAYED_FOR) if self.cut else None
        return round(seconds * NS_PER_S) if isinstance(seconds, int | float) else None


def replies_of(job: Job) -> list[Reply]:
    """Everything that the agent of a job began to say, in order."""
    cuts = [step for step in job.steps if step.kind is Kind.AGENT_INTERRUPTED]
    found: list[Reply] = []
    for step in job.steps:
        if step.kind is Kind.AGENT_SPEAKING:
            cut = next((cut for cut in cuts if _began(cut) <= step.time <= cut.time), None)
            if cut and found and found[-1].cut is cut:
                found[-1] = Reply((*found[-1].spoken, step), cut)
            else:
                found.append(Reply((step,), cut))
    return found


def _began(cut: Step) -> int:
    """When the turn that was interrupted began, ns."""
    lasted = cut.facts.get(keys.TURN_LASTED)
    return cut.time - (round(lasted * NS_PER_S) if isinstance(lasted, int | float) else 0)
