"""What a shell is offered for a ROOM."""

from __future__ import annotations

import re
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from tracer.errors import TracerError

if TYPE_CHECKING:
    import click

__all__ = ["complete_room"]

COMPLETED = 200
"""Rooms, the latest, whose names and SIDs are offered."""
_HARMLESS = re.compile(r"[A-Za-z0-9_.+@-]{1,80}")
"""A name that means nothing else to any shell."""


def complete_room(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Names and SIDs of the latest rooms that begin like this, without those that a shell could take for more.

    Nothing where the store cannot be read.
    """
    from tracer.settings import default_store, load_env
    from tracer.store import open_reader

    with suppress(TracerError, OSError):
        load_env()
        with closing(open_reader(ctx.params.get("store") or default_store())) as reader:
            names = [name for row in reader.rooms(COMPLETED) for name in (row.name, row.sid) if name]
        return [name for name in dict.fromkeys(names) if name.startswith(incomplete) and _HARMLESS.fullmatch(name)]
    return []
