"""From a store to a timeline: what is known of one room, as of now."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from tracer.store import open_reader
from tracer.summary import VERSION, Summary, summarize
from tracer.timeline import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.store import Reader
    from tracer.timeline import Timeline

__all__ = ["read_summaries", "read_timeline", "timeline_in"]

WORKERS_LATER = 60 * 1_000_000_000
"""Workers are told of until this long after a room's last moment, ns: one that came too late is worth knowing of."""


def read_timeline(store: str, room: str) -> Timeline:
    """The room with this SID, or the latest of this name, in the store at this location.

    Raises UnknownRoomError, StoreError.
    """
    with closing(open_reader(store)) as reader:
        return timeline_in(reader, reader.find(room))


def read_summaries(store: str, limit: int, hours: float | None = None) -> Iterator[Summary]:
    """The summaries of the latest rooms, of those made within so many hours; made now where none is kept.

    Raises StoreError.
    """
    since = time.time_ns() - round(hours * 3600 * 1e9) if hours is not None else 0
    with closing(open_reader(store)) as reader:
        for sid, kept in reader.summaries(limit, since=since, version=VERSION):
            yield Summary.from_json(kept) if kept else summarize(timeline_in(reader, sid))


def timeline_in(reader: Reader, sid: str) -> Timeline:
    """The room with this SID, and beside it the rooms of its name before and after."""
    now = time.time_ns()
    moments = reader.moments(sid)
    last = max((moment.time for moment in moments), default=0)
    timeline = fold(sid, moments, workers=reader.workers(last + WORKERS_LATER), now=now)
    before, after = (other and fold(other, reader.moments(other), now=now) for other in reader.neighbours(sid))
    return replace(timeline, earlier=before or None, later=after or None)
