"""One run of the doctor: its settings, and what its checks leave for those after them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tracer.moment import Kind
from tracer.timeline.fold import fold
from tracer.witness.fields import LATEST_TIME

if TYPE_CHECKING:
    import aiohttp

    from tracer.doctor.scratch import ScratchRoom
    from tracer.export.target import Target
    from tracer.settings import LiveKit
    from tracer.store import Reader
    from tracer.timeline.entities import Worker

__all__ = ["LIMIT", "Setup", "Visit"]

LIMIT = 3.0
"""Seconds that one answer may take."""
MOST_NAMES = 5
"""Agents that are requested when the user names none: those whose workers registered last."""
_GONE = (Kind.WORKER_DISCONNECTED, Kind.WORKER_CLOSED)


@dataclass(frozen=True, slots=True)
class Setup:
    """The settings, from the command line and the environment."""

    server: LiveKit
    receiver: str
    """Address of `tracer serve`."""
    store: str
    """The receiver's store."""
    agents: tuple[str, ...] = ()
    """Agents to request; empty: the unnamed one and those that the store knows."""
    backend: Target | None = None
    """Where spans are exported to, by OpenTelemetry's variables."""
    jaeger: str | None = None
    """Address of Jaeger's UI."""
    read_token: str = field(default="", repr=False)
    """What the receiver lets read for; secret."""


@dataclass
class Visit:
    """The state of one run."""

    setup: Setup
    session: aiohttp.ClientSession
    reader: Reader | None = None
    """The store; None when it cannot be read."""
    why_no_store: str = ""
    server_works: bool = False
    """Whether the server answers and accepts the key."""
    counters: dict[str, int] = field(default_factory=dict)
    """The receiver's counters before the scratch room was created; empty when there is no receiver."""
    not_admitted: bool = False
    """Whether the receiver does not show its counters to us."""
    no_receiver: str = ""
    """Why there is no receiver; empty when there is one."""
    receiver_answers_in: float = 0.0
    """Seconds."""
    room: ScratchRoom | None = None
    """None when it could not be created."""
    why_no_room: str = ""

    def is_observed(self) -> bool:
        """Whether the store has the scratch room from polling the API: by `tracer observe`, or by `tracer serve`."""
        return self._told_by("observer")

    def is_told_by_webhook(self) -> bool:
        """Whether the store has a webhook of the scratch room."""
        return self._told_by("webhook")

    def _told_by(self, witness: str) -> bool:
        sid = self.room.sid if self.room else ""
        return bool(sid and self.reader and any(moment.witness == witness for moment in self.reader.moments(sid)))

    def workers(self) -> list[Worker]:
        """Those in the store that reported no end and no lost connection, the latest first; some may have stopped.

        Only instrumented ones are in the store.
        """
        if self.reader is None:
            return []
        # Whatever their clocks are, it was before now.
        known = fold("", (), workers=self.reader.workers(LATEST_TIME, LATEST_TIME)).workers  # the last of each kind
        there = [worker for worker in known if worker.standing(LATEST_TIME) is not Kind.WORKER_CLOSED]
        return sorted(there, key=lambda worker: max(step.time for step in worker.steps), reverse=True)

    def names(self) -> list[str]:
        """The agents to request, once each: the user's, else the unnamed one and those that the store knows."""
        if self.setup.agents:
            return list(dict.fromkeys(self.setup.agents))
        known = dict.fromkeys(worker.agent_name for worker in self.workers())
        return list(dict.fromkeys(["", *list(known)[:MOST_NAMES]]))
