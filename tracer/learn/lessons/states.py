"""Step 2: JOINING, JOINED, ACTIVE, and when the agent hears of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.answers import at, between, first_call
from tracer.demo.scenarios.silent_caller import SilentCaller
from tracer.kinds import Kind
from tracer.learn.lesson import Item, Lesson, first, of_caller

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.timeline import Timeline

__all__ = ["STATES"]


def _taught(timeline: Timeline) -> Iterator[str]:
    call = first_call(timeline)
    if call is None:
        return
    who, job = call
    joining, active = who.at(Kind.PARTICIPANT_JOINING), who.at(Kind.PARTICIPANT_ACTIVE)
    ready = job.at(Kind.AGENT_PARTICIPANT_READY)
    yield (
        f"A participant only goes up: JOINING, JOINED, ACTIVE, DISCONNECTED. From JOINING to ACTIVE it took"
        f" {between(joining, active)}: that is the media path, ICE and DTLS. The webhook participant_joined means"
        " ACTIVE, and no webhook reports JOINED."
    )
    yield (
        f"ACTIVE is the server's word. The agent heard of the caller {between(active, ready)} later, at"
        f" {at(timeline, ready)}: who publishes no track is announced to the others in batches up to 3 s apart. One who"
        " publishes a microphone is announced at once, so have your client publish it as soon as it joins."
    )


STATES = Lesson(
    title="JOINING, JOINED, ACTIVE, and when the agent hears of it",
    situation=(
        "The room is there, and an agent waits in it for a caller. Ada joins with a client that publishes no"
        " microphone."
    ),
    scenario=SilentCaller(),
    items=(
        Item(
            "the caller is ACTIVE",
            of_caller(Kind.PARTICIPANT_ACTIVE),
            "ACTIVE means that the media path is up, which takes several round trips after the join response.",
        ),
        Item(
            "the agent's wait_for_participant() returns",
            first(Kind.AGENT_PARTICIPANT_READY),
            "The server announces a participant without tracks to the others up to 3 s late, and only then it returns.",
        ),
        Item(
            "the caller is JOINING",
            of_caller(Kind.PARTICIPANT_JOINING),
            "JOINING is first: the server makes the participant's session. joined_at is this time.",
        ),
        Item(
            "the agent begins to wait",
            first(Kind.AGENT_WAITING_FOR_PARTICIPANT),
            "CreateRoom dispatched it, and nobody else was there: an agent can be in the room before its caller.",
        ),
        Item(
            "the caller is JOINED",
            of_caller(Kind.PARTICIPANT_JOINED),
            "JOINED means that the server has written the join response; there is no media yet.",
        ),
    ),
    taught=_taught,
    words=("JOINING", "JOINED", "ACTIVE", "silent-caller"),
)
"""Step 2."""
