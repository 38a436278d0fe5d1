"""Another worker took the job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.livekit_sources import Page, server
from tracer.timeline.reporting import is_reported
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["ForeignWorker"]


class ForeignWorker(Cause):
    """The server gives a job to any worker of that name: a colleague's, or a forgotten one on a laptop.

    Known from the worker that the API names, which reported nothing, while one of the same name was registered. Never
    certain: it may be one of yours that is not instrumented, or whose reports were lost.
    """

    name = "foreign-worker"
    symptom = Symptom.DUPLICATED
    about = "the job went to a worker that does not report to this tracer"
    advice = (
        "Look for another worker of that name with the same API key: on a laptop, in an old deployment. Use an"
        " agent_name, or a project, of your own while you develop."
    )
    said = (
        server("pkg/service/agentservice.go"),
        Page.DISPATCH,
    )

    def find(self, call: Call) -> Iterator[Finding]:
        known = {worker.sid for worker in call.workers.all}
        for job in call.timeline.jobs:
            offered, agent = job.at(Kind.JOB_OFFERED), call.agents.of(job)
            if not offered or not agent or not job.worker_id or job.worker_id in known or is_reported(job):
                continue
            registered = {worker.sid for worker in call.workers.registered(offered.time)}
            same = [worker for worker in call.workers.named(job.agent_name) if worker.sid in registered]
            if same:
                yield self.found(
                    f"Job {job.sid} went to worker {job.worker_id}, which reports nothing, although {same[-1].sid} was"
                    " registered under the same name.",
                    offered,
                    same[-1].at(Kind.WORKER_REGISTERED),
                    agent.at(Kind.PARTICIPANT_JOINING),
                    certain=False,
                )
