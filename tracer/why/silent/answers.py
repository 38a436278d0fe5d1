"""What became of each time an agent asked its models, and when it answered at last."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracer import keys
from tracer.kinds import Kind
from tracer.units import FOREVER

if TYPE_CHECKING:
    from tracer.timeline.entities import Job
    from tracer.timeline.sessions import Session
    from tracer.timeline.step import Step

__all__ = ["Ask", "answer_after", "asks", "model_of"]

ANSWERS = (Kind.MODEL_ANSWERED, Kind.AGENT_SPEAKING)
MODELS = {"llm": "LLM", "tts": "TTS", "stt": "STT", "realtime": "realtime model"}


class Ask(NamedTuple):
    """The session asked its LLM once."""

    asked: Step
    end: Step | None
    """Its answer, its failure, or that it was given up; None while nothing came."""

    @property
    def is_answered(self) -> bool:
        """Whether an answer began."""
        return self.end is not None and self.end.kind is Kind.MODEL_ANSWERED

    @property
    def is_known(self) -> bool:
        """Whether it is known how it ended, or that it has not."""
        return self.end is not None or keys.ERROR_TYPE not in self.asked.facts

    def waited(self, until: int) -> int:
        """How long nothing came, ns; ``until`` a time, ns, for one that has not ended."""
        return max((self.end.time if self.end else until) - self.asked.time, 0)


def asks(job: Job, session: Session) -> list[Ask]:
    """Each time that a session asked its LLM, in order."""
    ends = {s.occurrence: s for s in job.steps if s.kind in (Kind.MODEL_ANSWERED, Kind.MODEL_GAVE_NO_ANSWER)}
    ends |= {s.occurrence: s for s in job.steps if s.kind is Kind.MODEL_FAILED}
    asked = [s for s in job.steps if s.kind is Kind.MODEL_ASKED and session.since <= s.time <= session.until]
    return [Ask(step, ends.get(step.occurrence)) for step in asked]


def answer_after(job: Job, at: int, kinds: tuple[Kind, ...] = ANSWERS) -> int:
    """When the agent's model answered, or the agent spoke, after a time, ns; FOREVER where neither happened."""
    return min((step.time for step in job.steps if step.kind in kinds and step.time > at), default=FOREVER)


def model_of(name: str) -> str:
    """Which model a span or an error of livekit-agents is about, as ``LLM``; empty for one that does not name it."""
    return MODELS.get(name.partition("_")[0], "")
