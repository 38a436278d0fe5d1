"""Units of time, and how a time, a length of time or a number of things is written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import overload

__all__ = [
    "FOREVER",
    "NS_PER_MS",
    "NS_PER_S",
    "clock",
    "duration",
    "milliseconds",
    "offset",
    "plural",
    "rfc3339",
    "share",
]

NS_PER_MS = 1_000_000
"""Nanoseconds in a millisecond."""
NS_PER_S = 1_000_000_000
"""Nanoseconds in a second."""
FOREVER = 2**63
"""A time that does not come, ns."""


@overload
def rfc3339(ns: int) -> str: ...
@overload
def rfc3339(ns: int | None) -> str | None: ...


def rfc3339(ns: int | None) -> str | None:
    """A time, ns since the epoch, in UTC with all nine digits; None stays None."""
    if ns is None:
        return None
    whole = datetime.fromtimestamp(ns // NS_PER_S, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{ns % NS_PER_S:09d}Z"


def clock(ns: int) -> str:
    """A time, ns since the epoch, as a clock in UTC shows it: ``10:31:05 UTC``."""
    return f"{datetime.fromtimestamp(ns // NS_PER_S, UTC):%H:%M:%S} UTC"


def milliseconds(ms: float) -> str:
    """A length of time in the unit that reads best, three digits or so."""
    if abs(ms) < 0.05:
        return "0 ms"
    if abs(ms) < 10:
        return f"{ms:.1f} ms"
    if abs(ms) < 999.5:
        return f"{ms:.0f} ms"
    return duration(ms / 1000)


def offset(ms: float) -> str:
    """A place on the time line, to a tenth of a millisecond up to a second, and to the millisecond beyond."""
    if abs(ms) < 999.95:
        return f"{ms:.1f} ms"
    minutes, rest = divmod(round(abs(ms)), 60_000)
    hours, minutes = divmod(minutes, 60)
    sign = "-" if ms < 0 else ""
    if hours:
        return f"{sign}{hours}:{minutes:02d}:{rest / 1000:06.3f}"
    return f"{sign}{minutes}:{rest / 1000:06.3f}" if minutes else f"{sign}{rest / 1000:.3f} s"


def duration(seconds: float) -> str:
    """A length of time of a second or more."""
    if abs(seconds) < 120:
        return f"{seconds:.1f} s"
    if abs(seconds) < 7200:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"


def plural(number: object, noun: str) -> str:
    """The noun for so many: ``job`` for 1, ``jobs`` for others."""
    return noun if number == 1 else f"{noun}s"


def share(part: float, whole: float) -> str:
    """A part of the whole in per cent."""
    return f"{100 * part / whole:.0f} %" if whole else ""
