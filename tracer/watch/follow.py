"""`tracer timeline ROOM --follow`: a room until it is over, on a terminal or line by line."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from tracer.store import open_reader
from tracer.view.console import console
from tracer.view.live import LiveView
from tracer.view.moments import MomentLines
from tracer.view.terminal import TimelineView, one_line
from tracer.view.verdict import verdict
from tracer.watch.following import LOOKS_EVERY, Following
from tracer.watch.screen import can_draw, on_screen, stoppable
from tracer.why import explain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from tracer.store import Reader
    from tracer.watch.screen import Stop

__all__ = ["follow"]

TICKS_EVERY = 0.5
"""Seconds after which what is open is drawn anew, though nothing came."""


def follow(
    store: str,
    find: Callable[[Reader], str | None],
    *,
    everything: bool = False,
    summary: bool = False,
    width: int | None = None,
) -> None:
    """Show the room until it is over or the user ends it; its timeline stays.

    ``find`` says which room it is, and None while it is not there. Raises UnknownRoomError, StoreError.
    """
    out = console()
    if width:
        out.width = width
    with stoppable() as stop:
        with closing(open_reader(store)) as reader:
            while (sid := find(reader)) is None and not stop:
                time.sleep(LOOKS_EVERY)
            if sid is not None:
                room = Following(reader, sid, time.time_ns())
                shown = _Shown(everything, summary)
                if can_draw(out):
                    _draw(out, room, shown, stop)
                else:
                    _print_lines(out, room, shown, stop)
        stop.leave()


class _Shown(NamedTuple):
    """How much of it."""

    everything: bool
    summary: bool


def _draw(out: Console, room: Following, shown: _Shown, stop: Stop) -> None:
    """Draw it anew and anew; at the end, however that comes, the timeline is printed where the command was typed."""
    everything, summary = shown
    try:
        if not room.is_over:
            with on_screen(out) as draw:
                for _ in _news(room, stop, lambda: out.size):
                    draw(LiveView(room.timeline, everything=everything, summary=summary))
    finally:
        out.print(TimelineView(room.timeline, everything=everything, summary=summary))


def _print_lines(out: Console, room: Following, shown: _Shown, stop: Stop) -> None:
    """A line for each moment as it comes, and for what should have come; at the end the verdict."""
    lines = MomentLines(out.width, everything=shown.everything)
    out.print(one_line(room.timeline, out.width, live=True))
    out.print(lines.head())
    try:
        for _ in _news(room, stop):
            for line in lines.new(room.timeline):
                out.print(line)
    finally:
        out.print(Text())
        out.print(verdict(room.timeline, explain(room.timeline), out.width))
        out.print(one_line(room.timeline, out.width))


def _news(room: Following, stop: Stop, look: Callable[[], object] = lambda: None) -> Iterator[None]:
    """At once, whenever something came, when ``look`` sees something else, and now and then; until it is over."""
    seen, at = look(), time.monotonic()
    yield
    while not (stop or room.is_over):
        time.sleep(LOOKS_EVERY)
        came, sees = room.look(time.time_ns()), look()
        if came or sees != seen or time.monotonic() - at >= TICKS_EVERY:
            seen, at = sees, time.monotonic()
            yield
    yield
