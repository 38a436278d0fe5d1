"""What must hold in every room, each rule a class. Pure: no clock, no store, no view.

Source: livekit-server v1.13.5 and livekit-agents 1.8.9. What is only believed is no rule: that ``room_started`` comes
before the job, the caller before the agent, webhooks in order, or a webhook for every leave.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tracer.check.agent_rules import AgentHasJob, AgentIsItsJobs, OneRoomJob
from tracer.check.checked_room import CheckedRoom
from tracer.check.clock_rule import ClocksFit
from tracer.check.ending_rule import RoomEndsLast
from tracer.check.pair_rules import AgentConnects, JobStarts, ParticipantStates, RoomFirst, Sessions
from tracer.check.rule import Judgement, Rule
from tracer.check.verdict import Outcome, Verdict, overall, tally

if TYPE_CHECKING:
    from tracer.clocks.offsets import Clocks
    from tracer.timeline.timeline import Timeline

__all__ = ["RULES", "Judgement", "Outcome", "RoomCheck", "Rule", "Verdict", "check"]

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
class RoomCheck:
    """One room, judged."""

    timeline: Timeline
    judgements: tuple[Judgement, ...]
    """One for each rule, in order of their numbers."""
    clocks: Clocks

    def count(self, answer: Outcome) -> int:
        """How many rules have this answer."""
        return sum(judgement.answer is answer for judgement in self.judgements)

    @property
    def violated(self) -> list[Verdict]:
        """What fails, of every rule; empty when nothing does."""
        return [verdict for judgement in self.judgements for verdict in judgement.having(Outcome.VIOLATED)]

    @property
    def answer(self) -> Outcome:
        """VIOLATED when any rule is, else HOLDS when any does, else INCONCLUSIVE."""
        return overall(judgement.answer for judgement in self.judgements)

    @property
    def summary(self) -> str:
        """What it comes to, in one line: ``10 rules: 1 fails, 9 pass``."""
        whole = len(self.judgements)
        if self.count(Outcome.HOLDS) < whole:
            return f"{whole} rules: {tally(judgement.answer for judgement in self.judgements)}"
        details = [verdict.answer for judgement in self.judgements for verdict in judgement.verdicts]
        inconclusive = details.count(Outcome.INCONCLUSIVE)
        if inconclusive:
            return f"all {whole} rules pass; {inconclusive} of {len(details)} details inconclusive"
        return f"all {whole} rules pass"


def check(timeline: Timeline) -> RoomCheck:
    """Judge a room by every rule, whatever its moments are."""
    room = CheckedRoom(timeline)
    judged = (Judgement(rule, tuple(_as_recorded(timeline, one) for one in rule.judge(room))) for rule in RULES)
    return RoomCheck(timeline, tuple(judged), room.clocks)


def _as_recorded(timeline: Timeline, verdict: Verdict) -> Verdict:
    """The verdict; nothing fails by what came of a job whose spans were lost: two runs of it can look like one."""
    told = [step.subject for step in verdict.steps if "agent" in step.witnesses and step.subject in timeline.spans_lost]
    if verdict.answer is not Outcome.VIOLATED or not told:
        return verdict
    return replace(verdict, answer=Outcome.INCONCLUSIVE, why=f"spans of job {told[0]} were lost on their way")
