"""A task of the agent's own raised, and the agent never said a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import Page, agents
from tracer.timeline.reporting import is_reported
from tracer.timeline.sessions import sessions_of
from tracer.units import FOREVER
from tracer.why.call.jobs import error_of
from tracer.why.call.limits import LONG_ENOUGH
from tracer.why.call.participants import name_of
from tracer.why.call.serving import over_at, seconds, stays
from tracer.why.cause import Cause
from tracer.why.silent.answers import answer_after
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job
    from tracer.timeline.sessions import Session
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["OwnTaskRaised"]


class OwnTaskRaised(Cause):
    """A greeting that runs in a task of its own ends with the first error in it, and nobody learns of that.

    So does a whole session that is to start in what ``ctx.add_participant_entrypoint()`` runs. Known from the log of an
    agent that is instrumented (“Task exception was never retrieved”, “error in participant entrypoint”), from a session
    that has a voice, or an agent without a session and without a track, and from no ``agent_speaking`` in all of the
    job. It is never certain: the agent can have waited for its caller's first word, and the task have been another.
    """

    name = "own-task-raised"
    symptom = Symptom.SILENT
    about = "a task of the agent's own raised an exception, and the agent said nothing"
    advice = (
        "Fix what the task raises: the agent's log has it, with the traceback, as “Task exception was never retrieved”"
        " or “error in participant entrypoint”. Await the greeting, or have its task say when it failed."
    )
    said = (
        agents("voice/agent_session.py"),
        Page.SESSIONS,
    )

    def find(self, call: Call) -> Iterator[Finding]:
        for job in call.timeline.jobs:
            raised = [step for step in job.steps if step.kind is Kind.AGENT_TASK_RAISED]
            if not raised or answer_after(job, 0) < FOREVER:
                continue
            ends = [session.until for session in sessions_of(job) if _has_voice(session)]
            if not sessions_of(job) and is_reported(job) and not _plays(call, job):
                ends = [FOREVER]
            found = (self._judge(call, job, end, step) for end in ends for step in raised)
            if first := next((one for one in found if one), None):
                yield first

    def _judge(self, call: Call, job: Job, end: int, raised: Step) -> Finding | None:
        """Given until when, ns, the agent could have spoken."""
        until = min(end, over_at(call, job, raised.time))
        stay = max(stays(call, job, raised.time, until), key=lambda one: one.lasted, default=None)
        if stay is None or stay.lasted <= LONG_ENOUGH:
            return None
        task = raised.facts.get(keys.TASK)
        named = f" ({task})" if task else ""
        return self.found(
            f"A task of job {job.sid}'s own{named} raised {error_of(raised) or 'an exception'}, and for"
            f" {seconds(call, stay)} {name_of(stay.who)} heard nothing of the agent.",
            raised,
            certain=False,
        )


def _has_voice(session: Session) -> bool:
    return bool(session.voiced) and session.speaks_by in ("tts", "realtime")


def _plays(call: Call, job: Job) -> bool:
    """Whether the job's agent published audio of its own, without a session."""
    agent = call.agents.of(job)
    return agent is None or bool(call.voices(agent.sid))
