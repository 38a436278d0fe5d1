"""`tracer rooms`"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tracer.cli.options import format_option, output_option, read_store_option, width_option

if TYPE_CHECKING:
    from pathlib import Path

    from tracer.latency.summary import Summary
    from tracer.store import Reader, RoomRow

__all__ = ["command"]

MADE_NOW = 25
"""Rooms, the latest, whose summary is made now where none is stored, as of a recording."""


@click.command("rooms", short_help="List the recorded rooms, newest first.")
@read_store_option
@click.option(
    "-n", "--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="List at most this many."
)
@click.option("--all", "everything", is_flag=True, help="List the rooms of tracer doctor and tracer demo too.")
@format_option()
@output_option
@width_option
def command(store: str, limit: int, everything: bool, form: str, output: Path | None, width: int | None) -> None:
    """List the recorded rooms, newest first, each with how it went, as `tracer why` has it, and its first cause.

    In a pipe and in a file nothing is cut.

    \b
    Examples:
      tracer rooms -n 10
      tracer rooms --format json
    """
    import sys
    from contextlib import closing

    from tracer.store import open_reader
    from tracer.view import rooms
    from tracer.view.write import write_json, write_view

    with closing(open_reader(store)) as reader:
        found, hidden = _listed(reader, limit, everything=everything)
        summaries = _summaries(reader, found, hidden)
    if form == "json":
        write_json(rooms.as_json(found, summaries), output)
    else:
        from tracer.cli.links import room_links

        link = room_links() if output is None else None
        is_read = output is None and sys.stdout.isatty()
        view = rooms.RoomsView(found, summaries, hidden, link)
        write_view(view, output=output, width=width or (None if is_read else rooms.UNCUT))


def _listed(reader: Reader, limit: int, *, everything: bool) -> tuple[list[RoomRow], int]:
    """The latest rooms, and how many newer than the last of them are not listed, as they are no calls of the user's."""
    read = limit
    while True:
        rows = reader.rooms(read)
        found = [row for row in rows if everything or not row.is_tracers][:limit]
        if len(found) == limit or len(rows) < read:
            return found, (rows.index(found[-1]) + 1 if len(found) == limit else len(rows)) - len(found)
        read *= 4


def _summaries(reader: Reader, rows: list[RoomRow], hidden: int) -> dict[str, Summary]:
    """The summary of each of these rooms that is over, by its SID; of older ones only where it is stored."""
    from tracer.latency.summary import VERSION
    from tracer.store.summaries import stored_summary, summarize_room

    stored = reader.summaries(len(rows) + hidden, version=VERSION)
    found = {one.room: summary for one in stored if (summary := stored_summary(one, gaps=False))}
    for row in [row for row in rows if row.finished and row.sid not in found][:MADE_NOW]:
        found[row.sid] = summarize_room(reader, row.sid)[0]
    return found
