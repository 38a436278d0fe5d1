"""A list of lines that fills its part of the screen: only those that are seen are made."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual import events
    from textual.binding import BindingType

__all__ = ["Lines"]

FEW = 16
"""Lines that are drawn one by one: ten of 38 take half the time of all of them."""
CURSOR = Style(reverse=True)


class Lines(ScrollView, can_focus=True):
    """Lines of text, one of them under the cursor. What they hold is text as it is, and never markup."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
        Binding("home,g", "edge(-1)", "first", show=False),
        Binding("end,G", "edge(1)", "last", show=False),
    ]
    DEFAULT_CSS = "Lines { overflow-x: hidden; }"

    class Moved(Message):
        """The cursor is at another line."""

        def __init__(self, lines: Lines) -> None:
            super().__init__()
            self.lines = lines

        @property
        def control(self) -> Lines:
            """Which list."""
            return self.lines

    class Chosen(Moved):
        """The line under the cursor was chosen."""

    def __init__(self, *, id: str, has_cursor: bool = True) -> None:  # noqa: A002  Textual's word
        super().__init__(id=id)
        self.has_cursor = has_cursor
        self.can_focus = has_cursor
        self.cursor = 0
        self.count = 0
        self._line: Callable[[int], Text] = lambda _: Text()
        self.drawn = 0.0
        """When all lines were last drawn, s, monotonic."""
        self._drawn: dict[int, tuple[Text, Strip]] = {}
        """What was made of which text, by the line's number."""
        self._before: dict[int, tuple[Text, Strip]] = {}
        """The same of the lines as they stood before, by the text's id: with a new line all others move by one."""

    def show(self, count: int, line: Callable[[int], Text], cursor: int | None = None) -> None:
        """Show so many lines, each made by ``line`` from its number when it is seen; ``cursor`` moves there.

        A line that says the same as before is the same text.
        """
        self._line, grew = line, count != self.count
        self.count = count
        self._before = {id(text): (text, strip) for text, strip in self._drawn.values()}
        self._drawn.clear()
        if grew:
            self.virtual_size = Size(self.scrollable_content_region.width, count)
        self.cursor = min(max(self.cursor if cursor is None else cursor, 0), max(count - 1, 0))
        if self.has_cursor and (grew or cursor is not None):
            self._follow()
        self.drawn = time.monotonic()
        self.refresh()

    def tick(self, numbers: Iterable[int] | None = None) -> None:
        """Draw those of these lines anew that are seen and say something else by now; without numbers, of all."""
        seen = self.seen
        others = [
            number
            for number in (seen if numbers is None else numbers)
            if number in seen and (number not in self._drawn or self._drawn[number][0] is not self._line(number))
        ]
        if len(others) > FEW:
            self.drawn = time.monotonic()
            self.refresh()
            return
        for number in others:
            self.refresh(Region(0, number - round(self.scroll_y), self.size.width, 1))

    @property
    def seen(self) -> range:
        """The numbers of the lines that are on the screen."""
        first = round(self.scroll_y)
        return range(first, min(first + self.size.height, self.count))

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        number, width = y + round(self.scroll_y), self.size.width
        if number >= self.count:
            return Strip.blank(width, self.rich_style)
        text, drawn = self._line(number), self._drawn.get(number)
        if drawn is None or drawn[0] is not text:
            drawn = self._before.get(id(text))
        if drawn is None or drawn[1].cell_length != width:
            drawn = text, Strip(text.render(self.app.console, end="")).crop_extend(0, width, None)
        self._drawn[number] = drawn
        strip = drawn[1]
        if self.has_cursor and number == self.cursor:
            return Strip([Segment(strip.text, CURSOR)], width)  # of one colour, whatever the line has
        return strip

    def move_to(self, number: int) -> None:
        """Put the cursor on this line."""
        number = min(max(number, 0), max(self.count - 1, 0))
        if number != self.cursor:
            self.cursor = number
            self.refresh()
            self.post_message(self.Moved(self))
        self._follow()

    def _follow(self) -> None:
        self.scroll_to_region(Region(0, self.cursor, 1, 1), animate=False, force=True)

    def action_move(self, by: int) -> None:
        """One line up or down."""
        self.move_to(self.cursor + by)

    def action_page(self, by: int) -> None:
        """A screen up or down."""
        self.move_to(self.cursor + by * max(self.size.height - 1, 1))

    def action_edge(self, to: int) -> None:
        """The first line or the last."""
        self.move_to(0 if to < 0 else self.count - 1)

    def action_choose(self) -> None:
        """Choose the line under the cursor."""
        if self.count:
            self.post_message(self.Chosen(self))

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor there, a second one chooses."""
        number = event.y + round(self.scroll_y)
        if self.has_cursor and number < self.count:
            self.move_to(number)
            if event.chain > 1:
                self.action_choose()
