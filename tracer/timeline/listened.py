"""When tracer listened. What happened while nobody did is not known: that nothing was recorded shows nothing then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["NOTED_EVERY", "STOPPED", "Listened", "stopped", "unheard", "union"]

NOTED_EVERY = 2.0
"""Seconds between two notes of a receiver, or an observer, that it listens."""
LATE = 3 * NS_PER_S
"""Until so long after its last note, ns, whoever listens is taken to do so still."""
STARTED = NS_PER_S // 2
"""Whoever listens so soon after a room began, ns, has heard all of it: clocks differ, and a webhook takes its time."""
STOPPED = 10 * NS_PER_S
"""Whoever has noted nothing for this long, ns, has stopped. A shorter pause is none: webhooks are sent again, and
agents keep their spans for as long."""

Listened = tuple[int, int]
"""From when until when one run of `tracer serve` or `tracer observe` listened, ns since the epoch."""


def union(runs: Iterable[Listened]) -> list[Listened]:
    """When anybody listened, in order of time."""
    found: list[Listened] = []
    for since, until in sorted(runs):
        if found and since <= found[-1][1] + STOPPED:
            found[-1] = found[-1][0], max(found[-1][1], until)
        else:
            found.append((since, until))
    return found


def stopped(runs: Iterable[Listened], came: int, now: int, began: int = 0) -> tuple[int, int | None]:
    """Until when a room is known of which something came last at ``came``, at most until ``now``, ns.

    And when whoever listened stopped; None where somebody listens, or that is not known: who stopped before the room
    ``began`` never heard of it. Agents keep their spans until somebody listens again, so what they report can be later
    than that.
    """
    heard = next((run for run in reversed(union(runs)) if run[0] - STOPPED <= came), None)
    if heard is None or heard[1] + LATE < began:  # it may have begun between two notes
        return now, None
    until = max(heard[1], came)
    if now > until + STOPPED:
        return until, heard[1]
    return min(now, until + LATE), None


def unheard(runs: Iterable[Listened], since: int, until: int) -> tuple[Listened, ...] | None:
    """When nobody listened between two times, ns; None where that is not known."""
    found, at = [], since
    for began, ended in union(runs):
        if began > until + STOPPED:
            break
        if began > at + (STARTED if at == since else STOPPED):
            found.append((at, min(began, until)))
        at = max(at, ended)
    if at == since:  # nobody at all: it is of another record
        return None
    if until > at + STOPPED:
        found.append((at, until))
    return tuple(found)
