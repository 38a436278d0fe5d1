"""`tracer demo`"""

from __future__ import annotations

from pathlib import Path

import click

from tracer.cli.options import store_option

__all__ = ["command"]


@click.command("demo", short_help="Make a real call with a real agent, and show what happened.")
@click.argument("scenario", default="automatic")
@click.option("--list", "listed", is_flag=True, help="List the scenarios, each with the question it answers.")
@click.option(
    "--server",
    metavar="URL",
    envvar="LIVEKIT_URL",
    show_envvar=True,
    help="Use this LiveKit server, with LIVEKIT_API_KEY and LIVEKIT_API_SECRET.",
)
@click.option("--keep", is_flag=True, help="Keep everything running afterwards, until Ctrl-C.")
@click.option("--jaeger", is_flag=True, help="Also start Jaeger and export the room's trace to it; implies --keep.")
@store_option
@click.option(
    "--record",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Record the call to this file.",
)
def command(
    scenario: str, listed: bool, server: str | None, keep: bool, jaeger: bool, store: str, record: Path | None
) -> None:
    """Make a real call with a real agent, and show what happened. SCENARIO is one of --list.

    The call runs on a livekit-server that is started on this machine: one on the PATH, built once with Go, or run with
    Docker. Where none of these is possible, a recorded call is replayed.

    \b
    Examples:
      tracer demo
      tracer demo silent-caller
      tracer demo wrong-name
      tracer demo explicit --jaeger
    """
    import asyncio

    from tracer.demo.run import DemoOptions, named, run

    if listed:
        _list()
        return
    options = DemoOptions(Path(store).absolute(), server, keep or jaeger, jaeger, record and record.absolute())
    asyncio.run(run(named(scenario), options))


def _list() -> None:
    from tracer.demo.failures import FAILURES
    from tracer.demo.scenarios import SCENARIOS

    width = max(map(len, [*SCENARIOS, *FAILURES]))
    for title, group in (("Calls to learn from:", SCENARIOS), ("Calls with a problem:", FAILURES)):
        click.echo(title)
        for name, scenario in group.items():
            click.echo(f"  {name:{width}}  {scenario.question}")
