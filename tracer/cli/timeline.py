"""`tracer timeline`"""

from __future__ import annotations

from pathlib import Path

import click

from tracer.cli.options import store_option

__all__ = ["command"]


@click.command("timeline", short_help="Show what happened in ROOM, moment by moment.")
@click.argument("room")
@store_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["terminal", "json", "svg"]),
    default="terminal",
    show_default=True,
    help="svg is the terminal's picture as a file.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
@click.option("--all", "everything", is_flag=True, help="Every participant and every moment, however many.")
@click.option(
    "--jaeger-url",
    envvar="TRACER_JAEGER_URL",
    show_envvar=True,
    metavar="URL",
    help="Where Jaeger's pages are, as http://127.0.0.1:16686: the room's trace is linked.",
)
@click.option("--width", type=click.IntRange(min=60), help="Columns to use, instead of the terminal's.")
def command(
    room: str,
    store: str,
    form: str,
    output: Path | None,
    everything: bool,
    jaeger_url: str | None,
    width: int | None,
) -> None:
    """Show what happened in ROOM: a name (the latest of that name) or an SID.

    \b
    Examples:
      tracer timeline my-room
      tracer timeline RM_ev5rQjUVknES --format json
    """
    from tracer.store.load import read_timeline

    timeline = read_timeline(store, room)
    from tracer.view.link import trace_link
    from tracer.view.write import write

    write(timeline, form, output, everything=everything, width=width)
    if jaeger_url and form == "terminal" and output is None:
        click.echo(f"in Jaeger: {trace_link(timeline.trace_id, jaeger_url)}")
