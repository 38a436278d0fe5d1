"""Recordings of `tracer serve --record`, read back: into a store, or as one timeline.

A recording holds what came in, a JSON object a line, plain or gzipped. It is read by the same pure functions that the
receiver calls, so every recording ever made gets what a newer tracer sees in it.
"""

from __future__ import annotations

import gzip
import json
import tempfile
import zlib
from base64 import b64decode
from contextlib import closing
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from tracer.errors import MalformedError, RecordingError, TooLargeError
from tracer.moment import Moment
from tracer.store import Arrival, open_writer
from tracer.store.load import timeline_in
from tracer.witness import agent, evidence, webhook

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tracer.store import Writer
    from tracer.timeline.timeline import Timeline

__all__ = ["records", "replay", "timelines"]

LONGEST_LINE = 64 * 1024 * 1024
"""Bytes of one line, unpacked: the receiver takes 16 MiB in a request, and base64 makes a third more of it."""
LARGEST = 2 * 1024 * 1024 * 1024
"""Bytes of a whole recording, unpacked."""
BATCH = 500
"""Arrivals that go to the store in one commit."""
_GZIP = b"\x1f\x8b"


def records(path: Path) -> Iterator[list[Arrival]]:
    """What each line brought, in the order it came. Raises RecordingError for a file that is no recording."""
    try:
        with _opened(path) as file:
            size = 0
            for number, line in enumerate(_lines(file), 1):
                size += len(line)
                if len(line) > LONGEST_LINE or size > LARGEST:
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
        return [Arrival(tuple(Moment.from_row(row) for row in item["moments"]))]
    return [evidence.arrival(piece, exported=False) for piece in pieces]


NEVER = 2**62
"""An arrival, ns, so late that it shows nothing of when a webhook was sent."""


def replay(paths: Iterable[Path], store: Writer) -> int:
    """Add recordings to a store, in which nothing is twice; how many records were read. Raises RecordingError."""
    read = 0
    for path in paths:
        waiting: list[Arrival] = []
        for arrivals in records(path):
            waiting += arrivals
            read += 1
            if len(waiting) >= BATCH:
                store.add(waiting)
                waiting = []
        store.add(waiting)
    return read


def timelines(path: Path) -> list[Timeline]:
    """The rooms in a recording, the oldest first, each as of the recording's end. Raises RecordingError."""
    with (
        tempfile.TemporaryDirectory(prefix="tracer-") as folder,
        closing(open_writer(f"{folder}/recording.db")) as store,
    ):
        replay([path], store)
        rooms = sorted(store.rooms(MOST_ROOMS), key=lambda room: (room.created or 0, room.sid))
        end = max((moment.latest for room in rooms for moment in store.moments(room.sid)), default=0)
        found = [timeline_in(store, room.sid, now=end) for room in rooms]
    if not found:
        raise RecordingError(path, "it contains no room")
    return found


MOST_ROOMS = 10_000
