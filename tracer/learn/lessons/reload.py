"""Step 5: the caller reloads the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.answers import between
from tracer.demo.failures.reload import Reload
from tracer.kinds import Kind
from tracer.learn.lesson import Item, Lesson, caller, first, of_agent, of_caller
from tracer.view.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.timeline import Timeline

__all__ = ["RELOAD"]


def _taught(timeline: Timeline) -> Iterator[str]:
    before, again = caller(timeline), caller(timeline, 2)
    if before is None or again is None:
        return
    left, back = before.at(Kind.PARTICIPANT_LEFT), again.at(Kind.PARTICIPANT_JOINING)
    yield (
        f"A reload is a leave and a join. The caller was away for {between(left, back)}, and came back as another"
        f" participant: the same identity, and {plain(again.sid)} in place of {plain(before.sid)}."
    )
    yield (
        "The session closes with the participant it is linked to (close_on_disconnect), and does not open again. The"
        " job goes on and the agent stays in the room without a word, until the room closes: departure_timeout after"
        " the last leave, 20 s by default, 2 s here. A new room would have got a new dispatch; this room was still"
        " open, so none came."
    )
    yield (
        "What to do: end the job with the session (ctx.shutdown()) and dispatch the agent anew when somebody joins; or"
        " keep the session (close_on_disconnect=False), which links to the next participant who joins."
    )


RELOAD = Lesson(
    title="The caller reloads the page",
    situation=(
        "Ada talks to the agent, reloads her page, and is back at once. She waits for an answer, and hangs up. One of"
        " these never happens."
    ),
    scenario=Reload(),
    items=(
        Item(
            "the caller joins again (JOINING)",
            of_caller(Kind.PARTICIPANT_JOINING, 2),
            "Her new page connects with the same token: to the server she is another participant.",
        ),
        Item(
            "the agent leaves",
            of_agent(Kind.PARTICIPANT_LEFT),
            "Its job goes on though the session closed: the agent leaves when the room closes, ROOM_CLOSED.",
        ),
        Item(
            "the caller leaves (the reload)",
            of_caller(Kind.PARTICIPANT_LEFT),
            "The old page disconnects as it is closed: CLIENT_INITIATED.",
        ),
        Item(
            "a second job is offered",
            lambda timeline: next((job.at(Kind.JOB_OFFERED) for job in timeline.jobs[1:]), None),
            "A dispatch belongs to the creation of a room: whoever joins an open room brings no agent.",
            never=True,
        ),
        Item(
            "the session closes",
            first(Kind.SESSION_CLOSED),
            "The participant that it was linked to left, and close_on_disconnect is on by default.",
        ),
        Item(
            "the room finishes",
            first(Kind.ROOM_FINISHED),
            "departure_timeout after the last leave. An agent does not keep a room open.",
        ),
    ),
    taught=_taught,
    words=("session-closed", "departure_timeout", "CLIENT_INITIATED", "rejoined-without-agent"),
)
"""Step 5."""
