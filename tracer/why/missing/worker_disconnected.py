"""The worker's connection to the server was broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.livekit_sources import Page, agents
from tracer.units import NS_PER_S
from tracer.why.call.limits import SOON
from tracer.why.call.workers import is_alive
from tracer.why.missing.without_job import WithoutJob

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Dispatch, Worker
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["WorkerDisconnected"]


class WorkerDisconnected(WithoutJob):
    """The server offers jobs over the worker's own connection; one that is broken is registered again under another id.

    Known from the worker, which reports when its connection broke, or (an older one) when it was back: then it can have
    broken at any time since its last report. Certain where the two ends are further from the dispatch than clocks are
    apart.
    """

    name = "worker-disconnected"
    about = "the worker's connection to the server was broken when the dispatch was created"
    advice = (
        "A dispatch is offered once and not retried: call CreateDispatch again once the worker is registered. Check"
        " what breaks the connection (a restart of the server, a proxy's timeout, the network), or run a second worker."
    )
    said = (
        agents("worker.py"),
        Page.LIFECYCLE,
    )

    def judge(self, call: Call, dispatch: Dispatch, created: Step, same: list[Worker]) -> Iterator[Finding]:
        there = [w for w in same if w.standing(created.time) not in (None, Kind.WORKER_CLOSED)]
        lost = [step for worker in there if (step := _lost_before(call, worker, created.time))]
        if not lost or len(lost) < len(there):
            return
        last = max(lost, key=lambda step: step.time)
        worker = next(worker for worker in there if worker.sid == last.subject)
        successor = call.workers.successor(worker)
        back = successor.at(Kind.WORKER_REGISTERED) if successor else None
        sure_before = last.latest < created.time - SOON
        sure_after = back.time > created.time + SOON if back else is_alive(worker, created.time)
        yield self.found(
            f"{call.dispatches.in_vain(dispatch)}: worker {worker.sid} had lost its"
            f" connection to the server{_how_long(last, created)}{_until(back, created)}.",
            created,
            last,
            back,
            certain=sure_before and sure_after,
        )


def _lost_before(call: Call, worker: Worker, at: int) -> Step | None:
    """The worker's loss of its connection, where it can have been before this time, ns."""
    lost = worker.at(Kind.WORKER_DISCONNECTED)
    if lost is None:
        return None
    reports = (*worker.steps, *call.workers.asked(worker))
    connected = max((step.time for step in reports if step is not lost and step.time <= lost.time), default=0)
    return lost if max(lost.earliest, min(connected, lost.time)) <= at else None


def _how_long(lost: Step, created: Step) -> str:
    """How long before the dispatch, as far as is known."""
    if lost.latest >= created.time:
        return ""
    least = (created.time - lost.latest) / NS_PER_S
    return f" {'at least ' if lost.latest - lost.earliest > SOON else ''}{least:.1f} s before"


def _until(back: Step | None, created: Step) -> str:
    """When it was back."""
    if back is None:
        return ", and was not registered again"
    return f", and was registered again {(back.time - created.time) / NS_PER_S:.1f} s after the dispatch was created"
