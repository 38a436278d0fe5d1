"""Why somebody left a room, in LiveKit's words, why a room ended, and how a dispatch came about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.explain.entry import Entry, Group
from tracer.livekit_sources import Page, issue, protocol, server
from tracer.timeline.provenance import EndReason, Mode

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["modes", "reasons"]

_REASONS = (server("pkg/rtc/types/interfaces.go"), protocol("protobufs/livekit_models.proto"))
_CLOSING = (server("pkg/rtc/room.go"), Page.ROOMS)

_LEAVES: tuple[tuple[str, str, str, str, tuple[str, ...]], ...] = (
    (
        "CLIENT_INITIATED",
        "the client left",
        "The participant's own client disconnected: somebody hung up, or closed or reloaded the page.",
        "A reload is a leave and a join: the agent's session may have closed by the time the caller is back.",
        ("session-closed", "agent-left-caller"),
    ),
    (
        "DUPLICATE_IDENTITY",
        "somebody joined with the same identity",
        "An identity is in a room once: the server disconnects the one that was there first.",
        "Two tabs with one token keep disconnecting each other.",
        ("duplicate-identity", "agent-identity-reused", "agent-retried"),
    ),
    (
        "SERVER_SHUTDOWN",
        "the server stopped",
        "The server that holds the room was shut down.",
        "A room ends with its server: whoever reconnects makes a new room of that name.",
        ("server-restarted", "server-lost"),
    ),
    (
        "PARTICIPANT_REMOVED",
        "somebody was removed",
        "`RemoveParticipant` was called for this participant.",
        "",
        ("removed",),
    ),
    (
        "ROOM_DELETED",
        "the room was deleted",
        "`DeleteRoom` was called: everybody is disconnected.",
        "Many agents hang up in this way: it need not be a fault.",
        ("room-deleted", "agent-deleted-room", "agent.deleting_room"),
    ),
    (
        "STATE_MISMATCH",
        "the client and the server did not agree",
        "The client tried to resume a connection that the server does not know, or negotiating with it failed.",
        "",
        (),
    ),
    (
        "JOIN_FAILURE",
        "the connection never came up",
        "The client joined and was not ACTIVE within a minute, or its join failed.",
        "",
        ("connect-failed", "peer-never-active", "participant.aborted"),
    ),
    (
        "SIGNAL_CLOSE",
        "the signalling connection broke",
        "The client's WebSocket closed unexpectedly, and it did not come back in time.",
        "",
        ("agent-lost-connection",),
    ),
    (
        "CONNECTION_TIMEOUT",
        "the media path broke",
        "The client's media connection was lost, and it did not come back in time.",
        "The server notices a client that died without a word about 19 s later.",
        ("agent-lost-connection", "process-killed"),
    ),
    (
        "ROOM_CLOSED",
        "the room closed",
        "The room closed as nobody was left but agents and recorders: those are disconnected.",
        "It is how an agent normally leaves after the caller has hung up; agents never keep a room open.",
        ("room.finished", "caller-away", "departure_timeout"),
    ),
    (
        "MIGRATION",
        "the participant moved to another server",
        "The server asked the client to connect to another server; only LiveKit Cloud does.",
        "",
        (),
    ),
    (
        "USER_UNAVAILABLE",
        "the telephone was not answered",
        "Whom SIP called did not answer in time.",
        "",
        (),
    ),
    ("USER_REJECTED", "the telephone call was rejected", "Whom SIP called rejected the call, or was busy.", "", ()),
    ("SIP_TRUNK_FAILURE", "the SIP trunk failed", "SIP failed, or gave an answer that was not expected.", "", ()),
    ("MEDIA_FAILURE", "media failed", "A stream of media failed or timed out.", "", ()),
    ("AGENT_ERROR", "the agent failed", "The agent left and named an error as its reason.", "", ()),
)
"""The reason, what it is called, what it means, a common mistake, and related words."""

_ENDS: dict[EndReason, tuple[str, str, tuple[str, ...]]] = {
    EndReason.DELETED: ("`DeleteRoom` was called.", "", ("ROOM_DELETED", "room-deleted", "agent-deleted-room")),
    EndReason.DEPARTURE_TIMEOUT: (
        "Nobody but agents and recorders was in it for `departure_timeout` (20 s by default) after the last leave.",
        "An agent's leave counts as a leave too: the time runs anew from it. An agent that stays keeps no room open.",
        ("caller-away", "room.finished", "ROOM_CLOSED"),
    ),
    EndReason.EMPTY_TIMEOUT: (
        "Nobody but agents and recorders joined the room for `empty_timeout` (300 s by default) after it was made.",
        "The agents that were dispatched to such a room end with it: who comes later makes a new room without them.",
        ("room-expired", "room.finished"),
    ),
    EndReason.IDLE_TIMEOUT: (
        "The room was empty for longer than its empty or departure timeout: servers from 1.13.7 report the two as one.",
        "",
        ("departure_timeout", "empty_timeout"),
    ),
}
"""What it means, a common mistake, and related words."""

_MODES: dict[Mode, tuple[str, str, str]] = {
    Mode.AUTOMATIC: (
        "The unnamed dispatch of a room that names no agent when it is created.",
        "The server, within a millisecond of the room's creation.",
        "A worker with an `agent_name` is not offered its job: it needs a dispatch by that name.",
    ),
    Mode.EXPLICIT: (
        "A dispatch that `CreateDispatch` made.",
        "A call of the API: your backend's, or `lk dispatch create`.",
        "On a room that does not exist it creates the room, and with it the unnamed dispatch: there are two then.",
    ),
    Mode.TOKEN: (
        "A dispatch of an agent that is named in the token of who made the room (`RoomConfiguration.agents`).",
        "The join that creates the room.",
        "It is ignored, without an error, where the room exists already.",
    ),
    Mode.ROOM: (
        "A dispatch of an agent that is named in `CreateRoom`.",
        "`CreateRoom`, when it creates the room.",
        "The agent does not wait for the caller's join: it can be in the room first, and has to wait.",
    ),
}
"""What it means, who causes it, and a common mistake."""


def reasons() -> Iterator[Entry]:
    """Why somebody left, then why a room ended."""
    for word, title, meaning, mistake, related in _LEAVES:
        yield Entry(word, Group.REASON, title, meaning, mistake=mistake, sources=_REASONS, related=related)
    for reason, (meaning, mistake, related) in _ENDS.items():
        title = f"the room ended: {reason.label}"
        yield Entry(
            str(reason),
            Group.REASON,
            title,
            meaning,
            mistake=mistake,
            sources=_CLOSING,
            related=related,
            aliases=(reason.label,),
        )


def modes() -> Iterator[Entry]:
    """How a dispatch came about."""
    for mode, (meaning, caused_by, mistake) in _MODES.items():
        more = (issue("livekit", 4390),) if mode is Mode.TOKEN else ()
        yield Entry(
            word=str(mode),
            group=Group.MODE,
            title=f"a dispatch by {'CreateRoom' if mode is Mode.ROOM else mode.label}",
            meaning=meaning,
            caused_by=caused_by,
            following="The server collects bids from workers for about 200 ms and offers the job to one.",
            mistake=mistake,
            sources=(Page.DISPATCH, *more),
            related=("dispatch.created",),
        )
