"""Recordings of `tracer serve --record`, and bundles, read back: into a store, or as timelines.

A recording holds what came in, a JSON object a line, plain or gzipped. It is read by the same pure functions that the
receiver calls, so every recording ever made gets what a newer tracer sees in it. A bundle is one whose first line names
the room that it is of.
"""

from __future__ import annotations

import gzip
import json
import tempfile
import time
import zlib
from base64 import b64decode
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, cast

from tracer import keys
from tracer.errors import MalformedError, RecordingError, TooLargeError
from tracer.moment import Moment
from tracer.service.bundle import SCHEMA
from tracer.store import Arrival, open_writer
from tracer.store.load import timeline_in
from tracer.witness import agent, evidence, webhook
from tracer.witness.fields import LATEST_TIME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tracer.store import Writer
    from tracer.timeline.listened import Listened
    from tracer.timeline.timeline import Timeline

__all__ = ["Opened", "listened_in", "opened", "records", "replay", "timelines"]

LONGEST_LINE = 64 * 1024 * 1024
"""Bytes of one line, unpacked: the receiver takes 16 MiB in a request, and base64 makes a third more of it."""
LARGEST = 2 * 1024 * 1024 * 1024
"""Bytes of a whole recording, unpacked."""
LARGEST_BUNDLE = 128 * 1024 * 1024
"""Bytes of a bundle, unpacked: one room has a few, also one of a day; what a stranger sent is not worth more."""
MOST_MOMENTS = 300_000
"""Moments of a line."""
LONGEST_ID = 200
"""Characters of a moment's id, kind or clock."""
BATCH = 500
"""Arrivals that go to the store in one commit."""
_GZIP = b"\x1f\x8b"


def records(path: Path) -> Iterator[list[Arrival]]:
    """What each line brought, in the order it came. Raises RecordingError for a file that is no recording."""
    try:
        with _opened(path) as file:
            size, largest = 0, LARGEST
            for number, line in enumerate(_lines(file), 1):
                if number == 1 and _header(path, line):
                    largest = LARGEST_BUNDLE
                    continue
                size += len(line)
                if len(line) > LONGEST_LINE or size > largest:
                    raise RecordingError(path, "it is too large", number)
                if line.strip():
                    yield _arrivals(path, number, line)
    except (OSError, EOFError, zlib.error) as error:
        raise RecordingError(path, f"it cannot be read ({getattr(error, 'strerror', None) or error})") from None


def _opened(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
    return cast("BinaryIO", gzip.open(path)) if packed else path.open("rb")


def _lines(file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline(LONGEST_LINE + 1):
        yield line


def _arrivals(path: Path, number: int, line: bytes) -> list[Arrival]:
    try:
        item = json.loads(line)
        if not isinstance(item, dict):
            raise TypeError("not an object")
        return _read(item)
    except (ValueError, TypeError, KeyError, RecursionError, MalformedError, TooLargeError) as error:
        raise RecordingError(path, f"it is not a webhook, an OTLP request or moments ({error})", number) from None


def _read(item: dict[str, Any]) -> list[Arrival]:
    if "webhook" in item:
        body = json.dumps(item["webhook"], separators=(",", ":")).encode()
        # Older recordings do not hold when a webhook arrived: it is then known to the second it was sent in.
        pieces = [evidence.of_webhook(body, webhook.glance(body), int(item.get("at", NEVER)))]
    elif "traces" in item:
        body = b64decode(item["traces"])
        pieces = evidence.of_spans(agent.read(body, item["type"]), body, item["type"], int(item.get("at", NEVER)))
    else:
        return [Arrival(tuple(map(_moment, _listed(item["moments"]))))]
    return [evidence.arrival(piece) for piece in pieces]


class _About(NamedTuple):
    """What a bundle's first line says."""

    room: str
    now: int
    listened: tuple[Listened, ...]


def _read_header(path: Path) -> _About | None:
    with _opened(path) as file:
        return _header(path, next(_lines(file), b""))


def _header(path: Path, line: bytes) -> _About | None:
    """What it is about, where a first line is a bundle's."""
    if not line.lstrip().startswith(b'{"bundle"'):
        return None
    try:
        item = json.loads(line)
        room, now = item["room"], item["now"]
        listened = tuple((since, until) for since, until in item.get("listened", [[0, now]]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise RecordingError(path, "its first line is damaged", 1) from None
    if item["bundle"] != SCHEMA:
        raise RecordingError(path, f"it is {str(item['bundle'])[:LONGEST_ID]!r}, of a later tracer: upgrade", 1)
    times = [now, *(time for run in listened for time in run)]
    if not isinstance(room, str) or not now or not all(type(t) is int and 0 <= t <= LATEST_TIME for t in times):
        raise RecordingError(path, "its first line is damaged", 1)
    return _About(room, now, listened)


def _listed(rows: Any) -> list[Any]:
    if not isinstance(rows, list) or len(rows) > MOST_MOMENTS:
        raise ValueError(f"moments are no list of at most {MOST_MOMENTS:,}")
    return rows


def _moment(row: Any) -> Moment:
    """A moment of which every part is what it should be: the file may come from anybody. Raises ValueError."""
    one = Moment.from_row(row)
    texts = (one.room, one.subject, one.clock, one.witness, one.occurrence)
    times = (one.earliest, one.time, one.latest)
    if not all(isinstance(text, str) and len(text) <= LONGEST_ID for text in texts):
        raise ValueError("an id of a moment is no text, or too long")
    if not all(type(time) is int and 0 <= time <= LATEST_TIME for time in times) or not one.earliest <= one.latest:
        raise ValueError("the times of a moment are no interval")
    if not all(isinstance(key, str) and isinstance(value, str | int | float) for key, value in one.facts):
        raise ValueError("a fact is neither text nor number")
    return one


NEVER = 2**62
"""An arrival, ns, so late that it shows nothing of when a webhook was sent."""


def replay(paths: Iterable[Path], store: Writer) -> int:
    """Add recordings to a store, in which nothing is twice; how many records were read. Raises RecordingError."""
    read = 0
    for path in paths:
        waiting: list[Arrival] = []
        at: list[int] = []
        for arrivals in records(path):
            at += _times(arrivals)
            waiting += arrivals
            read += 1
            if len(waiting) >= BATCH:
                store.add(waiting)
                waiting = []
        store.add(waiting)
        about = _read_header(path)
        for since, until in about.listened if about else [(min(at), max(at))] if at else []:
            store.note_listened(f"{path.name} {since} {until}", since, until)
    return read


def listened_in(lines: Iterable[list[Arrival]]) -> Listened:
    """From when until when whoever made a recording of these lines listened, as far as they show, ns."""
    at = [time for arrivals in lines for time in _times(arrivals)]
    return min(at), max(at)


def _times(arrivals: Iterable[Arrival]) -> Iterator[int]:
    """When a line was written, as far as it shows: what is polled can be long past, and has changed then or not."""
    for arrival in arrivals:
        if arrival.evidence and arrival.evidence.at != NEVER:
            yield arrival.evidence.at
        elif arrival.evidence:  # an older recording: it came when the last that it reports had happened
            yield from sorted(moment.latest for moment in arrival.moments)[-1:]
        else:
            for moment in arrival.moments:
                seen = str(dict(moment.facts).get(keys.SEEN_BY, ""))
                if seen.isascii() and seen.isdecimal():
                    yield min(int(seen), LATEST_TIME)
                elif moment.clock == "receiver":
                    yield moment.latest


class Opened(NamedTuple):
    """A recording in a store that is thrown away afterwards."""

    store: Writer
    rooms: list[str]
    """SIDs of the rooms that it is about, the oldest first."""
    now: int
    """As of when it is read, ns: a bundle, of when it was made; of a recording nothing is known after its last line."""


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """A recording or a bundle, as long as it is read. Raises RecordingError, also where it contains no room."""
    with (
        tempfile.TemporaryDirectory(prefix="tracer-") as folder,
        closing(open_writer(f"{folder}/recording.db")) as store,
    ):
        replay([path], store)
        rows = sorted(store.rooms(MOST_ROOMS), key=lambda room: (room.created or 0, room.sid))
        if about := _read_header(path):
            rooms, now = [row.sid for row in rows if row.sid == about.room], about.now
        else:
            rooms, now = [row.sid for row in rows], time.time_ns()
        if not rooms:
            raise RecordingError(path, "it contains no room")
        yield Opened(store, rooms, now)


def timelines(path: Path) -> list[Timeline]:
    """The rooms in a recording, the oldest first, each as of its end; of a bundle its room, as of when it was made.

    Raises RecordingError.
    """
    with opened(path) as found:
        return [timeline_in(found.store, room, now=found.now) for room in found.rooms]


MOST_ROOMS = 10_000
