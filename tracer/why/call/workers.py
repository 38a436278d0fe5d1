"""The workers that could have served a room, by what they reported of themselves."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.moment import BY_WORKER
from tracer.why.call.limits import ALIVE, SOON

if TYPE_CHECKING:
    from tracer.timeline.entities import Worker
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["GONE", "Workers", "is_alive"]

GONE = (None, Kind.WORKER_DISCONNECTED, Kind.WORKER_CLOSED)
"""Status of a worker that was not there: not yet registered, disconnected, or closed."""


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
        """Every worker that reported something of itself, and is not known to belong to another server.

        Which server a room is on, the workers show that were offered its jobs.
        """
        servers = self._servers
        if not servers or None in servers:
            return self._known
        return [worker for worker in self._known if worker.server in (None, *servers)]

    @property
    def are_of_one_server(self) -> bool:
        """Whether no two of them are known to belong to different servers: else it is not known which is the room's."""
        return len({worker.server for worker in self.all} - {None}) <= 1

    @cached_property
    def _known(self) -> list[Worker]:
        return [w for w in self._timeline.workers if w.sid.startswith("AW_")]

    @cached_property
    def _servers(self) -> set[str | None]:
        """The servers of the workers that were offered jobs of this room, or of those of its name beside it."""
        rooms = (self._timeline.earlier, self._timeline, self._timeline.later)
        jobs = [job for room in rooms if room for job in room.jobs]
        asked = {step.occurrence for job in jobs for step in job.steps if step.kind in BY_WORKER}
        asked |= {job.worker_id for job in jobs if job.worker_id}
        return {worker.server for worker in self._known if worker.sid in asked}

    def current(self, agent_name: str | None, at: int) -> list[Worker]:
        """Workers of this name, without those that had lost their connection and were back under another id, ns."""
        same = self.named(agent_name)
        replaced = {worker.sid for worker in same if (back := self.successor(worker)) and back.steps[0].time <= at}
        return [worker for worker in same if worker.sid not in replaced]

    def successor(self, worker: Worker) -> Worker | None:
        """What a worker became that lost its connection and registered again."""
        lost = worker.at(Kind.WORKER_DISCONNECTED)
        back = f"{lost.occurrence} " if lost else ""  # of an older agent: "back as AW_…"
        return next((w for w in self.all if w.previous_id == worker.sid or back.endswith(f" {w.sid} ")), None)

    def asked(self, worker: Worker) -> list[Step]:
        """When a worker received offers, as far as the record of this room and its neighbours goes."""
        own = [step for step in worker.steps if step.kind is Kind.WORKER_OFFERED]
        if own:
            return own
        rooms = (self._timeline.earlier, self._timeline, self._timeline.later)
        jobs = (job for room in rooms if room for job in room.jobs)
        return [s for j in jobs for s in j.steps if s.kind is Kind.JOB_RECEIVED and s.occurrence == worker.sid]

    def reported_later(self, worker: Worker, at: int) -> Step | None:
        """What shows that a worker was still running and under its id after this time, ns, by any clock."""
        steps = (*worker.steps, *self.asked(worker))
        later = (s for s in steps if s.earliest > at + SOON and s.kind is not Kind.WORKER_REGISTERED)
        return min(later, key=lambda step: step.time, default=None)

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
