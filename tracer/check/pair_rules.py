"""Rules about pairs of steps; which must precede which is in ``tracer.timeline.precedence``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.check.rule import Outcome, Rule, Verdict
from tracer.check.sentences import name
from tracer.moment import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.check.checked_room import CheckedRoom
    from tracer.timeline.step import Step

__all__ = ["AgentConnects", "JobStarts", "PairRule", "ParticipantStates", "RoomFirst", "Sessions"]


EXACT = 10_000
"""A moment that is no wider than this, ns, is a point: what livekit-agents rounds is a tenth of it."""


class PairRule(Rule):
    """Steps of which one cannot have come after the other."""

    def judge(self, case: CheckedRoom) -> Iterator[Verdict]:
        """One verdict for each pair."""
        for cause, effect in case.pairs[self.number]:
            yield case.judge(cause, effect)


class RoomFirst(PairRule):
    """The room is created before its dispatches and before anyone is JOINING, a dispatch before its job is offered."""

    number = 1
    name = "room-first"
    sentence = "the room first, then its dispatch, then the job's offer"
    missing = "nobody saw the room being made"


class ParticipantStates(PairRule):
    """A participant is JOINING, then JOINED, then ACTIVE, then gone; ACTIVE may be skipped. Tracks come in between."""

    number = 2
    name = "participant-states"
    sentence = "a participant is JOINING, then JOINED, ACTIVE, and gone"
    missing = "nobody was seen in two states"


class JobStarts(PairRule):
    """A job is received, accepted, assigned, given a process, and only then started."""

    number = 3
    name = "job-start"
    sentence = "a job is received, accepted, assigned, and then started"
    missing = "no agent told of a job's start"


class AgentConnects(PairRule):
    """An agent connects after its entrypoint started, and is JOINING while it connects."""

    number = 4
    name = "agent-connects"
    sentence = "an agent is JOINING while its job connects"
    missing = "no agent told that it connected"


class Sessions(PairRule):
    """Sessions, waiting, shutting down and disconnecting end after they began, and before the job does."""

    number = 5
    name = "session-and-shutdown"
    sentence = "sessions start, then close; jobs shut down, then end"
    missing = "no agent told of a session or of its shutting down"

    def judge(self, case: CheckedRoom) -> Iterator[Verdict]:
        """One verdict for each pair, and one for each session that was seen to start and to be over."""
        yield from super().judge(case)
        for job in case.timeline.jobs:
            starts = {step.occurrence: step for step in job.steps if step.kind is Kind.SESSION_STARTING}
            for started in job.steps:
                starting = starts.get(started.occurrence)
                if started.kind is Kind.SESSION_STARTED and starting:
                    yield from self._within(case, started, starting)

    @staticmethod
    def _within(case: CheckedRoom, started: Step, starting: Step) -> Iterator[Verdict]:
        """Whether ``session_start`` lies within its ``agent_session``, which tells that it began within itself."""
        whole = max(starting.told, key=lambda moment: moment.width)
        if whole.witness != "agent" or whole.width <= EXACT:
            return  # it is open, or nobody told of it
        who = name(case.timeline, started.subject)
        out = started.earliest > whole.latest or (starting.contradicted and len(starting.witnesses) == 1)
        text = f"session_start of {who} {'does not lie' if out else 'lies'} within its agent_session"
        yield Verdict(Outcome.VIOLATED if out else Outcome.HOLDS, text, (starting, started))
