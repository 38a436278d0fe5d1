"""What made a room and its dispatches, and what ended the room: the server does not report it, so it is inferred."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from tracer import keys
from tracer.moment import Kind
from tracer.timeline.entities import Dispatch
from tracer.timeline.provenance import CreatedBy, EndReason, Mode
from tracer.units import NS_PER_MS, NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tracer.timeline.entities import Job, Participant, Room
    from tracer.timeline.step import Step

__all__ = [
    "CREATED_TOGETHER",
    "LONG_AFTER",
    "creation",
    "dispatches",
    "end_reason",
    "end_reason_label",
    "may_be_outage",
]

CREATED_TOGETHER = 20 * NS_PER_MS
"""A room and what made it lie this close, ns: on a real server 0.7 ms for a dispatch and 2 ms for a caller."""
LONG_AFTER = 200 * NS_PER_MS
"""A join that comes this long after a room, ns, did not make it: the one that does is a few ms after it.

Of a server that has no CPU to spare neither holds: it takes as long for what follows within the same join.
"""
EARLY, LATE = -1_500 * NS_PER_MS, 2_500 * NS_PER_MS
"""How far from its timeout a room can close, ns: the server polls every second, and a leave can be uncertain by one."""


def creation(
    room: Room, participants: Sequence[Participant], jobs: Sequence[Job]
) -> tuple[CreatedBy | None, Participant | None]:
    """What made the room, and whose join it was: an API call, where nobody joined for long; None in between.

    Anybody's join makes a room, also an agent's that connects after its room has closed. So does an attempt to
    reconnect, after which the join can take a while: of a room to which an agent without a job in it was the first to
    come, an API call is not known to have made it. Nor is it where the server took no less time for the rest of the
    first join than had passed since the room: it may have been as slow between the two.
    """
    if not room.created:
        return None, None
    joins = [(step.earliest, p.sid, p) for p in participants if (step := p.at(Kind.PARTICIPANT_JOINING))]
    # That nobody joined is known only where the API was polled from the start: webhooks get lost.
    watched = room.facts.get(keys.ROOM_WATCHED) is True
    if not joins:
        return (CreatedBy.API if watched and participants and room.finished else None), None
    joined, _, first = min(joins, key=lambda join: join[:2])
    after = joined - room.created.earliest
    if 0 <= after <= CREATED_TOGETHER:
        return CreatedBy.PARTICIPANT, first
    returned = first.is_agent and first.identity not in {job.participant_identity for job in jobs}
    by_call = watched and after > max(LONG_AFTER, _rest_of_join(first)) and not returned
    return (CreatedBy.API if by_call else None), None


def _rest_of_join(who: Participant) -> int:
    """How long at most the server took from a JOINING to what follows at once, JOINED, or to what was seen next, ns."""
    joining, then = who.at(Kind.PARTICIPANT_JOINING), who.at(Kind.PARTICIPANT_JOINED, Kind.PARTICIPANT_ACTIVE)
    return max(then.latest - joining.earliest, 0) if joining and then else 0


def dispatches(
    steps: Mapping[str, tuple[Step, ...]], jobs: Sequence[Job], room: Room, created_by: CreatedBy | None
) -> tuple[Dispatch, ...]:
    """The dispatches that were seen, and those known only from their jobs."""
    answered: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        if job.dispatch_id:
            answered[job.dispatch_id].append(job)
    seen = [Dispatch(sid, steps.get(sid, ())) for sid in dict.fromkeys([*steps, *answered])]
    automatic = any(d.agent_name == "" and (_after_room(d, room) or 0) <= LONG_AFTER for d in seen)
    return tuple(
        Dispatch(
            dispatch.sid,
            dispatch.steps,
            tuple(job.sid for job in answered[dispatch.sid]),
            _mode(dispatch, room, automatic=automatic, created_by=created_by),
        )
        for dispatch in seen
    )


def _after_room(dispatch: Dispatch, room: Room) -> int | None:
    """How long after the room the dispatch was made, ns."""
    created = dispatch.at(Kind.DISPATCH_CREATED)
    return created.time - room.created.time if created and room.created else None


_BY_TRIGGER = {"ADT_JOIN": Mode.TOKEN, "ADT_ROOM_API": Mode.ROOM, "ADT_DISPATCH_API": Mode.EXPLICIT}
"""What a dispatch for a named agent came by, in the words of a server that reports it."""


def _mode(dispatch: Dispatch, room: Room, *, automatic: bool, created_by: CreatedBy | None) -> Mode | None:
    """How a dispatch came about: it follows from its name, its time, and its company.

    A room that names its agents, in the token or in CreateRoom, gets no unnamed dispatch. One that names none gets
    it within a millisecond; a named one beside it then came by CreateDispatch. Newer servers report it of a named one.
    """
    after = _after_room(dispatch, room)
    if after is None or dispatch.agent_name is None:
        return None
    if dispatch.agent_name and (reported := _BY_TRIGGER.get(dispatch.text(keys.DISPATCH_TRIGGER) or "")):
        return reported
    if after > LONG_AFTER:
        return Mode.EXPLICIT
    if not dispatch.agent_name:
        return Mode.AUTOMATIC
    if automatic:
        return Mode.EXPLICIT
    if created_by is None or after > CREATED_TOGETHER:
        return None
    return Mode.ROOM if created_by is CreatedBy.API else Mode.TOKEN


def end_reason(room: Room, participants: Sequence[Participant]) -> str | None:
    """Why the room ended, as a slug: what the server reports, else an ``EndReason``; None where that is not known.

    A room that closed while the observer could not reach the server closed with the server, as far as is known.
    """
    if not room.finished:
        return None
    reported = room.text(keys.ROOM_END_REASON)
    if reported:
        return reported.removeprefix("ROOM_END_").lower()
    if any(p.disconnect_reason == "ROOM_DELETED" for p in participants):
        return EndReason.DELETED
    if may_be_outage(room.finished):
        return None
    if any(not p.is_dependent for p in participants):
        reason, key = EndReason.DEPARTURE_TIMEOUT, keys.ROOM_DEPARTURE_TIMEOUT
    else:
        reason, key = EndReason.EMPTY_TIMEOUT, keys.ROOM_EMPTY_TIMEOUT
    timeout = room.facts.get(key)
    if not isinstance(timeout, int):
        return None
    departure = reason is EndReason.DEPARTURE_TIMEOUT
    since = _last_leave(room.finished, participants, timeout * NS_PER_S) if departure else room.created
    return reason if since and EARLY <= room.finished.time - since.time - timeout * NS_PER_S <= LATE else None


def may_be_outage(finished: Step) -> bool:
    """Whether a room's end may be its server's: the API did not answer then, and no webhook reported the end."""
    return finished.facts.get(keys.ROOM_SERVER_AWAY) is True and "webhook" not in finished.witnesses


def end_reason_label(reason: str) -> str:
    """What to call an end reason for people; a server's own is named in its own words."""
    return EndReason(reason).label if reason in list(EndReason) else reason.replace("_", " ")


def _last_leave(finished: Step, participants: Sequence[Participant], timeout: int) -> Step | None:
    """The last leave of anyone, an agent's or a recorder's too; not one that the room's end can have caused.

    ``timeout`` is the departure timeout, ns.
    """
    leaves = [
        gone for p in participants if (gone := p.gone) and not _put_out_by_the_end(p, gone, finished.earliest, timeout)
    ]
    return max(leaves, key=lambda step: step.time, default=None)


def _put_out_by_the_end(who: Participant, gone: Step, end: int, timeout: int) -> bool:
    """Whether the room's end can be why somebody left: by the reason or, where none is reported, by the time.

    A room whose agent or recorder leaves is open for another ``timeout``, ns: one that was not saw them leave with it.
    The observer, who polls them first, may see that before the end of the room.
    """
    if who.disconnect_reason is not None:
        return who.disconnect_reason == "ROOM_CLOSED"
    return gone.latest >= (end - timeout - EARLY if who.is_dependent else end)
