"""Where moments are kept. One way to write, one to read; SQL is in ``sqlite`` and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from tracer.errors import ConfigurationError

if TYPE_CHECKING:
    from tracer.moment import Moment

__all__ = ["SCRATCH", "Arrival", "Kept", "Outgoing", "Reader", "RoomRow", "open_reader"]

SCRATCH = "tracer-doctor-"
"""How names of rooms begin that `tracer doctor` makes: they are no calls, and in no figures."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A span on its way to the OpenTelemetry backend, as OTLP."""

    trace_id: bytes
    span_id: bytes
    body: bytes
    """A serialized ``ResourceSpans`` that holds this span only."""
    open_job: str = ""
    """Id of its job, when it has begun and not ended: it waits for its end, or for the job to be lost."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What one request brought, to be kept all or not at all."""

    moments: tuple[Moment, ...] = ()
    outgoing: tuple[Outgoing, ...] = ()
    event_id: str = ""
    """A webhook's id, the same on retries: what came under it once is not kept again."""


@dataclass(frozen=True, slots=True)
class RoomRow:
    """A room in a list. Times are ns since the epoch."""

    sid: str
    name: str | None
    created: int | None
    finished: int | None
    participants: int
    agents: int


class Kept(NamedTuple):
    """What is kept of a room for figures over many."""

    sid: str
    over: bool
    """Whether its end was seen."""
    summary: str | None
    """None where there is none that holds."""


class Reader(Protocol):
    """What a command needs of a store."""

    def find(self, room: str) -> str:
        """SID of the room with this SID, or of the latest with this name. Raises UnknownRoomError."""

    def moments(self, sid: str) -> list[Moment]:
        """All moments of one room, in the order they came."""

    def neighbours(self, sid: str) -> tuple[str | None, str | None]:
        """SIDs of the rooms of the same name before and after this one; None where there is none."""

    def workers(self, since: int, until: int) -> list[Moment]:
        """What workers told of themselves between two times, ns since the epoch, and the last of each kind before."""

    def rooms(self, limit: int) -> list[RoomRow]:
        """The latest rooms, newest first."""

    def summaries(self, limit: int, *, since: int = 0, version: int) -> list[Kept]:
        """The summaries of the latest rooms, newest first, of those made ``since``, ns since the epoch."""

    def close(self) -> None:
        """Let go of it."""


def open_reader(location: str) -> Reader:
    """The store at this location, for reading. Raises StoreError when there is none or it is not ours."""
    if "://" in location:
        raise ConfigurationError(f"--store {location!r}: only a path to a SQLite file is supported so far")
    from tracer.store.sqlite import SqliteReader

    return SqliteReader(Path(location))
