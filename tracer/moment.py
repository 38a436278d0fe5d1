"""The unit of everything here: a moment, which is an interval, reported by one witness."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tracer import keys
from tracer.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["BY_WORKER", "Fact", "Facts", "Kind", "Moment", "Tie", "facts"]

Fact = str | int | float | bool
"""The value of one fact about a subject."""
Facts = tuple[tuple[str, Fact], ...]
"""Facts in order of their keys, so that equal ones compare and hash as equal."""
_AS_JSON = json.JSONEncoder(separators=(",", ":")).encode
_FROM_JSON = json.JSONDecoder().decode
FACTS_REMEMBERED, LONGEST_REMEMBERED = 4096, 1000
"""Texts of facts that are remembered as what they say, and the characters of one: a worker is read with each room."""
_KINDS = {kind.value: kind for kind in Kind}

BY_WORKER = frozenset({Kind.JOB_RECEIVED, Kind.JOB_ACCEPTED, Kind.JOB_REJECTED, Kind.JOB_TIMED_OUT})
"""Kinds that happen once for each worker that is offered a job: the moment's occurrence is the worker's id."""


def facts(items: Mapping[str, Fact | None]) -> Facts:
    """Facts from a mapping, in order of key; None means unknown and is left out, an empty text is a fact."""
    return tuple(sorted((key, value) for key, value in items.items() if value is not None))


@lru_cache(maxsize=FACTS_REMEMBERED)
def _facts(listed: str) -> Facts:
    return tuple([(key, value) for key, value in _FROM_JSON(listed)])


@dataclass(frozen=True, slots=True)
class Moment:
    """What one witness reports of one step: it lay in [``earliest``, ``latest``], most likely at ``time``.

    Times are ns since the epoch. A set of moments is all that is known of a room; sets merge by
    union, so a moment that comes twice, late or out of order changes nothing.
    """

    room: str
    """SID of the room (``RM_…``); empty for what a worker reports of itself."""
    kind: Kind
    subject: str
    """SID or id of what it happened to: ``RM_``, ``PA_``, ``AD_``, ``AJ_``, ``TR_`` or ``AW_…``."""
    earliest: int
    latest: int
    time: int
    clock: str
    """Whose clock ``time`` was read from: ``server``, ``receiver`` or ``agent``."""
    witness: str
    """``webhook``, ``observer`` or ``agent``."""
    occurrence: str = ""
    """Distinguishes moments of one kind and subject where there can be several, as in two sessions of one
    job; empty for what happens once."""
    facts: Facts = ()
    """What this witness knew of the subject then, under the names of ``tracer.keys``."""

    @property
    def width(self) -> int:
        """Length of the interval, ns."""
        return self.latest - self.earliest

    def row(self) -> tuple[str | int, ...]:
        """The moment as plain values, for a table or a file; ``from_row`` reads it back."""
        return (
            self.room,
            self.kind.value,
            self.subject,
            self.occurrence,
            self.earliest,
            self.latest,
            self.time,
            self.clock,
            self.witness,
            _AS_JSON(self.facts),
        )

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> Moment:
        """A moment from what ``row`` made of it."""
        room, kind, subject, occurrence, earliest, latest, time, clock, witness, listed = row
        known = (_facts if len(listed) <= LONGEST_REMEMBERED else _facts.__wrapped__)(listed)
        return cls(
            room, _KINDS.get(kind) or Kind(kind), subject, earliest, latest, time, clock, witness, occurrence, known
        )

    def redacted(self) -> Moment:
        """The same moment without personal data."""
        return replace(self, facts=tuple(item for item in self.facts if not keys.is_personal(item[0])))


class Tie:
    """A moment at the end of a sort key, where any order will do that is the same everywhere."""

    __slots__ = ("_moment",)

    def __init__(self, moment: Moment) -> None:
        self._moment = moment

    def __lt__(self, other: Tie) -> bool:
        """Worked out only where all that stands before it in the key is equal, which is seldom."""
        return repr(self._moment) < repr(other._moment)
