"""The agent got its job and could not connect to the room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import agents, server
from tracer.units import NS_PER_S
from tracer.why.call.jobs import error_of
from tracer.why.call.limits import SOON
from tracer.why.call.participants import name_of
from tracer.why.call.replaced import DUPLICATE
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["ConnectFailed"]

CONNECTED_BY = 15 * NS_PER_S
"""A connection that is not there by then, ns, is tried in vain."""
TRIED_FOR = 3 * NS_PER_S
"""Who has tried to connect for longer than this, ns, would not have succeeded."""
ROOM_ENDED = ("ROOM_DELETED", "ROOM_CLOSED", "PARTICIPANT_REMOVED")
"""Why the server disconnects somebody who did nothing wrong."""


class ConnectFailed(Cause):
    """The agent could not connect to the room.

    Known in two ways: from the job's own span ``room_connect``, which ended with an error or does not end; and, of an
    agent that reports nothing, from the server's ``participant_connection_aborted``.
    """

    name = "connect-failed"
    symptom = Symptom.MISSING
    about = "the agent could not connect to the room"
    advice = (
        "Check that the agent's machine can reach LIVEKIT_URL and the server's media ports (rtc.tcp_port,"
        " rtc.udp_port, node_ip); the error shows which failed."
    )
    said = (
        agents("job.py"),
        server("pkg/telemetry/events.go"),
    )

    def find(self, call: Call) -> Iterator[Finding]:
        for job in call.timeline.jobs:
            connecting = job.at(Kind.AGENT_CONNECTING)
            if connecting and not job.at(Kind.AGENT_CONNECTED):
                yield from self._by_its_span(call, job, connecting)
        yield from self._by_the_server(call)

    def _by_its_span(self, call: Call, job: Job, connecting: Step) -> Iterator[Finding]:
        """Given a job that began to connect, and is not known to have connected."""
        agent, ended = call.agents.of(job), job.at(Kind.JOB_ENDED)
        aborted = agent.at(Kind.PARTICIPANT_ABORTED) if agent else None
        active = agent.at(Kind.PARTICIPANT_ACTIVE) if agent else None
        lasted = call.end - connecting.time
        error = error_of(connecting)
        if _ended_by_the_room(call, connecting, aborted or ended):
            return
        if error:
            what = f"failed: {error}"
        elif aborted and aborted.facts.get(keys.DISCONNECT_REASON) == DUPLICATE:
            return  # another connection of this identity took its place, as when its SDK tries again
        elif aborted:
            what = "got no media connection: the server aborted it"
        elif not active and call.timeline.lost(job) is None and lasted > CONNECTED_BY:
            what = f"has not returned for {lasted / NS_PER_S:.0f} s"
        else:
            return
        yield self.found(
            f"In job {job.sid}, ctx.connect() {what}.", connecting, aborted, ended, certain=bool(error or aborted)
        )

    def _by_the_server(self, call: Call) -> Iterator[Finding]:
        """Agents whose connection the server aborted, and no span of theirs reports it."""
        connecting = (job for job in call.timeline.jobs if job.at(Kind.AGENT_CONNECTING))
        with_span = {agent.sid for job in connecting if (agent := call.agents.of(job))}
        with_job = {agent.sid for agent in call.agents.of_jobs.values()}
        came = {agent.identity for agent in call.agents.all if agent.at(Kind.PARTICIPANT_ACTIVE)}
        for agent in call.agents.all:
            joining, aborted = agent.at(Kind.PARTICIPANT_JOINING), agent.at(Kind.PARTICIPANT_ABORTED)
            if agent.sid in with_span or not aborted or _ended_by_the_room(call, joining, aborted):
                continue
            of_job = agent.sid in with_job or str(agent.identity).startswith("agent-AJ_")
            if agent.is_avatar or (came and not of_job) or agent.identity in came:
                continue  # an agent came; this one is its avatar, or was its first try
            yield self.found(
                f"{name_of(agent)} joined and got no media connection: the server aborted it.", joining, aborted
            )


def _ended_by_the_room(call: Call, began: Step | None, failed: Step | None) -> bool:
    """Whether a connection failed because the room ended: at once, and not after it was tried for long."""
    if failed is None or began is None or failed.time - began.time > TRIED_FOR:
        return False
    finished = call.timeline.room.finished
    closing = finished is not None and failed.time > finished.time - SOON
    return failed.facts.get(keys.DISCONNECT_REASON) in ROOM_ENDED or closing
