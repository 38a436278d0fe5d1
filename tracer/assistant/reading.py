"""The rooms that an assistant asks about: of a store, or of recordings, each as of its end."""

from __future__ import annotations

from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from tracer.assistant.outside import Outside, quoted
from tracer.errors import StoreError, UnknownRoomError
from tracer.latency.summary import VERSION, summarize
from tracer.service.unread import read_unread
from tracer.store import SCRATCH, open_reader
from tracer.store.load import timeline_in
from tracer.store.summaries import read_summaries, stored_summary, summarize_room

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager

    from tracer.latency.summary import Summary
    from tracer.service.replay import Opened
    from tracer.store import Reader, RoomRow
    from tracer.timeline.timeline import Timeline

__all__ = ["NO_ROOMS", "Listed", "NoRoomError", "Rooms", "Source"]

UNREAD_FOR = 5.0
"""Seconds that an answer spends on evidence that nobody has read."""
MADE_NOW = 25
"""Rooms whose summary is made now where none is stored."""
SEARCHED = 1_000
"""Rooms of a store, the latest, among which a beginning or a pseudonym is looked for."""


NO_ROOMS = "No rooms yet: calls are recorded while `tracer serve` runs. doctor() checks the setup."
"""What is said where there is nothing to read."""


class NoRoomError(UnknownRoomError):
    """No room of that name or SID; the text names no room that was not asked for."""

    def __init__(self, room: str | None) -> None:
        """Without a room there is none at all."""
        said = f"There is no room {quoted(room)}: rooms() lists those that are known." if room else NO_ROOMS
        Exception.__init__(self, said)


class Source(NamedTuple):
    """A store to read, or a recording."""

    location: str = ""
    recording: Opened | None = None

    @property
    def now(self) -> int | None:
        """As of when its rooms are told, ns; None for the present."""
        return self.recording.now if self.recording else None

    def has(self, sid: str) -> bool:
        """Whether it is about this room: a bundle holds the rooms around its own as well."""
        return self.recording is None or sid in self.recording.rooms


class Listed(NamedTuple):
    """A room of a list."""

    row: RoomRow
    summary: Summary | None
    """How it went; None while it is not over."""


@dataclass
class Rooms:
    """What is known of rooms, told as ``outside`` has it. It can be asked by several threads."""

    sources: tuple[Source, ...]
    outside: Outside
    _of_recordings: dict[str, Summary] = field(default_factory=dict)
    """By SID: a recording does not change."""

    def listed(self, limit: int, after: int = 0) -> tuple[list[Listed], bool]:
        """So many of the latest rooms after the first ``after``, newest first, and whether there are more.

        Raises StoreError.
        """
        rows: list[tuple[RoomRow, Source]] = []
        for source in self.sources:
            with self._reading(source) as reader:
                # A demo's rooms where there are no others; the doctor's are no calls.
                found = reader.search("", after + limit + 1) or [
                    row for row in reader.rooms(after + limit + 1) if not (row.name or "").startswith(SCRATCH)
                ]
                rows += ((row, source) for row in found if source.has(row.sid))
        rows.sort(key=lambda one: one[0].created or 0, reverse=True)
        chosen = rows[after : after + limit]
        summaries = {row.sid: one for source in self.sources for row, one in self._summaries(source, chosen)}
        return [Listed(row, summaries.get(row.sid)) for row, _ in chosen], len(rows) > after + limit

    def latest(self) -> str:
        """SID of the latest room. Raises NoRoomError where there is none, StoreError."""
        found, _ = self.listed(1)
        if not found:
            raise NoRoomError(None)
        return found[0].row.sid

    def timeline(self, room: str) -> Timeline:
        """The room with this SID, or the latest with this name or pseudonym, or whose SID alone begins like this.

        Raises NoRoomError, StoreError.
        """
        for source in self.sources:
            with self._reading(source) as reader:
                if (sid := self._find(reader, room)) and source.has(sid):
                    return timeline_in(reader, sid, now=source.now, tell=self.outside.moment)
        raise NoRoomError(room)

    def summaries(self, limit: int) -> Iterator[Summary]:
        """Of the latest rooms of each source, with agents' names as they are told. Raises StoreError."""
        for source in self.sources:
            if source.recording:
                yield from (self._of_recording(source, sid) for sid in source.recording.rooms)
            else:
                yield from map(self._told, read_summaries(source.location, limit))

    def _find(self, reader: Reader, room: str) -> str | None:
        with suppress(UnknownRoomError):
            return reader.find(room)
        rows = reader.rooms(SEARCHED)
        if self.outside.pseudonyms:
            named = (row.sid for row in rows if row.name and self.outside.pseudonyms.room(row.name) == room)
            if found := next(named, None):
                return found
        begin = [row.sid for row in rows if row.has_sid(room)]
        return begin[0] if len(begin) == 1 else None

    def _summaries(self, source: Source, rows: Iterable[tuple[RoomRow, Source]]) -> Iterator[tuple[RoomRow, Summary]]:
        mine = [row for row, of in rows if of is source and row.finished]
        if source.recording:
            yield from ((row, self._of_recording(source, row.sid)) for row in mine)
            return
        if not mine:
            return
        with closing(open_reader(source.location)) as reader:
            stored = {
                one.room: stored_summary(one) for one in reader.summaries_of([row.sid for row in mine], version=VERSION)
            }
            made = 0
            for row in mine:
                if summary := stored.get(row.sid):
                    yield row, self._told(summary)
                elif (made := made + 1) <= MADE_NOW:
                    yield row, self._told(summarize_room(reader, row.sid)[0])

    def _of_recording(self, source: Source, sid: str) -> Summary:
        if sid not in self._of_recordings:
            with self._reading(source) as reader:
                timeline = timeline_in(reader, sid, now=source.now, tell=self.outside.moment)
            self._of_recordings[sid] = summarize(timeline)
        return self._of_recordings[sid]

    def _told(self, summary: Summary) -> Summary:
        jobs = tuple(job._replace(agent_name=self.outside.chosen(job.agent_name)) for job in summary.jobs)
        return summary._replace(jobs=jobs, agent_names=tuple(map(self.outside.chosen, summary.agent_names)))

    def _reading(self, source: Source) -> AbstractContextManager[Reader]:
        if source.recording:
            return nullcontext(source.recording.store)
        with suppress(StoreError):  # what cannot be opened is said below
            read_unread(source.location, UNREAD_FOR)
        return closing(open_reader(source.location))
