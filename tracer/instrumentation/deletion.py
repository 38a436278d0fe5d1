"""An agent that deletes its own room, as many do to hang up: neither a span nor a webhook shows who asked for it."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from tracer.instrumentation.guard import guarded
from tracer.instrumentation.moment_spans import report_of_job
from tracer.kinds import Kind

if TYPE_CHECKING:
    from livekit.agents import JobContext
    from opentelemetry.trace import Tracer

__all__ = ["Deletion"]


class Deletion:
    """Reports each ``ctx.delete_room()`` of a job, also those that a session or a tool of livekit-agents makes."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def listen(self, job: JobContext) -> None:
        """From now on, to this job."""
        delete = job.delete_room

        @wraps(delete)
        def delete_reported(*args: Any, **kwargs: Any) -> Any:
            guarded(self._called, job, *args, **kwargs)
            return delete(*args, **kwargs)

        job.delete_room = delete_reported  # type: ignore[method-assign]

    def _called(self, job: JobContext, room_name: str | None = None) -> None:
        if room_name and room_name != job.job.room.name:
            return
        report_of_job(self._tracer, job, Kind.AGENT_DELETING_ROOM)
