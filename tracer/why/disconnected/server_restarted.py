"""The LiveKit server itself went away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import server
from tracer.units import NS_PER_S
from tracer.why.call.participants import name_of
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.why.call import Call
    from tracer.why.call.outage import Outage
    from tracer.why.cause import Finding

__all__ = ["ServerRestarted"]


class ServerRestarted(Cause):
    """A room is held by one server, and ends with it; whoever reconnects makes a new room of the same name.

    Known from the reason SERVER_SHUTDOWN in the webhooks of the leaves; of a server that died, from a room that is
    not there when the API answers again, with nobody reported to leave, and from the agents and workers that connect
    anew. Not certain where the tracer and the agent can have been cut off together.
    """

    name = "server-restarted"
    symptom = Symptom.DISCONNECTED
    about = "the LiveKit server went away during the call, and its rooms with it"
    advice = (
        "Find in the server's log, and in that of what runs it, why it stopped. Stop it with SIGTERM and give it time"
        " (terminationGracePeriodSeconds, stop_grace_period): then it waits until its rooms are empty."
    )
    said = (server("pkg/service/roommanager.go"),)

    def find(self, call: Call) -> Iterator[Finding]:
        if outage := call.outage:
            yield self.found(self._sentence(call, outage), *outage.evidence, certain=outage.certain)

    @staticmethod
    def _sentence(call: Call, outage: Outage) -> str:
        names = ", ".join(map(name_of, outage.callers))
        was = "was" if len(outage.callers) == 1 else "were"
        if outage.announced:
            return f"The LiveKit server shut down while {names} {was} in the room (SERVER_SHUTDOWN)."
        sentence = (
            f"The LiveKit server went away while {names} {was} in the room: when it answered again the room was not"
            " there, and nobody had been reported to leave."
        )
        later, back = call.timeline.later, outage.back
        if later is None or back is None:
            return sentence
        again = min((step.time for step in outage.evidence if step.kind is Kind.AGENT_RECONNECTING), default=None)
        joined = back.at(Kind.PARTICIPANT_JOINING)
        took = f" after {(joined.time - again) / NS_PER_S:.1f} s" if joined and again and joined.time > again else ""
        return f"{sentence} {name_of(back)} reconnected{took}, to a new room of the same name ({later.room.sid})."

    def doubt(self, call: Call) -> str | None:
        if call.outage:
            return None
        if elsewhere := call.agents.reconnected_from_earlier_room:
            names = " and ".join(map(name_of, elsewhere))
            before = call.timeline.earlier
            return (
                f"check the room before this one ({before.room.sid if before else ''}), from which {names}"
                " reconnected: what it did here was reported there"
            )
        finished = call.timeline.room.finished
        if finished is None or "webhook" in finished.witnesses:
            return None
        if finished.facts.get(keys.ROOM_SERVER_AWAY) is not True:
            return None
        there = [p for p in call.callers.all if p.gone is None or p.gone.latest >= finished.earliest]
        if not there:
            return None
        return "check in the server's log whether it was restarted: its API did not answer when this room ended"
