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

__all__ = ["Ask", "answer_after", "asks", "model_of", "new_answer_after"]

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


def new_answer_after(job: Job, raised: Step) -> int:
    """As ``answer_after``, without answers that were made ahead of a turn whose code then raised.

    Of an answer that is made ahead (preemptive generation) nothing is said where the turn comes to nothing.
    """
    span = raised.facts.get(keys.SPAN_NAME)
    turns = [s.time for s in job.steps if s.kind is Kind.MODEL_FAILED and s.facts.get(keys.SPAN_NAME) == span]
    asked = [step for step in job.steps if step.kind is Kind.MODEL_ASKED]
    following = [*(step.time for step in asked[1:]), FOREVER][: len(asked)]
    ahead = {
        ask.occurrence for ask, later in zip(asked, following, strict=True) if any(ask.time <= t < later for t in turns)
    }
    answers = (step for step in job.steps if step.kind in ANSWERS and step.time > raised.time)
    return min((s.time for s in answers if s.kind is Kind.AGENT_SPEAKING or s.occurrence not in ahead), default=FOREVER)


def model_of(name: str) -> str:
    """Which model a span or an error of livekit-agents is about, as ``LLM``; empty for one that does not name it."""
    return MODELS.get(name.partition("_")[0], "")
