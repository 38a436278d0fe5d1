"""From a store to a timeline: what is known of one room, as of now."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from tracer.store import open_reader
from tracer.timeline.fold import fold
from tracer.timeline.listened import stopped, unheard
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tracer.moment import Moment
    from tracer.store import Reader
    from tracer.timeline.listened import Listened
    from tracer.timeline.timeline import Timeline

__all__ = ["WORKERS_LATER", "as_of", "moments_around", "read_timeline", "timeline_in"]

WORKERS_BEFORE = 120 * NS_PER_S
"""All moments of workers this long before a room are read, ns; of earlier ones the last of each kind is enough."""
WORKERS_LATER = 60 * NS_PER_S
"""Moments of workers are read until this long after a room's last, ns: a worker that came too late explains a lot."""


def read_timeline(store: str, room: str) -> Timeline:
    """The room with this SID, or the latest of this name, in the store at this location.

    Raises UnknownRoomError, StoreError.
    """
    with closing(open_reader(store)) as reader:
        return timeline_in(reader, reader.find(room))


def timeline_in(
    reader: Reader, sid: str, *, now: int | None = None, tell: Callable[[Moment], Moment] | None = None
) -> Timeline:
    """The room with this SID, as of ``now`` (ns; the present), and beside it the rooms of its name before and after.

    ``tell``: what is told of each moment that is in the store, as ``Moment.redacted``; without it, all.
    """

    def told(moments: list[Moment]) -> list[Moment]:
        return [tell(moment) for moment in moments] if tell else moments

    def read(room: str) -> list[Moment]:
        return told(reader.moments(room))

    now, runs = time.time_ns() if now is None else now, reader.listened()

    def folded(room: str, moments: list[Moment], workers: list[Moment] | None = None) -> Timeline:
        began = min((m.earliest for m in moments if m.clock != "agent"), default=0)
        until, stop = stopped(runs, _came(moments, runs), now, began)
        timeline = fold(room, moments, workers=workers or (), now=until)
        end = timeline.room.finished.time if timeline.room.finished else until
        return replace(timeline, stopped=stop, unheard=unheard(runs, timeline.zero, end))

    moments = read(sid)
    timeline = folded(sid, moments, told(_workers(reader, moments)))
    before, after = (other and folded(other, read(other)) for other in reader.neighbours(sid))
    return replace(timeline, earlier=before or None, later=after or None)


def as_of(reader: Reader, timeline: Timeline, now: int) -> Timeline:
    """A timeline of which nothing came since it was read, as of ``now``, ns. Raises StoreError."""
    until, stop = stopped(reader.listened(), _newest(timeline), now, timeline.zero)
    return replace(timeline, now=until, stopped=stop)


def _newest(timeline: Timeline) -> int:
    """When the newest of a timeline's own was, ns: the same again and again while nothing comes."""
    own = (step for step in timeline.steps if not step.subject.startswith("AW_"))
    return max((step.latest for step in own if step.clock != "agent"), default=timeline.zero)


def _came(moments: Iterable[Moment], runs: Iterable[Listened]) -> int:
    """When the newest moment was, ns; agents' clocks can be ahead of whoever listened, and no further than its end."""
    last = max((until for _, until in runs), default=0)
    return max((min(m.latest, last) if m.clock == "agent" else m.latest for m in moments), default=0)


def moments_around(reader: Reader, sid: str) -> list[Moment]:
    """What a timeline of the room is made of beside its own moments: those of workers, and of the rooms of its name."""
    rooms = [other for other in reader.neighbours(sid) if other]
    return [*_workers(reader, reader.moments(sid)), *(moment for other in rooms for moment in reader.moments(other))]


def _workers(reader: Reader, moments: list[Moment]) -> list[Moment]:
    times = [moment.time for moment in moments]
    return reader.workers(min(times) - WORKERS_BEFORE, max(times) + WORKERS_LATER) if times else []
