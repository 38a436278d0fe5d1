"""Who is who in a room, and until when each was there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.timeline.once import once
from tracer.units import FOREVER, NS_PER_S

if TYPE_CHECKING:
    from tracer.timeline.entities import Participant
    from tracer.timeline.timeline import Timeline

__all__ = [
    "BY_API",
    "BY_ITSELF",
    "DROPPED",
    "HUNG_UP",
    "NOTICED_WITHIN",
    "NOT_ANSWERED",
    "SHUTDOWN",
    "can_talk",
    "connected_until",
    "left_at",
    "name_of",
    "seen_until",
    "witnesses_of",
]

BY_API = {"ROOM_DELETED", "PARTICIPANT_REMOVED"}
"""Why somebody leaves whom an API call disconnects, in LiveKit's words."""
DROPPED = {"CONNECTION_TIMEOUT", "SIGNAL_CLOSE", "STATE_MISMATCH", "MEDIA_FAILURE"}
"""Why somebody leaves who did not want to, in LiveKit's words."""
SHUTDOWN = "SERVER_SHUTDOWN"
"""Why somebody leaves a server that shuts down, in LiveKit's word; or whose SDK simulates that."""
BY_ITSELF = "CLIENT_INITIATED"
"""Why somebody leaves who left by their own program, in LiveKit's words."""
HUNG_UP = {BY_ITSELF, "USER_REJECTED"}
"""Why somebody leaves who is done with the call: for either a session closes when the one that it is linked to leaves
(livekit-agents 1.8.9, voice/room_io/types.py)."""
NOT_ANSWERED = {"USER_UNAVAILABLE", "USER_REJECTED", "SIP_TRUNK_FAILURE"}
"""Why whom SIP called leaves where no call came about."""
NOTICED_WITHIN = 20 * NS_PER_S
"""The server notices this late, ns, that a client which does not sign off is gone: after 19 s as measured."""


def witnesses_of(timeline: Timeline) -> set[str]:
    """Which witnesses reported on this room; what workers report of themselves does not count."""
    own = (step for step in timeline.steps if not step.subject.startswith("AW_"))
    return {witness for step in own for witness in step.witnesses}


def name_of(participant: Participant) -> str:
    """What to call somebody in a sentence."""
    return participant.identity or participant.sid


def can_talk(participant: Participant) -> bool:
    """Whether somebody may take part in a conversation: others see them, and their token lets them publish."""
    facts = participant.facts
    return facts.get(keys.HIDDEN) is not True and facts.get(keys.CAN_PUBLISH) is not False


def left_at(timeline: Timeline, who: Participant) -> int:
    """When a participant left, ns; with the room at the latest, and ``FOREVER`` for one who is still there."""
    if who.gone:
        return who.gone.time
    finished = timeline.room.finished
    return finished.time if finished else FOREVER


def seen_until(timeline: Timeline, who: Participant) -> int:
    """Until when a participant was there for certain, ns.

    The observer may see a leave seconds late, and a session that was linked to them knows when they hung up. A leave
    that nobody saw was before the end of the room, and not before the last that is known of their tracks, nor before
    the agent itself left, by its own word.
    """
    gone = who.gone
    if gone:
        known = gone.time if "webhook" in gone.witnesses else gone.earliest
        return max(known, min(_hung_up(timeline).get(who.sid, known), gone.latest))
    if timeline.room.finished is None:
        return FOREVER
    own = _of_agents(timeline).get(who.identity or "", 0)
    return max(who.steps[-1].time, _of_tracks(timeline).get(who.sid, 0), min(own, timeline.room.finished.time))


@once
def _of_agents(timeline: Timeline) -> dict[str, int]:
    """When agents disconnected, ns, by identity, as they report it themselves: of each that connected once."""
    found: dict[str, int] = {}
    for job in timeline.jobs:
        left = [step for step in job.steps if step.kind is Kind.AGENT_DISCONNECTED]
        if len(left) == 1 and job.at(Kind.AGENT_CONNECTION_LOST) is None and (identity := job.participant_identity):
            found[identity] = left[0].time
    return found


@once
def _of_tracks(timeline: Timeline) -> dict[str, int]:
    """When the last was that is known of each participant's tracks, ns, by SID."""
    found: dict[str, int] = {}
    for track in timeline.tracks:
        if track.participant:
            found[track.participant] = max(found.get(track.participant, 0), track.steps[-1].time)
    return found


@once
def _hung_up(timeline: Timeline) -> dict[str, int]:
    """When callers hung up, ns, by SID, as the session knows it that was linked to them."""
    unlinked = (step for job in timeline.jobs for step in job.steps if step.kind is Kind.SESSION_UNLINKED)
    return {
        str(step.facts.get(keys.LINKED_ID)): step.time
        for step in unlinked
        if step.facts.get(keys.DISCONNECT_REASON) in HUNG_UP
    }


def connected_until(timeline: Timeline, who: Participant) -> int:
    """Until when a participant was connected for certain, ns: of a lost connection the server learns late."""
    until = seen_until(timeline, who)
    return until - NOTICED_WITHIN if who.gone and who.disconnect_reason in DROPPED else until
