"""A room made by API without a caller: the agent comes first and waits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tracer.demo.scenario import Scenario, at, between, first_call
from tracer.moment import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.demo.scenario import Play
    from tracer.timeline.timeline import Timeline

__all__ = ["CallerLast"]


class CallerLast(Scenario):
    """Against `automatic`: the same agent, but it is the agent that waits."""

    name = "caller-last"
    question = "Who waits for whom when the room is there before the caller?"

    async def play(self, play: Play) -> None:
        play.say("CreateRoom, and nobody joins for a while")
        await play.room_without_callers()
        await asyncio.sleep(2.0)  # what is to be seen is the waiting
        await play.has_left(play.caller())

    def answer(self, timeline: Timeline) -> Iterator[str]:
        call = first_call(timeline)
        if call is None:
            return
        caller, job = call
        began, ready = job.at(Kind.AGENT_WAITING_FOR_PARTICIPANT), job.at(Kind.AGENT_PARTICIPANT_READY)
        active = caller.at(Kind.PARTICIPANT_ACTIVE)
        yield (
            f"The agent: it was dispatched with the room, began to wait at {at(timeline, began)}, and"
            f" wait_for_participant() returned after {between(began, ready)}. The caller was ACTIVE at"
            f" {at(timeline, active)}; the agent heard of it {between(active, ready)} later."
        )
        yield "In `tracer demo automatic` it is the other way round: the caller is there before the agent looks."
