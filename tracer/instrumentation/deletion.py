"""An agent that deletes its own room, as many do to hang up: neither a span nor a webhook shows who asked for it."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from tracer.instrumentation.current_job import current_job
from tracer.instrumentation.guard import guarded
from tracer.instrumentation.moment_spans import report_of_job
from tracer.kinds import Kind

if TYPE_CHECKING:
    from livekit.protocol.room import DeleteRoomRequest
    from opentelemetry.trace import Tracer

__all__ = ["Deletion"]


class Deletion:
    """Reports each DeleteRoom with which a job deletes its own room.

    It may ask LiveKit's API itself (``ctx.api.room.delete_room()``), as LiveKit's own recipes do, or call
    ``ctx.delete_room()``, as a session or a tool of livekit-agents does: that asks the API too.
    """

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def listen(self) -> None:
        """From now on, to every job of this process; once."""
        # Here, where it is guarded: a livekit-api that has it elsewhere reports less, and nothing fails.
        from livekit.api.room_service import RoomService

        owner: Any = RoomService
        delete = owner.delete_room

        @wraps(delete)
        def delete_reported(*args: Any, **kwargs: Any) -> Any:
            guarded(self._called, *args, **kwargs)
            return delete(*args, **kwargs)

        owner.delete_room = delete_reported

    def _called(self, _: object, delete: DeleteRoomRequest) -> None:
        job = current_job()
        if job and delete.room == job.job.room.name:
            report_of_job(self._tracer, job, Kind.AGENT_DELETING_ROOM)
