"""`tracer why`"""

from __future__ import annotations

import click

from tracer.cli.options import store_option

__all__ = ["command"]


@click.command("why", short_help="Explain why an agent is missing, late, duplicated or silent.")
@click.argument("room")
@store_option
@click.option("--format", "form", type=click.Choice(["terminal", "json"]), default="terminal", show_default=True)
def command(room: str, store: str, form: str) -> None:
    """Explain why an agent is missing, late, duplicated or silent.

    ROOM is a name (the latest room of that name) or an SID. The likeliest cause comes first; each has its evidence and
    what to do. Causes that cannot be ruled out are listed too, with how to find out.

    \b
    Examples:
      tracer why my-room
      tracer why RM_ev5rQjUVknES --format json
    """
    from tracer.store.load import read_timeline
    from tracer.why import explain

    timeline = read_timeline(store, room)
    explanation = explain(timeline)
    if form == "json":
        import json

        from tracer.view.why import as_json

        click.echo(json.dumps(as_json(timeline, explanation), indent=2))
        return
    from tracer.view.console import console
    from tracer.view.why import WhyView

    console().print(WhyView(timeline, explanation))
