"""A comparison of two rooms, or of one with many, in a terminal and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.text import Text

from tracer.latency.shorten import FLOOR
from tracer.latency.summary import Counted
from tracer.units import NS_PER_MS, milliseconds, plural
from tracer.view.stats import named, stage_names
from tracer.view.text import fit, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, ConsoleOptions, RenderResult

    from tracer.latency.compare import Comparison, Difference

__all__ = ["CompareView", "as_json"]

NARROWEST = 60
WIDEST = 130
COLUMN = 10
OWNER = 16
NOTHING = NS_PER_MS
"""A difference of less than this, ns, is none."""


class CompareView:
    """A Rich renderable: gap by gap, what differs most first."""

    def __init__(self, comparison: Comparison, first: str, second: str, *, many: bool = False) -> None:
        self.comparison = comparison
        self.names = (plain(first), plain(second))
        self.many = many

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(max(options.max_width, NARROWEST), WIDEST)
        comparison = self.comparison
        apart = len(set(comparison.agents)) > 1
        sides = self._sides()
        for side, name, counted, agent in zip(sides, self.names, comparison.counted, comparison.agents, strict=True):
            of = f"   {_agent(agent)}" if agent is not None and (apart or self.many) else ""
            note = of + _counted(counted, comparison.jobs)
            yield Text(f"{side}  {fit(name, width - len(side) - 2 - cell_len(note))}", style="bold").append(
                note, "not bold"
            )
        if not comparison.gaps and not comparison.sums:
            yield Text("nothing to compare: no agent's start was measured in either")
        else:
            yield Text()
            yield from self._table(width)
        yield Text()
        for which, names in zip(sides, (comparison.only_first, comparison.only_second), strict=True):
            if names:
                yield Text(f"problems in {which}{'' if self.many else ' only'}: {', '.join(names)}")
        most = next((one for one in comparison.gaps if one.ns is not None and abs(one.ns) >= NOTHING), None)
        if most and most.ns is not None:
            more = "longer" if most.ns > 0 else "shorter"
            by = milliseconds(abs(most.ns) / NS_PER_MS)
            yield Text(
                f"largest difference: {most.name} ({most.owner and most.owner.label}) took {by} {more} in {sides[0]}"
            )
            yours = next((one for one in comparison.gaps if one.advice and (one.ns or 0) >= FLOOR), None)
            if yours:
                by = milliseconds((yours.ns or 0) / NS_PER_MS)
                whose = yours.owner.label if yours.owner else ""
                advice = f"longest gap you can shorten: {by} more than in {sides[1]}, {whose}: {yours.advice}"
                yield Text.assemble(("→ ", "bold cyan"), advice)
        elif any(one.ns is not None for one in comparison.gaps):
            yield Text("no gap differs by a millisecond or more")

    def _sides(self) -> tuple[str, str]:
        """What the two are called: not by the letter alone, which would be read as an article."""
        return "room A", "rooms B" if self.many else "room B"

    def _table(self, width: int) -> Iterator[Text]:
        what = max(width - OWNER - COLUMN * (4 if self.many else 3), 0)
        heads = ["A", "p50 of B", "p95 of B", "A - p50"] if self.many else ["A", "B", "A - B"]
        yield Text(f"{'':{what}}{'owner':{OWNER}}" + "".join(f"{head:>{COLUMN}}" for head in heads), style="dim")
        rows = (*self.comparison.sums, *self.comparison.gaps)
        for one, name in zip(rows, stage_names([one.name for one in rows], what), strict=True):
            yield from named(name, self._figures(one), what, width, style="" if one.owner else "bold")

    def _figures(self, one: Difference) -> Text:
        line = Text(f"{one.owner.label if one.owner else '':{OWNER}}", style="dim")
        for value in (one.first.ns, one.second.ns, *([one.second.high] if self.many else [])):
            line.append(f"{'-' if value is None else milliseconds(value / NS_PER_MS):>{COLUMN}}", style="not dim")
        if one.ns is not None:
            style = "dim" if abs(one.ns) < NOTHING else "not dim red" if one.ns > 0 else "not dim green"
            sign = "+" if one.ns >= 0 else "-"
            line.append(f"{sign + milliseconds(abs(one.ns) / NS_PER_MS):>{COLUMN}}", style=style)
        return line


def _counted(counted: Counted | None, jobs: int | None) -> str:
    if counted is None:
        return f"   {jobs} {plural(jobs, 'job')} measured"
    return "" if counted is Counted.MEASURED else f"   {counted.label}"


def _agent(name: str) -> str:
    return f"agent {fit(plain(name), 24)!r}" if name else "the unnamed agent"


def as_json(comparison: Comparison, first: str, second: str) -> dict[str, Any]:
    """The comparison as JSON types, schema ``tracer.compare/1``; a length that was not measured is null."""

    def listed(one: Difference) -> dict[str, Any]:
        def ms(ns: int | None) -> float | None:
            return None if ns is None else ns / NS_PER_MS

        return {
            "name": one.name,
            "owner": one.owner,
            "a_state": one.first.state,
            "a_ms": ms(one.first.ns),
            "b_state": one.second.state,
            "b_ms": ms(one.second.ns),
            "b_p95_ms": ms(one.second.high),
            "difference_ms": ms(one.ns),
            "advice": one.advice or None,
        }

    return {
        "schema": "tracer.compare/1",
        "a": first,
        "b": second,
        "counted": list(comparison.counted),
        "b_jobs": comparison.jobs,
        "agents": list(comparison.agents),
        "gaps": [listed(one) for one in comparison.gaps],
        "sums": [listed(one) for one in comparison.sums],
        "causes_only_in_a": list(comparison.only_first),
        "causes_only_in_b": list(comparison.only_second),
    }
