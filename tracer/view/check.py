"""What `tracer check` says of a room: in a terminal, and for programs."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.padding import Padding
from rich.text import Text

from tracer.check import Outcome
from tracer.check.clock_rule import said
from tracer.check.sentences import length
from tracer.errors import TracerError
from tracer.units import NS_PER_MS, offset, rfc3339
from tracer.view.text import fit, plain
from tracer.view.wording import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

    from tracer.check import Judgement, RoomCheck, Verdict
    from tracer.clocks.offsets import Clock, Offset
    from tracer.timeline.step import Step

__all__ = ["CheckView", "as_json", "conclusion", "write"]

NARROWEST = 60
WIDE = 80
"""Columns from which on there is room for dates."""
WIDEST = 120
"""Columns; longer lines of prose are not read."""
MOST_SHOWN = 5
"""Verdicts shown for a rule without --all."""
MOST_TOLD = 6
"""Accounts of one step shown without --all."""

# In styles that read on light and dark ground.
_MARKS = {Outcome.HOLDS: ("✓", "green"), Outcome.VIOLATED: ("✗", "bold red"), Outcome.UNTOLD: ("?", "cyan")}
_SHORT = {Outcome.HOLDS: "hold", Outcome.VIOLATED: "violated", Outcome.UNTOLD: "cannot be told"}


class CheckView:
    """A Rich renderable of one room's check, from 60 columns on."""

    def __init__(self, check: RoomCheck, *, everything: bool = False) -> None:
        self.check = check
        self.timeline = check.timeline
        self.everything = everything
        self.places = {id(step): place for place, step in enumerate(check.timeline.steps, 1)}

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(max(options.max_width, NARROWEST), WIDEST)
        room = self.timeline.room
        yield Text(f"room {fit(plain(room.name or '?'), width // 2)}  {plain(room.sid)}", style="bold", no_wrap=True)
        mark, style = _MARKS[self.check.answer]
        yield from _wrapped(console, Text(f"{mark} {conclusion(self.check)}", style=style), width, 0)
        for clock, known in self.check.clocks.offsets.items():
            if known.off or known.contradictory:
                wrong = Text(f"! the clock of the {plain(str(clock))} is off: {said(known)}", style="bold red")
                yield from _wrapped(console, wrong, width, 0)
        yield Text()
        counts = [_count(judgement) for judgement in self.check.judgements]
        room_for_counts = max(map(len, counts))
        for judgement, count in zip(self.check.judgements, counts, strict=True):
            mark, style = _MARKS[judgement.answer]
            what = fit(judgement.rule.sentence, width - room_for_counts - 8)
            line = Text(f"{mark} ", style=style, no_wrap=True)
            line.append(f"{judgement.rule.number:2}  ", style="dim")
            line.append(
                f"{what:{width - room_for_counts - 8}}  ", style="" if judgement.answer is Outcome.HOLDS else style
            )
            line.append(f"{count:>{room_for_counts}}", style="dim" if judgement.answer is Outcome.HOLDS else style)
            yield line
            yield from self._details(console, judgement, width)
        yield Text()
        yield from self._clocks(console, width)

    def _details(self, console: Console, judgement: Judgement, width: int) -> Iterator[RenderableType]:
        if not judgement.verdicts:
            yield from _wrapped(console, Text(judgement.rule.missing, style="dim"), width, 5)
            return
        violated, untold = judgement.having(Outcome.VIOLATED), judgement.having(Outcome.UNTOLD)
        if judgement.answer is not Outcome.UNTOLD and not self.everything:
            untold = []
        for verdicts in (violated, untold):
            most = len(verdicts) if self.everything else MOST_SHOWN
            for verdict in verdicts[:most]:
                yield from self._verdict(console, verdict, width)
            if len(verdicts) > most:
                yield Text(f"     … and {len(verdicts) - most} more {_SHORT[verdicts[0].answer]}: --all", style="dim")

    def _verdict(self, console: Console, verdict: Verdict, width: int) -> Iterator[RenderableType]:
        violated = verdict.answer is Outcome.VIOLATED
        text = Text("✗ " if violated else "? ", style="bold red" if violated else "cyan")
        text.append(plain(verdict.sentence), style="red" if violated else "")
        if verdict.why:
            text.append(f": {plain(verdict.why)}", style="dim")
        yield from _wrapped(console, text, width, 5)
        if violated or self.everything:
            for step in verdict.steps:
                yield from self._step(step, width)

    def _step(self, step: Step, width: int) -> Iterator[Text]:
        at = offset((step.time - self.timeline.zero) / NS_PER_MS)
        yield Text(fit(f"       #{self.places.get(id(step), 0):<4} {at:>11}  {say(self.timeline, step)[0]}", width))
        most = len(step.told) if self.everything else MOST_TOLD
        for moment in step.told[:most]:
            first = (rfc3339(moment.earliest) or "")[0 if width >= WIDE else 11 :]
            raw = f"{first} + {length(moment.width)}" if moment.width else first
            witness, clock = fit(plain(moment.witness), 8), fit(plain(moment.clock), 8)
            yield Text(fit(f"             {witness:8} {clock:8}  {raw}", width), style="dim", no_wrap=True)
        if len(step.told) > most:
            yield Text(f"             … and {len(step.told) - most} more accounts: --all", style="dim")

    def _clocks(self, console: Console, width: int) -> Iterator[RenderableType]:
        if not self.check.clocks.offsets:
            return
        yield Text("clocks, beside the server's", style="bold")
        shown = [(plain(str(clock)), known) for clock, known in self.check.clocks.offsets.items()]
        names = min(max(cell_len(clock) for clock, _ in shown), width // 3)
        for clock, known in shown:
            wrong = known.off or known.contradictory
            called = fit(clock, names)
            line = Text("! " if wrong else "  ", style="bold red" if wrong else "")
            line.append(called + " " * (names - cell_len(called) + 2))
            line.append(said(known))
            yield from _wrapped(console, line, width, 0, names + 4)
            if wrong or self.everything:
                for bound, steps in (("at least", known.by_least), ("at most", known.by_most)):
                    if steps:
                        yield from _wrapped(
                            console, Text(f"{bound} so, by {self._by(steps)}", style="dim"), width, names + 4
                        )

    def _by(self, steps: Iterable[Step]) -> str:
        return " before ".join(f"#{self.places.get(id(step), 0)} {say(self.timeline, step)[0]}" for step in steps)


def write(
    checks: Sequence[RoomCheck], form: str, output: Path | None, *, everything: bool = False, width: int | None = None
) -> None:
    """Write them as ``terminal``, ``json`` or ``junit``, to a file or to standard output.

    Raises TracerError when the file cannot be written.
    """
    if form == "terminal" and output is None:
        from tracer.view.console import console

        out = console()
        if width:
            out.width = width
        _print(out, checks, everything=everything)
        return
    text = _text(checks, form, everything, width)
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise TracerError(f"cannot write {output}: {error.strerror}") from None


def _text(checks: Sequence[RoomCheck], form: str, everything: bool, width: int | None) -> str:
    if form == "json":
        return json.dumps(as_json(checks), indent=2) + "\n"
    if form == "junit":
        from tracer.view.junit import junit

        return junit(checks)
    from rich.console import Console

    file = io.StringIO()
    out = Console(file=file, width=width or 100, color_system=None, highlight=False, markup=False, emoji=False)
    _print(out, checks, everything=everything)
    return file.getvalue()


def _print(out: Console, checks: Sequence[RoomCheck], *, everything: bool) -> None:
    for place, check in enumerate(checks):
        if place:
            out.print()
        out.print(CheckView(check, everything=everything))


def conclusion(check: RoomCheck) -> str:
    """What it comes to, in one line."""
    counts = {answer: check.count(answer) for answer in (Outcome.VIOLATED, Outcome.HOLDS, Outcome.UNTOLD)}
    whole = len(check.judgements)
    if counts[Outcome.HOLDS] == whole:
        untold = sum(len(judgement.having(Outcome.UNTOLD)) for judgement in check.judgements)
        every = sum(len(judgement.verdicts) for judgement in check.judgements)
        return f"all {whole} orderings hold" + f"; {untold} of {every} details cannot be told (--all)" * bool(untold)
    return ", ".join(
        f"{count} of {whole} {'holds' if answer is Outcome.HOLDS and count == 1 else _SHORT[answer]}"
        for answer, count in counts.items()
        if count
    )


def _count(judgement: Judgement) -> str:
    if not judgement.verdicts:
        return "nothing to judge"
    count, whole = len(judgement.having(judgement.answer)), len(judgement.verdicts)
    if judgement.answer is Outcome.HOLDS and count < whole:  # not that the others do not
        return f"{count} {'holds' if count == 1 else 'hold'}, {whole - count} untold"
    of = f"{count}" if count == whole else f"{count} of {whole}"
    return f"{of} {'holds' if of == '1' and judgement.answer is Outcome.HOLDS else _SHORT[judgement.answer]}"


def _wrapped(console: Console, text: Text, width: int, indent: int, hang: int | None = None) -> Iterator[Padding]:
    """Prose within the width, its later lines indented a little more, or by ``hang``."""
    hang = indent + 2 if hang is None else hang
    lines = text.wrap(console, max(width - max(indent, hang), 20))
    for number, line in enumerate(lines):
        line.rstrip()
        yield Padding(line, (0, 0, 0, hang if number else indent), expand=False)


def as_json(checks: Iterable[RoomCheck]) -> dict[str, Any]:
    """The checks as JSON types, schema ``tracer.check/1``: what is not known is null.

    What holds is counted, what is violated or cannot be told is listed.
    """
    return {"schema": "tracer.check/1", "rooms": [_room(check) for check in checks]}


def _room(check: RoomCheck) -> dict[str, Any]:
    room = check.timeline.room
    return {
        "sid": room.sid,
        "name": room.name,
        "answer": check.answer,
        "rules": [
            {
                "number": judgement.rule.number,
                "name": judgement.rule.name,
                "sentence": judgement.rule.sentence,
                "answer": judgement.answer,
                "summary": judgement.summary,
                "holds": len(judgement.having(Outcome.HOLDS)),
                "violated": len(judgement.having(Outcome.VIOLATED)),
                "cannot_be_told": len(judgement.having(Outcome.UNTOLD)),
                "verdicts": [
                    _verdict(check, verdict) for verdict in judgement.verdicts if verdict.answer is not Outcome.HOLDS
                ],
            }
            for judgement in check.judgements
        ],
        "clocks": [_clock(check, clock, known) for clock, known in check.clocks.offsets.items()],
    }


def _verdict(check: RoomCheck, verdict: Verdict) -> dict[str, Any]:
    return {
        "answer": verdict.answer,
        "sentence": verdict.sentence,
        "why": verdict.why or None,
        "least_ms": _ms(verdict.apart.least),
        "most_ms": _ms(verdict.apart.most),
        "steps": [_step(check, step) for step in verdict.steps],
    }


def _step(check: RoomCheck, step: Step) -> dict[str, Any]:
    created = check.timeline.room.created
    return {
        "kind": step.kind,
        "subject": step.subject,
        "time": rfc3339(step.time),
        "offset_ms": None if created is None else (step.time - created.time) / NS_PER_MS,
        "told": [
            {
                "witness": moment.witness,
                "clock": moment.clock,
                "time": rfc3339(moment.time),
                "earliest": rfc3339(moment.earliest),
                "latest": rfc3339(moment.latest),
            }
            for moment in step.told
        ],
    }


def _clock(check: RoomCheck, clock: Clock, known: Offset) -> dict[str, Any]:
    return {
        "clock": clock.kind,
        "host": clock.host or None,
        "sid": clock.sid or None,
        "least_ms": _ms(known.least),
        "most_ms": _ms(known.most),
        "contradictory": known.contradictory,
        "off": known.off,
        "by_least": [_step(check, step) for step in known.by_least],
        "by_most": [_step(check, step) for step in known.by_most],
    }


def _ms(ns: int | None) -> float | None:
    return None if ns is None else ns / NS_PER_MS
