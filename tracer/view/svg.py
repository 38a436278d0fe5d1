"""The timeline as a picture: how it went, who was there when, and each moment; for a page, a report or a phone.

It is as narrow as a phone can show, and needs nothing but itself: no font, no script, no address. Its colours are those
of the page, light or dark as the reader has it.
"""

from __future__ import annotations

from html import escape
from textwrap import wrap
from typing import TYPE_CHECKING

from rich.cells import cell_len

from tracer.units import NS_PER_MS, offset, plural
from tracer.view.axis import Axis
from tracer.view.lanes import RED, Form, failed_at, main_lanes, waits
from tracer.view.names import with_names
from tracer.view.rows import MomentRows
from tracer.view.terminal import notable
from tracer.view.text import fit, plain
from tracer.view.verdict import MARKS, ready_after
from tracer.view.wording import say
from tracer.why import explain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.timeline import Timeline
    from tracer.view.lanes import Bar, Lane, Mark
    from tracer.view.rows import MomentRow

__all__ = ["as_svg"]

COLUMN = 8
"""Pixels of a column: half of the size of what is written, as wide as most letters."""
COLUMNS = 60
"""Without --width: on a phone the letters are then as large as it writes its own small ones."""
FINER = 2
"""Parts of a column: the shortest stretch and a fold take half of the room that they have in a terminal."""
EDGE = 16
LINE = 22
LANE, INNER = 46, 40
"""Height of a lane, and of one that shows what an agent did."""
MOST_ROWS = 200

_STYLE = """
svg{--ground:#fbfaf7;--ink:#1d2129;--soft:#5c6470;--line:#dedbd3;--good:#177245;--bad:#c0262d;--warn:#8a5a00;
--room:#6b7280;--caller:#17845c;--other:#7a6f5d;--job:#0e7c96;--a1:#8b3fb8;--a2:#2563c9;--a3:#b06f00;--a4:#b8337f;
--a5:#4a59d1;font:14px system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
@media (prefers-color-scheme:dark){svg{--ground:#12151b;--ink:#e8e9ec;--soft:#a0a8b5;--line:#2f3643;--good:#5ecf95;
--bad:#ff7b7b;--warn:#f0bb5b;--room:#98a1b0;--caller:#4dc795;--other:#b6a98f;--job:#4fbdd6;--a1:#c68aeb;--a2:#7fb0ff;
--a3:#eab04a;--a4:#f083bd;--a5:#9aa6ff}}
.ground{fill:var(--ground)}text{fill:var(--ink);white-space:pre}.soft{fill:var(--soft)}.small{font-size:13px}
.verdict{font-size:16px;font-weight:650}.well{fill:var(--good)}.bad{fill:var(--bad)}.warn{fill:var(--warn)}
.end{text-anchor:end}
.num{font-variant-numeric:tabular-nums}.name{font-weight:600}.rule{stroke:var(--line)}
.fold{stroke:var(--soft);stroke-dasharray:1 4}
.room{--of:var(--room)}.caller{--of:var(--caller)}.other{--of:var(--other)}.dispatch,.job,.worker{--of:var(--job)}
.agent,.span{--of:var(--a1)}.agent-1{--of:var(--a1)}.agent-2{--of:var(--a2)}.agent-3{--of:var(--a3)}
.agent-4{--of:var(--a4)}
.agent-5{--of:var(--a5)}.label{fill:var(--of)}.bar{fill:var(--of)}
.is-joining,.is-muted{fill-opacity:.35}.room .bar{fill-opacity:.6}
.is-missing{fill:var(--bad);fill-opacity:.2;stroke:var(--bad);stroke-dasharray:4 3}
.is-awaited{fill:var(--warn);fill-opacity:.2;stroke:var(--warn);stroke-dasharray:4 3}
.is-failed{fill:var(--bad)}.is-unknown{fill:var(--ground);stroke:var(--bad);stroke-dasharray:3 3}
.state{fill:var(--ground);stroke:var(--of);stroke-width:2}.full{fill:var(--of)}.stop{stroke:var(--of);stroke-width:3}
.cross{stroke:var(--bad);stroke-width:2.5;fill:none}
"""
_RED = {*RED, "failed", "aborted"}


def as_svg(timeline: Timeline, *, everything: bool = False, summary: bool = False, width: int | None = None) -> str:
    """The picture; ``width`` in columns. ``summary``: without the moments. Text in it is harmless."""
    return _Picture(timeline, width or COLUMNS, everything=everything).drawn(summary=summary)


class _Picture:
    def __init__(self, timeline: Timeline, columns: int, *, everything: bool) -> None:
        self.timeline = timeline
        self.explanation = explain(timeline)
        shown = list(timeline.participants) if everything else notable(timeline)
        self.hidden = [one for one in timeline.participants if one not in shown]
        self.rows = MomentRows(timeline, self.explanation.findings, self.hidden, everything=everything)
        self.lanes = main_lanes(timeline, shown, self.explanation)
        self.columns = columns
        sids = {sid for lane in self.lanes for sid in lane.subjects}
        missing = waits(timeline, self.lanes)
        times = [row.step.time for row in self.rows.rows if row.step.subject in sids]
        times += [edge for wait in missing for edge in wait] + failed_at(self.lanes)
        self.axis = Axis(times, timeline.zero, columns * FINER, missing)
        self.y = EDGE + 4.0
        """How far down it is drawn."""

    def drawn(self, *, summary: bool) -> str:
        body = [*self._head(), *self._scale(), *(part for lane in self.lanes for part in self._lane(lane))]
        if self.hidden:
            body.append(self._line(f"… and {len(self.hidden)} more participants: --all shows them", "soft small"))
        if not summary:
            body += self._moments()
        wide, high = self.columns * COLUMN + 2 * EDGE, round(self.y + EDGE)
        name = plain(self.timeline.room.name or self.timeline.room.sid)
        told = f"{self._mark()} {self._sentence()}"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="t d" viewBox="0 0 {wide} {high}"'
            f' width="{wide}" height="{high}" style="max-width:100%;height:auto">\n'
            f'<title id="t">{escape(f"room {name}, as tracer timeline shows it")}</title>\n'
            f'<desc id="d">{escape(told)}</desc>\n<style>{_STYLE}</style>\n'
            f'<rect class="ground" width="100%" height="100%"/>\n' + "\n".join(body) + "\n</svg>\n"
        )

    def _mark(self) -> str:
        return MARKS[self.explanation.well][0]

    def _sentence(self) -> str:
        return with_names(self.timeline, self.explanation.summary)

    def _head(self) -> Iterator[str]:
        tone = {True: "well", False: "bad", None: "warn"}[self.explanation.well]
        for line in wrap(f"{self._mark()} {self._sentence()}", round(self.columns * 0.8)):
            yield self._line(line, f"verdict {tone}")
        room, ready = self.timeline.room, ready_after(self.timeline)
        which = f"room {fit(plain(room.name or '?'), 30)}   {plain(room.sid)}"
        when = f"agent ready after {ready}" if ready else ""
        is_wide = cell_len(which) + len(when) + 3 > self.columns
        for line in (which, when) if is_wide else (f"{which}   {when}",):
            yield self._line(line.rstrip(), "soft small")
        self.y += 10

    def _scale(self) -> Iterator[str]:
        self.y += 14
        free, right = 0.0, self._at(self.axis.width)
        for column, label in self.axis.ticks():
            # A letter is wider than a part of a column, and the last label is not to touch the edge.
            at = min(self._at(column), right - len(label) * COLUMN)
            if at >= free:
                yield self._text(at, label, "soft small num")
                free = at + (len(label) + 1) * COLUMN
        self.y += 8
        bottom = self.y + sum(map(_height, self.lanes))
        for column in self.axis.folds:
            at = self._at(column + 1.5)
            yield f'<line class="fold" x1="{at:.1f}" x2="{at:.1f}" y1="{self.y - 16:.0f}" y2="{bottom:.0f}"/>'

    def _lane(self, lane: Lane) -> Iterator[str]:
        kind = f"{lane.of} agent-{(lane.agent - 1) % 5 + 1}" if lane.agent else lane.of
        yield f'<g class="{kind}">'
        right, base = self.columns * COLUMN + EDGE, self.y + 17
        told: list[Bar | Mark] = [*lane.bars, *(mark for mark in lane.marks if mark.form != "finished")]
        red = dict.fromkeys(one.text for one in told if one.text and one.form in _RED)
        words = [*red, *(one.text for one in told if one.text)]
        said = fit(" · ".join(dict.fromkeys(words)), self.columns // 2)
        note = "" if lane.of == "room" else lane.note
        label = fit(lane.label, self.columns - cell_len(said) - cell_len(note) - 4)
        yield (
            f'<text x="{EDGE}" y="{base:.0f}"><tspan class="label name">{escape(label)}</tspan>'
            f'<tspan class="soft small" dx="8">{escape(note)}</tspan></text>'
        )
        if said:
            bad = len(" · ".join(red))
            parts = [("bad", said[:bad]), ("soft", said[bad:])]
            spans = "".join(f'<tspan class="{tone}">{escape(part)}</tspan>' for tone, part in parts if part)
            yield f'<text class="end small" x="{right}" y="{base:.0f}">{spans}</text>'
        middle = self.y + _height(lane) - 12
        for bar in lane.bars:
            yield self._bar(lane, bar, middle)
        for mark in lane.marks:
            yield self._drawn_mark(mark, middle)
        yield "</g>"
        self.y += _height(lane)

    def _bar(self, lane: Lane, bar: Bar, middle: float) -> str:
        start = self._at(self.axis.position(bar.start))
        end = self._at(self.axis.width - 1 if bar.end is None else self.axis.position(bar.end))
        high = 6 if lane.of == "span" or bar.form in (Form.JOINING, Form.SPAN, Form.MUTED) else 10
        until = "now" if bar.end is None else self._offset(bar.end)
        told = f"{lane.label}: {bar.text or bar.form.value}, {self._offset(bar.start)} to {until}"
        return (
            f'<rect class="bar is-{bar.form.value}" x="{start:.1f}" y="{middle - high / 2:.1f}"'
            f' width="{max(end - start, 2):.1f}" height="{high}" rx="3"><title>{escape(told)}</title></rect>'
        )

    def _drawn_mark(self, mark: Mark, middle: float) -> str:
        at = self._at(self.axis.position(mark.at))
        told = f"<title>{escape(f'{mark.form}, {self._offset(mark.at)}')}</title>"
        match mark.form:
            case "joining" | "joined" | "active":
                full = " full" if mark.form == "active" else ""
                return f'<circle class="state{full}" cx="{at:.1f}" cy="{middle:.1f}" r="5">{told}</circle>'
            case "failed" | "aborted":
                return f'<path class="cross" d="M{at - 5:.1f},{middle - 5:.1f}l10,10m0,-10l-10,10">{told}</path>'
            case _:
                y1, y2 = middle - 8, middle + 8
                return f'<line class="stop" x1="{at:.1f}" x2="{at:.1f}" y1="{y1:.1f}" y2="{y2:.1f}">{told}</line>'

    def _moments(self) -> Iterator[str]:
        self.y += 12
        right = self.columns * COLUMN + EDGE
        yield f'<line class="rule" x1="{EDGE}" x2="{right}" y1="{self.y:.0f}" y2="{self.y:.0f}"/>'
        self.y += 4
        for row in self.rows.rows[:MOST_ROWS]:
            yield self._row(row)
        if (left := len(self.rows.rows) - MOST_ROWS) > 0:
            yield self._line(f"… and {left} more {plural(left, 'moment')}", "soft small")

    def _row(self, row: MomentRow) -> str:
        self.y += LINE
        what, detail = say(self.timeline, row.step)
        room = self.columns - 10
        what = fit(what + (f" {len(row.repeats) + 1} times" if row.repeats else ""), room)
        detail = fit(detail, max(room - cell_len(what) - 2, 0))
        tone = "bad" if self.rows.has_failed(row) else ""
        when, at = EDGE + 12 * COLUMN, EDGE + 14 * COLUMN
        return (
            f'<text class="end small num soft" x="{when}" y="{self.y:.0f}">{self._offset(row.step.time)}</text>'
            f'<text class="small" x="{at}" y="{self.y:.0f}"><tspan class="{tone}">{escape(what)}</tspan>'
            f'<tspan class="soft" dx="8">{escape(detail)}</tspan></text>'
        )

    def _line(self, text: str, kind: str) -> str:
        self.y += LINE
        return self._text(EDGE, text, kind, self.y - 4)

    def _text(self, x: float, text: str, kind: str, y: float | None = None) -> str:
        return f'<text class="{kind}" x="{x:.1f}" y="{self.y if y is None else y:.0f}">{escape(text)}</text>'

    def _offset(self, time: int) -> str:
        return offset((time - self.timeline.zero) / NS_PER_MS).strip()

    @staticmethod
    def _at(column: float) -> float:
        return EDGE + column * COLUMN / FINER


def _height(lane: Lane) -> int:
    return INNER if lane.of == "span" else LANE
