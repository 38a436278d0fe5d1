"""`tracer compare`"""

from __future__ import annotations

import click

from tracer.cli.options import store_option

__all__ = ["command"]


@click.command("compare", short_help="Compare two rooms, or one with the many.")
@click.argument("a")
@click.argument("b", required=False)
@click.option("--with", "many", type=click.Choice(["stats"]), help="Compare A with the figures over all rooms.")
@store_option
@click.option("--format", "form", type=click.Choice(["terminal", "json"]), default="terminal", show_default=True)
def command(a: str, b: str | None, many: str | None, store: str, form: str) -> None:
    """Compare two rooms, gap by gap, what differs most first; or a room with the many.

    A and B are names (the latest of that name) or SIDs, of rooms that are over.

    \b
    Examples:
      tracer compare RM_ev5rQjUVknES RM_nFyAF2c9Lk31
      tracer compare my-room --with stats
    """
    from tracer.latency.compare import against, between
    from tracer.latency.stats import figures
    from tracer.latency.summary import summarize
    from tracer.store.load import read_timeline
    from tracer.store.summaries import read_summaries

    if (b is None) == (many is None):
        raise click.UsageError("name two rooms, or one and --with stats")
    first = read_timeline(store, a)
    second = read_timeline(store, b) if b is not None else None
    if second:
        comparison = between(summarize(first), summarize(second))
    else:
        comparison = against(summarize(first), figures(read_summaries(store, MANY)))
    names = [
        f"{one.room.name or '?'} {one.room.sid}" if one else f"the latest {MANY:,} rooms" for one in (first, second)
    ]
    if form == "json":
        import json

        from tracer.view.compare import as_json

        click.echo(json.dumps(as_json(comparison, names[0], names[1]), indent=2))
        return
    from tracer.view.compare import CompareView
    from tracer.view.console import console

    console().print(CompareView(comparison, names[0], names[1], many=second is None))


MANY = 10_000
"""Rooms that --with stats takes, the newest."""
