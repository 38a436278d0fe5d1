"""`tracer rooms`"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tracer.cli.options import format_option, output_option, store_option, width_option

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["command"]


@click.command("rooms", short_help="List the recorded rooms, newest first.")
@store_option
@click.option(
    "-n", "--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="List at most this many."
)
@format_option()
@output_option
@width_option
def command(store: str, limit: int, form: str, output: Path | None, width: int | None) -> None:
    """List the recorded rooms, newest first.

    \b
    Examples:
      tracer rooms -n 10
      tracer rooms --format json
    """
    from contextlib import closing

    from tracer.store import open_reader
    from tracer.view import rooms
    from tracer.view.write import write_json, write_view

    with closing(open_reader(store)) as reader:
        found = reader.rooms(limit)
    if form == "json":
        write_json(rooms.as_json(found), output)
    else:
        write_view(rooms.RoomsView(found), output=output, width=width)
