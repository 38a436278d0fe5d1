"""From a store to a timeline: what is known of one room, as of now."""

from __future__ import annotations

import logging
import time
from contextlib import closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from tracer.errors import StoreError, UnreadableError
from tracer.latency.summary import VERSION, Counted, Summary, summarize
from tracer.moment import NS_PER_S
from tracer.store import open_reader
from tracer.timeline.fold import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.store import Reader
    from tracer.timeline.timeline import Timeline

__all__ = ["WORKERS_LATER", "read_summaries", "read_timeline", "sum_up", "timeline_in"]

log = logging.getLogger("tracer")

WORKERS_BEFORE = 600 * 1_000_000_000
"""All that workers told this long before a room, ns; of what was before that, the last of each kind is enough."""
WORKERS_LATER = 60 * NS_PER_S
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
    since = max(time.time_ns() - round(hours * 3600 * NS_PER_S), 0) if hours is not None else 0
    with closing(open_reader(store)) as reader:
        for sid, over, kept in reader.summaries(limit, since=since, version=VERSION):
            with suppress(ValueError, TypeError):  # damaged: it is made anew
                if kept:
                    yield Summary.from_json(kept)
                    continue
            # Of a room that is not over nothing counts: it need not be read.
            yield sum_up(reader, sid)[0] if over else Summary(Counted.OPEN)


def sum_up(reader: Reader, sid: str) -> tuple[Summary, Timeline | None]:
    """The summary of this room, and the timeline it is made from; None where what is kept of it is damaged.

    Raises StoreError.
    """
    try:
        timeline = timeline_in(reader, sid)
        return summarize(timeline), timeline
    except StoreError as error:
        if not isinstance(error, UnreadableError):
            raise
        log.error("room %s cannot be summed up: %s", sid, error)
        return Summary(Counted.UNREADABLE), None
    except Exception as error:  # noqa: BLE001  one room must not stand in the way of all the others
        log.error("room %s cannot be summed up: %r", sid, error)
        return Summary(Counted.UNREADABLE), None


def timeline_in(reader: Reader, sid: str) -> Timeline:
    """The room with this SID, and beside it the rooms of its name before and after."""
    now = time.time_ns()
    moments = reader.moments(sid)
    times = [moment.time for moment in moments]
    workers = reader.workers(min(times) - WORKERS_BEFORE, max(times) + WORKERS_LATER) if times else ()
    timeline = fold(sid, moments, workers=workers, now=now)
    before, after = (other and fold(other, reader.moments(other), now=now) for other in reader.neighbours(sid))
    return replace(timeline, earlier=before or None, later=after or None)
