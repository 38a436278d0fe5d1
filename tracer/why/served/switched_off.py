"""A session's audio that was turned off to the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.why.call.limits import SOON, STUCK_BY
from tracer.why.lack import Lack, in_seconds

if TYPE_CHECKING:
    from tracer.timeline.sessions import Off, Session
    from tracer.why.served.stay import CallerStay

__all__ = ["input_off", "output_off"]


def input_off(stay: CallerStay) -> Lack | None:
    """The audio input of every session was turned off, to the end."""
    off = _off_for(stay, [(session, session.input_off) for session in stay.sessions if session.has_audio])
    if not off:
        return None
    return Lack(
        f"whether the agent heard {stay.name} is not known: its audio input was turned off for the last"
        f" {in_seconds(off)}",
        certain=False,
        ns=off,
    )


def output_off(stay: CallerStay) -> Lack | None:
    """The audio output of every session was turned off, to the end."""
    off = _off_for(stay, [(session, session.output_off) for session in stay.sessions if session.voiced])
    if not off:
        return None
    return Lack(
        f"whether {stay.name} heard the agent is not known: its audio output was turned off for the last"
        f" {in_seconds(off)}",
        certain=False,
        ns=off,
    )


def _off_for(stay: CallerStay, sessions: list[tuple[Session, tuple[Off, ...]]]) -> int:
    """How long all of these were off at the end, ns; 0 where that is not for long, or on purpose.

    What was turned on while the caller was there is turned on when it is needed, as push-to-talk does.
    """
    ends = [(min(session.until, stay.ended), offs) for session, offs in sessions]
    if stay.is_text_only or stay.has_company or not all(offs and offs[-1].until >= end for end, offs in ends):
        return 0
    if any(stay.began < off.until < end for end, offs in ends for off in offs):
        return 0
    ended = max((end for end, _ in ends), default=stay.ended)
    together = max(stay.began, min((session.since for session, _ in sessions), default=ended))
    since = max([together, *(offs[-1].since for _, offs in sessions)])
    return ended - since if ended - since > STUCK_BY or since <= together + SOON else 0
