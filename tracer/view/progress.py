"""What takes minutes, shown while it goes on: one line that changes or, where no line can, one now and then."""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.text import Text

from tracer.view.console import console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["now_and_then", "progress"]

BETWEEN_LINES = 30.0
"""Seconds between two lines that stay."""


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Shows each line that it is called with in place of the one before; in a pipe few of them, one by one."""
    out = console()
    if not out.is_terminal:
        yield now_and_then(lambda line: out.print(Text(line)), BETWEEN_LINES)
        return
    with out.status("") as status:
        yield lambda line: status.update(Text(line, style="dim", no_wrap=True, overflow="ellipsis"))


def now_and_then(write: Callable[[str], None], seconds: float) -> Callable[[str], None]:
    """Writes a line when the one before is so many seconds old, and drops the others."""
    written = -math.inf

    def show(line: str) -> None:
        nonlocal written
        if time.monotonic() - written >= seconds:
            written = time.monotonic()
            write(line)

    return show
