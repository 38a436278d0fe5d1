"""Two jobs with one identity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.livekit_sources import Page, server
from tracer.why.call.participants import name_of
from tracer.why.cause import Cause
from tracer.why.disconnected.agent_retried import ended_by_a_join, then_alone
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["AgentIdentityReused"]


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
    said = (
        server("pkg/service/roommanager.go"),
        Page.OPTIONS,
    )

    def find(self, call: Call) -> Iterator[Finding]:
        for pair in call.replaced:
            if not pair.are_two_jobs or pair.first_job is None or pair.second_job is None:
                continue
            if not call.callers.at(pair.joining.time):
                continue
            ended = ended_by_a_join(pair.second_job, pair.joining)
            too = ", and the server ended its job too" if ended else ""
            alone = then_alone(call, pair.second)
            yield self.found(
                f"Jobs {pair.first_job.sid} and {pair.second_job.sid} have one identity, {name_of(pair.second)}: the"
                f" agent of the second disconnected that of the first when it joined{too}{alone}.",
                pair.joining,
                pair.gone,
                ended,
                pair.second.gone if ended else None,
            )
