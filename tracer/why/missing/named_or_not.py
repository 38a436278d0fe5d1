"""A worker with a name gets only dispatches of that name; one without a name gets only the unnamed ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.livekit_sources import Page, issue, server
from tracer.timeline.provenance import CreatedBy
from tracer.why.call.participants import name_of
from tracer.why.missing.without_job import MOST_WORKERS, WithoutJob, names_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Dispatch, Worker
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["RoomExisted", "WorkerIsNamed", "WorkerIsUnnamed"]


class WorkerIsNamed(WithoutJob):
    """A worker with an agent_name is not offered the job of an unnamed dispatch.

    Known from the unnamed dispatch without a job, and from workers that registered with a name. Never certain: every
    room has this dispatch, and perhaps nobody wanted an agent.
    """

    name = "worker-is-named"
    about = "the worker has an agent_name, and only the unnamed dispatch exists"
    advice = (
        "A worker with an agent_name must be dispatched explicitly: name it in the participant's token"
        " (RoomConfiguration.agents), in CreateRoom, or with CreateDispatch. Or remove its agent_name: then it is"
        " dispatched to every new room."
    )
    said = (Page.DISPATCH,)

    def judge(self, call: Call, dispatch: Dispatch, created: Step, same: list[Worker]) -> Iterator[Finding]:
        known = call.workers.registered(created.time)
        if dispatch.agent_name or same or not known or call.timeline.created_by == CreatedBy.API:
            return
        yield self.found(
            f"The only dispatch is the automatic one, for an unnamed agent; the worker is registered as"
            f" {names_of(known)}, so it is not offered the job.",
            created,
            *(worker.steps[0] for worker in known[:MOST_WORKERS]),
            certain=False,
        )

    def doubt(self, call: Call) -> str | None:
        if not call.dispatches.perhaps_unwanted:
            return None
        known = [w for _, created in call.dispatches.without_job for w in call.workers.registered(created.time)]
        return f"if an agent was wanted, request it by its name: {names_of(known)}" if known else None


class RoomExisted(WithoutJob):
    """Agents in a token apply only where the join creates the room (livekit #4390).

    Known from a room that the API created before its first caller joined. Never certain: no witness sees what is in
    a token.
    """

    name = "room-existed"
    about = "the agents in the token were ignored, because the room already existed"
    advice = (
        "RoomConfiguration.agents in a token applies only when the join creates the room. List the agents in"
        " CreateRoom, or call CreateDispatch after it."
    )
    said = (
        Page.DISPATCH,
        issue("livekit", 4390),
    )

    def judge(self, call: Call, dispatch: Dispatch, created: Step, same: list[Worker]) -> Iterator[Finding]:
        known = call.workers.registered(created.time)
        if (
            dispatch.agent_name
            or same
            or not known
            or call.timeline.created_by != CreatedBy.API
            or not call.callers.all
        ):
            return
        first = call.callers.all[0]
        yield self.found(
            f"The room existed before {name_of(first)} joined, so any agents in their token were ignored: nothing"
            f" dispatched {names_of(known)}, and the automatic dispatch is for an unnamed agent.",
            call.timeline.room.created,
            created,
            first.at(Kind.PARTICIPANT_JOINING),
            certain=False,
        )

    def doubt(self, call: Call) -> str | None:
        named = any(dispatch.agent_name for dispatch in call.timeline.dispatches)
        if not call.dispatches.without_job or named or not call.callers.all:
            return None
        if call.timeline.created_by not in (None, CreatedBy.API):
            return None
        return "check whether the caller's token has RoomConfiguration.agents, and whether CreateRoom was called first"


class WorkerIsUnnamed(WithoutJob):
    """A worker without an agent_name is not offered the job of a named dispatch.

    Known from the named dispatch without a job, and from workers of which all registered without a name. Never
    certain: another worker of that name, which reports nothing, could have been full.
    """

    name = "worker-is-unnamed"
    about = "an agent was dispatched by name, and the worker has no agent_name"
    advice = (
        "Set that agent_name in @server.rtc_session(), or list no agents in the token and CreateRoom: a room that"
        " lists agents gets no automatic dispatch."
    )
    said = (
        Page.DISPATCH,
        server("pkg/rtc/room.go"),
    )

    def judge(self, call: Call, dispatch: Dispatch, created: Step, same: list[Worker]) -> Iterator[Finding]:
        known = call.workers.registered(created.time)
        if not dispatch.agent_name or same or not known or any(worker.agent_name for worker in known):
            return
        yield self.found(
            f"Agent {dispatch.agent_name!r} was dispatched, and the worker is registered without a name, so it is not"
            " offered the job.",
            created,
            *(worker.steps[0] for worker in known[:MOST_WORKERS]),
            certain=False,
        )
