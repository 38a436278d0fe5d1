"""What a command's ROOM is: a name, an SID, the beginning of one, or the FILE of a recording."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracer.errors import UnknownRoomError
from tracer.store import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracer.store import Reader, RoomRow
    from tracer.timeline.timeline import Timeline

__all__ = ["read_room", "read_rooms", "stored"]

SEARCHED = 10_000
"""Rooms of a store, the latest, among which a beginning is looked for, and what is nearest."""
SHORTEST = len("RM_") + 1
"""Characters of an SID's beginning: fewer say nothing."""
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
    if len(found) > 1:
        others = ", ".join(f"{one.room.name or '?'} {one.room.sid}" for one in found[:-1])
        click.echo(f"{room} has {len(found)} rooms: this is the latest; `tracer replay` it to see {others}", err=True)
    return found[-1]


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
    by_sid = len(room) >= SHORTEST and row.sid.startswith(room)
    return bool(room) and (by_sid or (row.name or "").startswith(room))


def _all(rows: Sequence[RoomRow]) -> list[str]:
    return [text for row in rows for text in (row.name, row.sid) if text]


def _nearest(room: str, among: list[str], *, fits: bool) -> str:
    from difflib import get_close_matches

    if fits:
        shown = ", ".join(map(repr, sorted(among)[:MOST_NAMED]))
        return f"{len(among)} begin like this: {shown}{', …' if len(among) > MOST_NAMED else ''}"
    near = get_close_matches(room, dict.fromkeys(among), 1, NEAR)
    return f"did you mean {near[0]!r}?" if near else ""
