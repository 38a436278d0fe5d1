"""A room created by API with its agent, and a caller who joins later."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tracer.demo.answers import at, between, first_call
from tracer.demo.play import DemoWorker
from tracer.demo.scenario import Scenario
from tracer.moment import Kind
from tracer.view.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.demo.play import Play
    from tracer.timeline.timeline import Timeline

__all__ = ["Precreated"]

NAME = "helper"


class Precreated(Scenario):
    """The agent is ready before its caller joins."""

    name = "precreated"
    question = "Can the agent be ready before the caller joins, and how much time does that save?"
    workers = (DemoWorker(NAME),)

    async def play(self, play: Play) -> None:
        play.say(f"CreateRoom with the agent {NAME!r}")
        await play.room_without_callers(NAME)
        await asyncio.sleep(1.0)  # the caller joins later
        await play.call()

    def answer(self, timeline: Timeline) -> Iterator[str]:
        call = first_call(timeline)
        if call is None:
            return
        caller, job = call
        agent = timeline.agent_of(job)
        joining, active = caller.at(Kind.PARTICIPANT_JOINING), caller.at(Kind.PARTICIPANT_ACTIVE)
        if agent:
            yield (
                f"Yes: the agent was ACTIVE at {at(timeline, agent.at(Kind.PARTICIPANT_ACTIVE))}, and"
                f" {plain(caller.identity or caller.sid)} joined (JOINING) at {at(timeline, joining)}."
            )
        yield (
            "From JOINING to a session ready for them it took the caller"
            f" {between(joining, job.at(Kind.SESSION_STARTED))}, of which {between(joining, active)} until they"
            " were ACTIVE: dispatch, job and the agent's connect() were over by then."
        )
