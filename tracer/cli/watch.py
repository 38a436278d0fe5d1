"""`tracer watch`"""

from __future__ import annotations

import click

from tracer.cli.options import read_store_option, width_option

__all__ = ["command"]


@click.command("watch", short_help="Watch all rooms while they happen.")
@read_store_option
@click.option("--all", "everything", is_flag=True, help="Show the rooms of tracer doctor and tracer demo too.")
@click.option("--lines", is_flag=True, help="Print a line for what changes, as in a pipe, instead of the full screen.")
@click.option(
    "--jaeger-url",
    envvar="TRACER_JAEGER_URL",
    show_envvar=True,
    metavar="URL",
    help="Address of Jaeger's UI, as http://127.0.0.1:16686: y copies the link to a room's trace.",
)
@width_option
def command(store: str, everything: bool, lines: bool, jaeger_url: str | None, width: int | None) -> None:
    """Watch all rooms while they happen, the latest 500: how each stands, and what it waits for.

    On a terminal it fills the screen: choose a room and see its timeline, every moment and why. That needs the extra
    watch. Without it, and in a pipe, each change of a room is a line.

    \b
    Examples:
      tracer watch
      tracer watch --lines | grep '✗'
    """
    from tracer.cli.extra import lacks_watch_extra
    from tracer.settings import checked_url
    from tracer.view.console import console
    from tracer.watch.listing import list_rooms
    from tracer.watch.screen import can_draw

    if jaeger_url:
        checked_url("--jaeger-url (TRACER_JAEGER_URL)", jaeger_url, "http", "https")
    fills = not lines and width is None and can_draw(console())
    if fills and (hint := lacks_watch_extra()):
        click.echo(hint, err=True)
        fills = False
    if not fills:
        list_rooms(store, everything=everything, width=width)
        return
    from tracer.watch.app import watch

    watch(store, everything=everything, jaeger_url=jaeger_url or "")
