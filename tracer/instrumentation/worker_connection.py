"""A worker's connection to the server: registered, broken, registered again under another id.

Source: livekit-agents 1.8.9, worker.py: ``_run_ws`` runs as long as one connection does, and raises when it breaks.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from livekit.protocol import agent

from tracer import keys
from tracer.instrumentation.guard import guarded
from tracer.instrumentation.moment_spans import error_attributes
from tracer.moment import Kind
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from livekit.agents import AgentServer

    from tracer.instrumentation.moment_spans import MomentSpans
    from tracer.moment import Fact

__all__ = ["WorkerConnection"]

log = logging.getLogger("tracer")

UNNOTICED = 45 * NS_PER_S
"""A connection without traffic may have been broken for this long, ns: aiohttp sends a ping every 30 s and waits 15 s
for the answer."""
PORTS = {"ws": 80, "http": 80, "wss": 443, "https": 443}


class WorkerConnection:
    """Reports ``worker.registered`` and ``worker.disconnected``."""

    def __init__(self, server: AgentServer, spans: MomentSpans) -> None:
        self._server = server
        self._spans = spans
        self._id = ""
        """The id that the server gave last."""
        self._since = 0
        """When it did, ns since the epoch."""

    def listen(self) -> None:
        """Observe when the connection breaks, from now on."""
        run = getattr(self._server, "_run_ws", None)
        if run is None:
            log.info("tracer: this livekit-agents has no AgentServer._run_ws: timelines will omit lost connections")
            return

        @wraps(run)
        async def observed(connection: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                return await run(connection, *args, **kwargs)
            except Exception as error:  # a worker that closes cancels it
                guarded(self._broke, connection, error)
                raise

        self._server._run_ws = observed  # type: ignore[assignment, method-assign]  # noqa: SLF001  see private_names

    def registered(self, worker_id: str) -> None:
        """The server has registered the worker and given it an id; each connection has its own."""
        before, self._id, self._since = self._id, worker_id, time.time_ns()
        job_type = getattr(getattr(self._server, "_server_type", None), "value", None)
        about: dict[str, Fact | None] = {
            keys.JOB_TYPE: None if job_type is None else agent.JobType.Name(job_type),
            keys.DEPLOYMENT: getattr(self._server, "_deployment", None) or None,
            keys.WORKER_SERVER: _host_and_port(getattr(self._server, "_ws_url", None)),
            keys.WORKER_PREVIOUS_ID: before if before not in ("", worker_id) else None,
        }
        self._spans.report(Kind.WORKER_REGISTERED, worker_id, about, at=self._since)

    def _broke(self, connection: Any, error: Exception) -> None:
        """The connection broke: now, or a while ago where only an answer to a ping did not come."""
        now = time.time_ns()
        silent = isinstance(connection.exception(), asyncio.TimeoutError)
        self._spans.report(
            Kind.WORKER_DISCONNECTED,
            self._id,
            error_attributes(error),
            at=now,
            earliest=max(self._since, now - UNNOTICED) if silent else now,
            latest=now,
        )


def _host_and_port(url: object) -> str | None:
    """The server in a URL, without credentials, path and query."""
    with suppress(ValueError):
        parts = urlsplit(str(url))
        port = parts.port or PORTS.get(parts.scheme)
        if parts.hostname and port:
            host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
            return f"{host}:{port}"
    return None
