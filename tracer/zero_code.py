"""For `opentelemetry-instrument python agent.py start`: every agent server is instrumented, without a line of code.

OpenTelemetry finds this through its entry point in each Python program that is started this way, and in every Python
interpreter that it starts: the server from which job processes are forked is one. Most of them have nothing to do with
LiveKit, so livekit.agents, which takes 2 s to import, is not imported here: a hook runs when something else imports it.
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
    """Does for every server what ``tracer.instrument`` does for one; a server with that line keeps its endpoint."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """The package that is instrumented, in any version: tracer itself says which it supports, and why not."""
        return ("livekit-agents",)

    def _instrument(self, **_: Any) -> None:
        self._enabled = True
        register_post_import_hook(self._instrument_servers, _AGENTS)  # at once when it is imported already

    def _uninstrument(self, **_: Any) -> None:
        self._enabled = False
        if _AGENTS in sys.modules:
            from tracer.instrumentation import leave_every_server

            leave_every_server()

    def _instrument_servers(self, _: ModuleType) -> None:
        if self._enabled:
            from tracer.instrumentation import instrument_every_server

            instrument_every_server()
