"""What runs inside the user's worker and its job processes.

Two rules above all: no failure of tracer's reaches the user's code, and a job never waits for tracer. So every hook is
guarded, spans leave through a thread of OpenTelemetry's own, and at the end of a process the wait for the receiver is
bounded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.instrumentation.guard import guarded
from tracer.instrumentation.versions import require_livekit_agents
from tracer.settings import DEFAULT_ENDPOINT

if TYPE_CHECKING:
    from livekit.agents import AgentServer

__all__ = ["DEFAULT_ENDPOINT", "instrument", "instrument_every_server", "leave_every_server"]

# What follows imports livekit.agents, which is not there, too old or too new for some: that too is a line in the log.


def instrument(server: AgentServer, endpoint: str | None = None) -> AgentServer:
    """Have this worker and its jobs report to `tracer serve`; one line, anywhere before the server runs.

    ``endpoint`` is the receiver's address; without it ``TRACER_ENDPOINT``, and without that
    ``http://127.0.0.1:7890``. The server's own ``setup_fnc`` and tracer provider work as before.
    Returns the server. Never raises: what is wrong, with the address as with anything else, is a warning in the log.
    """
    guarded(_instrument, server, endpoint)
    return server


def instrument_every_server() -> None:
    """As ``instrument`` for each server of this process that is not instrumented by itself: for `tracer.zero_code`."""
    guarded(_instrument_every_server)


def leave_every_server() -> None:
    """Undo ``instrument_every_server``, for servers that do not run yet."""
    guarded(_leave_every_server)


def _instrument(server: AgentServer, endpoint: str | None) -> None:
    require_livekit_agents()
    from tracer.instrumentation.agent_server import instrument_server

    instrument_server(server, endpoint)


def _instrument_every_server() -> None:
    require_livekit_agents()
    from tracer.instrumentation.agent_server import wrap_class

    wrap_class()


def _leave_every_server() -> None:
    from tracer.instrumentation.agent_server import unwrap_class

    unwrap_class()
