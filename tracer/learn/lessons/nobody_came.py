"""Step 6: the agent never came, and how to find out why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.failures.wrong_name import WrongName
from tracer.kinds import Kind
from tracer.learn.lesson import Item, Lesson, first, of_caller, of_worker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.timeline import Timeline

__all__ = ["NOBODY_CAME"]


def _taught(timeline: Timeline) -> Iterator[str]:
    if not timeline.dispatches:
        return
    jobs = sum(len(dispatch.jobs) for dispatch in timeline.dispatches)
    yield (
        f"Nothing failed, and nothing was logged where you would look: the dispatch is there, and has {jobs} jobs. The"
        " server asked whether a worker takes “Helper”, and none did: names are compared letter by letter. A dispatch"
        " is offered once; a worker that comes later does not get it."
    )
    yield (
        "Look for the last thing that happened, and who had to do the next: no dispatch, then nobody asked for an"
        " agent; a dispatch without a job, then no worker took it; a job without an entrypoint, then its process; an"
        " entrypoint without a connection, then the agent's own code. `tracer why` does this, with the evidence:"
    )


NOBODY_CAME = Lesson(
    title="The agent never came, and how to find out why",
    situation=(
        "The worker has agent_name='helper'. Ada's token asks for 'Helper'. She waits, and hangs up. One of these never"
        " happens."
    ),
    scenario=WrongName(),
    items=(
        Item(
            "the caller is ACTIVE",
            of_caller(Kind.PARTICIPANT_ACTIVE),
            "Her call goes well as far as she can see: she is in the room, alone.",
        ),
        Item(
            "a dispatch for “Helper” is created",
            first(Kind.DISPATCH_CREATED),
            "It is made with the room, whether or not any worker has that name: there is no error.",
        ),
        Item(
            "a job is offered to the worker",
            first(Kind.JOB_OFFERED),
            "No worker is registered as 'Helper', so nobody is asked: the dispatch stays without a job.",
            never=True,
        ),
        Item(
            "the worker is registered",
            of_worker(Kind.WORKER_REGISTERED),
            "It runs and waits from before the call on: a worker that is running is not enough.",
        ),
        Item(
            "the room is created",
            first(Kind.ROOM_CREATED),
            "Her join creates it, and with it the dispatches of the agents in her token.",
        ),
        Item(
            "the caller leaves",
            of_caller(Kind.PARTICIPANT_LEFT),
            "Nobody ends her call; she hangs up after a while.",
        ),
    ),
    taught=_taught,
    words=("no-worker", "worker-is-named", "late-worker"),
)
"""Step 6."""
