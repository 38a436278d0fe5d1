"""The job's process is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import Page, agents
from tracer.why.call.jobs import disconnected_itself
from tracer.why.call.limits import LONG_ENOUGH, SOON
from tracer.why.call.participants import BY_ITSELF, DROPPED, name_of
from tracer.why.call.serving import stays
from tracer.why.cause import Cause
from tracer.why.missing.entrypoint import CONNECTED
from tracer.why.symptom import Symptom
from tracer.why.unrecorded.killed_in_shutdown import how_it_ended, was_shutting_down

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job, Participant
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["ProcessKilled"]


class ProcessKilled(Cause):
    """Out of memory, a crash in native code, kill -9, a host that is gone.

    Known from the worker, which reports how the process ended; else a job whose spans stop (not certain: they may
    have been lost), or whose agent the server lost (not certain: its network may be gone). A worker that is killed
    reports nothing, and its jobs' processes end with it: each job ends without a shutdown, and the server loses the
    agent some 20 s later.
    """

    name = "process-killed"
    symptom = Symptom.DISCONNECTED
    about = "the job process was killed, or crashed"
    advice = (
        "Look for the reason on the worker's machine: the worker's log says when it killed the process itself"
        " (job_memory_limit_mb, unresponsive); the kernel's log says when memory ran out."
    )
    OF_ALL = (
        "Look what killed the worker, and all its jobs with it: the kernel's log says when memory ran out, and what"
        " runs your containers why one was stopped (kill -9, OOMKilled, no time to stop)."
    )
    said = (
        agents("ipc/supervised_proc.py"),
        Page.JOB,
    )

    def find(self, call: Call) -> Iterator[Finding]:
        for job in call.timeline.jobs:
            failed = job.at(Kind.PROCESS_FAILED)
            if not job.at(Kind.JOB_ENTRYPOINT_STARTED) and not (failed and keys.EXIT_CODE in failed.facts):
                continue  # no process had it
            if call.timeline.lost(job) is None:
                yield from self._lost_by_the_server(call, job)
            elif failed:
                if not was_shutting_down(call, job, failed) and not _left_before(call, job, failed):
                    yield from self._reported_by_the_worker(call, job, failed)
            elif disconnected_itself(job, call.agents.of(job)):
                continue  # it could do that: see AgentLeftCaller
            elif not call.agents.of(job) and not job.at(*CONNECTED):
                continue  # it does not learn that its room has closed, and hangs on: see NeverConnected
            elif not call.outage and not _ended_unreported(call, job):  # after an outage it goes on in the next room
                last = job.last_reported
                yield self.found(
                    f"Job {job.sid} last reported “{last.kind}” and never ended: its process, its worker or its machine"
                    " is gone, or its last spans did not arrive.",
                    last,
                    call.timeline.room.finished,
                    certain=False,
                )

    def _lost_by_the_server(self, call: Call, job: Job) -> Iterator[Finding]:
        last, left = job.last_reported, _dropped(call, call.agents.of(job))
        if left and last.time < left.time and not job.at(Kind.JOB_SHUTDOWN, Kind.JOB_ENDED):
            yield self.found(
                f"The server lost the agent of job {job.sid} ({left.facts.get(keys.DISCONNECT_REASON)}), whose last"
                f" report was “{last.kind}”: its process, its machine or its network is gone.",
                last,
                left,
                certain=False,
            )

        elif ended := _ended_with_its_worker(call, job):
            agent = call.agents.of(job)
            gone = agent.gone if agent else None
            stay = max(stays(call, job, ended.time, call.end), key=lambda one: one.lasted, default=None)
            if agent and gone and stay and stay.lasted > LONG_ENOUGH:
                yield self.found(
                    f"Job {job.sid} ended without a shutdown while {name_of(stay.who)} was there, and the server lost"
                    f" its agent ({agent.disconnect_reason}): its process was gone, as when its worker is killed.",
                    ended,
                    gone,
                    certain=False,
                    advice=self.OF_ALL,
                )

    def _reported_by_the_worker(self, call: Call, job: Job, failed: Step) -> Iterator[Finding]:
        by_worker = failed.facts.get(keys.KILLED) is True
        who = "the worker itself killed it" if by_worker else "it did not shut down by itself"
        shutdown = job.at(Kind.JOB_SHUTDOWN)
        # Where nothing shows that anybody was there, or its job had begun to shut down, the call may have been over.
        in_call = bool(call.callers.at(min(failed.time, call.end))) and not (shutdown and shutdown.time < failed.time)
        agent = call.agents.of(job)
        if agent and agent.gone is None and call.timeline.room.finished:
            in_call = False  # it may have left before
        yield self.found(
            f"The process of job {job.sid} {how_it_ended(failed)}: {who}.", job.last_reported, failed, certain=in_call
        )

    def doubt(self, call: Call) -> str | None:
        # The server loses a dead client about 19 s late: whoever is still there by then was alone for as long.
        lost = next((agent for agent in call.agents.unreported if _dropped(call, agent, after=0)), None)
        if lost is None:
            return None
        return f"check on the machine of {name_of(lost)} why the server lost it ({lost.disconnect_reason})"


def _ended_with_its_worker(call: Call, job: Job) -> Step | None:
    """The end of a job that nothing shut down, and whose agent the server lost after; None of any other."""
    ended, agent = job.reported_end, call.agents.of(job)
    if ended is None or agent is None or agent.gone is None or agent.disconnect_reason not in DROPPED:
        return None
    otherwise = job.at(Kind.JOB_SHUTDOWN, Kind.AGENT_DISCONNECTED, Kind.AGENT_CONNECTION_LOST, Kind.PROCESS_FAILED)
    return ended if otherwise is None and ended.time < agent.gone.time else None


def _left_before(call: Call, job: Job, failed: Step) -> bool:
    """Whether its agent had left as a client does, well before the process ended: then it was not cut off by that."""
    agent = call.agents.of(job)
    left = agent.gone if agent and agent.disconnect_reason == BY_ITSELF else None
    return left is not None and left.latest < failed.earliest - SOON


def _ended_unreported(call: Call, job: Job) -> bool:
    """Whether only the report of a job's end is missing: it reported after the call, and no worker saw it fail."""
    shutdown, last = job.at(Kind.JOB_SHUTDOWN), job.last_reported
    if shutdown:
        return not call.callers.at(min(shutdown.time, call.end))
    stays = call.callers.active
    return bool(stays) and all(min(ended, call.end) <= last.time for _, ended, _ in stays)


def _dropped(call: Call, agent: Participant | None, *, after: int = LONG_ENOUGH) -> Step | None:
    """The leave of an agent that the server lost, and that did not come back to its callers, who stayed so long, ns."""
    left = agent.gone if agent else None
    if agent is None or left is None or agent.disconnect_reason not in DROPPED:
        return None
    same = (other for other in call.agents.all if other.sid != agent.sid and other.identity == agent.identity)
    back = any(call.left_at(other) > left.time for other in same)
    later = left.time + after
    return left if not back and call.end > later and call.callers.at(later) else None
