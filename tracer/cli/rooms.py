"""`tracer rooms`"""

from __future__ import annotations

import click

from tracer.cli.options import store_option

__all__ = ["command"]


@click.command("rooms")
@store_option
@click.option("--format", "form", type=click.Choice(["terminal", "json"]), default="terminal", show_default=True)
@click.option(
    "-n", "--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="How many, newest first."
)
def command(store: str, form: str, limit: int) -> None:
    """List the rooms that were seen, newest first.

    \b
    Example: tracer rooms -n 10
    """
    from contextlib import closing

    from tracer.store import open_reader
    from tracer.view import rooms

    with closing(open_reader(store)) as reader:
        found = reader.rooms(limit)
    if form == "json":
        click.echo(rooms.as_json(found))
    else:
        from tracer.view.console import console

        console().print(rooms.as_table(found))
