"""A room created by API without a caller: the agent comes first and waits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tracer.demo.answers import at, between, first_call
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.demo.play import Play
    from tracer.timeline.timeline import Timeline

__all__ = ["CallerLast"]


class CallerLast(Scenario):
    """The same agent as in `automatic`, but here it is the agent that waits."""

    name = "caller-last"
    question = "Who waits for whom when the room exists before the caller joins?"

    async def play(self, play: Play) -> None:
        play.say("CreateRoom, and nobody joins for a while")
        await play.room_without_callers()
        await asyncio.sleep(2.0)  # so that the wait is seen
        await play.call()

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
            f" {at(timeline, active)}; the agent learnt of it {between(active, ready)} later."
        )
        yield "In `tracer demo automatic` it is the other way round: the caller is ACTIVE before the agent waits."
