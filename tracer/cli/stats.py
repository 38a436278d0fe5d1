"""`tracer stats`"""

from __future__ import annotations

import math

import click

from tracer.cli.options import store_option

__all__ = ["command"]


@click.command("stats", short_help="Show how long each gap takes, over many rooms.")
@store_option
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(1, 1_000_000),
    default=10_000,
    show_default=True,
    help="How many rooms, the newest.",
)
@click.option(
    "--hours", type=click.FloatRange(0, 1_000_000, min_open=True), help="Only rooms made within so many hours."
)
@click.option("--agent", help="Only rooms that asked for this agent, and its jobs; '' for one without a name.")
@click.option("--format", "form", type=click.Choice(["terminal", "json"]), default="terminal", show_default=True)
def command(store: str, limit: int, hours: float | None, agent: str | None, form: str) -> None:
    """Show how long each gap takes, and how often each cause is met, over many rooms.

    For each agent name: the median, p95 and p99 of each gap on the way from what first asked for the agent to its being
    ready. A percentile is shown where there are rooms enough for it. Rooms that are not over, or whose agents told
    nothing, are counted apart.

    \b
    Examples:
      tracer stats
      tracer stats --hours 24 --agent helper
    """
    from tracer.latency.stats import figures
    from tracer.store.summaries import read_summaries

    if hours is not None and math.isnan(hours):  # which is in every range
        raise click.BadParameter("nan is no number of hours", param_hint="--hours")
    rooms = read_summaries(store, limit, hours)
    found = figures(room for room in rooms if agent is None or agent in room.agent_names)
    if form == "json":
        import json

        from tracer.view.stats import as_json

        click.echo(json.dumps(as_json(found, agent), indent=2))
        return
    from tracer.view.console import console
    from tracer.view.stats import StatsView

    console().print(StatsView(found, agent, hours))
