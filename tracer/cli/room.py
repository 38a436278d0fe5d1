"""What a command's ROOM is: a name, an SID, or the FILE of a recording."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tracer.timeline.timeline import Timeline

__all__ = ["read_room", "read_rooms"]


def read_rooms(store: str, room: str) -> list[Timeline]:
    """The room of this name (the latest) or SID in the store; of a recording, every room in it, the oldest first.

    Raises UnknownRoomError, StoreError, RecordingError.
    """
    path = Path(room)
    if path.is_file():
        from tracer.service.replay import timelines

        return timelines(path)
    from tracer.store.load import read_timeline

    return [read_timeline(store, room)]


def read_room(store: str, room: str) -> Timeline:
    """As ``read_rooms``, one room: of a recording with several the latest, which is noted on standard error."""
    found = read_rooms(store, room)
    if len(found) > 1:
        others = ", ".join(f"{one.room.name or '?'} {one.room.sid}" for one in found[:-1])
        click.echo(f"{room} has {len(found)} rooms: this is the latest; `tracer replay` it to see {others}", err=True)
    return found[-1]
