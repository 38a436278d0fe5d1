"""Text from outside, made harmless and of known width.

Identities, names and attributes are chosen by strangers. Whatever they contain, a terminal must not act on it and
a column must not move.
"""

from __future__ import annotations

import unicodedata

from rich.cells import cell_len, set_cell_size

__all__ = ["fit", "plain", "width_of"]

_LONGEST = 400
"""Characters of a text that are kept; no column is wider."""
_MOST_MARKS = 2
"""Combining characters on one letter: no script needs more; stacks of them cover the lines around."""


def plain(text: str) -> str:
    """One line without anything a terminal would act on or draw out of its column.

    Control characters, line ends, bidirectional overrides, right-to-left and zero-width characters, and whatever has no
    fixed width in every terminal are shown as their code point.
    """
    cut = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    if cut.isascii() and cut.isprintable():  # as most are: a room of a thousand has twenty thousand of them
        return cut
    safe: list[str] = []
    marks = 0
    for char in unicodedata.normalize("NFC", cut):
        combining = unicodedata.category(char) == "Mn" and cell_len(char) == 0
        marks = marks + 1 if combining else 0
        if "\ufe00" <= char <= "\ufe0f":  # asks for another look of the character before it, and another width
            continue
        if combining and safe and marks <= _MOST_MARKS:
            safe.append(char)
        else:
            safe.append(char if _is_safe(char) else _visible(char))
    return "".join(safe)


def _is_safe(char: str) -> bool:
    if " " <= char <= "~":
        return True
    if unicodedata.category(char)[0] not in "LNPS" or unicodedata.bidirectional(char) in ("R", "AL", "AN"):
        return False
    if "\U0001f1e6" <= char <= "\U0001f1ff":  # half a flag, as wide as the terminal likes
        return False
    wide = unicodedata.east_asian_width(char)
    # "Ambiguous" is wide in some terminals; letters and lines are narrow wherever people read Latin text.
    return cell_len(char) == (2 if wide in "WF" else 1)


def _visible(char: str) -> str:
    if char in "\t\n\r" or unicodedata.category(char) == "Zs":
        return " "
    return f"‹{ord(char):x}›"  # noqa: RUF001  brackets that names do not have


def width_of(text: str) -> int:
    """How many columns of the terminal it takes."""
    return len(text) if text.isascii() and text.isprintable() else cell_len(text)  # a list has thousands of them


def fit(text: str, width: int) -> str:
    """The text, cut with … to at most this many columns of the terminal."""
    if width_of(text) <= width:
        return text
    return set_cell_size(text, max(width - 1, 0)).rstrip() + "…" if width > 0 else ""
