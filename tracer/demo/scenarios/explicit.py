"""A named agent, dispatched by the API before anyone is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.answers import at, between
from tracer.demo.play import DemoWorker
from tracer.demo.scenario import Scenario
from tracer.moment import Kind
from tracer.timeline.provenance import CreatedBy
from tracer.view.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.demo.play import Play
    from tracer.timeline.timeline import Timeline

__all__ = ["Explicit"]

NAME = "helper"


class Explicit(Scenario):
    """CreateDispatch creates the room, and the room gets an automatic dispatch of its own."""

    name = "explicit"
    question = "With CreateDispatch and nobody in the room: what creates the room, and why are there two dispatches?"
    own_server = "its room requests the unnamed agent, and one of yours could come"
    workers = (DemoWorker(NAME),)

    async def play(self, play: Play) -> None:
        play.say("there is no room yet")
        await play.dispatch(NAME, metadata='{"ticket": 42}')
        await play.happened(Kind.AGENT_WAITING_FOR_PARTICIPANT)
        await play.call()

    def answer(self, timeline: Timeline) -> Iterator[str]:
        named = next((d for d in timeline.dispatches if d.agent_name), None)
        unnamed = next((d for d in timeline.dispatches if d.agent_name == ""), None)
        if named is None:
            return
        created = named.at(Kind.DISPATCH_CREATED)
        if timeline.created_by is CreatedBy.API:
            yield "The API call creates the room: nobody had joined."
        yield (
            "The dispatch that was requested,"
            f" for {plain(named.agent_name or '')!r}, follows the room by {between(timeline.room.created, created)}."
        )
        if unnamed:
            found = "no worker answered it" if not unnamed.jobs else "an unnamed worker answered it"
            yield (
                "A room that is created without agents gets the automatic dispatch, for any unnamed agent: that is"
                f" the other one, at {at(timeline, unnamed.at(Kind.DISPATCH_CREATED))}, and {found}."
            )
        for job in timeline.jobs:
            if job.sid in named.jobs and (waiting := job.at(Kind.AGENT_WAITING_FOR_PARTICIPANT)):
                yield (
                    f"The agent was first: it waited for the caller from {at(timeline, waiting)} on, for"
                    f" {between(waiting, job.at(Kind.AGENT_PARTICIPANT_READY))}."
                )
