"""An agent that hangs up by the API, deleting its room or removing its caller: no webhook shows who asked for it."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from tracer import keys
from tracer.instrumentation.current_job import current_job
from tracer.instrumentation.guard import guarded
from tracer.instrumentation.moment_spans import report_of_job
from tracer.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from livekit.protocol.room import DeleteRoomRequest, RoomParticipantIdentity
    from opentelemetry.trace import Tracer

__all__ = ["Deletion"]


class Deletion:
    """Reports each DeleteRoom and RemoveParticipant by which a job ends its own room, or sends somebody out of it.

    It may ask LiveKit's API itself (``ctx.api.room.delete_room()``), as LiveKit's own recipes do, or call
    ``ctx.delete_room()``, as a session or a tool of livekit-agents does: that asks the API too.
    """

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def listen(self) -> None:
        """From now on, to every job of this process; once."""
        self._before_each_call("delete_room", self._deleting)
        self._before_each_call("remove_participant", self._removing)

    @staticmethod
    def _before_each_call(method: str, then: Callable[..., None]) -> None:
        # Here, where it is guarded: a livekit-api that has it elsewhere reports less, and nothing fails.
        from livekit.api.room_service import RoomService

        original = getattr(RoomService, method)

        @wraps(original)
        def reported(*args: Any, **kwargs: Any) -> Any:
            guarded(then, *args, **kwargs)
            return original(*args, **kwargs)

        setattr(RoomService, method, reported)

    def _deleting(self, _: object, delete: DeleteRoomRequest) -> None:
        job = current_job()
        if job and delete.room == job.job.room.name:
            report_of_job(self._tracer, job, Kind.AGENT_DELETING_ROOM)

    def _removing(self, _: object, remove: RoomParticipantIdentity) -> None:
        job = current_job()
        if job and remove.room == job.job.room.name:
            whom = {keys.PARTICIPANT_IDENTITY: remove.identity}
            report_of_job(self._tracer, job, Kind.AGENT_REMOVING_PARTICIPANT, attributes=whom)
