"""What the agent knows of its caller when its session starts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tracer import keys
from tracer.demo.answers import at, between
from tracer.demo.scenario import Scenario
from tracer.moment import Kind
from tracer.view.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.demo.play import Play
    from tracer.timeline.timeline import Timeline

__all__ = ["Context"]


class Context(Scenario):
    """Identity, name, metadata and attributes are on the participant that wait_for_participant() returns."""

    name = "context"
    question = (
        "How do I wait for the caller and put what is known of them into the instructions before the session starts?"
    )

    async def play(self, play: Play) -> None:
        await play.call(
            attributes={"tier": "gold", "language": "German"}, metadata=json.dumps({"last order": "a blue bicycle"})
        )

    def answer(self, timeline: Timeline) -> Iterator[str]:
        for job in timeline.jobs:
            began, ready = job.at(Kind.AGENT_WAITING_FOR_PARTICIPANT), job.at(Kind.AGENT_PARTICIPANT_READY)
            starting, started = job.at(Kind.SESSION_STARTING), job.at(Kind.SESSION_STARTED)
            if not (began and ready and starting):
                continue
            yield (
                f"The agent calls ctx.wait_for_participant() at {at(timeline, began)}; it returns the caller after"
                f" {between(began, ready)}, and only then, {between(ready, starting)} later, session.start() is called,"
                " with instructions made from the participant's data."
            )
            instructions = started.facts.get(keys.INSTRUCTIONS) if started else None
            if instructions:
                yield f"The session started with these, {at(timeline, started)}: “{plain(str(instructions))}”"
