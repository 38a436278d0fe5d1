"""For `opentelemetry-instrument python agent.py start`: every agent server is instrumented, without a line of code.

OpenTelemetry finds this through its entry point, in each Python program that is started so, and in each that one
starts with an interpreter of its own: the server from which job processes are forked is one. Most have nothing to do
with LiveKit, so livekit.agents, which takes 2 s, is not imported here but waited for.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]  # it has no types
from wrapt import register_post_import_hook

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import ModuleType

__all__ = ["LiveKitAgentsInstrumentor"]

log = logging.getLogger("tracer")

_AGENTS = "livekit.agents"


class LiveKitAgentsInstrumentor(BaseInstrumentor):  # type: ignore[misc]
    """Does for every server what ``tracer.instrument`` does for one; one with that line keeps the line's endpoint."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """What is instrumented."""
        return ("livekit-agents >= 1.8.9, < 1.9",)

    def _instrument(self, **_: Any) -> None:
        self._wanted = True
        register_post_import_hook(self._instrument_servers, _AGENTS)  # at once when it is imported already

    def _uninstrument(self, **_: Any) -> None:
        self._wanted = False
        if _AGENTS in sys.modules:
            from tracer.instrumentation import leave_every_server

            leave_every_server()

    def _instrument_servers(self, _: ModuleType) -> None:
        if not self._wanted:
            return
        try:
            from tracer.instrumentation import instrument_every_server

            instrument_every_server()
        except Exception:  # else it would be the user's import of livekit.agents that fails
            log.warning("tracer is off: it could not be imported", exc_info=True)
