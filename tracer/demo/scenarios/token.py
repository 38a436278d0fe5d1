"""A named agent, requested in the caller's token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.answers import at, between
from tracer.demo.play import DemoWorker
from tracer.demo.scenario import Scenario
from tracer.moment import Kind
from tracer.view.names import created_by
from tracer.view.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.demo.play import Play
    from tracer.timeline.timeline import Timeline

__all__ = ["Token"]

NAME = "helper"


class Token(Scenario):
    """The token's room configuration takes the place of the automatic dispatch."""

    name = "token"
    question = (
        "When the caller's token names the agent, when is it dispatched, and is there still an automatic dispatch?"
    )
    workers = (DemoWorker(NAME),)

    async def play(self, play: Play) -> None:
        await play.call(agents=(NAME,))

    def answer(self, timeline: Timeline) -> Iterator[str]:
        for dispatch in timeline.dispatches:
            created = dispatch.at(Kind.DISPATCH_CREATED)
            by = f", which {created_by(timeline)} made" if timeline.created_by else ""
            wanted = plain(dispatch.agent_name or "any unnamed agent")
            yield (
                f"The dispatch for {wanted!r} was created at {at(timeline, created)},"
                f" {between(timeline.room.created, created)} after the room{by}."
            )
        if len(timeline.dispatches) == 1:
            yield "It is the only one: a room that names its agents gets no automatic dispatch."
        yield "In a room that already exists the same token dispatches no agent, without an error (livekit #4390)."
