"""What a LiveKit webhook reports. Stateless: each event stands for itself.

The server stamps a webhook in whole seconds (``created_at``), and it can come late: retries go on for a
minute. Its own moment therefore lies in [created_at, created_at + 1 s) and not after its arrival. The finer
fields it carries (``room.creation_time_ms``, ``participant.joined_at_ms``, ``track.version``) give narrow
moments of their own, and a floor to what came after them. Source: livekit-server v1.13.5, pkg/telemetry/events.go.
Of a job a webhook carries the server's own times, which are all that is taken from it.
"""

from __future__ import annotations

import hmac
import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from google.protobuf.json_format import ParseError
from livekit.protocol.models import Encryption, TrackSource

from tracer import keys
from tracer.errors import BadSignatureError, MalformedError
from tracer.moment import Kind, Moment, facts
from tracer.units import NS_PER_MS, NS_PER_S
from tracer.witness.fields import LATEST_TIME, enum_name, joining, participant_facts, room_created, room_facts
from tracer.witness.jobs import job_moments
from tracer.witness.protocol import RoomEndReason, webhook_event
from tracer.witness.unknown import unknown_in_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from livekit.protocol.models import Room
    from livekit.protocol.webhook import WebhookEvent

    from tracer.moment import Fact

__all__ = ["KNOWN_EVENTS", "Glance", "glance", "moments", "parse", "room_of", "signed", "unknown"]

WITNESS = "webhook"

_OWN_MOMENT = {
    "room_finished": Kind.ROOM_FINISHED,
    "participant_joined": Kind.PARTICIPANT_ACTIVE,
    "participant_left": Kind.PARTICIPANT_LEFT,
    "participant_connection_aborted": Kind.PARTICIPANT_ABORTED,
    "track_published": Kind.TRACK_PUBLISHED,
    "track_unpublished": Kind.TRACK_UNPUBLISHED,
}
STAMPED_WITHIN = 100 * NS_PER_MS
"""The server stamps a webhook from a queue, this soon after what it reports, ns: its second can be the next one."""
PROMPT = 100 * NS_PER_MS
"""One that arrives this soon after the second it was sent in, ns, is not late: it was sent at the end of it."""
_OF_JOB = {"agent_job_pending", "agent_job_started", "agent_job_ended"}
KNOWN_EVENTS = {"room_started", *_OWN_MOMENT, *_OF_JOB}
"""Events of rooms, participants, tracks and jobs; others are only counted."""
_OF_OTHERS = {"egress_started", "egress_updated", "egress_ended", "ingress_started", "ingress_ended"}
"""Events that are known, and of which no moment is made."""


class Glance(NamedTuple):
    """As much of a webhook as tells whose it is."""

    id: str
    event: str
    room: str
    """SID of its room."""
    name: str
    """Name of its room."""
    sent: int = 0
    """When the second began in which the server sent it, ns since the epoch by its clock; 0 where it does not say."""

    @property
    def is_of_a_room(self) -> bool:
        """Whether moments are made of it."""
        return self.event in KNOWN_EVENTS and bool(self.room)


def signed(body: bytes, digest: bytes) -> Glance:
    """A glance at a webhook's body with this SHA-256. Raises BadSignatureError, MalformedError."""
    if not hmac.compare_digest(digest, sha256(body).digest()):
        raise BadSignatureError("webhook body differs from the one that was signed")
    return glance(body)


def glance(body: bytes) -> Glance:
    """A glance at a webhook's body, whoever signed it. Raises MalformedError when the body is no webhook."""
    try:
        event = _object(json.loads(body))
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"webhook body is not a WebhookEvent in JSON: {error}") from None
    room = _object(event.get("room"))
    if not room.get("sid"):  # one about a job can have the room within the job alone
        room = _object(_object(event.get("job")).get("room"))
    told = (event.get("id"), event.get("event"), room.get("sid"), room.get("name"))
    identity, kind, sid, name = (value if isinstance(value, str) else "" for value in told)
    return Glance(identity, kind, sid, name, _seconds(event.get("createdAt")))


def _seconds(value: Any) -> int:
    """Seconds since the epoch, a number or, as JSON has those of 64 bits, text; in ns, and 0 for what is none."""
    text = str(value)
    return int(text) * NS_PER_S if text.isascii() and text.isdigit() and len(text) <= 11 else 0


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def parse(body: bytes) -> WebhookEvent:
    """The event in a webhook's body, whoever signed it. Raises MalformedError when the body is no webhook."""
    try:
        return webhook_event(body.decode())
    except (ParseError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError(f"webhook body is not a WebhookEvent in JSON: {error}") from None


def moments(event: WebhookEvent, arrival: int) -> Iterator[Moment]:
    """The moments an event reports, given when it arrived (ns, the receiver's clock).

    None for other events, which are only counted.
    """
    room = room_of(event).sid
    if event.event not in KNOWN_EVENTS or not room:
        return
    if event.event in _OF_JOB:
        yield from job_moments(room, event.job, WITNESS)
    created = room_created(room_of(event), WITNESS)
    joined = joining(room, event.participant, WITNESS)
    yield from (moment for moment in (created, joined) if moment)

    kind = _OWN_MOMENT.get(event.event)
    if kind is None:
        return
    subject, known, floor = _about(event, kind)
    floor = max([floor, *(moment.earliest for moment in (created, joined) if moment)])
    earliest, latest, clock = _bounds(event.created_at * NS_PER_S, arrival, floor)
    if subject and 0 < earliest <= LATEST_TIME:
        yield Moment(room, kind, subject, earliest, latest, latest, clock, WITNESS, facts=facts(known))


def unknown(body: bytes, event: WebhookEvent) -> tuple[str, ...]:
    """What this version does not know in a webhook: the event itself, fields, and values of enums; see ``unknown``."""
    found = unknown_in_json(body, event)
    return found if event.event in KNOWN_EVENTS | _OF_OTHERS else (f"webhook {event.event[:LONGEST_EVENT]}", *found)


LONGEST_EVENT = 64
"""Characters of an unknown event's name that are kept."""


def room_of(event: WebhookEvent) -> Room:
    """The room an event is about; one about a job can have it within the job alone."""
    return event.room if event.room.sid else event.job.room


def _about(event: WebhookEvent, kind: Kind) -> tuple[str, dict[str, Fact | None], int]:
    """What an event is about, what it knows of it, and a time (ns, or 0) that it cannot have come before."""
    if kind in (Kind.TRACK_PUBLISHED, Kind.TRACK_UNPUBLISHED):
        known: dict[str, Fact | None] = {
            keys.PARTICIPANT_ID: event.participant.sid or None,
            keys.PARTICIPANT_IDENTITY: event.participant.identity or None,
            keys.TRACK_SOURCE: enum_name(TrackSource, event.track.source),
            keys.TRACK_NAME: event.track.name or None,
            keys.TRACK_MUTED: event.track.muted or None,
            keys.TRACK_ENCRYPTION: _encryption(event),
        }
        return event.track.sid, known, event.track.version.unix_micro * 1000
    if kind is Kind.ROOM_FINISHED:
        reason = event.room_end_reason
        end = {keys.ROOM_END_REASON: enum_name(RoomEndReason, reason)} if reason else {}
        return event.room.sid, room_facts(event.room) | end, 0
    return event.participant.sid, participant_facts(event.participant), 0


def _encryption(event: WebhookEvent) -> str | None:
    """How a track is encrypted end to end; None for one that is not."""
    return enum_name(Encryption.Type, event.track.encryption) if event.track.encryption else None


def _bounds(created_at: int, arrival: int, floor: int) -> tuple[int, int, str]:
    """The interval of a webhook's own moment, and whose clock gives its most likely time, the upper bound.

    A webhook is sent within a millisecond or two of its cause: while it is not late, its arrival is the best
    there is. An arrival before the second it was sent in shows clock skew, and is not used.
    """
    latest, clock = created_at + NS_PER_S - 1, "server"
    if created_at <= arrival <= latest + PROMPT:
        latest, clock = min(arrival, latest), "receiver"
    sent = created_at - STAMPED_WITHIN
    return (max(sent, floor) if floor <= latest else sent), latest, clock
