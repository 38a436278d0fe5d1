"""A conversation as its witnesses report it: who is linked to whom, and hears whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.moments import ABOUT_ADA, ADA, AGENT, MICROPHONE, SESSION, VOICE, WAIT, _webhook, ms
from tests.why.cases import BOB, BOBS, bob, healthy, heard, linked, moved, of_job, with_facts, without
from tracer import keys
from tracer.moment import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracer.moment import Fact, Moment

__all__ = [
    "ABOUT_ADA",
    "BOB",
    "BOBS",
    "MICROPHONE",
    "VOICE",
    "WAIT",
    "bob_speaks",
    "conversation",
    "event",
    "hears",
    "kept_session",
    "lasting",
    "permitted",
    "said",
    "unheard",
    "wait_in_vain",
]

AUDIO = "a0d10a0d10a0d10a"


def event(kind: Kind, at: float, who: str = ADA, name: str = "ada") -> Moment:
    """An event of the session about the participant it is linked to."""
    return of_job(kind, at, linked(who, name), f"{SESSION}@{at}")


def hears(at: float, name: str = "ada", *, wait: str = AUDIO) -> list[Moment]:
    """The session waits for somebody's audio, and receives it."""
    known: dict[str, Fact] = {keys.LINKED_IDENTITY: name}
    return [
        of_job(Kind.SESSION_WAITING_FOR_AUDIO, at, known, wait),
        of_job(Kind.SESSION_TRACK_SUBSCRIBED, at + 5, known, wait),
        of_job(Kind.SESSION_AUDIO_RECEIVED, at + 10, known, wait),
    ]


def conversation() -> list[Moment]:
    """The healthy call, with what its session reported of whom it heard."""
    return [
        *(m for m in healthy() if m not in heard()),
        event(Kind.SESSION_LINKED, 370),
        *hears(371),
        of_job(Kind.SESSION_AUDIO_PUBLISHED, 385),
        event(Kind.SESSION_UNLINKED, 4101),
    ]


def unheard(*more: Kind | str) -> list[Moment]:
    """The same, and no audio of the caller's arrived."""
    return without(conversation(), Kind.SESSION_TRACK_SUBSCRIBED, Kind.SESSION_AUDIO_RECEIVED, *more)


def lasting(moments: Iterable[Moment], by: float) -> list[Moment]:
    """A call that goes on for so many ms more."""
    return [moved(m, by) if m.time > ms(4000) else m for m in moments]


def kept_session(by: float) -> list[Moment]:
    """The conversation after which the session stays, and the room with it, for so many ms more."""
    stays = {Kind.SESSION_UNLINKED, Kind.PARTICIPANT_LEFT}
    kept = [m for m in conversation() if m.kind in stays and m.time < ms(4150)]
    return [*kept, *(m for m in lasting(conversation(), by) if m.kind not in stays or m.subject == AGENT)]


def permitted(moments: Iterable[Moment], who: str, key: str, value: Fact = False) -> list[Moment]:
    """The same, in which each report of a participant holds this permission."""
    recorded = list(moments)
    for kind in (Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_JOINED, Kind.PARTICIPANT_ACTIVE, Kind.PARTICIPANT_LEFT):
        recorded = with_facts(recorded, kind, who, {key: value})
    return recorded


def bob_speaks(joined: float = 1, left: float = 4150, spoke: float = 200) -> list[Moment]:
    """Another caller, with a microphone."""
    track: dict[str, Fact] = {keys.PARTICIPANT_ID: BOB, keys.TRACK_SOURCE: "MICROPHONE"}
    return [*bob(joined, left), _webhook(Kind.TRACK_PUBLISHED, BOBS, spoke, track)]


def said(times: int) -> list[Moment]:
    """The agent asked its model, and spoke, so many times."""
    kinds = (Kind.MODEL_ASKED, Kind.MODEL_ANSWERED, Kind.AGENT_SPEAKING)
    return [of_job(kind, 500 + 100 * i, occurrence=f"{kind}{i}") for i in range(times) for kind in kinds]


def wait_in_vain(by: float, named: bool | None = True, *, ended: bool = True) -> list[Moment]:
    """The agent waits for a participant, and does not take the caller; the call goes on for so many ms more."""
    kept = without(conversation(), Kind.AGENT_WAITING_FOR_PARTICIPANT, Kind.AGENT_PARTICIPANT_READY, VOICE)
    kept = [m for m in kept if not m.kind.value.startswith("session.")]
    known = {} if named is None else {keys.PARTICIPANT_FILTER: named}
    kept.append(of_job(Kind.AGENT_WAITING_FOR_PARTICIPANT, 360, known, WAIT))
    if ended:
        kept.append(of_job(Kind.AGENT_WAIT_ENDED, 6504, known, WAIT))
    return lasting(kept, by)
