"""An agent's connection, which two report: its room at once, and its session when that has ended."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.moment import Moment

__all__ = ["reported_once"]

_CHANGES = (Kind.AGENT_RECONNECTING, Kind.AGENT_RECONNECTED, Kind.AGENT_CONNECTION_LOST)
_SAME = NS_PER_S
"""Two reports of one change by one process are not further apart, ns."""
OF_A_SESSION = "@"
"""In the occurrence of what a session reports: the span's id, this, and the time."""


def reported_once(moments: list[Moment]) -> Iterator[Moment]:
    """The moments, without what a session reports of its job's connection that the room has reported too."""
    at_once: dict[tuple[Kind, str], list[int]] = defaultdict(list)
    for moment in moments:
        if moment.kind in _CHANGES and OF_A_SESSION not in moment.occurrence:
            at_once[moment.kind, moment.subject].append(moment.time)
    for moment in moments:
        again = moment.kind in _CHANGES and OF_A_SESSION in moment.occurrence
        if not (again and any(abs(at - moment.time) <= _SAME for at in at_once[moment.kind, moment.subject])):
            yield moment
