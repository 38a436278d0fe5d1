"""The terminal's second screen, on which something is drawn over and over, and how it is left in order."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from rich.control import Control

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console, RenderableType

__all__ = ["Stop", "can_draw", "on_screen", "stoppable"]

_STOPS = ("SIGINT", "SIGTERM", "SIGHUP")
"""Signals that end it; Windows has not all of them."""


class Stop:
    """Whether the user has ended it, and by which signal."""

    number = 0

    def __bool__(self) -> bool:
        return self.number != 0

    def handle(self, number: int, _: Any) -> None:
        """Note a signal; what is being drawn is drawn to its end. The second one does not wait for that."""
        if self.number:
            raise KeyboardInterrupt
        self.number = number

    def leave(self) -> None:
        """Exit as a shell expects it of a program that a signal has ended, where one has. Raises SystemExit."""
        if self.number:
            sys.exit(128 + self.number)


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Signals that would end the process are noted instead, and what to do is left to whoever asks."""
    stop = Stop()
    numbers = [getattr(signal, name) for name in _STOPS if hasattr(signal, name)]
    before = {number: signal.signal(number, stop.handle) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def can_draw(out: Console) -> bool:
    """Whether it is a terminal that has a second screen."""
    return sys.stdout.isatty() and out.is_terminal and not out.is_dumb_terminal


@contextmanager
def on_screen(out: Console) -> Iterator[Callable[[RenderableType], None]]:
    """What draws on the second screen. Afterwards, and while the user has it stopped with Ctrl-Z, the first is back."""
    with _silent() as echo, out.screen(hide_cursor=True) as screen, _suspended(out, echo):
        yield screen.update


@contextmanager
def _silent() -> Iterator[Callable[[bool], None]]:
    """What is typed does not show; yields what changes that."""
    try:
        import termios

        at = sys.stdin.fileno()
        before = termios.tcgetattr(at)
    except (ImportError, OSError, ValueError, AttributeError):  # no terminal to type on, or Windows
        yield lambda _: None
        return
    except termios.error:
        yield lambda _: None
        return

    def echo(shows: bool) -> None:
        with suppress(termios.error):  # the terminal is gone
            new = termios.tcgetattr(at)
            new[3] = before[3] if shows else before[3] & ~termios.ECHO
            termios.tcsetattr(at, termios.TCSADRAIN, new)

    echo(False)
    try:
        yield echo
    finally:
        echo(True)


@contextmanager
def _suspended(out: Console, echo: Callable[[bool], None]) -> Iterator[None]:
    """Ctrl-Z gives the user the terminal as it was, until they come back."""
    if not hasattr(signal, "SIGTSTP"):
        yield
        return

    def switch(to_screen: bool) -> None:
        # Not by the console: it may be about to write, and what it writes to cannot be entered again.
        controls = Control.alt_screen(to_screen), Control.show_cursor(not to_screen)
        os.write(out.file.fileno(), "".join(control.segment.text for control in controls).encode())

    def stop(number: int, _: Any) -> None:
        switch(False)
        echo(True)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        # Here again after `fg`.
        signal.signal(number, stop)
        echo(False)
        switch(True)

    before = signal.signal(signal.SIGTSTP, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTSTP, before)
