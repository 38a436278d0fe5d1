"""What LiveKit's own messages report, in a webhook or from the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from livekit.protocol.models import DisconnectReason, ParticipantInfo, TrackSource

from tracer import keys
from tracer.moment import Kind, Moment, facts
from tracer.units import NS_PER_MS, NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
    from livekit.protocol.models import ParticipantPermission, Room

    from tracer.moment import Fact

__all__ = [
    "CALL_STATUSES",
    "LATEST_TIME",
    "attribute_facts",
    "enum_name",
    "joining",
    "participant_facts",
    "permission_facts",
    "room_created",
    "room_facts",
]

CALL_STATUSES = frozenset({"active", "automation", "dialing", "hangup", "ringing"})
"""Of livekit-sip (https://docs.livekit.io/reference/telephony/sip-participant/)."""
LATEST_TIME = 2**62
"""No number beyond this, ns, is taken for a time: it would lie in the year 2116."""


def enum_name(enum: EnumTypeWrapper, number: int) -> str:
    """LiveKit's word for a value; the number itself where it is newer than the protocol we know."""
    try:
        return enum.Name(number)
    except ValueError:
        return str(number)


def room_facts(room: Room) -> dict[str, Fact | None]:
    """What is kept of a room. Never its ``turn_password``, which is a secret."""
    return {
        keys.ROOM_NAME: room.name or None,
        keys.ROOM_EMPTY_TIMEOUT: room.empty_timeout or None,
        keys.ROOM_DEPARTURE_TIMEOUT: room.departure_timeout or None,
    }


def participant_facts(who: ParticipantInfo) -> dict[str, Fact | None]:
    """What is kept of a participant."""
    known: dict[str, Fact | None] = {
        keys.PARTICIPANT_IDENTITY: who.identity or None,
        keys.PARTICIPANT_NAME: who.name or None,
        keys.PARTICIPANT_METADATA: who.metadata or None,
    }
    if who.joined_at_ms or who.joined_at:  # else it is the bare reference of a track event, whose kind is unset
        known[keys.PARTICIPANT_KIND] = enum_name(ParticipantInfo.Kind, who.kind)
    if who.HasField("permission"):
        known |= permission_facts(who.permission)
    if who.disconnect_reason:
        known[keys.DISCONNECT_REASON] = enum_name(DisconnectReason, who.disconnect_reason)
    return known | attribute_facts(who.attributes)


def attribute_facts(attributes: Mapping[str, str]) -> dict[str, Fact]:
    """A participant's attributes. What livekit-sip says of the call, in its own words, is no personal data."""
    known: dict[str, Fact] = {keys.PARTICIPANT_ATTRIBUTE + key: value for key, value in attributes.items()}
    status = attributes.get("sip.callStatus")
    if status in CALL_STATUSES:
        known[keys.CALL_STATUS] = status
    return known


def permission_facts(granted: ParticipantPermission) -> dict[str, Fact | None]:
    """What a participant may do. It stands in full in each webhook about the participant."""
    sources = ",".join(enum_name(TrackSource, source) for source in granted.can_publish_sources)
    return {
        keys.CAN_PUBLISH: granted.can_publish,
        keys.CAN_SUBSCRIBE: granted.can_subscribe,
        keys.CAN_PUBLISH_SOURCES: sources or None,
        keys.HIDDEN: granted.hidden,
    }


def room_created(room: Room, witness: str) -> Moment | None:
    """The creation of a room, from its own field; None where the message does not hold it (track events)."""
    return _cut_off(
        room.sid, Kind.ROOM_CREATED, room.sid, room.creation_time_ms, room.creation_time, room_facts(room), witness
    )


def joining(room: str, who: ParticipantInfo, witness: str) -> Moment | None:
    """The creation of a participant's session, from its own field; None where the message does not hold it."""
    return _cut_off(
        room, Kind.PARTICIPANT_JOINING, who.sid, who.joined_at_ms, who.joined_at, participant_facts(who), witness
    )


def _cut_off(
    room: str, kind: Kind, subject: str, ms: int, s: int, known: dict[str, Fact | None], witness: str
) -> Moment | None:
    """A time that the server gives cut off to whole ms or, if it is older than v1.8, only to whole seconds."""
    earliest, width = (ms * NS_PER_MS, NS_PER_MS) if ms else (s * NS_PER_S, NS_PER_S)
    if not subject or not 0 < earliest <= LATEST_TIME:
        return None
    latest = earliest + width - 1
    return Moment(room, kind, subject, earliest, latest, earliest + width // 2, "server", witness, facts=facts(known))
