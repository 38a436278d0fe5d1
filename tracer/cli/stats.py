"""`tracer stats`"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import click

from tracer.cli.options import format_option, output_option, read_store_option, width_option

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["command"]


@click.command("stats", short_help="Show how long each step to a ready agent takes, over many rooms.")
@read_store_option
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(1, 1_000_000),
    default=10_000,
    show_default=True,
    help="Use at most this many rooms, the newest.",
)
@click.option(
    "--hours", type=click.FloatRange(0, 1_000_000, min_open=True), help="Only rooms created in the last HOURS hours."
)
@click.option("--agent", help="Only rooms that requested this agent, and its jobs; '' is the unnamed agent.")
@format_option()
@output_option
@width_option
def command(
    store: str,
    limit: int,
    hours: float | None,
    agent: str | None,
    form: str,
    output: Path | None,
    width: int | None,
) -> None:
    """Show how long each step to a ready agent takes, and how often each problem occurs, over many rooms.

    For each agent name: the median, p95 and p99 of each gap between what first requested the agent and the agent being
    ready. A percentile is shown when there are enough rooms for it. Rooms that are still open, or whose agents reported
    nothing, are counted separately.

    \b
    Examples:
      tracer stats
      tracer stats --hours 24 --agent helper
    """
    from tracer.latency.stats import figures
    from tracer.store.summaries import read_summaries
    from tracer.view.write import write_json, write_view

    if hours is not None and math.isnan(hours):  # which is in every range
        raise click.BadParameter("nan is not a number of hours", param_hint="--hours")
    rooms = read_summaries(store, limit, hours)
    found = figures(room for room in rooms if agent is None or agent in room.agent_names)
    from tracer.view.stats import StatsView, as_json

    if form == "json":
        write_json(as_json(found, agent), output)
    else:
        write_view(StatsView(found, agent, hours), output=output, width=width)
