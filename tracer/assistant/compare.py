"""The tool ``compare``: the timing of two rooms, or of one with the figures over all, gap by gap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.assistant.answer import Answer, Item
from tracer.assistant.called import called
from tracer.latency.compare import against, between
from tracer.latency.stats import figures
from tracer.latency.summary import summarize
from tracer.units import NS_PER_MS, milliseconds, plural

if TYPE_CHECKING:
    from tracer.assistant.reading import Rooms
    from tracer.latency.compare import Comparison, Difference
    from tracer.timeline.timeline import Timeline

__all__ = ["compare"]

MANY = 2_000
"""Rooms that one is compared with at the most, the latest."""


def compare(known: Rooms, room: str, other: str) -> Answer:
    """What differs most first; without ``other`` beside the median of the latest rooms.

    Raises NoRoomError, StoreError.
    """
    first = known.timeline(room)
    second = known.timeline(other) if other else None
    mine = summarize(first)
    if second:
        found, with_what = between(mine, summarize(second)), _named(second)
    else:
        many = figures(known.summaries(MANY))
        found, with_what = against(mine, many), many.label
    rows = [_item(one) for one in (*found.sums, *found.gaps)]
    head = [f"A: {_named(first)}", f"B: {with_what}{_counted(found)}"]
    for which, causes in (("A", found.only_first), ("B", found.only_second)):
        if causes:
            head.append(f"problems in {which}: {', '.join(causes)}")
    if not rows:
        head.append("nothing to compare: no agent's start was measured in either")
    arguments = {"room": first.room.sid} | ({"other": second.room.sid} if second else {})
    return Answer(
        head,
        {"a": first.room.sid, "b": second.room.sid if second else None, "b_jobs": found.jobs}
        | {"causes_only_in_a": list(found.only_first), "causes_only_in_b": list(found.only_second)},
        rows,
        "gaps",
        called("compare", **arguments, page="{page}"),
        following=[called("why", room=first.room.sid), called("timeline", room=first.room.sid)],
    )


def _named(timeline: Timeline) -> str:
    return f"{timeline.room.sid}, {timeline.room.name or 'its name is not known'}"


def _counted(found: Comparison) -> str:
    return "" if found.jobs is None else f" ({found.jobs} {plural(found.jobs, 'job')} measured)"


def _item(one: Difference) -> Item:
    first, second = _ms(one.first.ns), _ms(one.second.ns)
    apart = "not known" if one.ns is None else f"{'+' if one.ns >= 0 else '-'}{milliseconds(abs(one.ns) / NS_PER_MS)}"
    owner = f" ({one.owner.label})" if one.owner else ""
    text = f"{one.name}{owner}: A {first or '-'}, B {second or '-'}, A - B {apart}"
    if one.advice:
        text += f". do: {one.advice}"
    more = None if one.ns is None else one.ns / NS_PER_MS
    content = {"gap": one.name, "a": first, "b": second, "difference_ms": more}
    return Item(text, content | ({"do": one.advice} if one.advice else {}))


def _ms(ns: int | None) -> str | None:
    return None if ns is None else milliseconds(ns / NS_PER_MS)
