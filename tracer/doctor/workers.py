"""Which workers answer for which agent."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from tracer.doctor.diagnosis import CheckName, Diagnosis, State, quoted, short
from tracer.doctor.rejection import is_rejected
from tracer.moment import Kind
from tracer.units import milliseconds
from tracer.witness.fields import LATEST_TIME

if TYPE_CHECKING:
    from collections.abc import Collection

    from tracer.doctor.visit import Visit
    from tracer.timeline.entities import Job, Worker
    from tracer.timeline.fold import Timeline

__all__ = ["Answer", "WorkerCheck", "answers"]

WAIT = 6.0
"""Seconds after the room's creation: the server lists a job up to 5 s after it was assigned, about 200 ms after the
room. Of an agent that is not instrumented and does not connect there is no other source."""
OTHERS = 2.0
"""Seconds after the first answer in which agents that the user did not name may answer."""
SURE_WITHIN = 1.0
"""Seconds in which the worker of an agent may become known, or another worker accept a job that one rejected."""
POLL_EVERY = 0.05
"""Seconds between two polls."""
NAME_ATTRIBUTE = "lk.agent.name"
"""The participant attribute in which livekit-agents puts an agent's name."""


@dataclass
class Answer:
    """A worker answered for an agent's name."""

    after: float
    """Seconds from the room's creation to the poll that showed it."""
    worker: str | None = None
    """The worker's id (``AW_…``), once it is known."""
    rejected: bool = False
    silent: bool = False
    """The worker was offered the job, and no source reports that it got it."""


def answers(timeline: Timeline, asked: Collection[str], age: float) -> dict[str, Answer]:
    """The answer for each of the names, as far as there is one."""
    found: dict[str, Answer] = {}
    for job in timeline.jobs:
        if job.agent_name in asked and job.agent_name is not None:
            found[job.agent_name] = Answer(age, job.worker_id, is_rejected(job), _is_silent(job))
    for agent in timeline.participants:
        name = agent.attributes.get(NAME_ATTRIBUTE, "")  # the server keeps no empty attribute
        if agent.is_agent and name in asked:
            found.setdefault(name, Answer(age)).silent = False
    return found


def _is_silent(job: Job) -> bool:
    """Whether only the worker itself reports the offer: the server lists jobs that it has assigned."""
    given = job.at(Kind.JOB_ASSIGNED, Kind.JOB_PROCESS_ASSIGNED, Kind.JOB_ENTRYPOINT_STARTED, Kind.AGENT_CONNECTING)
    return not (given or is_rejected(job) or any("observer" in step.witnesses for step in job.steps))


class WorkerCheck:
    """The scratch room was created with a dispatch of each name; this waits for their workers."""

    name = CheckName.WORKERS

    async def examine(self, visit: Visit) -> list[Diagnosis]:
        """One finding for each name."""
        room = visit.room
        if room is None:
            return [Diagnosis(self.name, State.SKIPPED, f"not checked: {visit.why_no_room}")]
        asked = visit.names()
        found: dict[str, Answer] = {}
        while True:
            await room.poll()
            for name, answer in answers(room.timeline(visit.reader), asked, room.age).items():
                known = found.setdefault(name, answer)
                if known.silent and not answer.silent:
                    known.after = answer.after
                known.worker, known.rejected = answer.worker or known.worker, answer.rejected
                known.silent = answer.silent
            if self._is_settled(visit, asked, found, room.age):
                break
            await asyncio.sleep(POLL_EVERY)
        report = _Report(found, visit.workers(), room.age, requested=bool(visit.setup.agents))
        return [report.answered(name, found[name]) if name in found else report.nobody(name) for name in asked]

    def _is_settled(self, visit: Visit, asked: list[str], found: dict[str, Answer], age: float) -> bool:
        if age > WAIT:
            return True
        if any(a.silent for a in found.values()):
            return False
        if any((a.worker is None or a.rejected) and age < a.after + SURE_WITHIN for a in found.values()):
            return False
        others = bool(found) and not visit.setup.agents and age > min(a.after for a in found.values()) + OTHERS
        return others or all(name in found for name in asked)


@dataclass(frozen=True)
class _Report:
    """The findings on all answers, in sentences."""

    found: dict[str, Answer]
    registered: list[Worker]
    """Those that the store knows; they may have stopped."""
    waited: float
    """Seconds."""
    requested: bool
    """Whether the user named the agents."""

    def answered(self, name: str, answer: Answer) -> Diagnosis:
        """A worker did."""
        who = f"worker {short(answer.worker)}" if answer.worker else "a worker"
        host = next((worker.host for worker in self.registered if worker.sid == answer.worker), None)
        who += f" on {short(host)}" if host else ""
        if answer.rejected:
            fix = "check its on_request: only accept() accepts a job"
            return Diagnosis(WorkerCheck.name, State.FAILED, f"{who} rejected the job for {_agent(name)}", fix)
        if answer.silent:
            text = f"{who} was offered the job for {_agent(name)}, and did not get it within {self.waited:.0f} s"
            fix = "answer sooner in request_fnc: after 3 s the server drops the job"
            return Diagnosis(WorkerCheck.name, State.FAILED, text, fix)
        after = milliseconds(answer.after * 1000)
        return Diagnosis(WorkerCheck.name, State.OK, f"{who} answers for {_agent(name)}, within {after}")

    def nobody(self, name: str) -> Diagnosis:
        """No worker did. An agent that the user did not name need not be there, as long as another one is."""
        needed = self.requested or not (self.found or name)
        state = State.FAILED if needed else State.WARNING
        text = f"no worker answers for {_agent(name)} within {self.waited:.0f} s"
        mine = [worker for worker in self.registered if worker.agent_name == name]
        others = [other for other in self._known() if other != name]
        for worker in mine[:1]:
            standing = _STANDING.get(worker.standing(LATEST_TIME), "was registered, and may have stopped")
            text += f"; worker {short(worker.sid)} {standing}"
        if others:
            text += f"; known: {_listed(others)}"
        return Diagnosis(WorkerCheck.name, state, text, self._fix(name, mine, others))

    def _known(self) -> list[str]:
        """Names that answered, and those that were registered once."""
        return list(dict.fromkeys([*self.found, *(worker.agent_name for worker in self.registered)]))

    def _fix(self, name: str, mine: list[Worker], others: list[str]) -> str:
        if any(worker.standing(LATEST_TIME) is Kind.WORKER_FULL for worker in mine):
            return "start more workers, or raise load_threshold"
        near = get_close_matches(name.lower(), [other.lower() for other in others if other], 1, 0.7)
        for other in others:
            if other.lower() in near:
                return f"request {quoted(other)}, or write agent_name={quoted(name)} in @server.rtc_session"
        if not name and self.found:
            return f"request {_listed(self.found)} in the token or a dispatch, or remove the worker's agent_name"
        if name and not mine:
            return f"start one with @server.rtc_session(agent_name={quoted(name)})"
        return "start one with this LIVEKIT_URL and key pair"


_STANDING: dict[Kind | None, str] = {
    Kind.WORKER_FULL: "is full",
    Kind.WORKER_DRAINING: "is draining and accepts no new jobs",
}
"""Why a worker that runs does not answer; any other has stopped."""


def _agent(name: str) -> str:
    return f"agent {quoted(name)}" if name else "the unnamed agent"


def _listed(names: Collection[str]) -> str:
    """A few names; the empty one as "the unnamed one"."""
    shown = [quoted(name) if name else "the unnamed one" for name in list(names)[:3]]
    return ", ".join(shown) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
