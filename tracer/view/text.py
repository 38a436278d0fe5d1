"""Text from outside, made harmless and of known width.

Identities, names and attributes are chosen by strangers. Whatever they hold, a terminal must not act on it and
a column must not move.
"""

from __future__ import annotations

import unicodedata

from rich.cells import cell_len, set_cell_size

__all__ = ["duration", "fit", "milliseconds", "plain"]

_LONGEST = 400
"""Characters of a text that are looked at; no column is wider."""


def plain(text: str) -> str:
    """One line without anything a terminal would act on or draw out of its column.

    Control characters, line ends, bidirectional overrides, zero-width and combining characters, and whatever has
    no fixed width in every terminal are shown as their code point.
    """
    cut = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    return "".join(char if _is_safe(char) else _visible(char) for char in unicodedata.normalize("NFC", cut))


def _is_safe(char: str) -> bool:
    if " " <= char <= "~":
        return True
    if unicodedata.category(char)[0] not in "LNPS" or unicodedata.bidirectional(char) in ("R", "AL", "AN"):
        return False
    # Emoji and other pictures: terminals disagree on their width.
    return ord(char) < 0x10000 and not 0x2600 <= ord(char) < 0x2800 and cell_len(char) in (1, 2)


def _visible(char: str) -> str:
    if char in "\t\n\r\u00a0" or unicodedata.category(char) == "Zs":
        return " "
    return f"‹{ord(char):x}›"


def fit(text: str, width: int) -> str:
    """The text, cut with … to at most this many columns of the terminal."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(width - 1, 0)).rstrip() + "…" if width > 0 else ""


def milliseconds(ms: float) -> str:
    """A length of time in the unit that reads best, three digits or so."""
    if abs(ms) < 0.05:
        return "0 ms"
    if abs(ms) < 10:
        return f"{ms:.1f} ms"
    if abs(ms) < 999.5:
        return f"{ms:.0f} ms"
    return duration(ms / 1000)


def duration(seconds: float) -> str:
    """A length of time of a second or more."""
    if abs(seconds) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"
