"""A comparison, in a terminal and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.text import Text

from tracer.moment import NS_PER_MS
from tracer.view.stats import stage_names
from tracer.view.text import fit, milliseconds, plain

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

    from tracer.compare import Comparison, Difference

__all__ = ["CompareView", "as_json"]

WIDEST = 130
COLUMN = 10
NOTHING = NS_PER_MS
"""A difference of less than this, ns, is none."""


class CompareView:
    """A Rich renderable: gap by gap, what differs most first."""

    def __init__(self, comparison: Comparison, first: str, second: str, *, many: bool = False) -> None:
        self.comparison = comparison
        self.names = (plain(first), plain(second))
        self.many = many

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(options.max_width, WIDEST)
        shown, comparison = (3 + self.many), self.comparison
        what = max(width - 16 - COLUMN * shown, 12)
        yield Text(f"A  {fit(self.names[0], width - 3)}", style="bold")
        yield Text(f"B  {fit(self.names[1], width - 3)}", style="bold")
        if not comparison.gaps and not comparison.sums:
            yield Text("nothing to compare: neither has a job whose agent told its way")
            return
        yield Text()
        heads = ["A", "p50 of B", "p95 of B", "A - p50"] if self.many else ["A", "B", "A - B"]
        yield Text(f"{'':{what}}{'owner':16}" + "".join(f"{head:>{COLUMN}}" for head in heads), style="dim")
        rows = (*comparison.sums, *comparison.gaps)
        for one, name in zip(rows, stage_names([one.name for one in rows], what), strict=True):
            yield self._row(one, name, what)
        yield Text()
        for which, names in (("A", comparison.only_first), ("B", comparison.only_second)):
            if names:
                yield Text(f"went wrong in {which}{'' if self.many else ' only'}: {', '.join(names)}")
        most = next((one for one in comparison.gaps if abs(one.ns) >= NOTHING), None)
        if most:
            more = "longer" if most.ns > 0 else "shorter"
            by = milliseconds(abs(most.ns) / NS_PER_MS)
            yield Text(f"what differs most: {most.name} ({most.owner}) took {by} {more} in A")
        else:
            yield Text("no gap differs by a millisecond or more")

    def _row(self, one: Difference, name: str, width: int) -> Text:
        name = fit(name, width - 1)
        line = Text(name + " " * (width - cell_len(name)), no_wrap=True, style="" if one.owner else "bold")
        line.append(f"{one.owner:16}", style="dim")
        for value in (one.first, one.second, *([one.high] if self.many else [])):
            line.append(f"{'-' if value is None else milliseconds(value / NS_PER_MS):>{COLUMN}}")
        told = one.first is not None and one.second is not None
        style = "dim" if abs(one.ns) < NOTHING or not told else "red" if one.ns > 0 else "green"
        sign = "+" if one.ns >= 0 else "-"
        line.append(f"{sign + milliseconds(abs(one.ns) / NS_PER_MS) if told else '':>{COLUMN}}", style=style)
        line.rstrip()
        return line


def as_json(comparison: Comparison, first: str, second: str) -> dict[str, Any]:
    """The comparison as JSON types, schema ``tracer.compare/1``; what one of them lacks is null."""

    def listed(one: Difference) -> dict[str, Any]:
        def ms(ns: int | None) -> float | None:
            return None if ns is None else ns / NS_PER_MS

        told = one.first is not None and one.second is not None
        return {
            "name": one.name,
            "owner": one.owner or None,
            "a_ms": ms(one.first),
            "b_ms": ms(one.second),
            "b_p95_ms": ms(one.high),
            "difference_ms": ms(one.ns) if told else None,
        }

    return {
        "schema": "tracer.compare/1",
        "a": first,
        "b": second,
        "gaps": [listed(one) for one in comparison.gaps],
        "sums": [listed(one) for one in comparison.sums],
        "causes_only_in_a": list(comparison.only_first),
        "causes_only_in_b": list(comparison.only_second),
    }
