"""Moments that no span of livekit-agents shows, as spans: one span for each, whose name is the moment's kind."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from opentelemetry.context import Context

from tracer import keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    from livekit.agents import AgentServer, JobContext
    from opentelemetry.trace import Tracer

    from tracer.moment import Fact, Kind

__all__ = ["UNREGISTERED", "MomentSpans", "error_attributes", "report_of_job"]

UNREGISTERED = "unregistered"
"""The id of a worker in livekit-agents before the server has given it one."""
LONGEST_MESSAGE = 500
"""Characters of an exception's text that are reported."""


class MomentSpans:
    """Reports moments of one worker."""

    def __init__(self, server: AgentServer, tracer: Tracer) -> None:
        self._server = server
        self._tracer = tracer

    def report(
        self,
        kind: Kind,
        subject: str,
        attributes: Mapping[str, Fact | None],
        *,
        room: str = "",
        at: int | None = None,
        earliest: int | None = None,
        latest: int | None = None,
        occurrence: str = "",
        clock: str = "",
    ) -> None:
        """Report one moment; times in ns since the epoch, now by default, and attributes that are None are left out."""
        at = time.time_ns() if at is None else at
        every: dict[str, Fact | None] = {
            keys.SUBJECT: subject,
            keys.ROOM_SID: room or None,
            keys.OCCURRENCE: occurrence or None,
            keys.CLOCK: clock or None,
            keys.EARLIEST: None if earliest is None else str(earliest),
            keys.LATEST: None if latest is None else str(latest),
            keys.AGENT_NAME: getattr(self._server, "_agent_name", ""),
            keys.WORKER_ID: self._server.id,
            keys.WORKER_HOST: socket.gethostname(),
            **attributes,
        }
        known = {key: value for key, value in every.items() if value is not None}
        self._tracer.start_span(kind.value, start_time=at, attributes=known).end()

    def report_worker(
        self, kind: Kind, attributes: dict[str, Fact | None], *, at: int | None = None, occurrence: str = ""
    ) -> None:
        """Report a moment of the worker itself; nothing before the server has given it an id."""
        if self._server.id != UNREGISTERED:
            self.report(kind, self._server.id, attributes, at=at, occurrence=occurrence)


def report_of_job(
    tracer: Tracer,
    job: JobContext,
    kind: Kind,
    subject: str = "",
    attributes: Mapping[str, Fact] | None = None,
    *,
    at: int | None = None,
) -> None:
    """Report a moment of a job, or of ``subject`` in its room, at a time, ns since the epoch; now by default."""
    at = at or time.time_ns()
    known: dict[str, Fact] = {
        **(attributes or {}),
        keys.ROOM_SID: job.job.room.sid,
        keys.JOB_ID: job.job.id,
        keys.SUBJECT: subject or job.job.id,
        keys.OCCURRENCE: str(at),
    }
    # In a trace of its own, whatever span of the user's is current.
    tracer.start_span(kind.value, Context(), start_time=at, attributes=known).end()


def error_attributes(error: BaseException) -> dict[str, Fact]:
    """An exception's class and, where it has one, its text."""
    try:
        text = str(error)[:LONGEST_MESSAGE]
    except Exception:  # noqa: BLE001  the user's class may do anything
        text = ""
    return {keys.ERROR_TYPE: type(error).__name__, **({keys.ERROR_MESSAGE: text} if text else {})}
