"""Step 4: CreateDispatch, and the second dispatch that nobody asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.answers import between
from tracer.demo.scenarios.explicit import NAME, Explicit
from tracer.kinds import Kind
from tracer.learn.lesson import Item, Lesson, first, of_caller

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["EXPLICIT"]


def _named(timeline: Timeline) -> Step | None:
    return next((d.at(Kind.DISPATCH_CREATED) for d in timeline.dispatches if d.agent_name), None)


def _unnamed_job(timeline: Timeline) -> Step | None:
    jobs = {sid for dispatch in timeline.dispatches if not dispatch.agent_name for sid in dispatch.jobs}
    return next((job.at(Kind.JOB_OFFERED) for job in timeline.jobs if job.sid in jobs), None)


def _taught(timeline: Timeline) -> Iterator[str]:
    created = timeline.room.created
    if created is None:
        return
    yield (
        "CreateDispatch on a room that does not exist creates the room; the dispatch that was asked for followed"
        f" {between(created, _named(timeline))} later. A room that names no agents when it is created also gets the"
        f" automatic dispatch, for an agent without a name: there are {len(timeline.dispatches)} dispatches, and nobody"
        " answers that one here."
    )
    yield (
        f"A worker with agent_name={NAME!r} gets dispatches of that name only, letter by letter; a worker without a"
        " name gets the unnamed ones only. Were one of each running, two agents would come. To have one, name the agent"
        " in the caller's token or in CreateRoom: that replaces the automatic dispatch."
    )
    yield (
        "What is given to a dispatch (metadata) is in ctx.job.metadata; what is known of the caller is on the"
        " participant."
    )


EXPLICIT = Lesson(
    title="Explicit dispatch: CreateDispatch, and the second dispatch",
    situation=(
        f"The worker has agent_name={NAME!r}. Your backend calls CreateDispatch for it on a room that does not exist"
        " yet; Ada joins when the agent waits for her. One of these never happens."
    ),
    scenario=Explicit(),
    items=(
        Item(
            "the caller joins (JOINING)",
            of_caller(Kind.PARTICIPANT_JOINING),
            "Neither the room nor the agent needed her: both were there.",
        ),
        Item(
            "a dispatch for “helper” is created",
            _named,
            "A dispatch is of a room: CreateDispatch has the room made first.",
        ),
        Item(
            "a job of the unnamed dispatch is offered",
            _unnamed_job,
            "The only worker has a name, and is not offered the job of an unnamed dispatch: this never happens.",
            never=True,
        ),
        Item(
            "the agent waits for a participant",
            first(Kind.AGENT_WAITING_FOR_PARTICIPANT),
            "The job is offered about 200 ms after its dispatch; its agent connects and finds nobody.",
        ),
        Item("the room is created", first(Kind.ROOM_CREATED), "CreateDispatch creates it where there is none."),
    ),
    taught=_taught,
    words=("explicit", "automatic", "default-and-named", "worker-is-named"),
)
"""Step 4."""
