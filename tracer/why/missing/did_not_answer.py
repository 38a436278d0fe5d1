"""A worker received the offer, or answered it, when the server had given up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import server
from tracer.units import NS_PER_S
from tracer.why.call.limits import SERVER_WAITS, SOON
from tracer.why.cause import Cause
from tracer.why.missing.refused import comes_too_late
from tracer.why.missing.without_job import offer, requests
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["WorkerDidNotAnswer"]


class WorkerDidNotAnswer(Cause):
    """A worker whose process stands still reads the offer late, or answers late; the server waits 3 s, then drops it.

    Known from when the server offered the job and the worker received it, or said that it could not take it, on two
    clocks: certain only where another job shows that these agree, or where the worker's own clock alone shows it. Else
    likely, where the worker waited for its assignment in vain, or refused.
    """

    name = "worker-did-not-answer"
    symptom = Symptom.MISSING
    about = "the worker received the job, or answered, after the server had stopped waiting"
    advice = (
        "Find out what stopped the worker's process: a machine without CPU to spare, a suspended container or laptop, a"
        " debugger, or blocking code in its event loop (load_fnc, request_fnc). The server waits 3 s, and does not"
        " offer the job to another worker."
    )
    said = (server("pkg/agent/worker.go"),)

    def find(self, call: Call) -> Iterator[Finding]:
        for job, received, mine in requests(call):
            yield from self._judge(call, job, received, mine)

    def _judge(self, call: Call, job: Job, received: Step, mine: Mapping[Kind, Step]) -> Iterator[Finding]:
        """Given that a worker received the job's request, and what it did with it."""
        offered, rejected = offer(job, received)[0], mine.get(Kind.JOB_REJECTED)
        if rejected and comes_too_late(job, rejected):
            yield from self._answered_late(call, job, received, rejected)
            return
        accepted, timed_out = mine.get(Kind.JOB_ACCEPTED), mine.get(Kind.JOB_TIMED_OUT)
        if offered is None or accepted is None or accepted.time - received.time > SERVER_WAITS:
            return
        took = received.earliest - offered.latest
        agree = _clocks_agree(call, job, received.occurrence)
        if took > SERVER_WAITS and (agree or timed_out):
            yield self.found(
                f"Worker {received.occurrence} received the job {took / NS_PER_S:.1f} s after it was offered; the"
                " server waits 3 s for an answer, then drops the job.",
                offered,
                received,
                accepted,
                timed_out,
                certain=agree,
            )

    def _answered_late(self, call: Call, job: Job, received: Step, rejected: Step) -> Iterator[Finding]:
        """Given a worker that said too late that it could not take the job."""
        offered, _ = offer(job, received)
        took = rejected.earliest - received.latest
        on_one_clock = took > SERVER_WAITS
        since = "received" if on_one_clock or offered is None else "was offered"
        if not on_one_clock and offered:
            took = rejected.earliest - offered.latest
        yield self.found(
            f"Worker {received.occurrence} answered that it was {rejected.facts[keys.JOB_ANSWER]}"
            f" {took / NS_PER_S:.1f} s after it {since} the job; the server waits 3 s for an answer, then drops it.",
            offered,
            received,
            rejected,
            certain=on_one_clock or _clocks_agree(call, job, received.occurrence),
        )


def _clocks_agree(call: Call, job: Job, worker_id: str) -> bool:
    """Whether another job shows that the worker's clock and the server's agree: it was received as it was offered."""
    rooms = (call.timeline.earlier, call.timeline, call.timeline.later)
    others = (other for room in rooms if room for other in room.jobs if other.sid != job.sid)
    for other in others:
        received = next((s for s in other.steps if s.kind is Kind.JOB_RECEIVED and s.occurrence == worker_id), None)
        offered = offer(other, received)[0] if received else None
        if received and offered and abs(received.time - offered.time) < SOON:
            return True
    return False
