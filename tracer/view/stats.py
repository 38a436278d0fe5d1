"""Figures over many rooms, in a terminal and for programs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.text import Text

from tracer.latency.stats import CALLER_WAITED, PERCENTILES, WHOLE
from tracer.latency.summary import ARROW, Counted
from tracer.units import NS_PER_MS, milliseconds, plural, share
from tracer.view.text import fit, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderResult

    from tracer.latency.stats import AgentFigures, Figures, GapFigures

__all__ = ["StatsView", "as_json", "named", "stage_names"]

NARROWEST = 60
WIDEST = 130
COLUMN = 9
OWNER = 15
JOBS = 6


class StatsView:
    """A Rich renderable: for each agent name its gaps, then the causes."""

    def __init__(self, figures: Figures, agent: str | None = None, hours: float | None = None) -> None:
        """``agent`` and ``hours`` are what the figures were asked for: of which name, and of how long."""
        self.figures = figures
        self.agents = [one for one in figures.agents if agent is None or one.name == agent]
        self.agent = agent
        self.hours = hours

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(max(options.max_width, NARROWEST), WIDEST)
        figures = self.figures
        counts = ", ".join(f"{number} {how.label}" for how, number in figures.counted.items())
        yield Text(_count(figures.rooms, "room") + (f": {counts}" if counts else ""), style="bold")
        if not figures.rooms:
            yield Text(self._why_none())
        elif not self.agents:
            yield Text("no agent of this name was requested" if figures.agents else "no agent was requested in them")
        for agent in self.agents:
            yield Text()
            yield from self._agent(agent, width)
        if figures.causes:
            yield Text()
            yield Text(f"problems in {_count(figures.over, 'finished room')} (`tracer why ROOM` explains one)", "bold")
            for name, number in figures.causes:
                yield Text(f"  {share(number, figures.over):>5}  {number:>6}  {name}")

    def _why_none(self) -> str:
        if self.agent is None and self.hours is None:
            return "no room was recorded: make a call while `tracer serve` is running"
        words = ["no room was recorded"]
        if self.agent is not None:
            words.append(f"that requested {'this' if self.agent else 'the unnamed'} agent")
        if self.hours is not None:
            words.append(f"in the last {self.hours:g} h")
        return " ".join(words)

    @staticmethod
    def _agent(agent: AgentFigures, width: int) -> Iterator[Text]:
        name = f"agent {plain(agent.name)!r}" if agent.name else "the unnamed agent"
        text = Text(f"{fit(name, width // 2)}: {_count(agent.jobs, 'job')} measured", style="bold")
        apart = {how: number for how, number in agent.counted.items() if how is not Counted.CLOCK_SKEW}
        if apart:
            counts = ", ".join(f"{number} {how.label}" for how, number in apart.items())
            text.append(f"   not in the figures: {counts}", style="not bold dim")
        yield text
        off = agent.counted.get(Counted.CLOCK_SKEW, 0)
        if off:
            skewed = Counted.CLOCK_SKEW.label
            yield Text(f"{off} of them {skewed}: gaps between two clocks are not in the figures", "red")
        if not agent.stages:
            return
        head = "".join(f"{f'p{per_cent}':>{COLUMN}}" for per_cent in PERCENTILES)
        what = max(width - (OWNER + JOBS + COLUMN * (len(PERCENTILES) + 1)), 0)
        yield Text(f"{'':{what}}{'owner':{OWNER}}{'jobs':>{JOBS}}{head}{'most':>{COLUMN}}", style="dim")
        names = stage_names([stage.name for stage in agent.stages], what)
        for stage, name in zip(agent.stages, names, strict=True):
            style = "bold" if stage.name in (WHOLE, CALLER_WAITED) else ""
            yield from named(name, _figures(stage), what, width, style=style)
        yours = agent.longest_of_yours
        if yours:
            took = milliseconds((yours.percentiles[0] or 0) / NS_PER_MS)
            whose = yours.owner.label if yours.owner else ""
            advice = f"longest gap you can shorten: {took} of the median job, {whose}: {yours.advice}"
            yield Text.assemble(("→ ", "bold cyan"), advice)


def _count(number: int, what: str) -> str:
    return f"{number:,} {plural(number, what)}"


def stage_names(names: Sequence[str], width: int) -> list[str]:
    """The names of gaps; where one does not fit, the family that both its kinds share is not repeated in any."""
    if all(len(name) < width for name in names):
        return list(names)
    return [_SAME_FAMILY.sub(rf"\1\2{ARROW}", name) for name in names]


_SAME_FAMILY = re.compile(rf"^(\w+\.)(\w+){ARROW}\1")


def named(name: str, figures: Text, column: int, width: int, *, style: str = "") -> Iterator[Text]:
    """The name of a gap and its figures: beside it, where the name fits into its column, else below it."""
    if cell_len(name) < column:
        yield Text.assemble((name + " " * (column - cell_len(name)), style), figures, no_wrap=True)
    else:
        yield Text(fit(name, width), style=style, no_wrap=True)
        yield Text.assemble(" " * column, figures, no_wrap=True)


def _figures(stage: GapFigures) -> Text:
    line = Text(f"{stage.owner.label if stage.owner else '':{OWNER}}{stage.count:>{JOBS}}", style="dim")
    for value in stage.percentiles:
        line.append(f"{'-' if value is None else milliseconds(value / NS_PER_MS):>{COLUMN}}", style="not dim")
    line.append(f"{milliseconds(stage.most / NS_PER_MS):>{COLUMN}}")
    return line


def as_json(figures: Figures, agent: str | None = None) -> dict[str, Any]:
    """The figures as JSON types, schema ``tracer.stats/1``; a percentile for which there is too little is null."""
    return {
        "schema": "tracer.stats/1",
        "rooms": figures.rooms,
        "rooms_over": figures.over,
        "counted": figures.counted,
        "agents": [
            {
                "agent_name": one.name,
                "jobs": one.jobs,
                "apart": one.counted,
                "gaps": [
                    {
                        "name": stage.name,
                        "owner": stage.owner,
                        "count": stage.count,
                        **{
                            f"p{per_cent}_ms": None if value is None else value / NS_PER_MS
                            for per_cent, value in zip(PERCENTILES, stage.percentiles, strict=True)
                        },
                        "most_ms": stage.most / NS_PER_MS,
                        "advice": stage.advice or None,
                    }
                    for stage in one.stages
                ],
            }
            for one in figures.agents
            if agent is None or one.name == agent
        ],
        "causes": [{"name": name, "rooms": number} for name, number in figures.causes],
    }
