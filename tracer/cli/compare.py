"""`tracer compare`"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tracer.cli.completing import complete_room
from tracer.cli.options import format_option, output_option, read_store_option, width_option

if TYPE_CHECKING:
    from pathlib import Path

    from tracer.timeline.timeline import Timeline

__all__ = ["command"]

MANY = 10_000
"""Rooms that --with stats uses at the most, the newest."""


@click.command("compare", short_help="Compare the timing of two rooms, or of one room with all.")
@click.argument("a", shell_complete=complete_room)
@click.argument("b", required=False, shell_complete=complete_room)
@click.option("--with", "many", type=click.Choice(["stats"]), help="Compare A with the figures over all rooms.")
@read_store_option
@format_option()
@output_option
@width_option
def command(
    a: str,
    b: str | None,
    many: str | None,
    store: str,
    form: str,
    output: Path | None,
    width: int | None,
) -> None:
    """Compare the timing of two rooms, gap by gap, the largest difference first; or of one room with all rooms.

    A and B are names (the latest room of that name), SIDs or FILEs of recordings, of rooms that have finished.

    \b
    Examples:
      tracer compare RM_ev5rQjUVknES RM_nFyAF2c9Lk31
      tracer compare my-room --with stats
    """
    from tracer.cli.room import read_room
    from tracer.latency.compare import against, between
    from tracer.latency.stats import figures
    from tracer.latency.summary import summarize
    from tracer.store.summaries import read_summaries
    from tracer.view.compare import CompareView, as_json
    from tracer.view.write import write_json, write_view

    if (b is None) == (many is None):
        raise click.UsageError("name two rooms, or one and --with stats")
    first = read_room(store, a)
    second = read_room(store, b) if b is not None else None
    if second:
        comparison = between(summarize(first), summarize(second))
    else:
        all_rooms = figures(read_summaries(store, MANY))
        comparison = against(summarize(first), all_rooms)
    names = _named(first), _named(second) if second else all_rooms.label
    if form == "json":
        write_json(as_json(comparison, *names), output)
    else:
        write_view(CompareView(comparison, *names, many=second is None), output=output, width=width)


def _named(timeline: Timeline) -> str:
    return f"{timeline.room.name or '?'} {timeline.room.sid}"
