"""Whether the telephone of a SIP participant was answered, and when.

Whom SIP calls is a participant of the room while the telephone still rings; what is said in the room meanwhile nobody
hears there. The attribute ``sip.callStatus`` tells (https://docs.livekit.io/reference/telephony/sip-participant/).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracer import keys
from tracer.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracer.moment import Fact
    from tracer.timeline.entities import Participant
    from tracer.timeline.step import Step

__all__ = ["Ringing", "call_status", "ringing"]

_STATUS = (keys.CALL_STATUS, keys.PARTICIPANT_ATTRIBUTE + "sip.callStatus")
"""An agent with an older tracer reports the attribute alone."""
_RINGS = ("dialing", "ringing")
_ANSWERED = ("active", "automation")
"""The second while digits are dialled, once somebody has answered."""


class Ringing(NamedTuple):
    """A telephone that rang while its participant was in the room."""

    first: Step
    """The first that shows it."""
    answered: Step | None
    """What shows that somebody answered: who saw it change most exactly, else the first, which may be their leave.

    None while none does.
    """


def call_status(who: Participant) -> str | None:
    """The last status that was reported, as ``ringing`` or ``active``; None of who is not called by SIP."""
    return _status(who.facts)


def ringing(who: Participant) -> Ringing | None:
    """When a participant's telephone rang; None where it did not, or nobody reported it."""
    told = [(step, status) for step in who.steps if (status := _status(step.facts))]
    first = next((step for step, status in told if status in _RINGS), None)
    if first is None:
        return None
    answered = [step for step, status in told if status in _ANSWERED]
    seen = [step for step in answered if step.kind is Kind.PARTICIPANT_ATTRIBUTES_CHANGED]
    exact = min(seen, key=lambda step: step.latest - step.earliest, default=None)
    return Ringing(first, exact or next(iter(answered), None))


def _status(known: Mapping[str, Fact]) -> str | None:
    return next((str(known[key]) for key in _STATUS if key in known), None)
