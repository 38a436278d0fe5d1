"""What every store does alike, whatever it is written in."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.timeline.listened import stopped
from tracer.timeline.trace_jobs import is_trace
from tracer.units import FOREVER, NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracer.moment import Moment
    from tracer.store.contract import RoomRow
    from tracer.timeline.listened import Listened

__all__ = [
    "CLOSED_KEPT",
    "IS_AGENT",
    "KEYS_KEPT",
    "LARGEST",
    "MOST_UNKNOWN",
    "SEARCHED",
    "SILENT_KEPT",
    "WITH_IDENTITIES",
    "RoomNews",
    "as_written",
    "digest_of",
    "identity_fact",
    "news_of",
    "row_of",
    "span_ids",
]

SEARCHED = (2, 3, 5)
"""Places of causes, agents' names and identities in ``latency.summary.Summary``."""
WITH_IDENTITIES = 9
"""The version of summaries from which on they have identities."""
KEYS_KEPT = 30 * 24 * 3600 * NS_PER_S
"""For how long, ns, a span is sent only once and a webhook taken only once. The server repeats one for a minute."""
CLOSED_KEPT = 24 * 3600 * NS_PER_S
"""What a worker reported that has closed is kept, ns, while the oldest room is at most so much younger."""
SILENT_KEPT = 30 * 24 * 3600 * NS_PER_S
"""A worker that has reported nothing for so long, ns, has gone without a word: one that runs reports each few hours."""
MOST_UNKNOWN = 1000
"""Names of what is unknown that are kept; those that come later are not."""
LARGEST = 1024 * 1024
"""Bytes of evidence that are read at one time."""
SPAN_ID = 8
"""Bytes of a span's id."""
IS_AGENT = f'["{keys.PARTICIPANT_KIND}","AGENT"]'
"""How the fact appears in a moment's JSON; text from outside cannot look like it, its quotes are escaped."""


@dataclass(slots=True)
class RoomNews:
    """What a commit adds to a room; times in ns since the epoch."""

    name: str | None = None
    created: int | None = None
    finished: int | None = None
    changed: int = 0
    """Number of its newest moment."""
    earliest: int = FOREVER
    latest: int = 0
    joined: bool = False
    """Whether somebody joined: perhaps anew, which the summary of the room before would count."""

    def learn(self, number: int, moment: Moment) -> None:
        """One of its moments, with its number."""
        self.changed = max(self.changed, number)
        self.earliest, self.latest = min(self.earliest, moment.time), max(self.latest, moment.time)
        if self.name is None:
            self.name = next((str(value) for key, value in moment.facts if key == keys.ROOM_NAME), None)
        if moment.kind is Kind.ROOM_CREATED:
            self.created = min(moment.time, self.created or moment.time)
        elif moment.kind is Kind.ROOM_FINISHED:
            self.finished = min(moment.time, self.finished or moment.time)
        elif moment.kind is Kind.PARTICIPANT_JOINING:
            self.joined = True


def news_of(new: Iterable[tuple[int, str, Moment]]) -> dict[str, RoomNews]:
    """What these moments, each with its number and its room, add to each room; not those whose room is not known."""
    rooms: dict[str, RoomNews] = {}
    for number, sid, moment in new:
        if sid and not is_trace(sid):
            rooms.setdefault(sid, RoomNews()).learn(number, moment)
    return rooms


def row_of(row: RoomRow, came: int | None, runs: Iterable[Listened]) -> RoomRow:
    """The room in a list, with when tracer stopped listening to it; ``came``: when the newest of it was, ns."""
    if row.finished is not None or came is None:
        return row
    return replace(row, stopped=stopped(runs, came, time.time_ns(), row.created or 0)[1])


def as_written(text: str) -> str:
    """How a text appears within JSON that the store holds, which need not be unpacked where it has that nowhere.

    Empty where that cannot be told: letters beyond ASCII are numbers there, others for upper and for lower case.
    """
    return json.dumps(text)[1:-1] if text.isascii() else ""


def identity_fact(who: str) -> str:
    """How a participant's identity appears in a moment's JSON."""
    return f"[{json.dumps(keys.PARTICIPANT_IDENTITY)},{json.dumps(who)}]"


def span_ids(joined: bytes) -> list[bytes]:
    """Ids of spans from one behind the other."""
    return [joined[place : place + SPAN_ID] for place in range(0, len(joined), SPAN_ID)]


def digest_of(row: tuple[str | int, ...]) -> bytes:
    """Identity of a moment, by its ``row``: the same moment reported twice is one row."""
    return blake2b(repr(row).encode("utf-8", "surrogatepass"), digest_size=12).digest()
