"""What runs inside the user's worker and its job processes.

Two rules above all: no failure of tracer's reaches the user's code, and a job never waits for tracer. So every hook is
guarded, spans leave through a thread of OpenTelemetry's own, and at the end of a process the wait for the receiver is
bounded.
"""

from __future__ import annotations

from tracer.instrumentation.agent_server import instrument, instrument_every_server, leave_every_server
from tracer.settings import DEFAULT_ENDPOINT

__all__ = ["DEFAULT_ENDPOINT", "instrument", "instrument_every_server", "leave_every_server"]
