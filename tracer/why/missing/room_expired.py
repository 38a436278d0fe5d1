"""The room that was made for a call closed before the caller came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.livekit_sources import Page, server
from tracer.timeline.provenance import EndReason
from tracer.units import NS_PER_S
from tracer.why.call.participants import name_of
from tracer.why.missing.without_job import WithoutJob

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Dispatch, Worker
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["RoomExpired", "closed_empty"]

SAME_CALL = 600 * NS_PER_S
"""Who joins a room of that name within this, ns, came for the call that it was made for."""


def closed_empty(timeline: Timeline) -> str | None:
    """How a room closed that nobody had joined, as ``by its empty_timeout (300 s)``; None for any other."""
    nobody = not timeline.callers
    if timeline.end_reason != EndReason.EMPTY_TIMEOUT and not (
        timeline.end_reason == EndReason.IDLE_TIMEOUT and nobody
    ):
        return None
    timeout = timeline.room.facts.get(keys.ROOM_EMPTY_TIMEOUT)
    return f"by its empty_timeout ({timeout} s)" if timeout else "by its empty_timeout"


class RoomExpired(WithoutJob):
    """A room that is made ahead (CreateRoom, CreateDispatch) closes when nobody joins it within ``empty_timeout``.

    Its agents go with it: whoever comes later makes a new room of that name, for which nobody requested them. Known
    from the room of this name before this one, its end and its dispatches, and from this one, which has no named
    dispatch.
    """

    name = "room-expired"
    about = "the room that the agent was dispatched to had closed before the caller came"
    advice = (
        "Raise empty_timeout in CreateRoom (300 s by default), make the room when the caller is about to join, or list"
        " the agents in the caller's token (RoomConfiguration.agents): then a new room gets them too."
    )
    said = (
        server("pkg/rtc/room.go"),
        Page.ROOMS,
    )

    def judge(self, call: Call, dispatch: Dispatch, created: Step, same: list[Worker]) -> Iterator[Finding]:
        earlier = call.timeline.earlier
        how = closed_empty(earlier) if earlier else None
        if earlier is None or how is None or earlier.room.finished is None or dispatch.agent_name or same:
            return
        closed, first = earlier.room.finished, next(iter(call.callers.all), None)
        names = sorted({repr(one.agent_name) for one in earlier.dispatches if one.agent_name})
        if first is None or not names or any(one.agent_name for one in call.timeline.dispatches):
            return
        late = first.steps[0].time - closed.time
        if not 0 < late <= SAME_CALL:
            return
        yield self.found(
            f"Agent {' and '.join(names)} was dispatched to the room of this name before this one ({earlier.room.sid}),"
            f" which closed {how}, as nobody had joined it. {name_of(first)} came {late / NS_PER_S:.1f} s later: that"
            " made a new room, to which nothing dispatched an agent by name.",
            closed,
            created,
            first.steps[0],
        )
