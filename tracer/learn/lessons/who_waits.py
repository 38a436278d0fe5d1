"""Step 3: the agent is first, and waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.answers import at, between, first_call
from tracer.demo.scenarios.precreated import Precreated
from tracer.kinds import Kind
from tracer.learn.lesson import Item, Lesson, first, of_caller

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.timeline import Timeline

__all__ = ["WHO_WAITS"]


def _taught(timeline: Timeline) -> Iterator[str]:
    call = first_call(timeline)
    if call is None:
        return
    who, job = call
    began, ready = job.at(Kind.AGENT_WAITING_FOR_PARTICIPANT), job.at(Kind.AGENT_PARTICIPANT_READY)
    joining, started = who.at(Kind.PARTICIPANT_JOINING), job.at(Kind.SESSION_STARTED)
    yield (
        "Who is first is not fixed. Where the join creates the room, caller and agent start beside each other; where"
        f" the room is made ahead with its agents, the agent is first. Here it waited from {at(timeline, began)} on,"
        f" for {between(began, ready)}."
    )
    yield (
        f"From their JOINING to a session that was ready for them it took the caller {between(joining, started)}:"
        " dispatch, job and the agent's connection were over by then. So make the room when the call is about to come."
        " Not too early: it closes when nobody joins within empty_timeout (300 s), and its agent goes with it."
    )
    yield (
        "In either case the agent's code is the same: wait for the participant, read what you need, and start the"
        " session after that. Code that reads the caller's attributes before the wait works only where the caller"
        " happens to be first."
    )


WHO_WAITS = Lesson(
    title="Who waits for whom, and why the session starts last",
    situation="Your backend calls CreateRoom and names the agent in it. Ada joins a little later.",
    scenario=Precreated(),
    items=(
        Item(
            "the caller joins (JOINING)",
            of_caller(Kind.PARTICIPANT_JOINING),
            "Here nobody needs the caller before: CreateRoom made the room and requested the agent.",
        ),
        Item(
            "session.start()",
            first(Kind.SESSION_STARTING),
            "It is last, as its instructions need the caller, whom wait_for_participant() returns.",
        ),
        Item(
            "the agent is connected",
            first(Kind.AGENT_CONNECTED),
            "CreateRoom's agents are dispatched with the room: the job runs and connects, whoever is there.",
        ),
        Item(
            "wait_for_participant() returns",
            first(Kind.AGENT_PARTICIPANT_READY),
            "It returns when the caller is ACTIVE and the agent has been told of them.",
        ),
        Item("the room is created", first(Kind.ROOM_CREATED), "CreateRoom makes it, and nobody has to join for that."),
        Item(
            "the agent begins to wait",
            first(Kind.AGENT_WAITING_FOR_PARTICIPANT),
            "It is connected, and alone: wait_for_participant() takes a caller, no agent.",
        ),
    ),
    taught=_taught,
    words=("wait_for_participant", "attributes", "empty_timeout", "room-expired"),
)
"""Step 3."""
