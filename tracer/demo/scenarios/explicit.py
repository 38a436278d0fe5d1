"""A named agent, dispatched by the API before anyone is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.scenario import DemoWorker, Scenario, at, between
from tracer.moment import Kind
from tracer.timeline.origin import CreatedBy
from tracer.view.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.demo.scenario import Play
    from tracer.timeline.timeline import Timeline

__all__ = ["Explicit"]

NAME = "helper"


class Explicit(Scenario):
    """CreateDispatch makes the room, and the room brings an automatic dispatch of its own."""

    name = "explicit"
    question = "With a dispatch by API and nobody there: what makes the room, and why are there two dispatches?"
    workers = (DemoWorker(NAME),)

    async def play(self, play: Play) -> None:
        play.say("there is no room yet")
        await play.dispatch(NAME, metadata='{"ticket": 42}')
        await play.happened(Kind.AGENT_WAITING_FOR_PARTICIPANT)
        await play.has_left(play.caller())

    def answer(self, timeline: Timeline) -> Iterator[str]:
        named = next((d for d in timeline.dispatches if d.agent_name), None)
        unnamed = next((d for d in timeline.dispatches if d.agent_name == ""), None)
        if named is None:
            return
        created = named.at(Kind.DISPATCH_CREATED)
        if timeline.created_by is CreatedBy.API:
            yield "The API call makes the room: nobody had joined."
        yield (
            "The dispatch that was asked for,"
            f" for {plain(named.agent_name or '')!r}, follows the room by {between(timeline.room.created, created)}."
        )
        if unnamed:
            found = "it found no worker" if not unnamed.jobs else "a worker without a name answered it"
            yield (
                "A room that is made without agents gets the automatic dispatch, for any agent without a name, whoever"
                f" makes it: that is the other one, at {at(timeline, unnamed.at(Kind.DISPATCH_CREATED))}, and {found}."
            )
        for job in timeline.jobs:
            if job.sid in named.jobs and (waiting := job.at(Kind.AGENT_WAITING_FOR_PARTICIPANT)):
                yield (
                    f"The agent was first: it waited for the caller from {at(timeline, waiting)} on, for"
                    f" {between(waiting, job.at(Kind.AGENT_PARTICIPANT_READY))}."
                )
