"""The tool ``rooms``: the rooms that were seen, newest first, and how each went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracer.assistant.answer import Answer, Item
from tracer.assistant.called import called
from tracer.assistant.reading import NO_ROOMS
from tracer.units import NS_PER_MS, milliseconds, plural, rfc3339
from tracer.view.rooms import NONE_FOUND, NOT_JUDGED, NOT_OVER, room_mark
from tracer.view.verdict import MARKS

if TYPE_CHECKING:
    from tracer.assistant.outside import Outside
    from tracer.assistant.reading import Listed, Rooms

__all__ = ["rooms"]

AT_ONCE = 12
"""Rooms that are read for a page; those for which there is no room come on the next."""
LEGEND = {
    MARKS[True][0]: "went well",
    MARKS[False][0]: "something went wrong",
    MARKS[None][0]: "not known",
    NOT_OVER[0]: "not over",
    NOT_JUDGED[0]: "not read yet",
}
"""The marks of `tracer rooms`."""


def rooms(known: Rooms, after: int) -> Answer:
    """The rooms after the first ``after``. Raises StoreError."""
    after = max(after, 0)
    found, more = known.listed(AT_ONCE, after)
    if not found:
        what = "no more rooms" if after else NO_ROOMS
        return Answer([what], {"rooms": []}, following=[called("doctor")] if not after else [])
    items = [_item(one, known.outside) for one in found]
    head = f"rooms, newest first; {', '.join(f'{mark} {meaning}' for mark, meaning in LEGEND.items())}"
    wrong = next((one.row.sid for one in found if room_mark(*one) == MARKS[False]), None)
    chosen = wrong or found[0].row.sid
    return Answer(
        [head],
        items=items,
        name="rooms",
        following=[called("why", room=known.outside.word(chosen))],
        again=called("rooms", after="{after}"),
        after=after,
        is_part=more,
    )


def _item(one: Listed, outside: Outside) -> Item:
    row, summary = one
    sid, name = outside.word(row.sid), outside.room(row.name)
    ready = summary.ready_after if summary else None
    causes = list(summary.causes) if summary else []
    mark, _ = room_mark(row, summary)
    parts = [f"{mark} {sid} {name}"]
    if row.created:
        parts.append(f"{rfc3339(row.created)[:19]}Z")
    parts.append(f"{row.participants} {plural(row.participants, 'caller')}")
    parts.append(f"{row.agents} {plural(row.agents, 'agent')}")
    if ready is not None:
        parts.append(f"ready after {milliseconds(ready / NS_PER_MS)}")
    if causes:
        parts.append(f"cause: {', '.join(causes)}")
    elif mark == MARKS[False][0]:
        parts.append(f"cause: {NONE_FOUND}")
    content: dict[str, Any] = {
        "room": sid,
        "name": name,
        "created": rfc3339(row.created)[:19] + "Z" if row.created else None,
        "well": next((well for well, (sign, _) in MARKS.items() if sign == mark), None),
        "over": row.finished is not None,
        "causes": causes,
    }
    return Item(", ".join(parts), content)
