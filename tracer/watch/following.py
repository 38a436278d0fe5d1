"""One room of a store while its call goes on: read anew when something came, and now and then; in between as of now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.errors import UnknownRoomError
from tracer.store.load import as_of, timeline_in
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from tracer.store import Reader

__all__ = ["LOOKS_EVERY", "Following"]

LOOKS_EVERY = 0.1
"""Seconds between two looks into the store: one small query, whoever wrote into it."""
READ_ANEW = 2 * NS_PER_S
"""It is read again after so long, ns, though nothing came of it: of workers and of rooms of its name something can."""
SETTLED = 3 * NS_PER_S
"""A room that has finished, and of which nothing came for this long, ns, is over: its agents report after its end."""


class Following:
    """What is known of one room by now."""

    def __init__(self, reader: Reader, sid: str, now: int) -> None:
        """``now`` is the time, ns since the epoch. Raises UnknownRoomError, StoreError."""
        self._reader = reader
        self.sid = sid
        self._number = reader.changed(sid)
        self.timeline = timeline_in(reader, sid, now=now)
        self._read = now
        steps = self.timeline.steps
        self._changed = max((step.time for step in steps), default=now)

    def look(self, now: int) -> bool:
        """Bring ``timeline`` to this time; whether something came. Raises StoreError."""
        number = self._reader.changed(self.sid)
        if not number:
            raise UnknownRoomError(self.sid, "the store any more")
        came = number != self._number
        if not came and now - self._read < READ_ANEW:
            self.timeline = as_of(self._reader, self.timeline, now)
            return False
        if came:
            self._number, self._changed = number, now
        before, self._read = self.timeline.steps, now
        self.timeline = timeline_in(self._reader, self.sid, now=now)
        return came or self.timeline.steps != before

    @property
    def is_over(self) -> bool:
        """Whether the room has finished, its jobs have ended, and nothing more comes of it."""
        timeline = self.timeline
        finished = timeline.room.finished is not None and not timeline.open_jobs()
        return finished and (timeline.stopped is not None or timeline.now - self._changed >= SETTLED)
