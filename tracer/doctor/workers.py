"""Which workers answer for which agent."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from tracer.doctor.diagnosis import Diagnosis, State, quoted, short
from tracer.doctor.rejection import is_rejected
from tracer.moment import Kind
from tracer.units import milliseconds
from tracer.witness.fields import LATEST_TIME

if TYPE_CHECKING:
    from collections.abc import Collection

    from tracer.doctor.visit import Visit
    from tracer.timeline.entities import Job, Worker
    from tracer.timeline.timeline import Timeline

__all__ = ["Answer", "WorkerCheck", "answers"]

WAIT = 6.0
"""Seconds after the room's making: the server lists a job up to 5 s after it was assigned, about 200 ms after the
room. Of an agent that is not instrumented and does not connect nothing else tells."""
OTHERS = 2.0
"""Seconds after the first answer that is waited for those whom the user did not ask for."""
SURE_WITHIN = 1.0
"""Seconds in which the worker of an agent in the room may be told, or another one take a job that one turned down."""
LOOK_EVERY = 0.05
NAME_ATTRIBUTE = "lk.agent.name"
"""Under which livekit-agents puts an agent's name among its participant's attributes."""


@dataclass
class Answer:
    """Somebody answered for an agent's name."""

    after: float
    """Seconds from the room's making until it was seen: no sooner than the look before."""
    worker: str | None = None
    """The worker's id (``AW_…``), once somebody told."""
    rejected: bool = False
    silent: bool = False
    """The worker was asked, and nobody has it yet that it got the job."""


def answers(timeline: Timeline, asked: Collection[str], age: float) -> dict[str, Answer]:
    """Who answered for each of the names so far."""
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
    """Whether only the worker's own word is there that it was asked: the server lists those that it has given away."""
    given = job.at(Kind.JOB_ASSIGNED, Kind.JOB_PROCESS_ASSIGNED, Kind.JOB_ENTRYPOINT_STARTED, Kind.AGENT_CONNECTING)
    return not (given or is_rejected(job) or any("observer" in step.witnesses for step in job.steps))


class WorkerCheck:
    """The scratch room has asked for each name when it was made; this waits for who comes."""

    name = "workers"

    async def examine(self, visit: Visit) -> list[Diagnosis]:
        """One finding for each name."""
        room = visit.room
        if room is None:
            return [Diagnosis(self.name, State.SKIPPED, f"not looked at: {visit.why_no_room}")]
        asked = visit.names()
        found: dict[str, Answer] = {}
        while True:
            await room.look()
            for name, answer in answers(room.timeline(visit.reader), asked, room.age).items():
                known = found.setdefault(name, answer)
                if known.silent and not answer.silent:
                    known.after = answer.after
                known.worker, known.rejected = answer.worker or known.worker, answer.rejected
                known.silent = answer.silent
            if self._is_settled(visit, asked, found, room.age):
                break
            await asyncio.sleep(LOOK_EVERY)
        told = _Told(found, visit.workers(), room.age, asked_for=bool(visit.setup.agents))
        return [told.answered(name, found[name]) if name in found else told.nobody(name) for name in asked]

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
class _Told:
    """What all answers come to, in sentences."""

    found: dict[str, Answer]
    registered: list[Worker]
    """Those that the store knows; they may be gone."""
    waited: float
    """Seconds."""
    asked_for: bool
    """Whether the user gave the names."""

    def answered(self, name: str, answer: Answer) -> Diagnosis:
        """Somebody did."""
        who = f"worker {short(answer.worker)}" if answer.worker else "a worker"
        host = next((worker.host for worker in self.registered if worker.sid == answer.worker), None)
        who += f" on {short(host)}" if host else ""
        if answer.rejected:
            fix = "see what its on_request does: only accept() takes a job"
            return Diagnosis(WorkerCheck.name, State.FAILED, f"{who} turned down the job for {_agent(name)}", fix)
        if answer.silent:
            text = f"{who} was asked for {_agent(name)}, and had not got the job after {self.waited:.0f} s"
            fix = "answer at once in request_fnc: after 3 s the server gives the job to nobody"
            return Diagnosis(WorkerCheck.name, State.FAILED, text, fix)
        after = milliseconds(answer.after * 1000)
        return Diagnosis(WorkerCheck.name, State.OK, f"{who} answers for {_agent(name)}, within {after}")

    def nobody(self, name: str) -> Diagnosis:
        """Nobody did. An agent that the user did not ask for need not be there, as long as another one is."""
        needed = self.asked_for or not (self.found or name)
        state = State.FAILED if needed else State.WARNING
        text = f"no worker answers for {_agent(name)} within {self.waited:.0f} s"
        mine = [worker for worker in self.registered if worker.agent_name == name]
        others = [other for other in self._known() if other != name]
        for worker in mine[:1]:
            standing = _STANDING.get(worker.standing(LATEST_TIME), "was registered, and may be gone")
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
                return f"ask for {quoted(other)}, or write agent_name={quoted(name)} in @server.rtc_session"
        if not name and self.found:
            return f"ask for {_listed(self.found)} in the token or a dispatch, or leave out the worker's agent_name"
        if name and not mine:
            return f"start one with @server.rtc_session(agent_name={quoted(name)})"
        return "start one with this LIVEKIT_URL and key pair"


_STANDING: dict[Kind | None, str] = {
    Kind.WORKER_FULL: "is full",
    Kind.WORKER_DRAINING: "was told to stop and takes no more jobs",
}
"""Why a worker that is there does not answer; all else can only be that it is not."""


def _agent(name: str) -> str:
    return f"agent {quoted(name)}" if name else "the unnamed agent"


def _listed(names: Collection[str]) -> str:
    """A few names; the unnamed one says so."""
    shown = [quoted(name) if name else "the unnamed one" for name in list(names)[:3]]
    return ", ".join(shown) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
