"""Whether the clocks of server, agents and this machine are close."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from tracer.clocks.offsets import Clocks, Offset
from tracer.doctor.diagnosis import CheckName, Diagnosis, State, quoted, short
from tracer.doctor.offset import in_words, of_request, state
from tracer.doctor.rejection import is_rejected
from tracer.moment import Kind
from tracer.timeline.precedence import must_precede

if TYPE_CHECKING:
    from tracer.doctor.visit import Visit
    from tracer.timeline.entities import Job, Worker
    from tracer.timeline.timeline import Timeline

__all__ = ["ClockCheck"]

WAIT = 2.5
"""Seconds in which an agent that answered may connect and report it."""
POLL_EVERY = 0.05
"""Seconds between two polls."""
OVER = (Kind.AGENT_CONNECTED, Kind.JOB_ENDED)
"""After these, no more is learnt of an agent's clock."""


class ClockCheck:
    """The server reports in whole ms when it created the scratch room: after our request and before its answer.

    An agent's own times lie between the server's in the same way: see ``tracer.clocks.offsets``.
    """

    name = CheckName.CLOCKS

    async def examine(self, visit: Visit) -> list[Diagnosis]:
        """One finding for this machine, and one for each worker that answered."""
        room = visit.room
        if room is None:
            return [Diagnosis(self.name, State.SKIPPED, f"not checked: {visit.why_no_room}")]
        made = room.created
        mine = of_request(room.sent, room.answered, made.earliest, made.latest) if made else Offset()
        findings = [
            self._result(
                "this machine's clock", "this machine", mine, "the server does not report when it created a room"
            )
        ]
        end = time.monotonic() + WAIT
        while True:
            await room.poll()
            timeline = room.timeline(visit.reader)
            if visit.reader is None or time.monotonic() > end or _everyone_connected(timeline):
                break
            await asyncio.sleep(POLL_EVERY)
        registered = {worker.sid: worker for worker in visit.workers()}
        clocks = Clocks(timeline, must_precede(timeline.steps))
        findings += [self._of_job(visit, clocks, job, registered) for job in timeline.jobs]
        with_job = [timeline.agent_of(job) for job in timeline.jobs]
        without = [p for p in timeline.participants if p.is_agent and p not in with_job]
        return findings + [self._unknown(visit, "an agent's clock") for _ in without]

    def _of_job(self, visit: Visit, clocks: Clocks, job: Job, registered: dict[str, Worker]) -> Diagnosis:
        worker = registered.get(job.worker_id or "")
        whose = f"the clock of worker {short(job.worker_id)}" if job.worker_id else "an agent's clock"
        if not _reported_by_agent(job):
            return self._unknown(visit, whose)
        host = quoted(worker.host) if worker and worker.host else "the worker's machine"
        why = "it rejected the job" if is_rejected(job) else f"the agent was not in the room within {WAIT:g} s"
        return self._result(whose, host, clocks.of_job(job), why)

    def _unknown(self, visit: Visit, whose: str) -> Diagnosis:
        if visit.reader is None:
            return Diagnosis(self.name, State.SKIPPED, f"{whose} is unknown: {visit.why_no_store}")
        fix = (
            "write tracer.instrument(server) in the agent, and set its TRACER_ENDPOINT to `tracer serve`; "
            "in Node, export its spans there"
        )
        return Diagnosis(self.name, State.SKIPPED, f"{whose} is unknown: it does not report to the receiver", fix)

    def _result(self, whose: str, machine: str, offset: Offset, unknown: str) -> Diagnosis:
        meaning = state(offset)
        if meaning is State.SKIPPED:
            return Diagnosis(self.name, meaning, f"{whose} {in_words(offset)}: {unknown}")
        fix = "" if meaning is State.OK else f"synchronize the clocks of {machine} and the server with NTP"
        return Diagnosis(self.name, meaning, f"{whose} {in_words(offset)}", fix)


def _reported_by_agent(job: Job) -> bool:
    return any("agent" in step.witnesses for step in job.steps)


def _everyone_connected(timeline: Timeline) -> bool:
    """Whether every agent in the room has itself reported that it is connected."""
    known = [timeline.agent_of(job) for job in timeline.jobs if job.at(*OVER) or is_rejected(job)]
    return len(known) == len(timeline.jobs) and all(not p.is_agent or p in known for p in timeline.participants)
