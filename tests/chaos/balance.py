"""The account at the end: what store and backend have of each call, beside what the same call left in a calm run."""

from __future__ import annotations

from bisect import bisect
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from tracer import ids
from tracer.store import open_reader

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tests.chaos.ledger import Entry
    from tests.chaos.recorded import Call

__all__ = ["Left", "Twice", "left", "twice"]


class Left(NamedTuple):
    """What is there of a call, in the recording's own ids."""

    moments: frozenset[tuple[str, ...]]
    spans: frozenset[str]
    """Spans of the agent's own, by id, and those that tracer makes, by name with a number."""

    def lacks(self, calm: Left) -> list[str]:
        """What the same call has left in a calm run, and this one has not."""
        spans = (f"span {one}" for one in calm.spans - self.spans)
        return sorted([*map(" ".join, calm.moments - self.moments), *spans])


def left(calls: Iterable[Call], store: Path | str, arrived: Iterable[Entry]) -> dict[int, Left]:
    """What is there of each call, by its number."""
    by_trace: dict[str, dict[str, str]] = defaultdict(dict)
    for entry in arrived:
        by_trace[entry.trace][entry.span] = entry.name
    found = {}
    with closing(open_reader(str(store))) as reader:
        for call in calls:
            moments, spans, made = set(), set(), Counter[str]()
            for room in call.rooms:
                for moment in reader.moments(room):
                    about = (moment.witness, moment.kind.value, moment.subject, moment.occurrence)
                    moments.add(tuple(map(call.in_recording, about)))
                for span, name in by_trace[format(ids.trace_id(room), "032x")].items():
                    made[name] += span not in call.original
                    spans.add(f"{name} {call.original.get(span, made[name])}")
            found[call.number] = Left(frozenset(moments), frozenset(spans))
    return found


@dataclass(slots=True)
class Twice:
    """Spans that a backend accepted more than once."""

    excused: int = 0
    """Of requests whose answer a kill cut off: whoever sent them cannot know, and OTLP has nothing to know them by."""
    wrong: list[str] = field(default_factory=list)
    """The others."""


def twice(arrived: Iterable[Entry], kills: Sequence[int]) -> Twice:
    """Spans that arrived twice; ``kills`` are the times, ns, at which a receiver or a backend was killed.

    One request is under way at a time: a kill cuts off the answer to the last request before it, and to no other.
    """
    entries = list(arrived)
    requests = sorted({entry.at for entry in entries})
    cut_off = {requests[place - 1] for kill in kills if (place := bisect(requests, kill))}
    seen: dict[tuple[str, str], int] = {}
    found = Twice()
    for entry in entries:
        at = seen.get((entry.trace, entry.span))
        seen[entry.trace, entry.span] = entry.at
        if at in cut_off:
            found.excused += 1
        elif at is not None:
            found.wrong.append(f"{entry.name} {entry.trace} {entry.span}")
    return found
