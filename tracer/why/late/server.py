"""What the server sent late, or was asked for late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import Page, server
from tracer.timeline.missing_jobs import unaccounted_until
from tracer.units import NS_PER_S
from tracer.why.call.dispatches import agent_named
from tracer.why.call.jobs import received, waits
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["AskedAgain", "SilentCaller", "SlowOffer"]

SLOW_OFFER = NS_PER_S
"""From the server to the worker takes no longer than the network does, ns."""
ASKED_AGAIN = NS_PER_S
"""Two dispatches that are closer together than this, ns, were meant as two."""
NOTIFIED_BY = NS_PER_S
"""A caller with a track is announced within 100 ms; one without in batches, up to 3 s apart; ns."""


class AskedAgain(Cause):
    """No dispatch is repeated by itself: somebody, or a program of theirs, dispatched again.

    Known from two dispatches of one name, of which the later brought an agent.
    """

    name = "asked-again"
    symptom = Symptom.LATE
    about = "the first dispatch brought no agent, and a later one did"
    advice = (
        "Find out why the first one brought no agent: was a worker of that name registered, available, and quick to"
        " answer? `tracer timeline` shows what workers reported meanwhile."
    )
    said = (
        server("pkg/service/agentservice.go"),
        Page.DISPATCH_API,
    )

    def find(self, call: Call) -> Iterator[Finding]:
        for dispatch in call.timeline.dispatches:
            created, again = dispatch.at(Kind.DISPATCH_CREATED), call.dispatches.made_again(dispatch)
            if not created or not again or call.dispatches.brought_agent(dispatch):
                continue
            if created.earliest <= unaccounted_until(call.timeline):
                continue  # an agent of which no job is known may be of this one
            waited = again.time - max(created.time, call.callers.first_active or 0)
            if waited > ASKED_AGAIN:
                yield self.found(
                    f"The dispatch for {agent_named(dispatch.agent_name)} brought no agent; one that was created"
                    f" {(again.time - created.time) / NS_PER_S:.1f} s later did.",
                    created,
                    again,
                )


class SlowOffer(Cause):
    """Between the server's choice of a worker and the worker's receipt of the job.

    Known from two clocks, the server's and the worker's, of which the skew is bounded by the agent's join: so what it
    took is a lower bound.
    """

    name = "slow-offer"
    symptom = Symptom.LATE
    about = "the job was slow to reach the worker from the server"
    advice = "Check the network between server and worker, and whether the worker's own process was busy or suspended."
    said = (server("pkg/service/agentservice.go"),)

    def find(self, call: Call) -> Iterator[Finding]:
        for job in call.timeline.jobs:
            offered, receipt = job.at(Kind.JOB_OFFERED), received(job)
            connected, agent = job.at(Kind.AGENT_CONNECTED), call.agents.of(job)
            joining = agent.at(Kind.PARTICIPANT_JOINING) if agent else None
            if not (offered and receipt and connected and joining):
                continue
            # The agent's clock can be ahead by no more than this: it joined before ctx.connect() returned.
            ahead = max(connected.latest - joining.earliest, 0)
            took = receipt.earliest - offered.latest - ahead
            if took > SLOW_OFFER:
                yield self.found(
                    f"Job {job.sid} was offered, and the worker received it at least {took / NS_PER_S:.1f} s later.",
                    offered,
                    receipt,
                )


class SilentCaller(Cause):
    """The server announces a participant who publishes nothing in batches (subscriberUpdateInterval, 3 s).

    Known from the end of the agent's wait, long after the caller was ACTIVE, and from the absence of a track. Never
    certain: only a webhook reports a track, and it can have been lost.
    """

    name = "silent-caller"
    symptom = Symptom.LATE
    about = "the caller had published no track yet, and so was announced to the agent late"
    advice = "Have the caller publish its microphone as soon as it joins; then the agent is notified within 0.1 s."
    said = (server("pkg/rtc/room.go"),)

    def find(self, call: Call) -> Iterator[Finding]:
        for job in call.timeline.jobs:
            for waiting, ready in waits(job):
                who = call.timeline.by_sid.get(str(ready.facts.get(keys.PARTICIPANT_ID))) if ready else None
                active = who.at(Kind.PARTICIPANT_ACTIVE) if who else None
                earliest = call.agents.not_before(job, ready) if ready else None
                if ready is None or who is None or active is None or earliest is None:
                    continue
                late = min(earliest - active.latest, ready.time - waiting.time)
                published = [step for step in call.callers.published.get(who.sid, ()) if step.earliest < ready.time]
                if late > NOTIFIED_BY and not published:
                    name = who.text(keys.PARTICIPANT_IDENTITY) or who.sid
                    yield self.found(
                        f"{name} was ACTIVE and had published no track; the agent was notified {late / NS_PER_S:.1f} s"
                        " later.",
                        waiting,
                        active,
                        ready,
                        certain=False,
                    )
