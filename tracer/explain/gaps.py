"""The gaps on the way to a ready agent, and who spends their time, as ``tracer.latency`` has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.explain.entry import Entry, Group
from tracer.kinds import Kind
from tracer.latency.owner import SPENDS, Owner, advice, meanwhile
from tracer.latency.stats import CALLER_WAITED, WHOLE
from tracer.latency.summary import ARROW
from tracer.livekit_sources import server

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["gap", "gaps", "owners"]

PATH: tuple[tuple[Kind, Kind, Owner], ...] = (
    (Kind.ROOM_CREATED, Kind.DISPATCH_CREATED, Owner.SERVER),
    (Kind.DISPATCH_CREATED, Kind.JOB_OFFERED, Owner.SERVER),
    (Kind.JOB_OFFERED, Kind.JOB_RECEIVED, Owner.NETWORK),
    (Kind.JOB_RECEIVED, Kind.JOB_ACCEPTED, Owner.CODE),
    (Kind.JOB_ACCEPTED, Kind.JOB_ASSIGNED, Owner.SERVER),
    (Kind.JOB_ASSIGNED, Kind.PROCESS_STARTED, Owner.PROCESS),
    (Kind.PROCESS_STARTED, Kind.PROCESS_READY, Owner.CODE),
    (Kind.PROCESS_READY, Kind.JOB_PROCESS_ASSIGNED, Owner.WORKER),
    (Kind.JOB_ASSIGNED, Kind.JOB_PROCESS_ASSIGNED, Owner.PROCESS),
    (Kind.JOB_PROCESS_ASSIGNED, Kind.JOB_ENTRYPOINT_STARTED, Owner.PROCESS),
    (Kind.JOB_ENTRYPOINT_STARTED, Kind.AGENT_CONNECTING, Owner.CODE),
    (Kind.AGENT_CONNECTING, Kind.PARTICIPANT_JOINING, Owner.WORKER),
    (Kind.PARTICIPANT_JOINING, Kind.AGENT_CONNECTED, Owner.NETWORK),
    (Kind.AGENT_CONNECTED, Kind.AGENT_WAITING_FOR_PARTICIPANT, Owner.CODE),
    (Kind.AGENT_WAITING_FOR_PARTICIPANT, Kind.PARTICIPANT_JOINING, Owner.CALLER),
    (Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_ACTIVE, Owner.NETWORK),
    (Kind.PARTICIPANT_ACTIVE, Kind.AGENT_PARTICIPANT_READY, Owner.SETTING),
    (Kind.AGENT_WAITING_FOR_PARTICIPANT, Kind.AGENT_PARTICIPANT_READY, Owner.SERVER),
    (Kind.AGENT_PARTICIPANT_READY, Kind.SESSION_STARTING, Owner.CODE),
    (Kind.SESSION_STARTING, Kind.SESSION_STARTED, Owner.SESSION),
)
"""The commonest gaps, each with who spends it as a rule, in the order of a call."""


def gaps() -> Iterator[Entry]:
    """The commonest gaps, in the order of a call."""
    for start, end, owner in PATH:
        yield gap(start, end, owner)
    yield Entry(
        word=WHOLE,
        group=Group.GAP,
        title="all gaps together",
        meaning=(
            "From what first asked for an agent, as a rule the room's creation, to its being ready: its session had"
            " started or, without one, it had its caller."
        ),
        mistake="It is not what a caller waited: an agent can be ready before they come.",
        related=(CALLER_WAITED, "ready"),
    )
    yield Entry(
        word=CALLER_WAITED,
        group=Group.GAP,
        title="what the caller waited",
        meaning="From when the caller was ACTIVE, and could hear, to when an agent was ready for them.",
        mistake="It is nothing where the agent was ready first.",
        related=(WHOLE, "ready"),
    )


def gap(start: Kind, end: Kind, owner: Owner | None = None) -> Entry:
    """A gap between two kinds of moment; without an owner, with the one that spends the time up to that end as a rule.

    The owner is unknown where no gap of a job's start ends with that kind.
    """
    usual = next((who for before, after, who in PATH if (before, after) == (start, end)), None)
    who = owner or usual or next((who for _, after, who in PATH if after is end), Owner.UNKNOWN)
    found = advice(who, end)
    phrases = tuple(kind.info.phrase.format(who="somebody") for kind in (start, end))
    return Entry(
        word=f"{start}{ARROW}{end}",
        group=Group.GAP,
        title=ARROW.join(phrases),
        meaning=meanwhile(who, end),
        caused_by=f"{who.label[0].upper()}{who.label[1:]}.",
        following=end.info.following,
        advice=f"{found[0].upper()}{found[1:]}." if found else "",
        sources=(server("pkg/rtc/room.go"),) if who is Owner.SETTING else (),
        related=(who.value, start.value, end.value),
        aliases=(ARROW.join(kind.info.phrase.format(who="").strip() for kind in (start, end)),),
    )


def owners() -> Iterator[Entry]:
    """Who can spend the time of a gap."""
    for owner in Owner:
        yield Entry(
            word=owner.value,
            group=Group.OWNER,
            title=owner.label,
            meaning=SPENDS[owner],
            related=tuple(f"{start}{ARROW}{end}" for start, end, who in PATH if who is owner),
            aliases=(owner.label,),
        )
