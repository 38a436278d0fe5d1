"""What changed of a participant in the room from one poll to the next: its attributes, permissions and muted tracks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from livekit.protocol.models import TrackSource

from tracer import keys
from tracer.moment import Kind
from tracer.witness.fields import attribute_facts, enum_name, permission_facts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from livekit.protocol.models import ParticipantInfo, ParticipantPermission

    from tracer.moment import Fact

__all__ = ["OF_EACH_TURN", "Change", "changes", "permissions"]

OF_EACH_TURN = frozenset({"lk.agent.state"})
"""Attributes that an agent's session sets with each turn: listening, thinking, speaking."""


class Change(NamedTuple):
    """One change: its kind, the participant or track, and what is known of it."""

    kind: Kind
    subject: str
    facts: Mapping[str, Fact | None]


def changes(before: ParticipantInfo, after: ParticipantInfo) -> Iterator[Change]:
    """What differs between two polls of one participant. An attribute that is gone is empty, as in LiveKit."""
    had, has = dict(before.attributes), dict(after.attributes)
    changed = {key: has.get(key, "") for key in had | has if had.get(key) != has.get(key) and key not in OF_EACH_TURN}
    if changed:
        yield Change(Kind.PARTICIPANT_ATTRIBUTES_CHANGED, after.sid, attribute_facts(changed))
    if before.HasField("permission") and after.HasField("permission"):
        allowed = permissions(after.permission)
        if permissions(before.permission) != allowed:
            yield Change(Kind.PARTICIPANT_PERMISSIONS_CHANGED, after.sid, allowed)
    muted = {track.sid: track.muted for track in before.tracks}
    for track in after.tracks:
        if muted.get(track.sid, track.muted) != track.muted:
            known = {
                keys.PARTICIPANT_ID: after.sid,
                keys.PARTICIPANT_IDENTITY: after.identity or None,
                keys.TRACK_SOURCE: enum_name(TrackSource, track.source),
            }
            yield Change(Kind.TRACK_MUTED if track.muted else Kind.TRACK_UNMUTED, track.sid, known)


def permissions(granted: ParticipantPermission) -> dict[str, Fact]:
    """What a participant may do from a change on. Where no source is excepted any more, that is a fact too: empty."""
    return {key: "" if value is None else value for key, value in permission_facts(granted).items()}
