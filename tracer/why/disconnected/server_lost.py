"""A server of a LiveKit cluster went away, and the room went on at another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.livekit_sources import server
from tracer.units import NS_PER_S
from tracer.why.call.participants import name_of
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["ServerLost"]


class ServerLost(Cause):
    """A room is held by one server. When that one dies, another takes the room over as soon as somebody reconnects.

    Known from dispatches that were made anew, and who joined at once without having been reported to leave before. Not
    certain: that somebody dispatched the agent just then cannot be ruled out.
    """

    name = "server-lost"
    symptom = Symptom.DISCONNECTED
    about = "a server of the LiveKit cluster went away during the call, and another took the room over"
    advice = (
        "Find out why that server ended, and let one drain before it does (SIGTERM, terminationGracePeriodSeconds):"
        " then its rooms end in order. The dispatches are made anew too: an agent should look on connecting whether"
        " another is in the room already."
    )
    said = (server("pkg/service/roommanager.go"),)

    def find(self, call: Call) -> Iterator[Finding]:
        if not (moved := call.taken_over):
            return
        first, *others = moved.back
        began = first.steps[0].time
        beside = [
            name_of(agent)
            for job in call.dispatches.jobs[moved.dispatch.sid]
            if (agent := call.agents.of(job)) and agent not in moved.back
        ]
        gone = "The LiveKit server that had the room went away, and another took it over when"
        said = [f"{gone} {name_of(first)} joined anew"]
        said += [f"{name_of(who)} joined anew {(who.steps[0].time - began) / NS_PER_S:.1f} s later" for who in others]
        said += [f"the agent was dispatched anew, and {' and '.join(beside)} came"] if beside else []
        yield self.found(
            "; ".join(said) + ".",
            *moved.evidence,
            certain=False,
        )
