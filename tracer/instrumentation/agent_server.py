"""Wraps ``AgentServer.run``, so that a worker is prepared when it starts and not before."""

from __future__ import annotations

from functools import wraps
from types import MethodType
from typing import TYPE_CHECKING, Any

from livekit.agents import AgentServer

from tracer.instrumentation.guard import guarded
from tracer.instrumentation.job_process import JobSetup
from tracer.instrumentation.provider import own_provider
from tracer.instrumentation.reporter import Reporter
from tracer.instrumentation.versions import log_what_is_not_reported
from tracer.instrumentation.worker_process import WorkerProcess
from tracer.settings import receiver_endpoint
from tracer.witness.agent import SCOPE

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["instrument_server", "unwrap_class", "wrap_class"]

SETUP = "setup_fnc" if hasattr(AgentServer, "setup_fnc") else "_setup_fnc"
"""What a server calls in each process that it starts: the first versions of 1.3 have no property for it."""


def instrument_server(server: AgentServer, endpoint: str | None) -> None:
    """Have this server be prepared when it runs. Raises ConfigurationError for an address that is none."""
    endpoint = receiver_endpoint(endpoint)
    if not _is_wrapped(vars(server).get("run")):
        server.run = MethodType(_wrapped(type(server).run, endpoint), server)  # type: ignore[method-assign]


def wrap_class() -> None:
    """As ``instrument_server`` for each server of this process that is not instrumented by itself."""
    if not _is_wrapped(AgentServer.run):
        AgentServer.run = _wrapped(AgentServer.run, None)  # type: ignore[method-assign]


def unwrap_class() -> None:
    """Undo ``wrap_class``, for servers that do not run yet."""
    if _is_wrapped(AgentServer.run):
        AgentServer.run = AgentServer.run.__wrapped__  # type: ignore[method-assign, attr-defined]


def _is_wrapped(run: Callable[..., Any] | None) -> bool:
    return getattr(run, "_tracer", False)


def _wrapped(run: Callable[..., Any], endpoint: str | None) -> Callable[..., Any]:
    """The method ``AgentServer.run`` with the worker's preparation before it."""

    # What the user sets after the call of instrument() must count too, so nothing is changed before the server runs.
    @wraps(run)
    async def run_traced(server: AgentServer, *args: Any, **kwargs: Any) -> None:
        worker = guarded(_prepare_worker, server, endpoint)
        try:
            await run(server, *args, **kwargs)
        finally:
            if worker:
                guarded(worker.closed)

    run_traced._tracer = True  # type: ignore[attr-defined]  # noqa: SLF001  our own mark
    return run_traced


def _prepare_worker(server: AgentServer, endpoint: str | None) -> WorkerProcess | None:
    """Report what the worker process does, and have each job process report; None when that is done already."""
    setup = getattr(server, SETUP)
    if isinstance(setup, JobSetup):  # instrument() was called, and every server is instrumented
        return None
    endpoint = receiver_endpoint(endpoint)
    guarded(log_what_is_not_reported)
    provider = own_provider()
    setattr(server, SETUP, JobSetup(setup, endpoint))
    provider.add_span_processor(Reporter(endpoint))
    worker = WorkerProcess(server, provider.get_tracer(SCOPE))
    worker.listen()
    return worker
