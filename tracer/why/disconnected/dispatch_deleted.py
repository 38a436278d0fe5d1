"""The agent's dispatch was deleted while a caller was there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.livekit_sources import Page, server
from tracer.units import NS_PER_S
from tracer.why.call.participants import name_of
from tracer.why.cause import Cause
from tracer.why.disconnected.agent_left_caller import ended_by_server, left_alone, left_later
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["DispatchDeleted"]


class DispatchDeleted(Cause):
    """DeleteDispatch ends the dispatch's jobs: their agents close their sessions and leave.

    Known from the job, which its worker shut down and was not stopped itself; from its session, which had closed before
    the agent left, as one does that is told to end; and from a caller who stayed alone for more than 10 s. It is never
    certain: nothing shows who had the job ended, and a worker that was killed may report nothing of it.
    """

    name = "dispatch-deleted"
    symptom = Symptom.DISCONNECTED
    about = "the job was ended from outside during the call, as when its dispatch is deleted"
    advice = (
        "Find what calls DeleteDispatch: it ends the agent's job at once. The server's log has each call of it (“API"
        " AgentDispatchService.DeleteDispatch”). Whoever only tidies up needs it not: a room's dispatches end with it."
    )
    said = (
        Page.DISPATCH_API,
        server("pkg/rtc/room.go"),
    )

    def find(self, call: Call) -> Iterator[Finding]:
        for job in call.timeline.jobs:
            agent, shutdown = call.agents.of(job), ended_by_server(call, job)
            if agent is None or agent.gone is None or shutdown is None or not left_later(call, job):
                continue
            for caller, alone in left_alone(call, agent, agent.gone):
                stays = "has been" if caller.gone is None and call.timeline.room.finished is None else "was"
                yield self.found(
                    f"Job {job.sid} was ended from outside while its worker went on, as DeleteDispatch does, and"
                    f" {name_of(agent)} left {name_of(caller)}, who {stays} alone for at least {alone // NS_PER_S} s"
                    " since.",
                    shutdown,
                    job.at(Kind.SESSION_CLOSED),
                    agent.gone,
                    caller.gone,
                    certain=False,
                )
