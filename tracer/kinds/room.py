"""A room, and the dispatches that ask for agents in it."""

from __future__ import annotations

from tracer.kinds.info import KindInfo
from tracer.livekit_sources import Page, server

__all__ = ["ROOM"]

ROOM = {
    "room.created": KindInfo(
        phrase="room created",
        verb="was created",
        meaning="The server created the room.",
        cause="The first join, CreateRoom, CreateDispatch, SIP or ingress.",
        following="The room's dispatches, within a millisecond.",
        reported={"webhook": "the server's own time in ms", "observer": "the server's own time in ms"},
        mistake=(
            "Agents that a token names count only for the join that makes the room: they are ignored where it exists"
            " already."
        ),
        said=(
            server("pkg/service/roomallocator.go"),
            Page.ROOMS,
        ),
    ),
    "dispatch.created": KindInfo(
        phrase="dispatch created",
        verb="was created",
        meaning="The server recorded that an agent is requested.",
        cause="Room creation, a token's agents or CreateDispatch.",
        following="The server collects bids from workers for about 200 ms and offers the job to one.",
        reported={"observer": ""},
        mistake=(
            "It does not wait for the caller: it is made with the room, within a millisecond. And it is made once: a"
            " worker that registers later does not get it."
        ),
        said=(
            server("pkg/rtc/room.go"),
            Page.DISPATCH,
        ),
    ),
    "room.finished": KindInfo(
        phrase="room finished",
        verb="was closed",
        meaning="The server closed the room: the last webhook of a room.",
        cause="Its departure timeout, its empty timeout or DeleteRoom.",
        following="Its jobs shut down.",
        reported={"webhook": "within its second", "observer": "between two polls"},
        mistake=(
            "It is not the end of the call: a room stays open for `departure_timeout` (20 s by default) after the"
            " last leave, and an agent that stays does not keep it open."
        ),
        said=(
            server("pkg/rtc/room.go"),
            Page.ROOMS,
        ),
    ),
}
"""By slug."""
