"""What a store promises to whoever reads from it and whoever writes to it, and what passes between them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tracer.moment import Moment
    from tracer.timeline.listened import Listened

__all__ = [
    "DEMO",
    "NEWEST",
    "SCRATCH",
    "Arrival",
    "Evidence",
    "Form",
    "Outgoing",
    "Placed",
    "Reader",
    "RoomRow",
    "StoreSize",
    "StoredSummary",
    "Task",
    "Unknown",
    "Writer",
]

SCRATCH = "tracer-doctor-"
"""Prefix of the rooms that `tracer doctor` creates: they are no calls and count in no statistics."""
NEWEST = 2**62
"""Above the number of each moment."""
DEMO = "tracer-demo-"
"""Prefix of the rooms that `tracer demo` creates: only its own receiver stores them."""


class Task(StrEnum):
    """What one process does for all that share a store, and another takes over when it ends."""

    EXPORT = "export"
    """Two would send every span twice."""
    OBSERVE = "observe"
    """Two would ask the server everything twice."""
    SUMMARIZE = "summarize"
    FORGET = "forget"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A span on its way to the OpenTelemetry backend, as OTLP."""

    trace_id: bytes
    span_id: bytes
    body: bytes
    """A serialized ``ResourceSpans`` that holds this span only."""
    open_job: str = ""
    """Id of its job while the span has not ended: it waits for its end, or for the job to be lost."""
    unplaced: str = ""
    """Its trace, as ``room_of_trace`` has it, while the span names no room: it waits for another of its trace to."""


class Placed(NamedTuple):
    """A span that named no room, and whose trace by now has one."""

    number: int
    """Its number in the outbox."""
    body: bytes
    """A serialized ``ResourceSpans`` that holds this span only, as it came."""
    room: str
    """SID of its room."""


class Form(StrEnum):
    """What a piece of evidence is, and so which witness reads it."""

    WEBHOOK = "webhook"
    """The body of a webhook, JSON, without the room's TURN password."""
    OTLP = "otlp"
    """An OTLP ``ExportTraceServiceRequest`` in protobuf."""
    OTLP_JSON = "otlp-json"
    """The same in JSON."""


class Evidence(NamedTuple):
    """What came in, as it came: moments are made of it, now and again by every later version."""

    form: Form
    body: bytes
    at: int
    """When it arrived, ns since the epoch by the receiver's clock."""
    room: str = ""
    """SID of the room that it is of, or the trace as ``room_of_trace`` has it while that is not known; empty: of none.
    One piece is of one room, so that a room can be forgotten."""
    event_id: str = ""
    """A webhook's id, the same on retries: a second piece with the same id is ignored."""
    number: int = 0
    """Its number in the store; 0 while it has none."""
    spans: int = 0
    """How many spans an agent's request holds, where that was counted."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What one request brought, stored as a whole or not at all."""

    moments: tuple[Moment, ...] = ()
    outgoing: tuple[Outgoing, ...] = ()
    event_id: str = ""
    """A webhook's id, the same on retries: a second arrival with the same id is ignored."""
    traces: tuple[tuple[str, str], ...] = ()
    """Agents' traces and the rooms that their spans named, each trace as ``room_of_trace`` has it. What came of such a
    trace without a room, earlier or later, is then of that room; where a trace names several, of none."""
    unknown: tuple[str, ...] = ()
    """What this version does not know of it: events, fields and values of enums, by their names."""
    evidence: Evidence | None = None
    """What it was made of: it is stored with it or, when it is in the store already, is read now."""


@dataclass(frozen=True, slots=True)
class RoomRow:
    """A room in a list. Times are ns since the epoch."""

    sid: str
    name: str | None
    created: int | None
    finished: int | None
    participants: int
    agents: int
    stopped: int | None = None
    """When tracer stopped listening while it was open: how it went on is not known. None of any other room."""

    @property
    def is_tracers(self) -> bool:
        """Whether `tracer doctor` or `tracer demo` made it: it is no call of the user's."""
        return (self.name or "").startswith((DEMO, SCRATCH))

    def has_sid(self, beginning: str) -> bool:
        """Whether its SID begins like this; one character behind ``RM_`` is the least that says something."""
        return len(beginning) > len("RM_") and self.sid.startswith(beginning)


class StoredSummary(NamedTuple):
    """A room as statistics over many rooms read it."""

    room: str
    """The room's SID."""
    finished: bool
    """Whether the room's end is known."""
    body: str | None
    """The stored summary as JSON; None when there is none, or when something was learnt after it was made."""


class StoreSize(NamedTuple):
    """What is in a store. Times are ns since the epoch."""

    used: int
    """Bytes that hold something."""
    free: int
    """Bytes that hold nothing, and are used next."""
    rooms: int
    oldest: int | None
    """When the oldest room was created, or first heard of."""
    newest: int | None
    """When the newest was."""
    unsent: int
    """Spans that wait for the OpenTelemetry backend."""
    refused: int
    """Spans that it refused."""
    evidence: int
    """Requests that are kept as they came."""


class Unknown(NamedTuple):
    """What a server sent that this version, or the one that stored it, did not know."""

    name: str
    """``webhook event_name``, ``Message.field`` or ``Enum.VALUE``; in an answer of the API a number stands for it."""
    times: int
    """In how many requests and answers it was."""
    last: int
    """When it came last, ns since the epoch."""


class Reader(Protocol):
    """What a command needs from a store. Every method raises StoreError when the store fails."""

    def find(self, room: str) -> str:
        """SID of the room with this SID, or of the latest with this name. Raises UnknownRoomError."""

    def moments(self, sid: str) -> list[Moment]:
        """All moments of one room, in the order they came. Raises UnreadableError when one cannot be decoded."""

    def neighbours(self, sid: str) -> tuple[str | None, str | None]:
        """SIDs of the rooms of the same name before and after this one; None where there is none."""

    def workers(self, since: int, until: int) -> list[Moment]:
        """Moments of workers between two times, ns since the epoch, and before that the last of each kind."""

    def open_rooms(self, since: int, heard: int = 0) -> int:
        """How many rooms have no known end that began since then, and of which something came after ``heard``.

        Both in ns since the epoch.
        """

    def listened(self) -> list[Listened]:
        """When anybody listened who wrote into this store, in no order."""

    def rooms(self, limit: int) -> list[RoomRow]:
        """The latest rooms, newest first."""

    def search(self, text: str, limit: int, *, after: int = 0) -> list[RoomRow]:
        """The latest rooms that have this text in their name, in an identity, an agent's name or a cause; newest first.

        Upper and lower case are one. An empty text finds all; an SID finds its room. ``after`` so many of them.
        Rooms of `tracer doctor` and `tracer demo` are left out.
        """

    def summaries_of(self, rooms: Sequence[str], *, version: int) -> list[StoredSummary]:
        """As ``summaries``, of the rooms with these SIDs, in no order."""

    def newest(self) -> int:
        """The number of the newest moment; 0 when there is none."""

    def changed(self, room: str) -> int:
        """The number of a room's newest moment; 0 for an unknown room."""

    def changed_since(self, number: int, limit: int) -> list[RoomRow]:
        """Those of the latest ``limit`` rooms of which something came after the moment of this number, newest first."""

    def summaries(self, limit: int, *, since: int = 0, version: int) -> list[StoredSummary]:
        """The latest rooms created after ``since`` (ns since the epoch), newest first, with their summaries."""

    def used(self) -> int:
        """Bytes that hold something."""

    def size(self) -> StoreSize:
        """What is in it."""

    def concerning(self, who: str) -> list[RoomRow]:
        """Rooms with this SID or name, or in which somebody with this identity was, newest first."""

    def unknown(self) -> list[Unknown]:
        """What servers sent that was not known, in order of its name."""

    def unread(self) -> int:
        """How many pieces of evidence no moments were made of yet."""

    def evidence(self, room: str, until: int = NEWEST) -> list[Evidence]:
        """The evidence of a room, or of a trace, in the order it came; ``until``: up to the piece with this number."""

    def close(self) -> None:
        """Close the store; it cannot be used again."""


class Writer(Reader, Protocol):
    """What the service needs from a store. What a method was given is on disk when it returns."""

    def add(self, arrivals: Iterable[Arrival | Evidence]) -> list[bool]:
        """Store all of them or none; evidence alone is to be read later.

        Idempotent; False for what came of a webhook that was stored before, or of evidence that another has read.
        """

    def note_listened(self, run: str, since: int, until: int) -> None:
        """Note that one run of whoever listens has done so from when until when, ns since the epoch."""

    def to_read(self, limit: int) -> list[Evidence]:
        """The oldest pieces of evidence that nobody has read and, where there are none, that another version has."""

    def read_again(self, version: int) -> None:
        """Let all evidence be read again that another version than this has read."""

    def check(self) -> None:
        """Raises StoreError where nothing can be written."""

    shared: bool
    """Whether processes on other machines write to it too."""

    def heard(self, seconds: float) -> list[bytes]:
        """Bodies of the webhooks that other processes have stored; waits up to so many seconds for one."""

    def may(self, task: Task, of: str = "") -> bool:
        """Whether this process is the one that does this: the first that asks, for as long as it runs.

        ``of`` tells tasks of one kind apart, as of two LiveKit servers.
        """

    def rooms_to_export(self, limit: int, below: int = NEWEST) -> list[tuple[str, int]]:
        """Rooms with moments whose spans may not have been queued, each with the number of its newest moment.

        Those of which something came last come first; only rooms whose newest moment has a number below this.
        """

    def open_spans(self, job: str) -> list[Outgoing]:
        """The spans that a job began and did not end."""

    def queue(
        self, outgoing: Iterable[Outgoing], exported: Iterable[tuple[str, int]], placed: Iterable[int] = ()
    ) -> None:
        """Put spans into the outbox, each once for ever, and note up to which moment each room is exported.

        ``placed`` are the numbers of spans that are among them under their room's trace, and not sent as they came.
        """

    def placed(self, limit: int) -> list[Placed]:
        """The oldest spans that named no room, and whose trace has one by now."""

    def release(self, before: int, most: int) -> int:
        """Send spans as they came that have waited for their room since ``before`` (ns since the epoch).

        Of those that wait longer the oldest go, where there are more than ``most``. Returns how many went.
        """

    def unsent(self, limit: int) -> list[tuple[int, bytes]]:
        """The oldest spans that wait for the backend: number and serialized ``ResourceSpans``."""

    def evidence_to_send(self, limit: int, size: int) -> list[Evidence]:
        """The newest pieces of agents' spans that the backend may not have; no more than ``size`` bytes, or one."""

    def sent_spans(self, traces: Iterable[bytes]) -> dict[bytes, set[bytes]]:
        """Ids of the spans of these traces that were sent or are in the outbox, except those that are open there."""

    def evidence_sent(self, numbers: Iterable[int], spans: Mapping[bytes, Iterable[bytes]]) -> None:
        """These pieces need not be sent any more: of these traces the spans with these ids were."""

    def count_unsent(self) -> int:
        """How many spans wait for the backend, in the outbox and in evidence."""

    def has_unsent(self, count: int) -> bool:
        """Whether more spans than this are in the outbox and wait for the backend."""

    def sent(self, numbers: Iterable[int]) -> None:
        """Mark these spans as accepted by the backend."""

    def refused(self, numbers: Iterable[int]) -> None:
        """Set these spans aside: the backend refuses them. They no longer wait, and are not lost."""

    def offer_refused(self) -> None:
        """Let the spans that were set aside wait for the backend again."""

    def to_summarize(self, after: int, until: int, limit: int) -> list[tuple[str, int]]:
        """Finished rooms without a valid summary, each with the number of its newest moment.

        Only rooms whose newest moment is numbered in (``after``, ``until``], in that order.
        """

    def summarized(self, summaries: Iterable[tuple[str, int, str]], version: int) -> None:
        """Store summaries: the room, the number of its newest moment when the summary was made, and its JSON."""

    def forget_summaries(self, version: int) -> None:
        """Invalidate summaries of any other version, so that they are made again."""

    def forget(self, room: str) -> None:
        """Delete a room and all that is known of it."""

    def forget_oldest(self, before: int) -> int:
        """Delete the oldest rooms that began before this time, ns since the epoch, and of which nothing came since.

        One, or those of a whole day where the store keeps days apart; returns how many, 0 when there is none.
        """

    def forget_old(self, before: int) -> None:
        """Delete what is older, ns since the epoch, and belongs to no room; and keys that have served their time."""

    def give_back(self, pages: int) -> int:
        """Make the store smaller by up to so many pages that hold nothing; returns how many are left."""

    def clean(self) -> None:
        """Leave nothing of what was deleted in the file or beside it."""
