"""Webhooks as a LiveKit server sends them: real bodies, signed by LiveKit's own library."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from livekit.api import AccessToken

from tests.moments import ADA, MICROPHONE, ROOM, START
from tracer.settings import LiveKit
from tracer.units import NS_PER_S
from tracer.witness import webhook
from tracer.witness.webhook_token import signed_digest

if TYPE_CHECKING:
    from livekit.protocol.webhook import WebhookEvent

KEY, SECRET = "APIkey", "a secret of at least thirty-two characters"
SERVER = LiveKit("", KEY, SECRET)
TURN_PASSWORD = "turn-password-of-this-room"  # noqa: S105  # of no room
CREATED_AT = START // NS_PER_S


def token(body: bytes, key: str = KEY, secret: str = SECRET, ttl: timedelta = timedelta(minutes=5)) -> str:
    """The Authorization header of a body."""
    digest = b64encode(sha256(body).digest()).decode()
    return AccessToken(key, secret).with_ttl(ttl).with_sha256(digest).to_jwt()


def read(body: bytes, authorization: str, server: LiveKit) -> WebhookEvent:
    """The event, once its signature is proven, as the receiver and its store do it."""
    webhook.signed(body, signed_digest(authorization, server))
    return webhook.parse(body)


def room(**more: Any) -> dict[str, Any]:
    """A room as livekit-server v1.13.5 writes it: 64-bit numbers are text."""
    return {
        "sid": ROOM,
        "name": "demo",
        "emptyTimeout": 300,
        "departureTimeout": 2,
        "creationTime": str(CREATED_AT),
        "creationTimeMs": str(START // 1_000_000),
        "turnPassword": TURN_PASSWORD,
        "enabledCodecs": [{"mime": "audio/opus"}, {"mime": "video/VP8"}],
        **more,
    }


def ada(**more: Any) -> dict[str, Any]:
    """A caller who joined 2 ms after the room was made."""
    return {
        "sid": ADA,
        "identity": "ada",
        "name": "Ada L.",
        "state": "ACTIVE",
        "joinedAt": str(CREATED_AT),
        "joinedAtMs": str(START // 1_000_000 + 2),
        "metadata": "vip",
        "attributes": {"language": "en"},
        "permission": {"canSubscribe": True, "canPublish": True},
        "kind": "STANDARD",
        **more,
    }


def event(name: str, at: int = 0, **more: Any) -> dict[str, Any]:
    """A webhook sent ``at`` whole seconds after the room was made."""
    return {"event": name, "room": room(), "id": f"EV_{name}{at}", "createdAt": str(CREATED_AT + at), **more}


# Of a track's event the server sends bare references: sids and names.
_REFERENCES: dict[str, Any] = {"room": {"sid": ROOM, "name": "demo"}, "participant": {"sid": ADA, "identity": "ada"}}
_TRACK = {
    "sid": MICROPHONE,
    "name": "mic",
    "source": "MICROPHONE",
    "version": {"unixMicro": str(START // 1000 + 110_000)},
}

EVENTS = (
    event("room_started"),
    event("participant_joined", participant=ada()),
    event("track_published", **_REFERENCES, track=_TRACK),
    event("track_unpublished", 4, **_REFERENCES, track=_TRACK),
    event("participant_left", 4, participant=ada(state="DISCONNECTED", disconnectReason="CLIENT_INITIATED")),
    event("room_finished", 6),
)
ARRIVALS = (3, 97, 111, 4090, 4100, 6500)
"""When each of the events arrived, ms after the room was made."""


def body(told: dict[str, Any]) -> bytes:
    """An event as it is sent."""
    return json.dumps(told, separators=(",", ":")).encode()
