"""Step 1: what a newcomer asks first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.demo.answers import at, between, first_call
from tracer.demo.scenarios.automatic import Automatic
from tracer.kinds import Kind
from tracer.learn.lesson import Item, Lesson, first, of_agent, of_caller
from tracer.view.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.timeline import Timeline

__all__ = ["ONE_CALL"]


def _taught(timeline: Timeline) -> Iterator[str]:
    call = first_call(timeline)
    if call is None:
        return
    _, job = call
    dispatch = timeline.dispatch_of(job)
    asked = dispatch.at(Kind.DISPATCH_CREATED) if dispatch else None
    offered, started = job.at(Kind.JOB_OFFERED), job.at(Kind.JOB_ENTRYPOINT_STARTED)
    yield (
        "Room first? Yes. Here the caller's join creates it; CreateRoom or CreateDispatch can create it before anybody"
        " joins."
    )
    yield (
        f"When is the agent made? It is requested with the room, at {at(timeline, asked)}, by the dispatch, and does"
        f" not wait for the caller. The server takes {between(asked, offered)} to choose a worker, and your code runs"
        f" from {at(timeline, started)}. The agent is in the room when it has connected."
    )
    began, ready = job.at(Kind.AGENT_WAITING_FOR_PARTICIPANT), job.at(Kind.AGENT_PARTICIPANT_READY)
    session = job.at(Kind.SESSION_STARTED)
    instructions = session.facts.get(keys.INSTRUCTIONS) if session else None
    yield (
        "How does the caller's data get into the instructions? Caller and agent start beside each other, and meet in"
        f" ctx.wait_for_participant(): here it returned after {between(began, ready)}, with the caller's identity,"
        " name, metadata and attributes. Build the instructions of these, and start the session after that."
        + (f" This one started with: “{plain(str(instructions))}”" if instructions else "")
    )


ONE_CALL = Lesson(
    title="One call: room, dispatch, caller, job, agent",
    situation=(
        "A worker is running. Ada calls: her token names a room that does not exist yet, and says that her tier is"
        " gold. The agent is to know that before it speaks."
    ),
    scenario=Automatic(),
    items=(
        Item(
            "the agent is in the room (JOINING)",
            of_agent(Kind.PARTICIPANT_JOINING),
            "The agent is a participant from the middle of its own ctx.connect() on.",
        ),
        Item(
            "the caller joins (JOINING)",
            of_caller(Kind.PARTICIPANT_JOINING),
            "The server makes the room first, and then the caller's session in it.",
        ),
        Item("the room is created", first(Kind.ROOM_CREATED), "Everything else is in it. Nobody can join before."),
        Item(
            "session.start(), with the caller's data",
            first(Kind.SESSION_STARTING),
            "The instructions are built of what wait_for_participant() returned, so the caller is there before.",
        ),
        Item(
            "an agent is requested (the dispatch)",
            first(Kind.DISPATCH_CREATED),
            "The server makes the dispatch with the room, within a millisecond, and does not wait for the caller.",
        ),
        Item(
            "the agent's entrypoint runs",
            first(Kind.JOB_ENTRYPOINT_STARTED),
            "The server first collects workers' bids for about 200 ms; then a process that is ready takes the job.",
        ),
    ),
    taught=_taught,
    words=("dispatch", "job", "wait_for_participant", "instructions"),
    code=(
        "await ctx.connect()\n"
        "caller = await ctx.wait_for_participant()\n"
        "tier = caller.attributes.get('tier', 'unknown')\n"
        'brief = f"You help {caller.name}. Their tier is {tier}."\n'
        "session = AgentSession(...)\n"
        "await session.start(agent=Agent(instructions=brief), room=ctx.room)"
    ),
)
"""Step 1."""
