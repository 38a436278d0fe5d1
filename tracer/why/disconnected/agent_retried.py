"""One job that joined twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.livekit_sources import server
from tracer.timeline.entities import Shutdown
from tracer.units import NS_PER_S
from tracer.why.call.limits import LONG_ENOUGH, SOON
from tracer.why.call.participants import name_of
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job, Participant
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["AgentRetried", "ended_by_a_join", "then_alone"]


def ended_by_a_join(job: Job, joining: Step) -> Step | None:
    """The shutdown of a job that the server ended when an agent with its identity joined while another was there."""
    shutdown = job.at(Kind.JOB_SHUTDOWN)
    if shutdown is None or job.shutdown_reason != Shutdown.BY_WORKER:
        return None
    return shutdown if abs(shutdown.time - joining.time) <= 3 * SOON else None


def then_alone(call: Call, agent: Participant) -> str:
    """For how long a caller had no agent when this one had left too, as the end of a sentence."""
    alone = call.alone_after(call.left_at(agent)) if agent.gone else None
    if alone is None or alone[0] < LONG_ENOUGH:
        return ""
    return f": {name_of(alone[1])} was alone for {alone[0] / NS_PER_S:.1f} s"


class AgentRetried(Cause):
    """The SDK tries again to connect when its first try gets no answer, though the server let the agent in.

    When the first of the two leaves, the server ends the job that it is for: the agent's own. Known from one job with
    two agents, of which the first was never ACTIVE. No fault where the agent stayed and the second try came at once.
    """

    name = "agent-retried"
    symptom = Symptom.DISCONNECTED
    about = "the agent had to try again to connect, as its first try got no answer"
    advice = (
        "Check the network between the agent and the server: the answer to the agent's first try was lost or came too"
        " late. Dispatch an agent again (CreateDispatch) for a caller who is alone."
    )
    said = (
        server("pkg/service/roommanager.go"),
        server("pkg/rtc/room.go"),
    )

    def find(self, call: Call) -> Iterator[Finding]:
        for retry in call.retries:
            ended, took = ended_by_a_join(retry.job, retry.joining), retry.joining.time - retry.first_joining.time
            alone = then_alone(call, retry.second)
            if not call.callers.at(retry.joining.time) or not (took >= LONG_ENOUGH or (ended and alone)):
                continue
            reason = retry.first.disconnect_reason
            first = f"its first connection was closed{f' ({reason})' if reason else ''}"
            too = ", and the server ended the job (parent process shutdown)" if ended else ""
            yield self.found(
                f"{name_of(retry.second)} got no answer when it joined, and its SDK joined again"
                f" {took / NS_PER_S:.1f} s later: {first}{too}{alone}.",
                retry.job.at(Kind.AGENT_CONNECTING),
                retry.first_joining,
                retry.joining,
                retry.gone,
                ended,
                retry.second.gone if ended else None,
            )
