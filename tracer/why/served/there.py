"""An agent who was not there for a caller, and what either lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.timeline.provenance import Mode
from tracer.units import FOREVER
from tracer.why.call.jobs import own_shutdown
from tracer.why.call.limits import HUNG_UP_WITHIN, LONG_ENOUGH, NOTICED, SOON, STUCK_BY
from tracer.why.call.participants import BY_API, DROPPED, SHUTDOWN, name_of
from tracer.why.call.telephone import call_status, ringing
from tracer.why.disconnected.agent_left_caller import AgentLeftCaller
from tracer.why.lack import Lack, in_seconds
from tracer.why.losses import losses
from tracer.why.unrecorded.lost_webhooks import LostWebhooks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step
    from tracer.why.served.stay import CallerStay

__all__ = ["cut_off", "no_agent", "not_picked_up", "permissions_unknown", "something_lost", "standing_still"]


NO_IDENTITY = "Their identity tells whether they came back: with --redact it is not kept."
REQUEST_SOONER = (
    "Find what calls CreateDispatch so late: an agent that is named in the caller's token (RoomConfiguration.agents) is"
    " dispatched as they join."
)
SO_SOON = "An agent takes a moment to join: nothing has to be wrong where a caller is there for so short a time."
SET_UP_WEBHOOKS = (
    "Set up webhooks (tracer doctor): they report when each participant left, which polls show seconds late."
)


def no_agent(stay: CallerStay) -> Lack | None:
    """No agent, for longer than a caller waits."""
    stayed = stay.ended - stay.began
    if not stay.served:
        unseen = [job.sid for job in stay.call.timeline.jobs if stay.call.agents.unseen(job)]
        if unseen:
            sentence = (
                f"job {unseen[0]} reports that its agent was in the room, and no webhook or answer of the API does"
            )
            return Lack(sentence, certain=False, advice=LostWebhooks.advice)
        if stayed > LONG_ENOUGH:
            with_whom = ", with nobody but other callers" if stay.has_company else ""
            sentence = f"{stay.name} had no agent for {in_seconds(stayed)}{with_whom}"
            if (asked := _asked_for(stay)) and asked >= stay.ended:
                sentence += f"; one was requested {in_seconds(asked - stay.ended)} after they had left"
            advice = REQUEST_SOONER if asked else ""
            certain = not stay.has_company
            return Lack(sentence, certain=certain, ns=stayed, advice=advice, of=stay.who.sid, since=stay.began)
        left = "has been there for" if stay.ended >= stay.call.end else "left after"
        sentence = f"{stay.name} {left} {in_seconds(stayed)}, before an agent was there"
        return Lack(sentence, certain=False, advice=SO_SOON)
    since, until = stay.longest_gap()
    hung_up = until == stay.ended and stay.who.disconnect_reason in BY_API and until - since <= HUNG_UP_WITHIN
    # While the call goes on it is said sooner: one who was said goodbye to has hung up by then.
    enough = NOTICED if stay.goes_on and until >= stay.call.end else STUCK_BY
    if until - since <= enough or hung_up or stay.has_company_between(since, until):
        return _alone_perhaps(stay)
    if since > stay.began and not any(one.agent.gone for one in stay.served if one.until <= since):
        lasted = in_seconds(until - since)
        sentence = f"when the agent left is not known: it was last seen {lasted} before {stay.name} left"
        return Lack(sentence, certain=False, ns=until - since, advice=LostWebhooks.advice)
    when = "before the agent was there" if since == stay.began else "after the agent left"
    sentence = f"{stay.name} was alone for {in_seconds(until - since)} {when}"
    advice = ""
    if since == stay.began:
        if (asked := _asked_for(stay)) and asked - since > NOTICED:
            sentence += f", which was requested {in_seconds(asked - since)} after they had joined"
            advice = REQUEST_SOONER
    elif any(_ended_itself(stay, job, since) for job in stay.jobs):
        sentence += ", whose own code had shut down its job"
        advice = AgentLeftCaller.advice
    return Lack(sentence, certain=True, ns=until - since, advice=advice, of=stay.who.sid, since=since)


def _ended_itself(stay: CallerStay, job: Job, left: int) -> bool:
    """Whether a job whose agent left at this time, ns, had been shut down by its own code."""
    agent, shutdown = stay.call.agents.of(job), own_shutdown(job)
    last = any(one.agent is agent and one.until == left for one in stay.served)
    return last and shutdown is not None and shutdown.earliest <= left


def _asked_for(stay: CallerStay) -> int | None:
    """When the first agent was requested (CreateDispatch), ns, if only when the caller was there; else None."""
    asked = [
        created.earliest
        for dispatch in stay.call.timeline.dispatches
        if dispatch.mode == Mode.EXPLICIT and (created := dispatch.at(Kind.DISPATCH_CREATED))
    ]
    named = [d for d in stay.call.timeline.dispatches if d.agent_name and d.mode != Mode.EXPLICIT]
    first = min(asked, default=None)
    return None if first is None or named or first <= stay.began else first


def _alone_perhaps(stay: CallerStay) -> Lack | None:
    """They were seen without the agent, by polls of the API alone, and how long they stayed is not known."""
    gone = stay.who.gone
    if gone is None or "webhook" in gone.witnesses or gone.earliest < stay.ended:
        return None  # otherwise it is known when they left
    left = max(one.agent.gone.latest if one.agent.gone else FOREVER for one in stay.served)
    most = gone.latest - stay.ended
    if left > stay.ended + SOON or most <= STUCK_BY or stay.has_company_between(stay.ended, gone.latest):
        return None
    sentence = f"{stay.name} was in the room when the agent had left, and may have stayed for {in_seconds(most)} more"
    return Lack(sentence, certain=False, ns=most, advice=SET_UP_WEBHOOKS)


def not_picked_up(stay: CallerStay) -> Lack | None:
    """A telephone that the agent dialled is in the room while it rings: what is said then, nobody hears."""
    rang = ringing(stay.who)
    if rang is None:
        return None
    if rang.answered is None:
        status = call_status(stay.who)
        sentence = f"the telephone of {stay.name} was last reported as {status}, and whether it was answered"
    elif rang.answered.kind is not Kind.PARTICIPANT_ATTRIBUTES_CHANGED:
        sentence = f"the telephone of {stay.name} rang when it joined, and when it was answered"
    else:
        return None
    return Lack(f"{sentence} is not known", certain=False)


def permissions_unknown(stay: CallerStay) -> Lack | None:
    """What somebody might do at last, and whether the others saw them: only the server tells."""
    for one in (stay.who, *(one.agent for one in stay.served)):
        reported = {witness for step in one.steps for witness in step.witnesses}
        told = one.gone.facts if one.gone else one.reported
        if keys.HIDDEN not in told and "webhook" not in reported:
            return Lack(
                f"whether {name_of(one)} may publish and subscribe, and is seen by the others, was not reported",
                certain=False,
            )
    return None


def something_lost(stay: CallerStay) -> Lack | None:
    """Something that they had, and lost during the call."""
    agents = {one.agent.sid: one.agent for one in stay.served}.values()
    found = losses(stay.call, stay.who, stay.ended, agents)
    return max(found, key=lambda lack: (lack.certain, lack.ns), default=None)


def standing_still(stay: CallerStay) -> Lack | None:
    """Nothing of the server reached an agent for a while, nor what they said, and the agent did not reconnect."""
    longest, open_ = max((still for job in stay.jobs for still in _still(stay, job)), default=(0, False))
    if longest < NOTICED:
        return None
    when = f"in the last {in_seconds(longest)}" if open_ else f"for at least {in_seconds(longest)}"
    return Lack(
        f"{when} nothing of the server reached the agent, also no sound of {stay.name}", certain=False, ns=longest
    )


def _still(stay: CallerStay, job: Job) -> Iterator[tuple[int, bool]]:
    """For how long nothing reached a job's agent while the caller was there, ns, and whether to the end, each time."""
    stopped: Step | None = None
    for step in job.steps:
        if step.kind is Kind.AGENT_MEDIA_STOPPED:
            stopped = stopped or step
        elif step.kind in _FLOWS and stopped:
            yield min(step.earliest, stay.ended) - max(stopped.time, stay.began), False
            stopped = None
    if stopped:
        yield stay.ended - max(stopped.time, stay.began), True


_FLOWS = (Kind.AGENT_MEDIA_BACK, Kind.AGENT_RECONNECTED)


def cut_off(stay: CallerStay) -> Lack | None:
    """The server disconnected or lost this caller; without an identity nobody knows whether the same one came back."""
    reason = stay.who.disconnect_reason
    if reason in DROPPED and stay.who.identity is None:
        sentence = f"the server lost the connection of {stay.name} ({reason}), and whether they came back is not known"
        return Lack(sentence, certain=False, advice=NO_IDENTITY)
    if reason == SHUTDOWN and not stay.came_back:
        return Lack(f"the server disconnected {stay.name} ({reason}), who did not come back", certain=False)
    return None
