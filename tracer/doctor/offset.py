"""What the offset of a clock means for a timeline, and how it is worded."""

from __future__ import annotations

from tracer.clocks.offsets import Offset
from tracer.doctor.diagnosis import State
from tracer.units import NS_PER_MS, NS_PER_S, milliseconds

__all__ = ["in_words", "of_request", "state"]

CLOSE = 100 * NS_PER_MS
"""Clocks that are at most this far apart, ns, still give the order of steps that are further apart."""
FAR = NS_PER_S
"""Clocks that are further apart than this, ns, make it useless to compare times of different clocks."""


def of_request(sent: int, answered: int, earliest: int, latest: int) -> Offset:
    """The clock that read ``sent`` and ``answered``, from what the server stamped in between.

    The server's time lay in [``earliest``, ``latest``] of its own clock. All in ns since the epoch.
    """
    return Offset(sent - latest, answered - earliest)


def state(offset: Offset) -> State:
    """What an offset means for a timeline."""
    if offset.contradictory:
        return State.WARNING
    if abs(offset.proven) > FAR:
        return State.FAILED
    if abs(offset.proven) > CLOSE:
        return State.WARNING
    return State.OK if offset.bounded else State.SKIPPED


def in_words(offset: Offset) -> str:
    """The offset as the end of a sentence that begins with whose clock it is."""
    match offset.least, offset.most:
        case None, None:
            return "is unknown"
        case None, int(most) if most < 0:
            return f"is at least {_length(most)} behind the server's"
        case None, int(most):
            return f"is at most {_length(most)} ahead of the server's; how far behind is unknown"
        case int(least), None if least > 0:
            return f"is at least {_length(least)} ahead of the server's"
        case int(least), None:
            return f"is at most {_length(least)} behind the server's; how far ahead is unknown"
        case int(least), int(most) if least > most:
            return "was adjusted during the check"
        case int(least), int(most) if least <= 0 <= most:
            return f"is within {_length(max(-least, most))} of the server's"
        case least, most:
            middle, half = ((most or 0) + (least or 0)) / 2, ((most or 0) - (least or 0)) / 2
            return f"is {_length(middle)} (±{_length(half)}) {'ahead of' if middle > 0 else 'behind'} the server's"


def _length(ns: float) -> str:
    return milliseconds(abs(ns) / NS_PER_MS)
