"""The full screen of `tracer watch`: all rooms, and the one that is chosen."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import work
from textual.app import App
from textual.binding import Binding
from textual.screen import Screen
from textual.widgets import Footer, Input, Static

from tracer.errors import StoreError
from tracer.store import shown
from tracer.units import plural
from tracer.view.rooms import NO_ROOMS, Columns
from tracer.view.text import fit, plain
from tracer.watch.lines import Lines
from tracer.watch.reading import Reading
from tracer.watch.room_screen import WIDE_FROM, RoomScreen
from tracer.watch.rooms import LOOKS_EVERY, Rooms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from tracer.store import Reader

__all__ = ["WatchApp", "watch"]

TICKS_EVERY = 1.0
"""Seconds after which what is open is drawn anew, though nothing came."""
SHOWN_WITHIN = 0.02
"""Seconds for what is new to be drawn, before it is found out how rooms stand."""
AFTER_ERROR = 2.0
"""Seconds before a store that failed is tried again."""
LONGEST_SEARCH = 200
"""Characters of what is searched for."""
FOUND = 500
"""Rooms that a search finds at the most."""


class RoomsScreen(Screen[None]):
    """All rooms, newest first, as they are now."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", show=True),
        Binding("n", "problem(1)", "next problem"),
        Binding("N", "problem(-1)", "previous problem", show=False),
        Binding("slash", "search", "search", priority=True),
        Binding("escape", "clear", "clear the search", show=False),
        Binding("q", "app.quit", "quit"),
    ]
    CSS = """
    RoomsScreen { layout: vertical; }
    #title, #columns { height: 1; text-wrap: nowrap; }
    #search { height: 1; border: none; padding: 0; }
    #rooms { height: 1fr; }
    """

    app: WatchApp

    def __init__(self) -> None:
        super().__init__()
        self._top, self._head = Static(Text(), id="title"), Static(Text(), id="columns")
        self._field = Input(placeholder="room, identity, agent or cause", id="search", max_length=LONGEST_SEARCH)
        self._field.display = False
        self._lines = Lines(id="rooms")
        self._columns = Columns(80)
        self._shown: list[str] = []
        self._found: set[str] | None = None
        """Rooms that were searched for; None without a search."""
        self._found_out: set[str] = set()
        """Rooms that stand otherwise, which is not drawn yet."""
        self._trouble = ""
        self._made: dict[str, tuple[tuple[str, ...], Text]] = {}
        """The line of each room that was seen, and the cells that it was made of."""
        self._said = Text()
        """The title."""
        self._rooms: Rooms | None = None

    def compose(self) -> ComposeResult:
        """Title, search, the names of the columns, the rooms, and the keys."""
        yield from (self._top, self._field, self._head, self._lines)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Begin to look."""
        self._lines.focus()
        self.run_worker(self._look(), group="look")
        self.set_interval(TICKS_EVERY, self._tick)

    def on_resize(self) -> None:
        """The columns are laid out anew."""
        self._draw(anew=True)

    async def _look(self) -> None:
        while self.is_running:
            if self.is_current:
                try:
                    await self._look_once()
                except StoreError as error:
                    self._trouble, self._rooms = str(error), None
                    self._draw()
                    await asyncio.sleep(AFTER_ERROR)
            await asyncio.sleep(LOOKS_EVERY)

    async def _look_once(self) -> None:
        rooms, seen = self._rooms, self._seen()

        def look(reader: Reader) -> tuple[Rooms, set[str]]:
            known = rooms or Rooms(reader, everything=self.app.everything)
            return known, known.look(time.time_ns())

        known, changed = await self.app.reading.run(look)
        began = rooms is None
        self._rooms, self._trouble = known, ""
        if changed or began:
            await self._search_anew()
        if changed or began or self._found_out:
            self._draw(changed | self._found_out, anew=began)
        await asyncio.sleep(SHOWN_WITHIN)
        # It is drawn with what is new next: drawing takes more time than all that is drawn.
        self._found_out = await self.app.reading.run(lambda _: known.find_out(time.time_ns(), seen))

    def _seen(self) -> list[str]:
        """The rooms on the screen: how they stand is found out first."""
        return [self._shown[at] for at in self._lines.seen if at < len(self._shown)]

    def _tick(self) -> None:
        # What came has drawn all of it within this second.
        if self.is_current and self._rooms and time.monotonic() - self._lines.drawn >= TICKS_EVERY / 2:
            self._lines.tick()

    def _draw(self, changed: Iterable[str] = (), *, anew: bool = False) -> None:
        """Draw what ``changed``; ``anew``: the columns too, as the terminal's size may be another."""
        rooms, lines = self._rooms, self._lines
        width = max(self.size.width - 1, 40)  # the scroll bar's column
        if not self.is_attached:
            return
        if rooms is None:
            self._top.update(Text(fit(plain(self._trouble), width), style="bold red"), layout=False)
            return
        now, before = time.time_ns(), self._columns.head()
        if anew:
            self._columns = Columns(width)
        for sid in rooms.rows if anew else changed:
            if sid in rooms.rows:
                self._columns.see(rooms.cells(sid, now))
        anew = anew or self._columns.head() != before
        shown = [sid for sid in rooms.rows if self._found is None or sid in self._found]
        if anew or shown != self._shown:
            self._made = {sid: made for sid, made in self._made.items() if sid in rooms.rows and not anew}
            chosen = self._shown[lines.cursor] if lines.cursor < len(self._shown) else ""
            cursor = lines.cursor and (shown.index(chosen) if chosen in shown else lines.cursor)
            self._shown = shown
            lines.show(len(shown), self._line, cursor)
        else:
            lines.tick([self._shown.index(sid) for sid in changed if sid in rooms.rows and sid in self._shown])
        if anew:
            self._head.update(Text(self._columns.head(), style="bold"), layout=False)
        title = self._title(rooms, width)
        if title != self._said:
            self._said = title
            self._top.update(title, layout=False)

    def _line(self, number: int) -> Text:
        rooms = self._rooms
        if rooms is None or self._shown[number] not in rooms.rows:
            return Text()
        sid = self._shown[number]
        cells, style = rooms.cells(sid, time.time_ns()), rooms.style(sid)
        made = self._made.get(sid)
        if made and made[0] == cells:
            return made[1]
        line = Text(self._columns.line(cells), no_wrap=True)
        line.stylize(style, 0, 1)
        self._made[sid] = cells, line
        return line

    def _title(self, rooms: Rooms, width: int) -> Text:
        if not rooms.rows:
            return Text(fit(NO_ROOMS, width), style="dim")
        count = len(rooms.rows)
        still = sum(row.finished is None for row in rooms.rows.values())
        bad = sum(map(rooms.has_problem, rooms.rows))
        parts = [f"{count} {plural(count, 'room')}", f"{still} open", f"{bad} with a problem"]
        if self._found is not None:
            parts.insert(0, f"{len(self._shown)} found of")
        line = Text("tracer watch", style="bold")
        line.append(fit(f"   {', '.join(parts).replace('of, ', 'of ')}", width - 12), style="not bold")
        left = width - len(line.plain) - 3
        if left > 10:
            line.append(f"   {fit(plain(shown(self.app.store)), left)}", style="not bold dim")
        return line

    def action_open(self) -> None:
        """Open the room under the cursor."""
        lines = self._lines
        if lines.cursor < len(self._shown):
            sid = self._shown[lines.cursor]
            self.app.push_screen(RoomScreen(sid, self.app.reading, self.app.jaeger_url))

    def on_lines_chosen(self) -> None:
        """Open it."""
        self.action_open()

    def action_problem(self, by: int) -> None:
        """The next room in which something went wrong."""
        rooms, lines = self._rooms, self._lines
        if rooms is None or not self._shown:
            return
        count = len(self._shown)
        order = [(lines.cursor + by * step) % count for step in range(1, count + 1)]
        found = next((at for at in order if rooms.has_problem(self._shown[at])), None)
        if found is None:
            self.notify("no room with a problem", markup=False)
        else:
            lines.move_to(found)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a search is typed, a slash is part of it."""
        return action != "search" or not self._field.has_focus

    def action_search(self) -> None:
        """Open the search."""
        # Both at once, as its binding comes before all others: what is typed with the slash is for the field already.
        self._field.display = True
        self.set_focus(self._field)

    async def action_clear(self) -> None:
        """Close the search, and show all rooms."""
        self._field.display = False
        self._field.clear()
        self._found = None
        self._lines.focus()
        self._draw(anew=True)

    def on_input_submitted(self) -> None:
        """Back to the list, with what was found."""
        self._lines.focus()

    def on_input_changed(self) -> None:
        """Search while it is typed."""
        self._search()

    @work(group="search", exclusive=True)
    async def _search(self) -> None:
        await asyncio.sleep(LOOKS_EVERY)
        await self._search_anew()
        self._draw(anew=True)

    async def _search_anew(self) -> None:
        text = self._field.value.strip()
        if not text:
            self._found = None
            return
        try:
            rows = await self.app.reading.run(lambda reader: reader.search(text, FOUND))
        except StoreError as error:
            self._trouble = str(error)
            return
        rooms = self._rooms.rows if self._rooms else {}
        named = {sid for sid, row in rooms.items() if text.lower() in (row.name or "").lower()}
        self._found = named | {row.sid for row in rows}


class WatchApp(App[None]):
    """All rooms of a store, until the user leaves."""

    TITLE = "tracer watch"
    CSS = """
    * {
        scrollbar-size: 1 1;
        scrollbar-background: ansi_default;
        scrollbar-background-hover: ansi_default;
        scrollbar-background-active: ansi_default;
        scrollbar-color: ansi_bright_black;
        scrollbar-color-hover: ansi_bright_black;
        scrollbar-color-active: ansi_bright_black;
    }
    Toast { background: ansi_default; border: round ansi_default; padding: 0 1; }
    Input > .input--cursor { color: ansi_default; background: ansi_default; text-style: reverse; }
    Input > .input--selection { color: ansi_default; background: ansi_default; text-style: reverse; }
    """
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "end", show=False, priority=True)]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE_FROM, "-wide")]  # noqa: RUF012  as Textual declares it

    def __init__(self, reading: Reading, store: str, *, everything: bool = False, jaeger_url: str = "") -> None:
        super().__init__()
        self.theme = "ansi-dark"  # the terminal's own colours, on whichever ground it has
        self.reading = reading
        self.store = store
        self.everything = everything
        self.jaeger_url = jaeger_url
        """Where traces are looked at; empty: nowhere."""

    def on_mount(self) -> None:
        """Show the rooms."""
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and not self.is_headless:
                with suppress(NotImplementedError):  # Windows
                    asyncio.get_running_loop().add_signal_handler(number, self.exit, None, 128 + number)
        self.push_screen(RoomsScreen())

    def action_end(self) -> None:
        """As a shell expects it of what Ctrl-C has ended."""
        self.exit(return_code=128 + signal.SIGINT)


def watch(store: str, *, everything: bool = False, jaeger_url: str = "") -> None:
    """Fill the screen until the user leaves. Raises StoreError when there is no such store."""
    reading = Reading(store)
    try:
        app = WatchApp(reading, store, everything=everything, jaeger_url=jaeger_url)
        app.run()
    finally:
        reading.close()
    if app.return_code:
        sys.exit(app.return_code)
