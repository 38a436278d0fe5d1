"""`tracer why`"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tracer.cli.completing import complete_room
from tracer.cli.options import format_option, output_option, read_store_option, width_option

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["command"]


@click.command("why", short_help="Explain why an agent is missing, late, duplicated or silent.")
@click.argument("room", shell_complete=complete_room)
@read_store_option
@format_option()
@output_option
@width_option
def command(room: str, store: str, form: str, output: Path | None, width: int | None) -> None:
    """Explain why an agent is missing, late, duplicated or silent.

    ROOM is a name (the latest room of that name), an SID or the FILE of a recording, of which every room is explained
    (with --format json the latest). The likeliest cause comes first; each has its evidence and what to do. Causes that
    cannot be ruled out are listed too, with how to find out.

    \b
    Examples:
      tracer why my-room
      tracer why RM_ev5rQjUVknES --format json
    """
    from tracer.cli.room import read_room, read_rooms
    from tracer.view.why import WhyView, as_json
    from tracer.view.write import write_json, write_view
    from tracer.why import explain

    if form == "json":
        timeline = read_room(store, room)
        write_json(as_json(timeline, explain(timeline)), output)
        return
    views = [WhyView(timeline, explain(timeline)) for timeline in read_rooms(store, room)]
    write_view(*views, output=output, width=width)
