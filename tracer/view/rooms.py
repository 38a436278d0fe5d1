"""The list of rooms, in a terminal and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from tracer.units import NS_PER_S, duration, rfc3339
from tracer.view.text import fit, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracer.store import RoomRow

__all__ = ["as_json", "as_table"]

WIDEST_NAME = 32


def as_json(rows: Sequence[RoomRow]) -> dict[str, Any]:
    """The rooms as JSON types, schema ``tracer.rooms/1``; an unknown time is null."""
    return {
        "schema": "tracer.rooms/1",
        "rooms": [
            {
                "sid": row.sid,
                "name": row.name,
                "created": rfc3339(row.created),
                "finished": rfc3339(row.finished),
                "participants": row.participants,
                "agents": row.agents,
            }
            for row in rows
        ],
    }


def as_table(rows: Sequence[RoomRow]) -> Table | Text:
    """A table, or a sentence when there is nothing to list."""
    if not rows:
        return Text("no rooms yet: point your LiveKit server's webhooks at `tracer serve` and make a call")
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("room", no_wrap=True, overflow="ellipsis", max_width=WIDEST_NAME)
    table.add_column("sid", no_wrap=True, overflow="ellipsis")
    for name, width in (("created (UTC)", 19), ("lasted", 8), ("callers", 7), ("agents", 6)):
        table.add_column(name, no_wrap=True, min_width=width, justify="left" if width > 8 else "right")
    for row in rows:
        created = rfc3339(row.created)
        ends = (row.created, row.finished)
        lasted = "open" if None in ends else duration(((row.finished or 0) - (row.created or 0)) / NS_PER_S)
        table.add_row(
            Text(fit(plain(row.name or "?"), WIDEST_NAME)),
            Text(plain(row.sid)),
            created[:19].replace("T", " ") if created else "?",
            lasted,
            str(row.participants),
            str(row.agents),
        )
    return table
