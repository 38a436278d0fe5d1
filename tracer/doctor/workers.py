"""Which workers answer for which agent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tracer.doctor.answers import Answer, answers
from tracer.doctor.diagnosis import CheckName, Diagnosis, State
from tracer.doctor.worker_report import WorkerReport

if TYPE_CHECKING:
    from tracer.doctor.visit import Visit

__all__ = ["WorkerCheck"]

WAIT = 6.0
"""Seconds after the room's creation: the server lists a job up to 5 s after it was assigned, about 200 ms after the
room. Of an agent that is not instrumented and does not connect there is no other source."""
OTHERS = 2.0
"""Seconds after the first answer in which agents that the user did not name may answer."""
SURE_WITHIN = 1.0
"""Seconds in which the worker of an agent may become known, or another worker accept a job that one rejected."""
POLL_EVERY = 0.05
"""Seconds between two polls."""


class WorkerCheck:
    """The scratch room was created with a dispatch of each name; this waits for their workers."""

    name = CheckName.WORKERS

    async def examine(self, visit: Visit) -> list[Diagnosis]:
        """One finding for each name."""
        room = visit.room
        if room is None:
            return [Diagnosis(self.name, State.SKIPPED, f"not checked: {visit.why_no_room}")]
        names = visit.names()
        found: dict[str, Answer] = {}
        while True:
            await room.poll()
            for name, answer in answers(room.timeline(visit.reader), names, room.age).items():
                known = found.setdefault(name, answer)
                if known.silent and not answer.silent:
                    known.after = answer.after
                known.worker, known.rejected = answer.worker or known.worker, answer.rejected
                known.refusal = answer.refusal
                known.silent = answer.silent
            if self._is_settled(visit, names, found, room.age):
                break
            await asyncio.sleep(POLL_EVERY)
        report = WorkerReport(found, visit.workers(), room.sent, room.age, requested=bool(visit.setup.agents))
        return [report.answered(name, found[name]) if name in found else report.nobody(name) for name in names]

    def _is_settled(self, visit: Visit, names: list[str], found: dict[str, Answer], age: float) -> bool:
        """Whether nothing more is to be expected, so many seconds after the room's creation."""
        if age > WAIT:
            return True
        if any(answer.silent for answer in found.values()):
            return False
        open_ones = [answer for answer in found.values() if answer.worker is None or answer.rejected]
        if any(age < answer.after + SURE_WITHIN for answer in open_ones):
            return False
        if all(name in found for name in names):
            return True
        # Those that the user did not name need not answer, once another one did.
        return bool(found) and not visit.setup.agents and age > min(one.after for one in found.values()) + OTHERS
