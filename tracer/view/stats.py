"""Figures over many rooms, in a terminal and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.text import Text

from tracer.moment import NS_PER_MS
from tracer.stats import CALLER_WAITED, PERCENTILES, WHOLE
from tracer.summary import ARROW
from tracer.view.text import fit, milliseconds, plain, share

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderResult

    from tracer.stats import Agent, Figures, Stage

__all__ = ["StatsView", "as_json", "stage_names"]

WIDEST = 130
COLUMN = 8
OWNER = 15
JOBS = 6


class StatsView:
    """A Rich renderable: for each agent name its gaps, then the causes."""

    def __init__(self, figures: Figures, agent: str | None = None) -> None:
        self.figures = figures
        self.agents = [one for one in figures.agents if agent is None or one.name == agent]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(options.max_width, WIDEST)
        figures = self.figures
        told = ", ".join(f"{number} {why}" for why, number in figures.counted.items())
        yield Text(
            f"{figures.rooms} room{'' if figures.rooms == 1 else 's'}" + (f": {told}" if told else ""), style="bold"
        )
        if not self.agents:
            yield Text("no job was seen in them" if figures.rooms else "make a call, with `tracer serve` running")
        for agent in self.agents:
            yield Text()
            yield from self._agent(agent, width)
        if figures.causes:
            yield Text()
            yield Text("what went wrong (`tracer why ROOM` says more of each)", style="bold")
            for name, number in figures.causes:
                yield Text(f"  {share(number, figures.rooms):>5}  {number:>6}  {name}")

    @staticmethod
    def _agent(agent: Agent, width: int) -> Iterator[Text]:
        name = f"agent {plain(agent.name)!r}" if agent.name else "agents without a name"
        text = Text(f"{fit(name, width // 2)}: {agent.jobs} job{'' if agent.jobs == 1 else 's'} measured", style="bold")
        if agent.uncounted:
            apart = ", ".join(f"{number} {why}" for why, number in agent.uncounted.items())
            text.append(f"   not in the figures: {apart}", style="not bold dim")
        yield text
        if not agent.stages:
            return
        head = "".join(f"{f'p{per_cent}':>{COLUMN}}" for per_cent in PERCENTILES)
        what = max(width - (OWNER + JOBS + COLUMN * (len(PERCENTILES) + 1)), 12)
        yield Text(f"{'':{what}}{'owner':{OWNER}}{'jobs':>{JOBS}}{head}{'most':>{COLUMN}}", style="dim")
        for stage, name in zip(agent.stages, stage_names([stage.name for stage in agent.stages], what), strict=True):
            yield _row(stage, name, what)


def stage_names(names: Sequence[str], width: int) -> list[str]:
    """The names of gaps; where one does not fit, all without the families of their kinds."""
    if all(len(name) < width for name in names):
        return list(names)
    return [_without_families(name) for name in names]


def _without_families(name: str) -> str:
    if name in (WHOLE, CALLER_WAITED):
        return name
    start, arrow, end = name.partition(ARROW)
    short = [kind.partition(".")[2] for kind in (start, end)]
    return name if short[0] == short[1] else arrow.join(short)


def _row(stage: Stage, name: str, width: int) -> Text:
    name = fit(name, width - 1)
    line = Text(no_wrap=True)
    line.append(name + " " * (width - cell_len(name)), style="bold" if stage.name in (WHOLE, CALLER_WAITED) else "")
    line.append(f"{stage.owner:{OWNER}}{stage.count:>{JOBS}}", style="dim")
    for value in stage.percentiles:
        line.append(f"{'-' if value is None else milliseconds(value / NS_PER_MS):>{COLUMN}}")
    line.append(f"{milliseconds(stage.most / NS_PER_MS):>{COLUMN}}", style="dim")
    return line


def as_json(figures: Figures, agent: str | None = None) -> dict[str, Any]:
    """The figures as JSON types, schema ``tracer.stats/1``; a percentile for which there is too little is null."""
    return {
        "schema": "tracer.stats/1",
        "rooms": figures.rooms,
        "counted": figures.counted,
        "agents": [
            {
                "agent_name": one.name,
                "jobs": one.jobs,
                "not_counted": one.uncounted,
                "gaps": [
                    {
                        "name": stage.name,
                        "owner": stage.owner or None,
                        "count": stage.count,
                        **{
                            f"p{per_cent}_ms": None if value is None else value / NS_PER_MS
                            for per_cent, value in zip(PERCENTILES, stage.percentiles, strict=True)
                        },
                        "most_ms": stage.most / NS_PER_MS,
                    }
                    for stage in one.stages
                ],
            }
            for one in figures.agents
            if agent is None or one.name == agent
        ],
        "causes": [{"name": name, "rooms": number} for name, number in figures.causes],
    }
