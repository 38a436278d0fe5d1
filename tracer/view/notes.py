"""What else a reader of a timeline should know: which sources are missing, and where they contradict each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from tracer.moment import Kind
from tracer.timeline.entities import Worker
from tracer.timeline.lost_webhooks import without_webhook
from tracer.timeline.reporting import uninstrumented
from tracer.view.names import name_of
from tracer.view.wording import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.timeline import Timeline

__all__ = ["notes"]

MOST_AGENTS = 3
"""Agents named that reported nothing."""
MOST_LOST = 3
"""Steps named of which the webhooks were lost."""

_MISSING = {
    "webhook": "no webhooks received; join and leave times come from API polling",
    "observer": "no API polling; JOINED and dispatches are not known",
}


def notes(timeline: Timeline) -> Iterator[Text]:
    """A line for each of them, as long as it is."""
    for step in timeline.steps:
        if step.contradicted:
            phrase, _ = say(timeline, step)
            sources = " and ".join(step.witnesses)
            yield Text(
                f"! {phrase}: {sources} report different times: clock skew, or one of them is wrong", style="red"
            )
    # What a worker reports of itself is not about this room.
    own = [step for step in timeline.steps if not isinstance(timeline.by_sid.get(step.subject), Worker)]
    sources_seen = {witness for step in own for witness in step.witnesses}
    for witness, note in _MISSING.items():
        if witness not in sources_seen:
            yield Text(note, style="dim")
    if agents := uninstrumented(timeline):
        names = ", ".join(dict.fromkeys(name_of(timeline, agent.sid) for agent in agents[:MOST_AGENTS]))
        more = f" and {len(agents) - MOST_AGENTS} more" if len(agents) > MOST_AGENTS else ""
        yield Text(f"no spans received of {names}{more}; what it did is not known (is it instrumented?)", style="dim")
    if lost := without_webhook(timeline):
        phrases = [say(timeline, step)[0] for step in lost[:MOST_LOST]]
        if len(lost) > MOST_LOST:
            phrases.append("…")
        yield Text(f"! webhooks were lost; only other sources reported: {', '.join(phrases)}", style="red")
    if "observer" in sources_seen and not any(step.kind is Kind.DISPATCH_CREATED for step in timeline.steps):
        yield Text("the API listed no dispatches: this API key may not list them", style="dim")
    if not timeline.room.created:
        yield Text("the room's creation was not recorded; offsets count from the first moment", style="dim")
