"""Recorded calls, made again and again: each copy is a call of its own, now, with ids that no other has."""

from __future__ import annotations

import gzip
import json
import re
import time
from base64 import b64decode
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from google.protobuf.message import Message

from tests.otlp_backend import spans_of
from tests.signed import body, token
from tracer.witness import agent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

__all__ = ["HEALTHY", "Call", "Recording", "Request"]

FOLDER = Path(__file__).parents[1] / "calls"
HEALTHY = tuple(sorted(path.name.removesuffix(".jsonl.gz") for path in FOLDER.glob("ok_*") if "long" not in path.name))
"""Calls in which all went well, but for one that is as long as all others together: none has a cause."""
_ID = re.compile(r"\b(RM|PA|TR|AD|AJ|AW|EV)_[A-Za-z0-9_]+|\b(?!\d+\b)(?:[0-9a-f]{32}|[0-9a-f]{16})\b")
"""LiveKit's own ids, and those of spans."""
_TIME = re.compile(r"(?<![\w.])1[78]\d{8}(?:\d{3}|\d{6}|\d{9})?(?![\w.])")
"""Times of this decade in s, ms, µs or ns."""


@dataclass(frozen=True, slots=True)
class Request:
    """One POST."""

    path: str
    body: bytes
    headers: dict[str, str]
    event: str = ""
    """A webhook's name."""
    spans: tuple[bytes, ...] = ()
    """Ids of the spans in it."""


@dataclass(slots=True)
class Call:
    """One copy of a recorded call."""

    recording: str
    number: int
    requests: list[Request]
    original: dict[str, str] = field(default_factory=dict)
    """What its ids were in the recording."""
    rooms: tuple[str, ...] = ()
    """SIDs of its rooms."""
    later: int = 0
    """Seconds by which it is later than the recorded one."""

    def in_recording(self, text: str) -> str:
        """A text with the ids and the times that it had in the recording."""
        text = _ID.sub(lambda found: self.original.get(found[0], found[0]), text)
        return _TIME.sub(lambda found: str(moved(int(found[0]), -self.later)), text)


class Recording:
    """One of ``tests/calls``, without what the observer saw: only what came by HTTP is sent again."""

    def __init__(self, name: str) -> None:
        self.name = name
        with gzip.open(FOLDER / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
            self._items = [item for line in file if "moments" not in (item := json.loads(line))]
        self._names = {item["webhook"]["room"]["name"] for item in self._items if "webhook" in item}
        self._end = max(int(item["webhook"]["createdAt"]) for item in self._items if "webhook" in item)

    def copy(self, number: int, *, ago: int = 0) -> Call:
        """The call as if it ended now, or so many seconds ago, in whole seconds, with ids made from this number."""
        call = Call(self.name, number, [], later=int(time.time()) - ago - self._end)
        new = _Renamed(number, self._names, call.later)
        for item in self._items:
            if "webhook" in item:
                told = new.in_json(item["webhook"])
                raw = body(told)
                headers = {"Authorization": token(raw), "Content-Type": "application/webhook+json"}
                call.requests.append(Request("/webhook", raw, headers, event=told["event"]))
            else:
                request = agent.read(b64decode(item["traces"]), item["type"])
                new.in_message(request)
                call.requests.append(_traces(request))
        call.original = {made: known for known, made in new.made.items()}
        call.rooms = tuple(sorted(made for made in call.original if made.startswith("RM_")))
        return call


def _traces(request: ExportTraceServiceRequest) -> Request:
    ids = tuple(span.span_id for span in spans_of(request))
    return Request("/v1/traces", request.SerializeToString(), {"Content-Type": "application/x-protobuf"}, spans=ids)


def moved(at: int, later: int) -> int:
    """A time in s, ms, µs or ns, so many seconds later."""
    return at + later * int(10 ** (len(str(at)) - 10))


class _Renamed:
    """Gives each id another, always the same, and moves each time by so many seconds."""

    def __init__(self, number: int, names: set[str], later: int) -> None:
        self.made: dict[str, str] = {}
        self._number, self._names, self._later = number, names, later

    def text(self, text: str) -> str:
        if text in self._names:
            return f"{text}-{self._number}"
        text = _ID.sub(lambda found: self._id(found[0]), text)
        return _TIME.sub(lambda found: str(moved(int(found[0]), self._later)), text)

    def _id(self, known: str) -> str:
        if known not in self.made:
            digest = sha256(f"{self._number} {known}".encode()).hexdigest()
            prefix, mark, _ = known.rpartition("_")
            # With a letter: one of digits alone would be taken for a time.
            self.made[known] = f"{prefix}_{digest[:12]}" if mark else f"f{digest[1 : len(known)]}"
        return self.made[known]

    def in_json(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.in_json(one) for one in value]
        return {key: self.in_json(one) for key, one in value.items()} if isinstance(value, dict) else value

    def in_message(self, message: Message) -> None:
        """Of OTLP: ids are bytes, times are numbers."""
        for found, value in message.ListFields():
            if isinstance(value, Message):
                self.in_message(value)
            elif isinstance(value, str):
                setattr(message, found.name, self.text(value))
            elif isinstance(value, bytes) and value:
                setattr(message, found.name, bytes.fromhex(self._id(value.hex())))
            elif isinstance(value, int) and not isinstance(value, bool) and _TIME.fullmatch(str(value)):
                setattr(message, found.name, moved(value, self._later))
            elif not isinstance(value, int | float | bytes):
                for one in _messages(value):
                    self.in_message(one)


def _messages(several: Any) -> Iterator[Message]:
    for one in several:
        if isinstance(one, Message):
            yield one
