"""What a command's ROOM is: a name, an SID, the beginning of one, or the FILE of a recording."""

from __future__ import annotations

import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from tracer.errors import UnknownRoomError
from tracer.store import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracer.store import Reader, RoomRow
    from tracer.timeline.timeline import Timeline

__all__ = ["Awaited", "OpenedRoom", "opened", "read_room", "read_rooms", "stored"]

SEARCHED = 10_000
"""Rooms of a store, the latest, among which a beginning is looked for, and what is nearest."""
MOST_NAMED = 3
"""Rooms that are named where a beginning fits several."""
NEAR = 0.7
"""How alike, up to 1, what is offered instead has to be."""


def read_rooms(store: str, room: str) -> list[Timeline]:
    """The room of this name (the latest) or SID in the store; of a recording, every room in it, the oldest first.

    Raises UnknownRoomError, StoreError, RecordingError.
    """
    path = Path(room)
    if path.is_file():
        from tracer.service.replay import timelines

        return timelines(path)
    return [stored(store, room)]


def read_room(store: str, room: str) -> Timeline:
    """As ``read_rooms``, one room: of a recording with several the latest, which is noted on standard error."""
    found = read_rooms(store, room)
    _say_latest(room, len(found), ", ".join(f"{one.room.name or '?'} {one.room.sid}" for one in found[:-1]))
    return found[-1]


class OpenedRoom(NamedTuple):
    """A room where it is kept."""

    reader: Reader
    room: str
    """Its SID."""
    now: int
    """As of when it is read, ns."""


@contextmanager
def opened(store: str, room: str) -> Iterator[OpenedRoom]:
    """As ``read_room``, with the store or the recording that it is in open."""
    path = Path(room)
    if path.is_file():
        from tracer.service import replay

        with replay.opened(path) as found:
            _say_latest(room, len(found.rooms), ", ".join(found.rooms[:-1]))
            yield OpenedRoom(found.store, found.rooms[-1], found.now)
        return
    from tracer.store import open_reader

    with closing(open_reader(store)) as reader:
        yield OpenedRoom(reader, _find(reader, store, room), time.time_ns())


def _say_latest(file: str, count: int, others: str) -> None:
    if count > 1:
        click.echo(f"{file} has {count} rooms: this is the latest; `tracer replay` it to see {others}", err=True)


def stored(store: str, room: str) -> Timeline:
    """The room of this name (the latest) or SID in the store, or whose name or SID alone begins like this.

    Raises UnknownRoomError, which names what is nearest, and StoreError.
    """
    from tracer.store import open_reader
    from tracer.store.load import timeline_in

    with closing(open_reader(store)) as reader:
        return timeline_in(reader, _find(reader, store, room))


def _find(reader: Reader, store: str, room: str) -> str:
    try:
        return reader.find(room)
    except UnknownRoomError:
        rows = reader.rooms(SEARCHED)
    begin = [row for row in rows if _begins(row, room)]
    # Rooms of one name count as one, of which the latest is meant, as for a whole name.
    different = {row.name if row.name and row.name.startswith(room) else row.sid: row for row in reversed(begin)}
    if len(different) == 1:
        return begin[0].sid
    raise UnknownRoomError(room, shown(store), _nearest(room, list(different) or _all(rows), fits=bool(different)))


def _begins(row: RoomRow, room: str) -> bool:
    return bool(room) and (row.has_sid(room) or (row.name or "").startswith(room))


def _all(rows: Sequence[RoomRow]) -> list[str]:
    return [text for row in rows for text in (row.name, row.sid) if text]


def _nearest(room: str, among: list[str], *, fits: bool) -> str:
    from difflib import get_close_matches

    if fits:
        shown = ", ".join(map(repr, sorted(among)[:MOST_NAMED]))
        return f"{len(among)} begin like this: {shown}{', …' if len(among) > MOST_NAMED else ''}"
    names = {name.lower(): name for name in reversed(among)}
    near = get_close_matches(room.lower(), names, 1, NEAR)
    return f"did you mean {names[near[0]]!r}?" if near else ""


class Awaited:
    """A room that is looked for until it is there."""

    def __init__(self, store: str, room: str) -> None:
        """Raises UsageError for the FILE of a recording: nothing more comes of it."""
        if Path(room).is_file():
            raise click.UsageError(f"{room} is a recording, which is over: without --follow")
        self.store = store
        self.room = room
        self._seen = -1
        """The number of the store's newest moment when it was looked for."""

    def find(self, reader: Reader) -> str | None:
        """Its SID; None while there is no such room, which is said once. Raises StoreError."""
        newest, seen = reader.newest(), self._seen
        if newest == seen:
            return None
        self._seen = newest
        try:
            return reader.find(self.room) if seen >= 0 else _find(reader, self.store, self.room)
        except UnknownRoomError as error:
            if seen < 0:
                click.echo(f"waiting for a room {self.room!r}{f': {error.near}' if error.near else ''}", err=True)
            return None
