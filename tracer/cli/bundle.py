"""`tracer bundle`"""

from __future__ import annotations

from pathlib import Path

import click

from tracer.cli.completing import complete_room
from tracer.cli.options import read_store_option

__all__ = ["command"]


@click.command("bundle", short_help="Write what is known of a room to one file, to keep and to send.")
@click.argument("room", shell_complete=complete_room)
@read_store_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The file to write, as call.bundle.gz.",
)
@click.option("--no-redact", "whole", is_flag=True, help="Keep names and texts, and what came in as it came.")
def command(room: str, store: str, output: Path, whole: bool) -> None:
    """Write what is known of ROOM to one file, to keep it or to send it with a report.

    ROOM is a name (the latest room of that name), an SID or the FILE of a recording. Every command that takes the FILE
    of a recording reads a bundle, and `tracer why` gives the same answer from it. There are pseudonyms in it for names,
    identities, attributes, hosts, addresses and free text, also in the webhooks and agents' spans that came in; with
    --no-redact it holds them as they came: transcripts and prompts too.

    \b
    Examples:
      tracer bundle my-room -o call.bundle.gz
      tracer why call.bundle.gz
    """
    from tracer.cli.room import opened
    from tracer.service.bundle import bundle
    from tracer.settings import named_variables
    from tracer.store import is_database
    from tracer.units import plural
    from tracer.view.write import write_private

    with opened(store, room) as found:
        settings = {"store": "PostgreSQL" if is_database(store) else "SQLite", "variables": named_variables()}
        made = bundle(found.reader, found.room, found.now, redact=not whole, settings=settings)
    write_private(made.body, output)
    requests = f"{made.requests} {plural(made.requests, 'request')}{' as they came' if whole else ''}"
    moments = f"{made.moments} {plural(made.moments, 'moment')} beside"
    how = "not redacted" if whole else "with pseudonyms"
    click.echo(f"{output}: {requests}, {moments}, {how}, {len(made.body) / 1000:.0f} kB")
