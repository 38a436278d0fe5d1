"""How far one clock is ahead of another: an interval, for every question takes its time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracer.doctor.finding import State
from tracer.moment import NS_PER_MS, NS_PER_S, Kind
from tracer.view.text import milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracer.step import Step

__all__ = ["Offset", "of_agent", "of_asking"]

CLOSE = 100 * NS_PER_MS
"""Clocks that are no further apart than this, ns, keep the order of what takes longer."""
FAR = NS_PER_S
"""Clocks that are further apart than this, ns, make times of different clocks worthless beside each other."""


@dataclass(frozen=True, slots=True)
class Offset:
    """A clock is ahead of the server's by ``lowest`` to ``highest``, ns; below zero it is behind.

    None where nothing bounds it on that side. The bounds hold whatever the network took.
    """

    lowest: int | None = None
    highest: int | None = None

    @property
    def contradicts(self) -> bool:
        """No offset fits: a clock was set in between."""
        return self.lowest is not None and self.highest is not None and self.lowest > self.highest

    @property
    def certain(self) -> int:
        """How far off it is at least, ns; negative when behind, 0 where it can be right."""
        if self.lowest is not None and self.lowest > 0:
            return self.lowest
        return self.highest if self.highest is not None and self.highest < 0 else 0

    @property
    def state(self) -> State:
        """What that means for a timeline."""
        if self.contradicts:
            return State.WARNING
        if abs(self.certain) > FAR:
            return State.FAILED
        if abs(self.certain) > CLOSE:
            return State.WARNING
        return State.SKIPPED if self.lowest is None or self.highest is None else State.OK

    def __str__(self) -> str:
        """What follows "its clock"."""
        if self.contradicts:
            return "was set while it was looked at"
        if self.lowest is None or self.highest is None:
            return self._half_known()
        half = (self.highest - self.lowest) / 2
        if not self.certain:
            return f"is within {_length(max(-self.lowest, self.highest))} of the server's"
        side = "ahead of" if self.certain > 0 else "behind"
        return f"is {_length(abs(self.lowest + half))} (±{_length(half)}) {side} the server's"

    def _half_known(self) -> str:
        if self.highest is not None:
            if self.highest < 0:
                return f"is {_length(-self.highest)} or more behind the server's"
            return f"is ahead of the server's by no more than {_length(self.highest)}; how far behind cannot be told"
        if self.lowest is not None:
            if self.lowest > 0:
                return f"is {_length(self.lowest)} or more ahead of the server's"
            return f"is behind the server's by no more than {_length(-self.lowest)}; how far ahead cannot be told"
        return "cannot be told"


def of_asking(asked: int, answered: int, earliest: int, latest: int) -> Offset:
    """The clock that read ``asked`` and ``answered``, from what the server stamped in between.

    The server's time lay in [``earliest``, ``latest``] of its own clock. All in ns since the epoch.
    """
    return Offset(asked - latest, answered - earliest)


def of_agent(job: Iterable[Step], joining: Step | None) -> Offset:
    """An agent's clock, from the steps of one job: its own times between those of the server.

    The server offers the job before the agent receives it, and makes the agent's participant (``joining``) while the
    agent connects.
    """
    steps = {step.kind: step for step in job}
    offered, received = steps.get(Kind.JOB_OFFERED), steps.get(Kind.JOB_RECEIVED)
    connecting, connected = steps.get(Kind.AGENT_CONNECTING), steps.get(Kind.AGENT_CONNECTED)
    highest = []
    if offered and received:
        highest.append(received.latest - offered.earliest)
    if joining and connected:
        highest.append(connected.latest - joining.earliest)
    lowest = connecting.earliest - joining.latest if joining and connecting else None
    return Offset(lowest, min(highest, default=None))


def _length(ns: float) -> str:
    return milliseconds(abs(ns) / NS_PER_MS)
