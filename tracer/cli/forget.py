"""`tracer forget`"""

from __future__ import annotations

import click

from tracer.cli.options import read_store_option

__all__ = ["command"]

SHOWN = 20
"""Rooms that are named before it asks."""


@click.command("forget", short_help="Delete rooms, or all rooms that somebody was in.")
@click.argument("who", metavar="ROOM|IDENTITY")
@read_store_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(who: str, store: str, yes: bool) -> None:
    """Delete rooms, or all rooms that somebody was in.

    ROOM is a SID, or a name: then all rooms of this name. With an IDENTITY each room is deleted in which a participant
    with it was. Nothing of them stays in the file. What was exported to an OpenTelemetry backend is there still.

    \b
    Examples:
      tracer forget RM_q4MG6HgEXo38
      tracer forget ada
    """
    from contextlib import closing

    from tracer.errors import UnknownRoomError
    from tracer.store import open_reader, open_writer, shown
    from tracer.units import plural
    from tracer.view.text import plain

    with closing(open_reader(store)) as reader:
        rooms = reader.concerning(who)
    if not rooms:
        raise UnknownRoomError(who, shown(store))
    if not yes:
        for room in rooms[:SHOWN]:
            click.echo(f"{plain(room.sid)}  {plain(room.name or '')}")
        if len(rooms) > SHOWN:
            click.echo(f"and {len(rooms) - SHOWN} more")
        click.confirm(f"Delete {len(rooms)} {plural(len(rooms), 'room')} from {shown(store)}?", abort=True)
    with closing(open_writer(store)) as writer:
        for room in rooms:
            writer.forget(room.sid)
        writer.clean()
    click.echo(f"{len(rooms)} {plural(len(rooms), 'room')} deleted")
