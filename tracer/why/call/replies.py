"""What an agent said, reply by reply, and whether it was interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracer import keys
from tracer.kinds import Kind
from tracer.units import FOREVER, NS_PER_S
from tracer.why.call.speech import spoken_until, turn_began

if TYPE_CHECKING:
    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step, StepKey

__all__ = ["Reply", "replies_of"]


class Reply(NamedTuple):
    """What an agent said at one go."""

    spoken: Step
    cut: Step | None
    """That it was interrupted; None where it was not, as far as is known."""

    @property
    def since(self) -> int:
        """When the agent began to speak, ns."""
        return self.spoken.time

    @property
    def until(self) -> int:
        """When it had spoken, ns; FOREVER where that is not known."""
        return spoken_until(self.spoken)

    @property
    def lasted(self) -> int | None:
        """How long it spoke, by its session, ns; None where that is not known."""
        return None if self.until == FOREVER else self.until - self.since

    @property
    def played(self) -> int | None:
        """How much of what was interrupted had been played, ns; None where that is not known."""
        seconds = self.cut.facts.get(keys.PLAYED_FOR) if self.cut else None
        return round(seconds * NS_PER_S) if isinstance(seconds, int | float) else None


def replies_of(job: Job) -> list[Reply]:
    """Everything that the agent of a job began to say, in order.

    An answer that was made ahead, and not said, is a turn too, which ends as interrupted when its caller has left: of
    turns at one time, the one that began last is of what was said last.
    """
    spoken = [step for step in job.steps if step.kind is Kind.AGENT_SPEAKING]
    cuts: dict[StepKey, Step] = {}
    for cut in sorted((step for step in job.steps if step.kind is Kind.AGENT_INTERRUPTED), key=turn_began):
        if said := [step for step in spoken if turn_began(cut) <= step.time <= cut.time]:
            cuts[said[-1].key] = cut
    return [Reply(step, cuts.get(step.key)) for step in spoken]
