"""A call to an agent that has no name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.answers import at, between, first_call
from tracer.demo.scenario import Scenario
from tracer.moment import Kind
from tracer.view.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.demo.play import Play
    from tracer.timeline.timeline import Timeline

__all__ = ["Automatic"]


class Automatic(Scenario):
    """The caller's join creates the room, and with it the request for an agent."""

    name = "automatic"
    question = "In what order are room, caller and agent created, and at what moment is the agent created?"

    async def play(self, play: Play) -> None:
        await play.call(attributes={"tier": "gold"})

    def answer(self, timeline: Timeline) -> Iterator[str]:
        call = first_call(timeline)
        if call is None:
            return
        caller, job = call
        agent, dispatch = timeline.agent_of(job), timeline.dispatch_of(job)
        asked = dispatch.at(Kind.DISPATCH_CREATED) if dispatch else None
        born = [
            ("the room", timeline.room.created),
            ("the dispatch, which requests an agent,", asked),
            (f"the caller {plain(caller.identity or caller.sid)} (JOINING)", caller.at(Kind.PARTICIPANT_JOINING)),
            ("the job, offered to a worker,", job.at(Kind.JOB_OFFERED)),
            ("the agent as a participant (JOINING)", agent.at(Kind.PARTICIPANT_JOINING) if agent else None),
        ]
        known = sorted(((step, name) for name, step in born if step), key=lambda item: item[0].time)
        order = "; then ".join(f"{name} at {at(timeline, step)}" for step, name in known)
        yield f"{order[:1].upper()}{order[1:]}."

        offered, started = job.at(Kind.JOB_OFFERED), job.at(Kind.JOB_ENTRYPOINT_STARTED)
        yield (
            f"So the agent is requested at {at(timeline, asked)}, with the room and not when the caller joins. The"
            f" server collects workers' bids for {between(asked, offered)} before it offers the job; the agent's code"
            f" runs from {at(timeline, started)}."
        )
        began, ready = job.at(Kind.AGENT_WAITING_FOR_PARTICIPANT), job.at(Kind.AGENT_PARTICIPANT_READY)
        active = caller.at(Kind.PARTICIPANT_ACTIVE)
        if began and ready and active and active.latest < began.earliest:
            yield (
                f"The caller was ACTIVE {between(active, began)} before the agent began to wait, so"
                f" wait_for_participant() returned after {between(began, ready)}: caller and agent start in"
                f" parallel and meet there. The session was ready at {at(timeline, job.at(Kind.SESSION_STARTED))}."
            )
