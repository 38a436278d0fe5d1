"""The job's process did not survive its own shutdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import Page, agents
from tracer.units import NS_PER_S
from tracer.why.call.participants import name_of
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["KilledInShutdown", "how_it_ended", "was_shutting_down"]


def was_shutting_down(call: Call, job: Job, failed: Step) -> bool:
    """Whether nobody needed the process any more: its job was shutting down, and no caller had its agent.

    As far as is known: of an agent whose leave is not recorded it is likely.
    """
    began, agent = _began(call, job), call.agents.of(job)
    if began is None or began.time > failed.time:
        return False
    left = agent.gone if agent else None
    unknown = began.kind is Kind.JOB_SHUTDOWN and left is None
    return unknown or _had_left(call, job, failed) or not call.callers.at(min(failed.time, call.end))


def _had_left(call: Call, job: Job, failed: Step) -> bool:
    """Whether a job's agent had left the room, by its own report or the server's."""
    disconnected, agent = job.at(Kind.AGENT_DISCONNECTED), call.agents.of(job)
    own = disconnected is not None and disconnected.time <= failed.time
    return own or (agent is not None and call.left_at(agent) <= failed.time)


def _began(call: Call, job: Job) -> Step | None:
    """What shows that a job shut down: its own report, or where there is none that its room had closed before."""
    return job.at(Kind.JOB_SHUTDOWN) or call.timeline.room.finished


def how_it_ended(failed: Step) -> str:
    """How a process ended, as the end of “the process …”."""
    code = failed.facts.get(keys.EXIT_CODE)
    if code is None:
        return "ended early"
    if isinstance(code, int) and code < 0:
        return f"ended by signal {-code}"
    return f"ended with exit code {code}"


class KilledInShutdown(Cause):
    """A worker kills a process that takes too long to shut down; what its shutdown callbacks had not done is lost.

    Known from the worker, which reports how the process ended, and from the job, which had begun to shut down (or whose
    room had closed, which is not certain) and whose agent had left, or whose callers had. The call itself did not
    suffer.
    """

    name = "killed-in-shutdown"
    symptom = Symptom.UNRECORDED
    about = "the job process was killed during its shutdown, after its agent's call was over"
    advice = (
        "Make the shutdown callbacks and on_session_end shorter, or give them time: raise shutdown_process_timeout"
        " (10 s by default) and, for on_session_end, session_end_timeout. What they had not done yet was lost."
    )
    said = (
        agents("ipc/supervised_proc.py"),
        Page.JOB,
    )
    by_itself = (
        "Look in the worker's log for what the process did last: it was not the worker that killed it. What its"
        " shutdown callbacks had not done yet was lost."
    )

    def find(self, call: Call) -> Iterator[Finding]:
        for job in call.timeline.jobs:
            failed, began = job.at(Kind.PROCESS_FAILED), _began(call, job)
            if failed is None or began is None or call.timeline.lost(job) is None:
                continue
            if not was_shutting_down(call, job, failed):
                continue
            by_worker = failed.facts.get(keys.KILLED) is True
            who = "its worker killed it" if by_worker else "its worker did not kill it"
            what = "its job began to shut down" if began.kind is Kind.JOB_SHUTDOWN else "its room had closed"
            by_then, known = _by_then(call, job, failed)
            yield self.found(
                f"The process of job {job.sid} {how_it_ended(failed)} {(failed.time - began.time) / NS_PER_S:.1f} s"
                f" after {what} ({who}). {by_then}",
                began,
                job.at(Kind.AGENT_DISCONNECTED),
                failed,
                certain=began.kind is Kind.JOB_SHUTDOWN and known,
                advice=None if by_worker else self.by_itself,
            )


def _by_then(call: Call, job: Job, failed: Step) -> tuple[str, bool]:
    """Why the call did not suffer, and whether that is known."""
    if not call.callers.at(min(failed.time, call.end)):
        names = ", ".join(name_of(who) for who in call.callers.all[:3])
        return f"The call was over by then{f': {names} had left' if names else ''}.", True
    agent = call.agents.of(job)
    if not _had_left(call, job, failed):
        return f"Whether {name_of(agent) if agent else 'its agent'} had left the room by then is not known.", False
    return f"{name_of(agent) if agent else 'Its agent'} had left the room by then.", True
