"""From a store to the summaries of many rooms, which statistics are made from."""

from __future__ import annotations

import logging
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from tracer.errors import StoreError, UnreadableError
from tracer.latency.summary import VERSION, Counted, Summary, summarize
from tracer.store import open_reader
from tracer.store.load import timeline_in
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.store import Reader, StoredSummary
    from tracer.timeline.timeline import Timeline

__all__ = ["read_summaries", "stored_summary", "summarize_room"]

log = logging.getLogger("tracer")


def read_summaries(store: str, limit: int, hours: float | None = None) -> Iterator[Summary]:
    """The summaries of the latest rooms, at most ``limit``, created within so many hours; made now where none is kept.

    Raises StoreError.
    """
    since = max(time.time_ns() - round(hours * 3600 * NS_PER_S), 0) if hours is not None else 0
    with closing(open_reader(store)) as reader:
        for stored in reader.summaries(limit, since=since, version=VERSION):
            # Nothing of a room that is not over counts: it need not be read.
            yield stored_summary(stored) or (
                summarize_room(reader, stored.room)[0] if stored.finished else Summary(Counted.OPEN)
            )


def stored_summary(stored: StoredSummary, *, gaps: bool = True) -> Summary | None:
    """The summary that is kept of a room; None where there is none, or it is damaged and has to be made again.

    A list needs no ``gaps``.
    """
    with suppress(ValueError, TypeError):
        if stored.body:
            return Summary.from_json(stored.body, gaps=gaps)
    return None


def summarize_room(reader: Reader, sid: str) -> tuple[Summary, Timeline | None]:
    """The summary of this room and the timeline it was made from; without one when what is stored is damaged.

    Raises StoreError when the store itself fails.
    """
    try:
        timeline = timeline_in(reader, sid)
        return summarize(timeline), timeline
    except StoreError as error:
        if not isinstance(error, UnreadableError):
            raise
        log.error("cannot summarize room %s: %s", sid, error)
        return Summary(Counted.UNREADABLE), None
    except Exception as error:  # noqa: BLE001  one room must not stand in the way of all the others
        log.error("cannot summarize room %s: %r", sid, error)
        return Summary(Counted.UNREADABLE), None
