"""The agent ended by itself, and its caller stayed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import Page
from tracer.timeline.entities import Shutdown
from tracer.units import NS_PER_S
from tracer.why.call.jobs import disconnected_itself, own_shutdown
from tracer.why.call.limits import HUNG_UP_WITHIN, SOON, STUCK_BY
from tracer.why.call.listening import listenings
from tracer.why.call.participants import BY_API, BY_ITSELF, can_talk, connected_until, name_of
from tracer.why.cause import Cause
from tracer.why.disconnected.agent_retried import ended_by_a_join
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job, Participant
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["AgentLeftCaller", "ended_by_server", "left_alone", "left_later"]


class AgentLeftCaller(Cause):
    """An agent that ends leaves its caller in the room: nothing disconnects them.

    Known from the job, which its own code shut down, and from a caller who stayed for more than 10 s. No fault of an
    agent after which the caller leaves or the room is deleted, of one that leaves two people to each other, or that
    hands over to another agent or to somebody who joins; nor after a session that closed by an error, which is a cause
    of its own. Not certain of a job that disconnects from the room (``ctx.room.disconnect()``) and does not shut down,
    as far as it reported, or that the server had its worker end then; nor of an agent that had no session: it may not
    have been meant to talk. An agent without spans that leaves as a client does (CLIENT_INITIATED) is a doubt: its code
    may have raised, or its worker was stopped.
    """

    name = "agent-left-caller"
    symptom = Symptom.DISCONNECTED
    about = "the agent ended by itself while a caller was there, who stayed"
    advice = (
        "Find what ends the agent: ctx.shutdown(), ctx.room.disconnect(), or code that runs when its session closes. An"
        " agent that ends the call has to disconnect the caller too: delete the room (ctx.delete_room(),"
        " delete_room_on_close)."
    )
    KEEP_IT = (
        "A page that is reloaded leaves, and is back at once: keep the session for who comes back"
        " (close_on_disconnect=False in RoomOptions), or delete the room as it closes (delete_room_on_close), so that"
        " who comes back gets a new room with an agent of its own."
    )
    said = (Page.JOB,)

    def find(self, call: Call) -> Iterator[Finding]:
        for job in call.timeline.jobs:
            agent, shutdown = call.agents.of(job), own_shutdown(job)
            left = agent.gone if agent else None
            ended = None if shutdown or left_later(call, job) else _ended_as_it_left(call, job)
            if ended:  # it may have come back for a moment
                same = [one for one in call.agents.all if one.identity == job.participant_identity]
                agent = max(same, key=call.left_at)
                left = agent.gone
            if agent is None or left is None or _failed(job):
                continue
            # What nobody listened to can be the job's own shutdown, and what it was for.
            told = call.timeline.is_heard(left.earliest, left.latest) and disconnected_itself(job, agent)
            if not (shutdown or ended or told):
                continue
            does = "ended by its own code" if shutdown else "left by its own code"
            does += ", or as its dispatch was deleted," if ended else ""
            why = f" (shutdown reason: {job.shutdown_reason})" if job.shutdown_reason and not ended else ""
            for caller, alone in left_alone(call, agent, left):
                if shutdown and _came_as_it_left(caller, shutdown, left):
                    continue  # see RejoinedWithoutAgent
                stays = "has been" if caller.gone is None and call.timeline.room.finished is None else "was"
                back, late = _came_back_to(call, job, caller), ""
                if back:
                    after = (back[1].time - back[0].time) / NS_PER_S
                    late = f": its session closed when {name_of(caller)} left, who came back {after:.1f} s later"
                yield self.found(
                    f"{name_of(agent)} {does}{why} while {name_of(caller)} was there, who {stays} alone"
                    f" for at least {alone // NS_PER_S} s since{late}.",
                    *(back or ()),
                    shutdown or ended,
                    left,
                    caller.gone,
                    certain=shutdown is not None and job.at(Kind.SESSION_STARTING) is not None,
                    advice=self.KEEP_IT if back else None,
                )

    def doubt(self, call: Call) -> str | None:
        for agent in call.agents.uninstrumented:
            by_itself = agent.gone and agent.disconnect_reason == BY_ITSELF and not agent.is_avatar
            if agent.gone and by_itself and any(left_alone(call, agent, agent.gone)):
                return f"check in its worker's log why {name_of(agent)} left: by its code, an exception, or a stop"
        return None


def _came_back_to(call: Call, job: Job, caller: Participant) -> tuple[Step, Step] | None:
    """When a caller left, with whom a job's session then closed, and when they were back; None of any other."""
    for heard in listenings(call, job):
        closed, who, back = heard.session.closed, heard.who, caller.steps[0]
        if closed is None or who is None or who.gone is None or who.sid == caller.sid:
            continue
        by_leave = closed.facts.get(keys.CLOSE_REASON) == "participant_disconnected"
        if by_leave and heard.is_to(caller) and back.time >= who.gone.time:
            return who.gone, back
    return None


def _ended_as_it_left(call: Call, job: Job) -> Step | None:
    """The shutdown of a job that the server had its worker end as its agent left by itself; the worker did not stop.

    DeleteDispatch can look the same.
    """
    if (shutdown := ended_by_server(call, job)) is None:
        return None
    same = [a for a in call.agents.all if a.identity is not None and a.identity == job.participant_identity]
    left = [a.gone for a in same if a.gone and a.disconnect_reason == BY_ITSELF]
    near = any(abs(gone.time - shutdown.time) <= SOON or gone.earliest <= shutdown.time <= gone.latest for gone in left)
    return shutdown if near else None


def ended_by_server(call: Call, job: Job) -> Step | None:
    """The shutdown of a job that its worker ended, and that worker was not stopped, as far as it reported.

    None where a second connection of its agent explains it: that disconnected the first, and with it ended the job.
    """
    shutdown, worker = job.at(Kind.JOB_SHUTDOWN), next((w for w in call.workers.all if w.sid == job.worker_id), None)
    if shutdown is None or worker is None or job.shutdown_reason != Shutdown.BY_WORKER:
        return None
    joined = [pair.joining for pair in call.replaced if job in (pair.first_job, pair.second_job)]
    joined += [retry.joining for retry in call.retries if retry.job is job]
    if any(ended_by_a_join(job, joining) for joining in joined):
        return None
    stopping = worker.at(Kind.WORKER_DRAINING, Kind.WORKER_CLOSED)
    return None if stopping and stopping.time <= shutdown.time + SOON else shutdown


def left_later(call: Call, job: Job) -> bool:
    """Whether the session of a job that its worker ended had closed, since that, when the agent left.

    Of an agent that leaves by itself the session closes after it.
    """
    agent, shutdown, closed = call.agents.of(job), ended_by_server(call, job), job.at(Kind.SESSION_CLOSED)
    if agent is None or agent.gone is None or shutdown is None or closed is None:
        return False
    return agent.disconnect_reason == BY_ITSELF and shutdown.time <= closed.time <= agent.gone.time


def _came_as_it_left(caller: Participant, shutdown: Step, left: Step) -> bool:
    """Whether a caller joined an agent whose end had begun, and met it for no longer than a moment."""
    active = caller.at(Kind.PARTICIPANT_ACTIVE)
    return active is not None and caller.steps[0].time > shutdown.time and left.time <= active.time + SOON


def _failed(job: Job) -> bool:
    """Whether a session of the job closed by an error."""
    closed = (step for step in job.steps if step.kind is Kind.SESSION_CLOSED)
    return any(step.facts.get(keys.CLOSE_REASON) == "error" for step in closed)


def left_alone(call: Call, agent: Participant, left: Step) -> Iterator[tuple[Participant, int]]:
    """Callers whom an agent left alone, and for how long at least, ns."""
    others = [
        who
        for who in call.timeline.participants
        if who.sid != agent.sid and not who.is_avatar and who.kind != "EGRESS" and can_talk(who)
    ]
    for until, caller in call.callers.at(left.time):
        if caller not in others:
            continue
        company = [who for who in others if who.sid != caller.sid and call.left_at(who) > left.latest + SOON]
        came = min((who.steps[0].earliest for who in company), default=call.end)
        alone = min(until, connected_until(call.timeline, caller), came, call.end) - left.latest
        hung_up = caller.disconnect_reason in BY_API and alone < HUNG_UP_WITHIN
        if alone > STUCK_BY and not hung_up:
            yield caller, alone
