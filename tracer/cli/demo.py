"""`tracer demo`"""

from __future__ import annotations

from pathlib import Path

import click

from tracer.cli.options import store_option

__all__ = ["command"]


@click.command("demo")
@click.argument("scenario", default="automatic")
@click.option("--list", "listed", is_flag=True, help="Name the scenarios, each with the question it answers.")
@click.option(
    "--server",
    metavar="URL",
    envvar="LIVEKIT_URL",
    show_envvar=True,
    help="Call on this LiveKit server, with LIVEKIT_API_KEY and LIVEKIT_API_SECRET.",
)
@click.option("--keep", is_flag=True, help="Leave everything running afterwards, until Ctrl-C.")
@click.option("--jaeger", is_flag=True, help="Start Jaeger too, and send it the room's trace; implies --keep.")
@store_option
@click.option("--record", type=click.Path(path_type=Path, dir_okay=False), help="Write the call down, to be replayed.")
def command(
    scenario: str, listed: bool, server: str | None, keep: bool, jaeger: bool, store: str, record: Path | None
) -> None:
    """Make a real call with a real agent, and show what happened. SCENARIO is one of --list.

    The call runs on a livekit-server started for it on this machine: one on the PATH, or built once with Go, or run
    with Docker. Without any of these a recorded call is replayed.

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
    for title, group in (("Calls to learn from:", SCENARIOS), ("Calls in which something is wrong:", FAILURES)):
        click.echo(title)
        for name, scenario in group.items():
            click.echo(f"  {name:{width}}  {scenario.question}")
