"""Rules about pairs of steps; which must precede which is in ``tracer.timeline.precedence``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.check.rule import PairRule
from tracer.check.sentences import name
from tracer.check.verdict import Outcome, Verdict
from tracer.livekit_sources import agents, server
from tracer.moment import Kind
from tracer.timeline.precedence import Guarantee

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.check.checked_room import CheckedRoom
    from tracer.timeline.step import Step

__all__ = ["AgentConnects", "JobStarts", "ParticipantStates", "RoomFirst", "Sessions"]


EXACT = 10_000
"""A moment that is no wider than this, ns, is a point: livekit-agents rounds to a tenth of it."""


class RoomFirst(PairRule):
    """The room is created before its dispatches and before anyone is JOINING, a dispatch before its job is offered."""

    number = 1
    name = Guarantee.ROOM_FIRST
    sentence = "room created, then dispatch, then job offered"
    missing = "the room's creation was not observed"
    believed = "that `room_started` comes before the job, or the caller before the agent."
    said = (server("pkg/rtc/room.go"),)


class ParticipantStates(PairRule):
    """A participant is JOINING, JOINED, ACTIVE, and then leaves; ACTIVE may be skipped. Tracks come in between."""

    number = 2
    name = Guarantee.PARTICIPANT_STATES
    sentence = "participants go JOINING, JOINED, ACTIVE, left"
    missing = "no participant was observed in two states"
    believed = "that the SDK's “participant connected” means ACTIVE."
    said = (
        server("pkg/rtc/participant.go"),
        server("pkg/rtc/participant_signal.go"),
    )


class JobStarts(PairRule):
    """A job is received, accepted, assigned, given a process, and only then started."""

    number = 3
    name = Guarantee.JOB_START
    sentence = "jobs are received, accepted, assigned, started"
    missing = "no agent reported the start of a job"
    believed = "that JS_RUNNING means that the agent runs."
    said = (
        agents("worker.py"),
        agents("ipc/job_proc_lazy_main.py"),
    )


class AgentConnects(PairRule):
    """An agent connects after its entrypoint started, and is JOINING while it connects."""

    number = 4
    name = Guarantee.AGENT_CONNECTS
    sentence = "an agent is JOINING while its job connects"
    missing = "no agent reported that it connected"
    believed = "that a caller is in the room before the agent: it can be there first."
    said = (agents("job.py"),)


class Sessions(PairRule):
    """Sessions, waiting, shutting down and disconnecting end after they began, and before the job does."""

    number = 5
    name = Guarantee.SESSION_AND_SHUTDOWN
    sentence = "sessions start and close, jobs shut down and end"
    missing = "no agent reported a session or its shutdown"
    believed = "that a session ends with its job: it can close long before."
    said = (
        agents("voice/agent_session.py"),
        agents("ipc/job_proc_lazy_main.py"),
    )

    def judge(self, room: CheckedRoom) -> Iterator[Verdict]:
        """One verdict for each pair, and one for each session whose start and end were reported."""
        yield from super().judge(room)
        for job in room.timeline.jobs:
            if job.is_node:
                continue  # it has no span session_start
            starts = {step.occurrence: step for step in job.steps if step.kind is Kind.SESSION_STARTING}
            for started in job.steps:
                starting = starts.get(started.occurrence)
                if started.kind is Kind.SESSION_STARTED and starting:
                    yield from self._within(room, started, starting)

    @staticmethod
    def _within(room: CheckedRoom, started: Step, starting: Step) -> Iterator[Verdict]:
        """Whether ``session_start`` lies within its ``agent_session``, which reports that it began within itself."""
        whole = max(starting.moments, key=lambda moment: moment.width)
        if whole.witness != "agent" or whole.width <= EXACT:
            return  # it is open, or was not reported
        who = name(room.timeline, started.subject)
        outside = started.earliest > whole.latest or (starting.contradicted and len(starting.witnesses) == 1)
        if outside:
            text = f"session_start of {who} does not lie within its agent_session"
            yield Verdict(Outcome.VIOLATED, text, (starting, started))
        else:
            text = f"session_start of {who} lies within its agent_session"
            yield Verdict(Outcome.HOLDS, text, (starting, started))
