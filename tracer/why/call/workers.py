"""The workers that could have served a room, by what they reported of themselves."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.why.call.limits import ALIVE

if TYPE_CHECKING:
    from tracer.timeline.entities import Worker
    from tracer.timeline.timeline import Timeline

__all__ = ["Workers", "is_alive"]

GONE = (None, Kind.WORKER_CLOSED)
"""How a worker stands that was not there: not yet registered, or closed."""


def is_alive(worker: Worker, at: int) -> bool:
    """Whether a worker reported something then or later, ns: of one that was killed the last report stands for ever."""
    return worker.steps[-1].time > at - ALIVE


class Workers:
    """The workers that reported anything."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._registered: dict[int, list[Worker]] = {}

    @cached_property
    def all(self) -> list[Worker]:
        """Every worker that reported something of itself."""
        return [w for w in self._timeline.workers if w.sid.startswith("AW_")]

    def named(self, agent_name: str | None) -> list[Worker]:
        """Workers that take dispatches of this name; the empty name is the unnamed agent's."""
        return self._by_name.get(agent_name or "", [])

    @cached_property
    def _by_name(self) -> dict[str, list[Worker]]:
        found: dict[str, list[Worker]] = defaultdict(list)
        for worker in self.all:
            found[worker.agent_name].append(worker)
        return dict(found)

    def registered(self, at: int) -> list[Worker]:
        """Workers of any name that were registered at this time, ns."""
        if at not in self._registered:
            self._registered[at] = [w for w in self.all if w.standing(at) not in GONE]
        return self._registered[at]
