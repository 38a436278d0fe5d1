"""A caller's token: who they are, what is known of them, and the agents that are to come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from livekit.api import AccessToken, RoomAgentDispatch, RoomConfiguration, VideoGrants

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tracer.settings import LiveKit

__all__ = ["caller_token"]


def caller_token(
    server: LiveKit,
    room: str,
    identity: str,
    *,
    name: str = "",
    metadata: str = "",
    attributes: Mapping[str, str] | None = None,
    agents: Sequence[str] = (),
    may_publish: bool = True,
    hidden: bool = False,
    by_telephone: bool = False,
) -> str:
    """To join this room. ``agents`` are dispatched when the join creates it; a room that is there ignores them.

    ``by_telephone``: they are a participant such as livekit-sip makes.
    """
    token = (
        AccessToken(server.api_key, server.api_secret)
        .with_identity(identity)
        .with_name(name)
        .with_metadata(metadata)
        .with_attributes(dict(attributes or {}))
        .with_grants(VideoGrants(room_join=True, room=room, can_publish=may_publish, hidden=hidden))
    )
    if by_telephone:
        token = token.with_kind("sip")
    if agents:
        wanted = [RoomAgentDispatch(agent_name=agent) for agent in agents]
        token = token.with_room_config(RoomConfiguration(agents=wanted))
    return token.to_jwt()
