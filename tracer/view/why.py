"""Why a call went as it did: in a terminal, and for programs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.text import Text

from tracer.units import NS_PER_MS, offset, plural, rfc3339
from tracer.view.names import name_of, with_names
from tracer.view.prose import wrapped
from tracer.view.text import fit, plain
from tracer.view.verdict import answer
from tracer.view.wording import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline
    from tracer.why import Explanation, Finding

__all__ = ["WhyView", "as_json"]

WIDEST = 120
"""Columns; longer lines of prose are not read."""
MOST_FINDINGS = 5
"""Findings shown in full; of a room with very many callers, the rest is counted."""
MOST_AGENTS = 5
"""Agents whose identities are said."""
MOST_STEPS = 6
"""Moments of evidence shown of each."""


class WhyView:
    """A Rich renderable: what happened, the causes with evidence and advice, and what is not known."""

    def __init__(self, timeline: Timeline, explanation: Explanation) -> None:
        self.timeline = timeline
        self.explanation = explanation

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(options.max_width, WIDEST)
        explanation = self.explanation
        room = self.timeline.room
        name = fit(plain(room.name or "?"), width // 2)
        yield Text(f"room {name}  {plain(room.sid)}", style="dim")
        yield from wrapped(console, answer(self.timeline, explanation), width)
        if explanation.advice:
            yield from self._advice(console, explanation.advice, width)
        for number, finding in enumerate(explanation.findings[:MOST_FINDINGS], 1):
            yield Text()
            yield from self._finding(console, number, finding, width)
        if hidden := explanation.findings[MOST_FINDINGS:]:
            counts = Counter(finding.cause.name for finding in hidden)
            names = ", ".join(f"{count} x {name}" for name, count in counts.items())
            more = Text(f"… and {len(hidden)} more: {names}; --format json has them all", style="dim")
            yield Text()
            yield from wrapped(console, more, width)
        if explanation.doubts:
            yield Text()
            yield Text("Not ruled out:", style="bold")
            for doubt in explanation.doubts:
                text = Text(f"{doubt.cause.about}: ")
                text.append(with_names(self.timeline, doubt.how), style="dim")
                yield from wrapped(console, text, width, 2)

        if explanation.findings:
            yield from self._identities(width)

    def _identities(self, width: int) -> Iterator[Text]:
        """Whom the names mean that have a number and were used."""
        found = self.explanation.findings[:MOST_FINDINGS]
        phrases = [say(self.timeline, step)[0] for one in found for step in one.evidence[:MOST_STEPS]]
        said = " ".join([*(with_names(self.timeline, one.sentence) for one in found), *phrases])
        named = {
            (plain(agent.identity or agent.sid), name_of(self.timeline, agent.sid)): None
            for agent in self.timeline.agents[:MOST_AGENTS]
        }  # once, also one that came back
        for identity, short in named:
            if short != identity and short in said:
                yield Text(fit(f"   {short} is {identity}", width), style="dim")

    def _finding(self, console: Console, number: int, finding: Finding, width: int) -> Iterator[RenderableType]:
        """What happened, its evidence, what to do, and the cause's slug."""
        head = Text(f"{number}. ", style="bold")
        head.append(with_names(self.timeline, finding.sentence), style="bold" if number == 1 else "")
        if not finding.certain:
            head.append("  (likely, not proven)", style="dim")
        yield from wrapped(console, head, width)
        for step in finding.evidence[:MOST_STEPS]:
            yield self._step(step, width)
        if hidden := len(finding.evidence[MOST_STEPS:]):
            yield Text(f"   … and {hidden} more {plural(hidden, 'moment')}", style="dim")
        yield from self._advice(console, finding.advice, width)
        yield Text(f"   {finding.cause.name}", style="dim")

    @staticmethod
    def _advice(console: Console, what: str, width: int) -> Iterator[RenderableType]:
        advice = Text.assemble(("→ ", "bold cyan"))
        advice.append(what)
        yield from wrapped(console, advice, width, 3)

    def _step(self, step: Step, width: int) -> Text:
        """One line: when, what, and its source where there is room for it."""
        at = offset((step.time - self.timeline.zero) / NS_PER_MS)
        what, detail = say(self.timeline, step)
        if step.kind.value.startswith(("job", "worker")) and len(self.timeline.jobs) < 2:  # else it is in the detail
            what += f" ({name_of(self.timeline, step.subject)})"
        if detail:
            what += f"  {detail}"
        source = f"  source: {plain(', '.join(step.witnesses))}"
        line = Text(f"   {at:>10}  ", style="dim", no_wrap=True)
        left = width - cell_len(line.plain)
        line.append(fit(what, left))
        if cell_len(what) + cell_len(source) <= left:
            line.append(source, style="dim")
        return line


def as_json(timeline: Timeline, explanation: Explanation) -> dict[str, Any]:
    """The explanation as JSON types, schema ``tracer.why/1``."""
    return {
        "schema": "tracer.why/1",
        "room": {"sid": timeline.room.sid, "name": timeline.room.name},
        "well": explanation.well is True,
        "summary": explanation.summary,
        "advice": explanation.advice,
        "listened_until": rfc3339(timeline.stopped),
        "causes": [
            {
                "name": finding.cause.name,
                "symptom": finding.cause.symptom,
                "about": finding.cause.about,
                "sentence": finding.sentence,
                "certain": finding.certain,
                "advice": finding.advice,
                "evidence": [
                    {
                        "kind": step.kind,
                        "subject": step.subject,
                        "time": rfc3339(step.time),
                        "earliest": rfc3339(step.earliest),
                        "latest": rfc3339(step.latest),
                        "witnesses": list(step.witnesses),
                        "clock": step.clock,
                    }
                    for step in finding.evidence
                ],
            }
            for finding in explanation.findings
        ],
        "not_ruled_out": [
            {"name": doubt.cause.name, "about": doubt.cause.about, "how": doubt.how} for doubt in explanation.doubts
        ],
    }
