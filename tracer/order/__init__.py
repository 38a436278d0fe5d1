"""What must hold in every room, each rule a class. Pure: no clock, no store, no view.

Source: livekit-server v1.13.5 and livekit-agents 1.8.9. What is only believed is no rule: that ``room_started`` comes
before the job, the caller before the agent, webhooks in order, or a webhook for every leave.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracer.order.agents import AgentHasJob, AgentIsItsJobs, OneRoomJob
from tracer.order.case import Case
from tracer.order.ending import RoomEndsLast
from tracer.order.offsets import ClocksFit
from tracer.order.pairs import AgentConnects, JobStarts, ParticipantStates, RoomFirst, Sessions
from tracer.order.verdict import Answer, Judgement, Rule, Verdict

if TYPE_CHECKING:
    from tracer.clocks import Clocks
    from tracer.timeline import Timeline

__all__ = ["RULES", "Answer", "Check", "Judgement", "Rule", "Verdict", "check"]

RULES: tuple[Rule, ...] = (
    RoomFirst(),
    ParticipantStates(),
    JobStarts(),
    AgentConnects(),
    Sessions(),
    AgentIsItsJobs(),
    OneRoomJob(),
    AgentHasJob(),
    RoomEndsLast(),
    ClocksFit(),
)
"""All of them, in order of their numbers."""


@dataclass(frozen=True, slots=True)
class Check:
    """One room, judged."""

    timeline: Timeline
    judgements: tuple[Judgement, ...]
    """One for each rule, in order of their numbers."""
    clocks: Clocks

    def count(self, answer: Answer) -> int:
        """How many rules have this answer."""
        return sum(judgement.answer is answer for judgement in self.judgements)

    @property
    def violated(self) -> list[Verdict]:
        """What is out of order; empty when nothing is."""
        return [verdict for judgement in self.judgements for verdict in judgement.having(Answer.VIOLATED)]

    @property
    def answer(self) -> Answer:
        """VIOLATED when any rule is, UNTOLD when nothing can be told of any, else HOLDS."""
        answers = {judgement.answer for judgement in self.judgements}
        return next((a for a in (Answer.VIOLATED, Answer.HOLDS) if a in answers), Answer.UNTOLD)


def check(timeline: Timeline) -> Check:
    """Judge a room by every rule, whatever its moments say."""
    case = Case(timeline)
    return Check(timeline, tuple(Judgement(rule, tuple(rule.judge(case))) for rule in RULES), case.clocks)
