"""A room, and the dispatches that ask for agents in it."""

from __future__ import annotations

from tracer.kinds.info import KindInfo

__all__ = ["ROOM"]

ROOM = {
    "room.created": KindInfo(
        phrase="room created",
        verb="was created",
        meaning="The server created the room.",
        cause="The first join, CreateRoom, CreateDispatch, SIP or ingress.",
        following="The room's dispatches, within a millisecond.",
        reported={"webhook": "the server's own time in ms", "observer": "the server's own time in ms"},
    ),
    "dispatch.created": KindInfo(
        phrase="dispatch created",
        verb="was created",
        meaning="The server recorded that an agent is requested.",
        cause="Room creation, a token's agents or CreateDispatch.",
        following="The server collects bids from workers for about 200 ms and offers the job to one.",
        reported={"observer": ""},
    ),
    "room.finished": KindInfo(
        phrase="room finished",
        verb="was closed",
        meaning="The server closed the room: the last webhook of a room.",
        cause="Its departure timeout, its empty timeout or DeleteRoom.",
        following="Its jobs shut down.",
        reported={"webhook": "within its second", "observer": "between two polls"},
    ),
}
"""By slug."""
