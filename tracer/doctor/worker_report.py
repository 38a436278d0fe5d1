"""The findings on the workers that answered, and on agents that none answered for, in sentences."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from tracer.doctor.diagnosis import CheckName, Diagnosis, State, quoted, short
from tracer.moment import Kind
from tracer.units import milliseconds
from tracer.witness.fields import LATEST_TIME

if TYPE_CHECKING:
    from collections.abc import Collection

    from tracer.doctor.answers import Answer
    from tracer.timeline.entities import Worker

__all__ = ["WorkerReport"]


@dataclass(frozen=True)
class WorkerReport:
    """The findings on all answers, in sentences."""

    found: dict[str, Answer]
    registered: list[Worker]
    """Those that the store knows; they may have stopped."""
    since: int
    """When the agents were requested, ns by this machine's clock."""
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
            because, fix = _REFUSALS.get(answer.refusal, _BY_ITS_CODE)
            text = f"{who} rejected the job for {_agent(name)}{because}"
            return Diagnosis(CheckName.WORKERS, State.FAILED, text, fix)
        if answer.silent:
            text = f"{who} was offered the job for {_agent(name)}, and did not get it within {self.waited:.0f} s"
            fix = "answer sooner in request_fnc: after 3 s the server drops the job"
            return Diagnosis(CheckName.WORKERS, State.FAILED, text, fix)
        after = milliseconds(answer.after * 1000)
        return Diagnosis(CheckName.WORKERS, State.OK, f"{who} answered for {_agent(name)} within {after}")

    def nobody(self, name: str) -> Diagnosis:
        """No worker did. An agent that the user did not name need not be there, as long as another one is."""
        needed = self.requested or not (self.found or name)
        state = State.FAILED if needed else State.WARNING
        text = f"no worker answered for {_agent(name)} within {self.waited:.0f} s"
        mine = [worker for worker in self.registered if worker.agent_name == name]
        others = [other for other in self._known() if other != name]
        for worker in mine[:1]:
            standing = _STANDING.get(self._standing(worker), "was registered, and may have stopped")
            text += f"; worker {short(worker.sid)} {standing}"
        if others:
            text += f"; known: {_listed(others)}"
        return Diagnosis(CheckName.WORKERS, state, text, self._fix(name, mine, others))

    def _standing(self, worker: Worker) -> Kind | None:
        """Why a worker took no job: what it was when the agents were requested, or is by now; None where it could."""
        known = (worker.standing(at) for at in (self.since, LATEST_TIME))
        return next((standing for standing in known if standing in _STANDING), None)

    def _known(self) -> list[str]:
        """Names that answered, and those that were registered once."""
        return list(dict.fromkeys([*self.found, *(worker.agent_name for worker in self.registered)]))

    def _fix(self, name: str, mine: list[Worker], others: list[str]) -> str:
        if any(self._standing(worker) is Kind.WORKER_FULL for worker in mine):
            return MORE_WORKERS
        near = get_close_matches(name.lower(), [other.lower() for other in others if other], 1, 0.7)
        for other in others:
            if other.lower() in near:
                return f"request {quoted(other)}, or write agent_name={quoted(name)} in @server.rtc_session{IN_NODE}"
        if not name and self.found:
            return f"request {_listed(self.found)} in the token or a dispatch, or remove the worker's agent_name"
        if name and not mine:
            return f"start one with @server.rtc_session(agent_name={quoted(name)}){IN_NODE}"
        return "start one with this LIVEKIT_URL and key pair"


MORE_WORKERS = "start more workers, or raise load_threshold"
_BY_ITS_CODE = ("", "check its on_request (in Node, requestFunc): only accept() accepts a job")
_REFUSALS = {
    "raised": (": its on_request raised", "look for the exception in the worker's log"),
    "unanswered": (": its on_request ended without an answer", _BY_ITS_CODE[1]),
    "full": (": it is full", MORE_WORKERS),
    "draining": (": it is draining and accepts no new jobs", "start another worker"),
}
"""How a worker rejected a job, as ``tracer.job.answer`` has it: what is said of it, and what to do."""
IN_NODE = " (in Node, agentName in ServerOptions)"
"""Where a worker's name is set, if it is one in Node: of a worker that reports nothing, nobody knows."""

_STANDING: dict[Kind | None, str] = {
    Kind.WORKER_FULL: "was full",
    Kind.WORKER_DRAINING: "was draining and accepted no new jobs",
}
"""Why a worker that runs does not answer; any other has stopped."""


def _agent(name: str) -> str:
    return f"agent {quoted(name)}" if name else "the unnamed agent"


def _listed(names: Collection[str]) -> str:
    """A few names; the empty one as "the unnamed one"."""
    shown = [quoted(name) if name else "the unnamed one" for name in list(names)[:3]]
    return ", ".join(shown) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
