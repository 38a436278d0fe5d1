"""The table of moments: a row for each step, with its offset, what happened, its source and its accuracy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from tracer.moment import Kind
from tracer.timeline.entities import Job, Participant, Track, Worker
from tracer.timeline.overdue import expected
from tracer.units import NS_PER_MS, milliseconds, offset, rfc3339
from tracer.view.axis import idle_stretches
from tracer.view.chart import STYLES, WIDE, colour_of
from tracer.view.names import name_of
from tracer.view.rows import MomentRows
from tracer.view.text import fit, plain
from tracer.view.wording import say
from tracer.why import explain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracer.timeline.overdue import Missing
    from tracer.timeline.step import Step, StepKey
    from tracer.timeline.timeline import Timeline
    from tracer.view.rows import MomentRow

__all__ = ["MomentLines", "MomentTable", "accuracy"]

MOST_MISSING = 12
"""Rows for what has not come."""
NUMBERED = 999
"""Rows for whose numbers there is room where it is not known how many will come."""
SAID_AGAIN = 4
"""What is missing is said again when it is missing for so many times as long."""


ALL = ["agent", "observer", "webhook"]


class MomentTable:
    """The rows of a timeline, for a terminal this wide; without what happened to ``hidden`` participants."""

    def __init__(self, rows: MomentRows, hidden: Iterable[Participant], width: int) -> None:
        self.timeline = rows.timeline
        self.hidden = {participant.sid for participant in hidden}
        self.rows = rows
        self.columns = _Columns(width, len(rows.rows))

    def head(self) -> Text:
        """The names of the columns."""
        return self.columns.head()

    def lines(self) -> Iterator[Text]:
        """Line after line, as wide as the terminal at the most."""
        yield self.head()
        yield from (line for line, _ in self.entries())

    def entries(self) -> Iterator[tuple[Text, MomentRow | Missing | None]]:
        """The lines below the head, each with what it is about; None where it is about no moment."""
        columns = self.columns
        idle = {end for _, end in idle_stretches(row.step.time for row in self.rows.rows)}
        before = None
        for number, row in enumerate(self.rows.rows, 1):
            if before and row.step.time in idle and before.time != row.step.time:
                yield Text(f"{'⋯':>{columns.number + 2 + columns.offset}}", style="dim"), None
            yield self.row(number, before, row), row
            before = row.step
        for missing in [one for one in expected(self.timeline) if self.is_news(one)][:MOST_MISSING]:
            yield self.missing(missing), missing
        if left_out := self.rows.left_out:
            yield Text(left_out, style="dim"), None
        if not columns.wide:
            yield (
                Text(f"{'':{columns.number}}  source: W webhook, O observer (API polling), A agent", style="dim"),
                None,
            )

    def is_news(self, missing: Missing) -> bool:
        """Whether no row shows it yet: a process that failed is a row."""
        job = self.timeline.by_sid.get(missing.step.subject)
        if missing.lost and job and job.at(Kind.PROCESS_FAILED):
            return False
        return missing.step.subject not in self.hidden

    def row(self, number: int, before: Step | None, row: MomentRow) -> Text:
        """The line of a row: its number, and since ``before``, the step of the row above it."""
        columns, step = self.columns, row.step
        line = Text(no_wrap=True)
        line.append(f"{number:{columns.number}}  ")
        line.append(f"{offset((step.time - self.timeline.zero) / NS_PER_MS):>{columns.offset}}  ")
        in_order = before and before.time <= step.time
        since = f"+{milliseconds((step.time - before.time) / NS_PER_MS)}" if before and in_order else ""
        line.append(f"{since:>{columns.since}}  ", style="dim")
        line.append_text(self._what(row, columns.what))
        line.append(f"  {columns.sources(row)}", style="dim")
        line.append(f"  {accuracy(step):<{columns.accuracy}}", style="red" if step.contradicted else "dim")
        line.append(columns.more(step), style="dim")
        line.rstrip()
        return line

    def missing(self, missing: Missing) -> Text:
        """A row for what should have come: after what, and for how long it has been missing."""
        columns = self.columns
        end = missing.step.time + missing.ns
        name = name_of(self.timeline, missing.step.subject)
        line = Text(f"{'':{columns.number}}  ", no_wrap=True)
        line.append(f"{offset((end - self.timeline.zero) / NS_PER_MS):>{columns.offset}}  ", style="dim")
        line.append(f"{milliseconds(missing.ns / NS_PER_MS):>{columns.since}}  ", style="dim")
        took = milliseconds(missing.ns / NS_PER_MS)
        until = "when the room closed" if missing.over else "by now"
        sentence = missing.what if missing.lost else f"{missing.what} after {took}, {until}"
        room = columns.what + columns.source + columns.accuracy + 4
        line.append(fit(f"✕ {sentence}  {name}", room), style="red" if missing.over else "yellow")
        return line

    def _what(self, row: MomentRow, width: int) -> Text:
        step = row.step
        phrase, detail = say(self.timeline, step, width)
        if row.repeats:
            last = offset((row.repeats[-1].time - self.timeline.zero) / NS_PER_MS)
            phrase += f" {len(row.repeats) + 1} times"
            detail = f"until {last}" + (f", {detail}" if detail else "")
        text = Text()
        text.append(fit(phrase, width), style=self._style(row))
        left = width - cell_len(text.plain)
        if detail and left > 4:
            text.append("  " + fit(detail, left - 2))
        text.append(" " * (width - cell_len(text.plain)))
        return text

    def _style(self, row: MomentRow) -> str:
        step = row.step
        if self.rows.has_failed(row):
            return STYLES["failed"]
        entity = self.timeline.by_sid.get(step.subject)
        if isinstance(entity, Track) and entity.participant:
            entity = self.timeline.by_sid.get(entity.participant)
        if isinstance(entity, Participant):
            return colour_of(self.timeline, entity)
        if isinstance(entity, Job):
            agent = None if step.kind.value.startswith("job") else self.timeline.agent_of(entity)
            return colour_of(self.timeline, agent) if agent else STYLES["job"]
        if isinstance(entity, Worker):
            return STYLES["job"]
        return STYLES["dispatch" if step.kind is Kind.DISPATCH_CREATED else "room"]


class MomentLines:
    """The rows of a timeline as they come to be known, each once, and what should have come; for a pipe or a log."""

    def __init__(self, width: int, *, everything: bool = False) -> None:
        self.width = width
        self.everything = everything
        self._printed: set[StepKey] = set()
        self._missed: dict[tuple[str, str, bool], int] = {}
        """For how long each was missing when that was said, ns."""
        self._before: Step | None = None

    def head(self) -> Text:
        """The names of the columns."""
        return _Columns(self.width, NUMBERED).head()

    def new(self, timeline: Timeline) -> Iterator[Text]:
        """The lines that were not printed before; what is missing is said again after four times as long."""
        findings = explain(timeline).findings
        rows = MomentRows(timeline, findings, everything=self.everything)
        new = [row for row in rows.rows if row.step.key not in self._printed]
        late = [one for one in expected(timeline)[:MOST_MISSING] if self._is_late(one)]
        if not new and not late:
            return
        table = MomentTable(rows, (), self.width)
        table.columns = _Columns(self.width, NUMBERED)
        for row in new:
            self._printed.add(row.step.key)
            yield table.row(len(self._printed), self._before, row)
            self._before = row.step
        for missing in late:
            if table.is_news(missing):
                yield table.missing(missing)

    def _is_late(self, missing: Missing) -> bool:
        which = missing.step.subject, missing.what, missing.over
        if which in self._missed and missing.ns < SAID_AGAIN * self._missed[which]:
            return False
        if missing.over and which in self._missed:  # the same as of later on
            return False
        self._missed[which] = missing.ns
        return True


class _Columns:
    """The widths of the table of moments."""

    offset = 11
    since = 9
    accuracy = 8

    def __init__(self, width: int, rows: int) -> None:
        self.wide = width >= WIDE
        self.number = len(str(rows))
        self.source = 17 if self.wide else 3
        self.clock = 10 if width >= WIDE + 20 else 0
        self.utc = 17 if width >= WIDE + 50 else 0
        rest = self.number + self.offset + self.since + self.source + self.accuracy + 10
        self.what = width - rest - self.clock - self.utc

    def head(self) -> Text:
        source = "source" if self.wide else "src"
        head = (
            f"{'':{self.number}}  {'offset':>{self.offset}}  {'since':>{self.since}}  {'what':{self.what}}"
            f"  {source:{self.source}}  {'accuracy':{self.accuracy}}"
        )
        if self.clock:
            head += "  clock   "
        if self.utc:
            head += "  UTC"
        return Text(head, style="dim")

    def sources(self, row: MomentRow) -> str:
        if self.wide:
            names = "all three" if row.witnesses == ALL else ", ".join(row.witnesses)
            return f"{fit(plain(names), self.source):{self.source}}"
        return f"{''.join(sorted({plain(witness)[:1].upper() for witness in row.witnesses}))[:3]:3}"

    def more(self, step: Step) -> str:
        """What only a wide terminal has room for: whose clock it is, and the time of day."""
        clock = f"  {fit(plain(step.clock), 8):8}" if self.clock else ""
        return clock + (f"  {rfc3339(step.time)[11:26]}" if self.utc else "")


def accuracy(step: Step) -> str:
    """How far off the time can be, and to which side."""
    if step.contradicted:
        return "?!"
    before, after = (step.time - step.earliest) / NS_PER_MS, (step.latest - step.time) / NS_PER_MS
    if max(before, after) < 0.05:
        return "±0"
    if after * 8 < before:
        return f"-{milliseconds(before)}"
    if before * 8 < after:
        return f"+{milliseconds(after)}"
    return f"±{milliseconds(max(before, after))}"
