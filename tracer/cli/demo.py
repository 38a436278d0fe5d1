"""`tracer demo`"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tracer.cli.completing import complete_scenario
from tracer.cli.extra import needs_demo_extra, needs_new_enough_agents
from tracer.cli.options import span_names_option
from tracer.export.span_names import SpanNames

__all__ = ["command"]


@click.command("demo", short_help="Make a real call with a real agent, and show what happened.")
@click.argument("scenario", default="automatic", shell_complete=complete_scenario)
@click.option("--list", "listed", is_flag=True, help="List the scenarios, each with the question it answers.")
@click.option(
    "--server",
    metavar="URL",
    help="Call on this LiveKit server, with LIVEKIT_API_KEY and LIVEKIT_API_SECRET, once you have agreed.",
)
@click.option("--yes", is_flag=True, help="With --server: agree at once.")
@click.option("--keep", is_flag=True, help="Keep everything running afterwards, until Ctrl-C.")
@click.option(
    "--jaeger",
    is_flag=True,
    help="Show the room's trace in a Jaeger started for it, and keep running; without one, write it to a file.",
)
@click.option(
    "--store",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PATH",
    help="Add the call to this store, a SQLite file; without it, it gets a store of its own.",
)
@click.option(
    "--record",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Record the call to this file.",
)
@span_names_option(SpanNames.FULL)
def command(
    scenario: str,
    listed: bool,
    server: str | None,
    yes: bool,
    keep: bool,
    jaeger: bool,
    store: Path | None,
    record: Path | None,
    span_names: SpanNames,
) -> None:
    """Make a real call with a real agent, and show what happened. SCENARIO is one of --list.

    The call runs on a livekit-server that is started on this machine: one on the PATH, built once with Go, or run with
    Docker. Where none of these is possible, a recorded call is replayed. LIVEKIT_URL is not read: only with --server is
    the call made on a server of yours, and what it does there is said first.

    \b
    Examples:
      tracer demo
      tracer demo silent-caller
      tracer demo wrong-name
      tracer demo explicit --jaeger
    """
    if listed:
        _list()
        return
    needs_demo_extra("tracer demo")
    needs_new_enough_agents("tracer demo")
    from tracer.demo.run import DemoOptions, named, run

    options = DemoOptions(
        store and store.absolute(),
        server,
        (lambda: None) if yes else _agree,
        keep,
        jaeger,
        record and record.absolute(),
        span_names,
    )
    run(named(scenario), options)


def _agree() -> None:
    """Ask. Raises ConfigurationError where nobody can answer, DemoError when the answer is no."""
    from tracer.errors import ConfigurationError, DemoError

    if not sys.stdin.isatty():
        raise ConfigurationError("nothing was started: there is no terminal to ask in; --yes agrees to the above")
    if not click.confirm("Go on?"):
        raise DemoError("nothing was started")


def _list() -> None:
    from tracer.demo.failures import FAILURES
    from tracer.demo.scenarios import SCENARIOS

    width = max(map(len, [*SCENARIOS, *FAILURES]))
    for title, group in (("Calls to learn from:", SCENARIOS), ("Calls with a problem:", FAILURES)):
        click.echo(title)
        for name, scenario in group.items():
            click.echo(f"  {name:{width}}  {scenario.question}")
