"""One run of the doctor: what it was told, and what its checks leave for those after them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tracer.moment import Kind
from tracer.timeline.fold import fold
from tracer.witness.fields import LATEST_TIME

if TYPE_CHECKING:
    import aiohttp

    from tracer.doctor.scratch import ScratchRoom
    from tracer.settings import LiveKit
    from tracer.store import Reader
    from tracer.timeline.entities import Worker

__all__ = ["LIMIT", "Setup", "Visit"]

LIMIT = 3.0
"""Seconds that one answer may take."""
MOST_NAMES = 5
"""Agents' names that are asked for when the user gives none: those that registered last."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What the command line and the environment say."""

    server: LiveKit
    receiver: str
    """Address of `tracer serve`."""
    store: str
    """Where the receiver keeps moments."""
    agents: tuple[str, ...] = ()
    """Names to ask for; none means whatever there is."""
    backend: str | None = None
    """Where spans go, by OpenTelemetry's variables."""
    jaeger: str | None = None
    """Where Jaeger is asked for traces."""


@dataclass
class Visit:
    """The state of one run."""

    setup: Setup
    session: aiohttp.ClientSession
    reader: Reader | None = None
    """The store; None when it cannot be read."""
    why_no_store: str = ""
    server_works: bool = False
    """Whether the server answers and takes the key."""
    counters: dict[str, int] = field(default_factory=dict)
    """What the receiver had counted before the scratch room was made; empty when there is no receiver."""
    room: ScratchRoom | None = None
    """None when it could not be made."""
    why_no_room: str = ""

    def workers(self) -> list[Worker]:
        """Those that the store knows and that did not say they closed, the latest first; some may be gone by now.

        Only instrumented ones are in it.
        """
        if self.reader is None:
            return []
        # Whatever their clocks say, it was before now.
        known = fold("", (), workers=self.reader.workers(LATEST_TIME, LATEST_TIME)).workers  # the last of each kind
        there = [worker for worker in known if worker.standing(LATEST_TIME) is not Kind.WORKER_CLOSED]
        return sorted(there, key=lambda worker: max(step.time for step in worker.steps), reverse=True)

    def names(self) -> list[str]:
        """The agents to ask for, once each: the user's, else the unnamed one and those that the store knows."""
        if self.setup.agents:
            return list(dict.fromkeys(self.setup.agents))
        known = dict.fromkeys(worker.agent_name for worker in self.workers())
        return list(dict.fromkeys(["", *list(known)[:MOST_NAMES]]))
