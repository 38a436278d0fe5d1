"""Which steps a user has done: a line for each, in their state folder."""

from __future__ import annotations

from contextlib import suppress

from tracer.settings import learnt_file

__all__ = ["done", "note"]

LONGEST = 1000
"""Characters of that file that are read."""


def done() -> set[int]:
    """The steps that were done; none where nothing can be read."""
    try:
        with learnt_file().open(encoding="utf-8") as file:
            return {int(word) for word in file.read(LONGEST).split() if word.isascii() and word.isdigit()}
    except (OSError, UnicodeDecodeError):
        return set()


def note(number: int) -> None:
    """Note that a step was done; where nothing can be written, nothing is."""
    if number in done():
        return
    with suppress(OSError):
        file = learnt_file()
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as opened:
            opened.write(f"{number}\n")
