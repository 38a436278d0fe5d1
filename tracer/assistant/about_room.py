"""What every answer about one room begins with: how it went, and which room it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracer.timeline.origin import end_reason_label
from tracer.units import NS_PER_S, duration, rfc3339
from tracer.view.names import with_names
from tracer.view.verdict import MARKS, ready_after

if TYPE_CHECKING:
    from tracer.timeline.timeline import Timeline
    from tracer.why import Explanation

__all__ = ["about_room", "verdict"]


def about_room(timeline: Timeline) -> tuple[str, dict[str, Any]]:
    """Which room it is, when it was and for how long, as a line and as JSON types."""
    room = timeline.room
    created, finished = room.created, room.finished
    parts = [f"room {room.sid}, {room.name or 'its name is not known'}"]
    if created:
        parts.append(f"created {rfc3339(created.time)[:19]}Z")
    if created and finished:
        reason = f" ({end_reason_label(timeline.end_reason)})" if timeline.end_reason else ""
        parts.append(f"closed after {duration((finished.time - created.time) / NS_PER_S)}{reason}")
    elif not finished:
        parts.append("still open, or its end was not recorded")
    return ", ".join(parts), {"room": room.sid, "name": room.name, "over": finished is not None}


def verdict(timeline: Timeline, explanation: Explanation) -> tuple[str, dict[str, Any]]:
    """How the call went, as `tracer why` sums it up, and after how long the agent was ready."""
    summary, ready = with_names(timeline, explanation.summary), ready_after(timeline)
    line = f"{MARKS[explanation.well][0]} {summary}" + (f" Agent ready after {ready}." if ready else "")
    return line, {"summary": summary, "well": explanation.well}
