"""Two jobs with one identity, and one job that joined twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.timeline.entities import Shutdown
from tracer.units import NS_PER_S
from tracer.why.call.limits import LONG_ENOUGH, SOON
from tracer.why.call.participants import name_of
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.call.replaced import Replaced
    from tracer.why.cause import Finding

__all__ = ["AgentIdentityReused", "AgentRetried"]


def _ended_by_server(pair: Replaced, job: Job) -> Step | None:
    """The shutdown of a job that the server ended when it disconnected the first of two agents with its identity."""
    shutdown = job.at(Kind.JOB_SHUTDOWN)
    if shutdown is None or job.shutdown_reason != Shutdown.BY_WORKER:
        return None
    return shutdown if abs(shutdown.time - pair.joining.time) <= 3 * SOON else None


def _then_alone(call: Call, pair: Replaced) -> str:
    """For how long a caller had no agent when the second had left too, as the end of a sentence."""
    alone = call.alone_after(call.left_at(pair.second)) if pair.second.gone else None
    if alone is None or alone[0] < LONG_ENOUGH:
        return ""
    return f": {name_of(alone[1])} was alone for {alone[0] / NS_PER_S:.1f} s"


class AgentIdentityReused(Cause):
    """``accept(identity=…)`` with one value for every job: the second agent disconnects the first.

    The server then ends the job of whoever has that identity, which is the second one's. One agent after the other
    under one identity is no fault. Known from two jobs, the participants they became, and the reason of the leave.
    """

    name = "agent-identity-reused"
    symptom = Symptom.DISCONNECTED
    about = "two jobs were accepted with the same identity, and the second agent disconnected the first"
    advice = (
        "Give each job an identity of its own: leave out identity= in accept(), or put the job's id into it"
        " (await request.accept(identity=f'my-agent-{request.id}'))."
    )

    def find(self, call: Call) -> Iterator[Finding]:
        for pair in call.replaced:
            if not pair.are_two_jobs or pair.first_job is None or pair.second_job is None:
                continue
            if not call.callers.at(pair.joining.time):
                continue
            ended = _ended_by_server(pair, pair.second_job)
            too = ", and the server ended its job too" if ended else ""
            yield self.found(
                f"Jobs {pair.first_job.sid} and {pair.second_job.sid} have one identity, {name_of(pair.second)}: the"
                f" agent of the second disconnected that of the first when it joined{too}{_then_alone(call, pair)}.",
                pair.joining,
                pair.gone,
                ended,
                pair.second.gone if ended else None,
            )


class AgentRetried(Cause):
    """The SDK tries again to connect when its first try gets no answer, though the server let the agent in.

    The server disconnects the first of the two (DUPLICATE_IDENTITY), and ends the job of that identity: the agent's
    own. Known from one job with two agents, of which the first was never ACTIVE. No fault where the agent stayed and
    the second try came at once.
    """

    name = "agent-retried"
    symptom = Symptom.DISCONNECTED
    about = "the agent had to try again to connect, and its second try disconnected its first"
    advice = (
        "Check the network between the agent and the server: the answer to the agent's first try was lost or came too"
        " late. Dispatch an agent again (CreateDispatch) for a caller who is alone."
    )

    def find(self, call: Call) -> Iterator[Finding]:
        for pair in call.replaced:
            first, job = pair.first.at(Kind.PARTICIPANT_JOINING), pair.second_job
            if not pair.is_one_job or job is None or first is None or pair.first.at(Kind.PARTICIPANT_ACTIVE):
                continue
            ended, took = _ended_by_server(pair, job), pair.joining.time - first.time
            alone = _then_alone(call, pair)
            if not call.callers.at(pair.joining.time) or not (took >= LONG_ENOUGH or (ended and alone)):
                continue
            too = " and ended the job (parent process shutdown)" if ended else ""
            yield self.found(
                f"{name_of(pair.second)} got no answer when it joined, and its SDK joined again {took / NS_PER_S:.1f} s"
                f" later: the server disconnected the first of the two (DUPLICATE_IDENTITY){too}{alone}.",
                job.at(Kind.AGENT_CONNECTING),
                first,
                pair.joining,
                pair.gone,
                ended,
                pair.second.gone if ended else None,
            )
