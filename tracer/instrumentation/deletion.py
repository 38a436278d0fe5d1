"""An agent that deletes its own room, as many do to hang up: neither a span nor a webhook shows who asked for it."""

from __future__ import annotations

import time
from functools import wraps
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context

from tracer import keys
from tracer.instrumentation.guard import guarded
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
        at = time.time_ns()
        about = {
            keys.ROOM_SID: job.job.room.sid,
            keys.JOB_ID: job.job.id,
            keys.SUBJECT: job.job.id,
            keys.OCCURRENCE: str(at),
        }
        self._tracer.start_span(Kind.AGENT_DELETING_ROOM.value, Context(), start_time=at, attributes=about).end()
