"""One room on the full screen: verdict, chart and moments, what is known of the moment under the cursor, and why."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding
from textual.containers import Container, VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Static

from tracer.errors import StoreError, UnknownRoomError
from tracer.timeline.overdue import Missing
from tracer.units import plural
from tracer.view.chart import Chart
from tracer.view.lanes import failed_at, lanes
from tracer.view.link import trace_link
from tracer.view.moment import MissingView, MomentView
from tracer.view.moments import MomentTable
from tracer.view.rows import MomentRow, MomentRows
from tracer.view.terminal import NARROWEST, notable, one_line
from tracer.view.text import plain
from tracer.view.verdict import verdict
from tracer.view.why import WhyView
from tracer.watch.following import LOOKS_EVERY, Following
from tracer.watch.lines import Lines
from tracer.why import explain

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType

    from tracer.store import Reader
    from tracer.timeline.timeline import Timeline
    from tracer.watch.reading import Reading

__all__ = ["WIDE_FROM", "RoomScreen"]

TICKS_EVERY = 1.0
"""Seconds after which what is open is drawn anew, though nothing came."""
AFTER_ERROR = 2.0
"""Seconds before a store that failed is tried again."""
ZOOMS = (1, 2, 4, 8, 16, 32, 64)
"""How many times as wide as the screen the axis can be."""
CHART_SHARE = 3
"""The chart takes one part of so many of the screen at the most."""
WIDE_FROM = 140
"""Columns of a terminal from which on the details are beside the moments."""
DETAILS_FROM = 32
"""Lines of a terminal from which on the details are shown unasked."""

Entry = tuple[Text, MomentRow | Missing | None]


class RoomScreen(Screen[None]):
    """A room while it happens, and afterwards."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,backspace", "back", "back", key_display="q"),
        Binding("enter,space", "details", "details", key_display="⏎"),
        Binding("n", "problem(1)", "next problem"),
        Binding("N", "problem(-1)", "previous problem", show=False),
        Binding("plus,equals_sign", "zoom(1)", "zoom", key_display="+-"),
        Binding("minus", "zoom(-1)", "zoom out", show=False),
        Binding("0", "zoom(0)", "whole", show=False),
        Binding("left,h", "pan(-1)", "pan", key_display="←→"),
        Binding("right,l", "pan(1)", "pan right", show=False),
        Binding("w", "why", "why"),
        Binding("a", "everything", "all"),
        Binding("y", "copy", "copy link"),
    ]
    CSS = """
    RoomScreen { layout: vertical; }
    #verdict { height: auto; max-height: 4; }
    #chart { height: auto; }
    #columns { height: 1; margin-top: 1; text-wrap: nowrap; }
    #below { height: 1fr; layout: vertical; }
    RoomScreen.-wide #below { layout: horizontal; }
    #moments { height: 1fr; width: 1fr; }
    #details { display: none; height: auto; max-height: 50%; border-top: solid ansi_bright_black; }
    RoomScreen.-wide #details { height: 100%; max-height: 100%; width: 56; border-top: none; padding: 0 0 0 2; }
    #details.shown { display: block; }
    #details Static { height: auto; }
    """

    def __init__(self, sid: str, reading: Reading, jaeger_url: str = "") -> None:
        """``jaeger_url`` is where traces are looked at; empty: nowhere."""
        super().__init__()
        self._reading, self._jaeger_url = reading, jaeger_url
        self._top, self._head, self._known = Static(Text(), id="verdict"), Static(Text(), id="columns"), Static(Text())
        self._bars, self._moments = Lines(id="chart", has_cursor=False), Lines(id="moments")
        self._beside = VerticalScroll(id="details", can_focus=False)
        self._sid = sid
        self._following: Following | None = None
        self._everything = False
        self._details: bool | None = None
        """Whether they are shown; None: where there is room."""
        self._zoom = self._shift = 0
        self._entries: list[Entry] = []
        self._chart: list[Text] = []
        self._view: _View | None = None
        self._trouble = ""

    def compose(self) -> ComposeResult:
        """Verdict, chart, moments, details, and the keys."""
        yield from (self._top, self._bars, self._head)
        with Container(id="below"):
            yield self._moments
            with self._beside:
                yield self._known
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Begin to look."""
        self._moments.focus()
        self.run_worker(self._look(), group="look")

    def on_resize(self) -> None:
        """Everything is laid out anew."""
        self._place_details()
        self.call_after_refresh(self._draw)

    async def _look(self) -> None:
        drawn = 0.0
        while self.is_running:
            try:
                came = await self._look_once()
                room = self._following
                if came or (room and not room.is_over and time.monotonic() - drawn >= TICKS_EVERY):
                    drawn = time.monotonic()
                    self._draw()
            except UnknownRoomError:
                self.notify("the room was forgotten", markup=False)
                self.dismiss()
                return
            except StoreError as error:
                self._trouble, self._following = str(error), None
                self._draw()
                await asyncio.sleep(AFTER_ERROR)
            await asyncio.sleep(LOOKS_EVERY)

    async def _look_once(self) -> bool:
        """Whether something came."""
        before = self._following

        def look(reader: Reader) -> tuple[Following, bool]:
            now = time.time_ns()
            return (before, before.look(now)) if before else (Following(reader, self._sid, now), True)

        self._following, came = await self._reading.run(look)
        came, self._trouble = came or bool(self._trouble), ""
        return came

    def _draw(self) -> None:
        """Everything, of what is known by now."""
        if not self.is_attached:
            return
        if self._following is None:
            self._top.update(Text(plain(self._trouble), style="bold red"))
            return
        chosen, at_end = self._key(), self._moments.cursor >= len(self._entries) - 1
        self._view = view = _View(self._following.timeline, everything=self._everything)
        width = max(self.size.width - 1, NARROWEST)
        self._top.update(view.head(width))
        table = view.table(max(self._moments.size.width - 2, NARROWEST))
        self._entries = list(table.entries())
        self._head.update(table.head())
        keys = [_key(entry) for entry in self._entries]
        if chosen and chosen in keys and not (at_end and not self._following.is_over):
            cursor = keys.index(chosen)
        elif self._following.is_over:
            cursor = min(self._moments.cursor, len(keys) - 1)
        else:
            cursor = max((at for at, key in enumerate(keys) if key), default=0)
        self._moments.show(len(self._entries), lambda number: self._entries[number][0], cursor)
        self._draw_chart()
        self._draw_details()

    def _draw_chart(self) -> None:
        view, lines = self._view, self._bars
        if view is None or not view.timeline.steps:
            return
        entry = self._entry()
        mark = entry.step.time if entry else None
        chart = view.chart(max(self.size.width - 1, NARROWEST), ZOOMS[self._zoom], self._shift, mark)
        self._shift = chart.shift
        self._chart = list(chart.lines())
        lines.styles.height = min(len(self._chart), max(self.size.height // CHART_SHARE, 4))
        lines.show(len(self._chart), lambda number: self._chart[number])

    def _draw_details(self) -> None:
        view, entry = self._view, self._entry()
        if view is None:
            return
        shown = self._known
        if isinstance(entry, MomentRow):
            shown.update(MomentView(view.timeline, entry, view.explanation.findings))
        elif entry is not None:
            shown.update(MissingView(view.timeline, entry))
        else:
            shown.update(Text("nothing is known of this line beyond what it says", style="dim"))

    def _entry(self) -> MomentRow | Missing | None:
        """What is under the cursor."""
        at = self._moments.cursor
        return self._entries[at][1] if at < len(self._entries) else None

    def _key(self) -> object:
        at = self._moments.cursor
        return _key(self._entries[at]) if at < len(self._entries) else None

    def on_lines_moved(self, message: Lines.Moved) -> None:
        """Details of another moment, which is marked in the chart."""
        if message.lines.id == "moments":
            self._show_marked()

    def _show_marked(self) -> None:
        """Draw what depends on the cursor; where the axis is wider than the screen, its column comes into view."""
        entry = self._entry()
        if entry and self._view and self._zoom:
            width = max(self.size.width - 1, NARROWEST)
            chart = self._view.chart(width, ZOOMS[self._zoom], self._shift, entry.step.time)
            column = chart.marked or 0
            if not chart.shift <= column < chart.shift + chart.width:
                self._shift = column - chart.width // 2
        self._draw_chart()
        self._draw_details()
        self._beside.scroll_home(animate=False)

    def _place_details(self) -> None:
        shows = self._details if self._details is not None else self._has_room()
        self._beside.set_class(shows, "shown")
        self._bars.display = not shows or self._has_room()

    def _has_room(self) -> bool:
        return self.size.height >= DETAILS_FROM or self.size.width >= WIDE_FROM

    def action_details(self) -> None:
        """Show the details of the moment under the cursor, or hide them."""
        self._details = not self._beside.has_class("shown")
        self._place_details()
        self.call_after_refresh(self._draw)

    def on_lines_chosen(self) -> None:
        """As `enter`."""
        self.action_details()

    def action_problem(self, by: int) -> None:
        """The next moment at which something went wrong."""
        view = self._view
        count = len(self._entries)
        order = [(self._moments.cursor + by * step) % count for step in range(1, count + 1)]
        problems = view.problems(self._entries) if view else set()
        found = next((at for at in order if at in problems), None)
        if found is None:
            self.notify("nothing went wrong here", markup=False)
        else:
            self._moments.move_to(found)

    def action_zoom(self, by: int) -> None:
        """Twice as wide, half as wide, or the whole; what is under the cursor stays in view."""
        before = ZOOMS[self._zoom]
        self._zoom = min(max(self._zoom + by, 0), len(ZOOMS) - 1) if by else 0
        self._shift = self._shift * ZOOMS[self._zoom] // before
        self._show_marked()

    def action_pan(self, by: int) -> None:
        """A quarter of the screen."""
        self._shift = max(self._shift + by * self.size.width // 4, 0)
        self._draw_chart()

    def action_everything(self) -> None:
        """Every moment and participant, or what is notable."""
        self._everything = not self._everything
        self._draw()

    def action_why(self) -> None:
        """Why it went as it did."""
        if self._view:
            self.app.push_screen(WhyScreen(WhyView(self._view.timeline, self._view.explanation)))

    def action_copy(self) -> None:
        """Copy the link to the room's trace or, without Jaeger's address, the trace's id."""
        if self._view is None:
            return
        trace = self._view.timeline.trace_id
        if self._jaeger_url:
            link = trace_link(trace, self._jaeger_url)
            self.app.copy_to_clipboard(link)
            self.notify(plain(link), title="copied", markup=False)
        else:
            self.app.copy_to_clipboard(trace)
            self.notify(f"the trace's id {trace}; with --jaeger-url, its link", title="copied", markup=False)

    def action_back(self) -> None:
        """To all rooms."""
        self.dismiss()


class WhyScreen(Screen[None]):
    """What `tracer why` answers."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,w,backspace,enter", "dismiss", "back", key_display="q"),
        Binding("down,j", "scroll(1)", "scroll", key_display="↑↓"),
        Binding("up,k", "scroll(-1)", "up", show=False),
    ]
    CSS = "WhyScreen Static { height: auto; }"

    def __init__(self, view: WhyView) -> None:
        super().__init__()
        self._why = view

    def compose(self) -> ComposeResult:
        """The answer, and the keys."""
        with VerticalScroll():
            yield Static(self._why)
        yield Footer(show_command_palette=False)

    def action_scroll(self, by: int) -> None:
        """One line."""
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)


class _View:
    """What is drawn of a timeline."""

    def __init__(self, timeline: Timeline, *, everything: bool) -> None:
        self.timeline = timeline
        self.explanation = explain(timeline)
        self.shown = list(timeline.participants) if everything else notable(timeline)
        self.hidden = [who for who in timeline.participants if who not in self.shown]
        self.rows = MomentRows(timeline, self.explanation.findings, self.hidden, everything=everything)
        self._proofs = {step.key for found in self.explanation.findings for step in found.evidence}

    def head(self, width: int) -> Text:
        found = len(self.explanation.findings)
        text = verdict(self.timeline, self.explanation, width)
        more = f"   {found} {plural(found, 'cause')}: w" if found > 1 else ""
        text.append("\n")
        text.append_text(one_line(self.timeline, width - len(more), live=True))
        text.append(more, style="dim")
        return text

    def table(self, width: int) -> MomentTable:
        return MomentTable(self.rows, self.hidden, width)

    def chart(self, width: int, zoom: int, shift: int, mark: int | None) -> Chart:
        until = None if self.timeline.room.finished else self.timeline.now
        steps = [row.step for row in self.rows.rows]
        return Chart(
            self.timeline,
            self.shown,
            steps,
            width,
            self.explanation,
            until=until,
            zoom=zoom,
            shift=shift,
            mark=mark,
        )

    def problems(self, entries: list[Entry]) -> set[int]:
        """The numbers of the lines at which something went wrong, or after which the chart is red."""
        found = {at for at, (_, entry) in enumerate(entries) if entry and self._is_problem(entry)}
        times = [(entry.step.time, at) for at, (_, entry) in enumerate(entries) if isinstance(entry, MomentRow)]
        for red in failed_at(lanes(self.timeline, self.explanation)):
            found |= {at for _, at in [max((one for one in times if one[0] <= red), default=(0, 0))]}
        return found

    def _is_problem(self, entry: MomentRow | Missing) -> bool:
        if isinstance(entry, Missing):
            return True
        named = any(step.contradicted or step.key in self._proofs for step in entry.steps)
        return named or self.rows.has_failed(entry)


def _key(entry: Entry) -> object:
    """What a line is about, however often it is made anew."""
    what = entry[1]
    if isinstance(what, Missing):
        return what.step.key, what.what
    return what.step.key if what else None
