"""The agent's own connection to the room was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import agents
from tracer.timeline.entities import Shutdown
from tracer.timeline.reporting import FROM_THE_SERVER
from tracer.units import NS_PER_S
from tracer.why.call.connection import interruptions
from tracer.why.call.limits import LONG_ENOUGH, SOON, STUCK_BY
from tracer.why.call.outage import SDK_NOTICES_WITHIN
from tracer.why.call.participants import DROPPED, name_of
from tracer.why.cause import Cause
from tracer.why.disconnected.agent_retried import ended_by_a_join
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.call.connection import Interruption
    from tracer.why.cause import Finding

__all__ = ["AgentLostConnection"]


SERVER_SILENT = "; its worker lost the server at that time too, of which nothing was heard since"
"""How a sentence ends where the server itself may have gone."""


class AgentLostConnection(Cause):
    """The network between the agent and the server broke, while the agent's process ran.

    Known from the agent's room, at once, and from its session (``connection_state_changed``); where it had none, from a
    job that went on, or shut down with ``room disconnected``, though the server lost its agent. All durations are
    bounds: the SDK and the server notice seconds later. A short interruption is no fault, nor is a longer one in which
    only the signalling was lost and media flowed on. While the call goes on it is said after 3 s, and is certain after
    10 s. Not certain where its worker lost the server too, and the server has reported nothing since: then the server
    itself may be gone.
    """

    name = "agent-lost-connection"
    symptom = Symptom.DISCONNECTED
    about = "the agent lost its connection to the room while its process ran"
    advice = (
        "Look at the network of the agent's machine at that time: its route to the server, UDP, and what it passes"
        " (NAT, VPN, proxy). Dispatch an agent again (CreateDispatch) for a caller who is alone."
    )
    SERVER_TOO = (
        "See whether the LiveKit server itself went away then: its log, and that of what runs it. The agent and its"
        " worker lost it at once. If it ran on, it was the network of the agent's machine."
    )
    said = (agents("voice/room_io/room_io.py"),)

    def find(self, call: Call) -> Iterator[Finding]:
        if call.outage or call.taken_over:
            return
        for job in call.timeline.jobs:
            lost = self._for_good(call, job)
            longest = max(self._for_a_while(call, job), key=lambda found: found[0], default=None)
            if lost := lost or self._so_far(call, job):
                yield lost
            elif longest:
                yield longest[1]

    def _for_good(self, call: Call, job: Job) -> Finding | None:
        shutdown, agent = job.at(Kind.JOB_SHUTDOWN), call.agents.of(job)
        by_room = shutdown if job.shutdown_reason == Shutdown.ROOM_GONE else None
        left = agent.gone if agent and agent.disconnect_reason in DROPPED else None
        given_up = next((lost for lost in interruptions(job) if _is_for_good(lost, shutdown, by_room, left)), None)
        if given_up:
            began = given_up.began
        elif left and by_room and by_room.earliest < call.end:
            began = min(left, by_room, key=lambda step: step.time)
        elif left and shutdown is None and job.last_reported.time > left.latest + LONG_ENOUGH:
            began = left
        else:
            return None
        if job.at(Kind.PROCESS_FAILED) and not by_room:
            return None
        waiting = [(min(until, call.end) - began.time, who) for until, who in call.callers.at(began.time)]
        alone = max(waiting, key=lambda found: found[0], default=None)
        if alone is None or alone[0] < LONG_ENOUGH or self._came_back(call, job, began):
            return None
        name = name_of(agent) if agent else f"The agent of job {job.sid}"
        ended = given_up.ended if given_up else None
        tried = f", and could not reconnect for {(ended.time - began.time) / NS_PER_S:.1f} s" if ended else ""
        end = ": its job shut down (room disconnected)" if by_room else ""
        others = call.agents.others_after(agent, began.time)
        without = f"; {name_of(alone[1])} was there for at least {alone[0] / NS_PER_S:.0f} s more, without an agent"
        more = "" if others else without
        if too := _server_too(call, job, began):
            more = SERVER_SILENT
        return self.found(
            f"{name} lost its connection to the room while {name_of(alone[1])} was in it{tried}{end}{more}.",
            began,
            ended,
            by_room,
            left,
            too,
            certain=too is None,
            advice=self.SERVER_TOO if too else None,
        )

    def _so_far(self, call: Call, job: Job) -> Finding | None:
        """While the call goes on: an interruption that has not ended, and for how long."""
        if call.timeline.room.finished or job.at(Kind.JOB_SHUTDOWN, Kind.JOB_ENDED, Kind.PROCESS_FAILED):
            return None
        lost = next((one for one in interruptions(job) if one.ended is None), None)
        there = [who for until, who in call.callers.at(lost.began.time) if until >= call.end] if lost else []
        if lost is None or not there or call.end - lost.began.time < LONG_ENOUGH:
            return None
        agent, too = call.agents.of(job), _server_too(call, job, lost.began)
        also = SERVER_SILENT if too else f"; {name_of(there[0])} is in it"
        return self.found(
            f"{name_of(agent) if agent else f'The agent of job {job.sid}'} lost its connection to the room, and has not"
            f" been back for {(call.end - lost.began.time) / NS_PER_S:.1f} s so far{also}.",
            lost.began,
            too,
            certain=call.end - lost.began.time > STUCK_BY and too is None,
            advice=self.SERVER_TOO if too else None,
        )

    @staticmethod
    def _came_back(call: Call, job: Job, began: Step) -> bool:
        """Whether the same agent joined again later: by a later run of its job, or by itself."""
        agent = call.agents.of(job)
        return any(
            other.identity is not None
            and agent is not None
            and other.sid != agent.sid
            and other.identity == agent.identity
            and other.steps[0].time > began.time
            for other in call.agents.all
        )

    def _for_a_while(self, call: Call, job: Job) -> Iterator[tuple[int, Finding]]:
        """Each interruption that a caller must have noticed, and how long it was at least, ns."""
        agent = call.agents.of(job)
        name = name_of(agent) if agent else f"The agent of job {job.sid}"
        for lost in interruptions(job):
            if not lost.is_over or lost.ended is None:
                continue
            lasted, anew = lost.ended.time - lost.began.time, _joined_anew(job, lost)
            # When an agent joins anew, the server ends the job of the participant that it was before: its own.
            ended = ended_by_a_join(job, lost.ended)
            least = 0 if ended else LONG_ENOUGH if anew else STUCK_BY
            there = [who for until, who in call.callers.at(lost.began.time) if until - lost.began.time >= least]
            if lasted < least or not there or (ended and call.callers.all_left_by(ended.time + LONG_ENOUGH)):
                continue
            then = (
                "and came back; then the server ended its job (parent process shutdown)" if ended else "and came back"
            )
            yield (
                lasted,
                self.found(
                    f"{name} was without its connection to the room for at least {lasted / NS_PER_S:.1f} s while"
                    f" {name_of(there[0])} was in it, {then}.",
                    lost.began,
                    lost.ended,
                    ended,
                    certain=anew,
                ),
            )


def _server_too(call: Call, job: Job, began: Step) -> Step | None:
    """When the worker of a job lost the server as its agent did, if nothing shows that the server was there since."""
    worker = next((one for one in call.workers.all if one.sid == job.worker_id), None)
    lost = worker.at(Kind.WORKER_DISCONNECTED) if worker else None
    if worker is None or lost is None or abs(lost.time - began.time) > SDK_NOTICES_WITHIN:
        return None
    back = call.workers.successor(worker)
    since = max(lost.time, began.time)
    alive = (s for one in call.timeline.by_sid.values() for s in one.steps if FROM_THE_SERVER.intersection(s.witnesses))
    return None if back or any(step.latest > since for step in alive) else lost


def _is_for_good(lost: Interruption, shutdown: Step | None, by_room: Step | None, left: Step | None) -> bool:
    """Whether the agent did not come back, and had not shut down by itself before it gave up."""
    if lost.is_over:
        return False
    # The server gave it up: by then the job may have been ended by its worker, as the server asked.
    after = shutdown is None or shutdown.time > lost.began.time
    if by_room is not None or (after and left is not None and left.time > lost.began.time):
        return True
    if lost.ended is None:
        # Or its callers left before the server noticed; it would have reported that it was back.
        return shutdown is not None and shutdown.time - lost.began.time > STUCK_BY
    return shutdown is None or shutdown.time > lost.ended.time


def _joined_anew(job: Job, lost: Interruption) -> bool:
    """Whether the agent had to join anew, without media in between: then its SDK reports everybody as gone first."""
    ended = lost.ended.time if lost.ended else lost.began.time
    return any(
        step.kind is Kind.SESSION_UNLINKED
        and step.facts.get(keys.DISCONNECT_REASON) in (None, "UNKNOWN_REASON")
        and lost.began.time - SOON <= step.time <= ended
        for step in job.steps
    )
