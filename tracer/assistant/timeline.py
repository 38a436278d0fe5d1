"""The tool ``timeline``: what happened in a room, moment by moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.assistant.about_room import about_room, verdict
from tracer.assistant.answer import Answer, Item
from tracer.assistant.called import called
from tracer.latency.gaps import Paths
from tracer.timeline.overdue import expected
from tracer.units import NS_PER_MS, milliseconds, offset
from tracer.view.budget import advice
from tracer.view.moments import accuracy
from tracer.view.names import name_of
from tracer.view.notes import notes
from tracer.view.rows import MomentRow, MomentRows
from tracer.view.text import plain
from tracer.view.wording import say
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.timeline.overdue import Missing
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["timeline"]

MOST_MISSING = 6
"""Lines for what should have come and did not."""


def timeline(of: Timeline, *, everything: bool) -> Answer:
    """A line for each moment that the command shows, or for every one; what is missing comes first."""
    explanation = explain(of)
    said, content = verdict(of, explanation)
    room, about = about_room(of)
    rows = MomentRows(of, explanation.findings, everything=everything)
    items = [Item(f"missing: {_missing(of, one)}") for one in list(expected(of))[:MOST_MISSING]]
    items += [Item(f"note: {plain(note.plain)}") for note in notes(of)]
    if words := advice(of, Paths(of)):
        items.append(Item(plain(words)))
    items += [Item(_row(of, row)) for row in rows.rows]
    sid = of.room.sid
    more = {"everything": True} if everything else {}
    following = [called("why", room=sid)] if explanation.well is not True else []
    if rows.left_out:
        following.append(called("timeline", room=sid, everything=True))
    return Answer(
        [said, room, "offset, what happened, (accuracy), [reported by: Webhook, Observer of the API, Agent]"],
        content | about,
        items,
        "moments",
        called("timeline", room=sid, **more, page="{page}"),
        following=following,
    )


def _row(of: Timeline, row: MomentRow) -> str:
    what, detail = say(of, row.step)
    if row.repeats:
        what += f" {len(row.repeats) + 1} times"
    sources = "".join(sorted({plain(witness)[:1].upper() for witness in row.witnesses}))
    more = f"  {detail}" if detail else ""
    return f"{_at(of, row.step)} {what}{more} ({accuracy(row.step)}) [{sources}]"


def _missing(of: Timeline, one: Missing) -> str:
    took = milliseconds(one.ns / NS_PER_MS)
    until = "when the room closed" if one.over else "by now"
    what = one.what if one.lost else f"{one.what} after {took}, {until}"
    return f"{what} ({name_of(of, one.step.subject)}, since {_at(of, one.step)})"


def _at(of: Timeline, step: Step) -> str:
    return offset((step.time - of.zero) / NS_PER_MS)
