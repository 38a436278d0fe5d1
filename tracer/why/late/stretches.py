"""One stretch of a job that took too long."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from tracer.kinds import Kind
from tracer.livekit_sources import Page, agents, server
from tracer.timeline.sessions import sessions_of
from tracer.units import NS_PER_S
from tracer.why.call.limits import NOTICED
from tracer.why.call.load_fnc import MAKE_IT_QUICK, part_of_load_fnc
from tracer.why.call.music import music, silence
from tracer.why.call.serving import stays
from tracer.why.cause import Cause
from tracer.why.late.starved import starved
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["ColdProcess", "SlowAnswer", "SlowConnect", "SlowSession"]


TRIES_AFTER = 5 * NS_PER_S
"""A client that has no answer to its join by then, ns, tries again: what took long may have been the first try."""
BEFORE_MEDIA = (
    "Until JOINING there is no media, only signalling: check that the agent's machine has CPU to spare, and how long a"
    " WebSocket to the server takes from there (DNS, TLS, a proxy, lost packets)."
)


class _SlowStretch(Cause):
    """A stretch of a job, from one step to another on one clock, that took longer than it should.

    Certain unless one of its ends is contradicted by its own source.
    """

    symptom = Symptom.LATE
    first: ClassVar[Kind]
    last: ClassVar[Kind]
    longest: ClassVar[int]
    """What it may take, ns."""
    is_slower_where_starved: ClassVar[bool] = False
    """Whether a machine without CPU to spare explains it better."""

    def find(self, call: Call) -> Iterator[Finding]:
        for job in call.timeline.jobs:
            start, end = self.ends(job)
            if self.is_slower_where_starved and starved(call, job):
                continue  # see StarvedMachine
            if not start or not end or start.clock != end.clock or call.callers.none_before(end.latest):
                continue
            if self.waited(call, job, start, end) > self.longest:
                certain = not (start.contradicted or end.contradicted)
                yield self.finding(call, job, start, end, certain=certain)

    def finding(self, _: Call, job: Job, start: Step, end: Step, *, certain: bool) -> Finding:
        """The finding."""
        return self.found(self.sentence(job, self.took(job, start, end) / NS_PER_S), start, end, certain=certain)

    def took(self, _: Job, start: Step, end: Step) -> int:
        """How long the stretch itself took, ns."""
        return end.time - start.time

    def waited(self, _: Call, job: Job, start: Step, end: Step) -> int:
        """For how long of it a caller waited in silence, ns."""
        return self.took(job, start, end)

    def ends(self, job: Job) -> tuple[Step | None, Step | None]:
        """From where to where."""
        return job.at(self.first), job.at(self.last)

    @abstractmethod
    def sentence(self, job: Job, took: float) -> str:
        """The full sentence; ``took`` in seconds."""


class ColdProcess(_SlowStretch):
    """A job that finds no warm process waits until one has started.

    Known from the worker's own steps, ``job.assigned`` and ``job.process_assigned``.
    """

    name = "cold-process"
    about = "the job waited for a process to start"
    advice = (
        "Keep processes warm: num_idle_processes of 1 or more (0 is the default in dev mode), and more than the calls"
        " that come at once; keep setup_fnc and imports short."
    )
    said = (
        agents("ipc/proc_pool.py"),
        Page.OPTIONS,
    )
    first, last = Kind.JOB_ASSIGNED, Kind.JOB_PROCESS_ASSIGNED
    longest = NS_PER_S
    """A warm process takes a job in a millisecond; one that takes longer than this was not there."""

    def sentence(self, job: Job, took: float) -> str:
        started, ready = job.at(Kind.PROCESS_STARTED), job.at(Kind.PROCESS_READY)
        setup = (ready.time - started.time) / NS_PER_S if started and ready else 0
        own = f", of which setup_fnc took {setup:.1f} s" if setup >= 0.1 else ""
        return f"Job {job.sid} waited {took:.1f} s for a process{own}."


class SlowAnswer(_SlowStretch):
    """The worker's request_fnc or load_fnc was slow, though not so slow that the job was lost: see ``SlowRequest``.

    Known from the steps ``job.received`` and ``job.accepted`` of the worker that got the job, with what load_fnc took.
    """

    name = "slow-answer"
    about = "the worker was slow to accept the job"
    advice = "Answer at once: move slow work into the entrypoint. After 3 s the job would be lost."
    said = (
        agents("worker.py"),
        Page.OPTIONS,
    )
    first, last = Kind.JOB_RECEIVED, Kind.JOB_ACCEPTED
    longest = NS_PER_S

    def ends(self, job: Job) -> tuple[Step | None, Step | None]:
        """Of the worker that got the job, where one did."""
        mine = [step for step in job.steps if step.occurrence == job.worker_id] if job.at(Kind.JOB_ASSIGNED) else []
        start, end = (next((s for s in mine if s.kind is kind), None) for kind in (self.first, self.last))
        return start, end

    def finding(self, call: Call, job: Job, start: Step, end: Step, *, certain: bool) -> Finding:
        """Of load_fnc where most of the time was its own."""
        took = end.time - start.time
        if (part := part_of_load_fnc(end, took)) is None:
            return super().finding(call, job, start, end, certain=certain)
        return self.found(
            f"The worker took {took / NS_PER_S:.1f} s to accept job {job.sid}, {part:.1f} s of it in load_fnc.",
            start,
            end,
            certain=certain,
            advice=MAKE_IT_QUICK,
        )

    def sentence(self, job: Job, took: float) -> str:
        return f"The worker's request_fnc took {took:.1f} s to accept job {job.sid}."


class SlowConnect(_SlowStretch):
    """Signalling, then ICE and DTLS: many round trips.

    Known from the job's span ``room_connect``.
    """

    name = "slow-connect"
    about = "the agent's ctx.connect() was slow"
    advice = (
        "Run the agent near the server, and check that media needs no fallback (UDP blocked, TURN): each round trip"
        " counts about ten times."
    )
    said = (
        agents("job.py"),
        server("pkg/rtc/participant.go"),
    )
    first, last = Kind.AGENT_CONNECTING, Kind.AGENT_CONNECTED
    longest = 2 * NS_PER_S
    """``ctx.connect()`` takes 0.1 to 0.4 s where server and agent are near."""
    is_slower_where_starved = True

    def find(self, call: Call) -> Iterator[Finding]:
        if not call.retries:  # a second try takes long: see agent-retried
            yield from super().find(call)

    def sentence(self, job: Job, took: float) -> str:
        return f"In job {job.sid}, ctx.connect() took {took:.1f} s."

    def finding(self, call: Call, job: Job, start: Step, end: Step, *, certain: bool) -> Finding:
        """With how much of it came before media, where that is most of it: then media is not why.

        Certain where the server's record shows that the agent joined once.
        """
        agent = call.agents.of(job)
        certain = certain and agent is not None
        joining = agent.at(Kind.PARTICIPANT_JOINING) if agent else None
        before = joining.earliest - start.latest if joining else 0
        if joining is None or before * 2 < end.time - start.time:
            return super().finding(call, job, start, end, certain=certain)
        took = (end.time - start.time) / NS_PER_S
        certain = certain and before < TRIES_AFTER
        return self.found(
            f"In job {job.sid}, ctx.connect() took {took:.1f} s, {before / NS_PER_S:.1f} s of it until JOINING.",
            start,
            joining,
            end,
            certain=certain,
            advice=BEFORE_MEDIA,
        )


class SlowSession(_SlowStretch):
    """Starting a session opens connections to the models.

    Known from the job's span ``session_start``. One that does not end is ``no-session``. A later session of the job is
    slow only where a caller waited for it: nobody does who has another one, or whom the agent plays something. Where
    session.start() itself connects to the room, or waits until that is done, connecting is not counted: see
    ``SlowConnect``.
    """

    name = "slow-session"
    about = "the agent's session.start() was slow"
    advice = (
        "Look at how long the models take to start: the spans below session_start show it. Load what you can in"
        " setup_fnc."
    )
    said = (
        agents("voice/agent_session.py"),
        Page.SESSIONS,
    )
    first, last = Kind.SESSION_STARTING, Kind.SESSION_STARTED
    longest = 3 * NS_PER_S
    is_slower_where_starved = True

    def find(self, call: Call) -> Iterator[Finding]:
        yield from super().find(call)
        for job in call.timeline.jobs:
            first, _ = self.ends(job)
            for session in sessions_of(job):
                start, end = session.starting, session.started
                if first and start and end and start.time > first.time and _was_waited_for(call, job, start, end):
                    certain = not (start.contradicted or end.contradicted)
                    took = (end.time - start.time) / NS_PER_S
                    yield self.found(
                        f"In job {job.sid}, session.start() of a later session took {took:.1f} s.",
                        start,
                        end,
                        certain=certain,
                    )

    def ends(self, job: Job) -> tuple[Step | None, Step | None]:
        """Of the first session of which both are known: a job can have several, and spans can be lost."""
        ended = {step.occurrence: step for step in job.steps if step.kind is self.last}
        starts = (step for step in job.steps if step.kind is self.first)
        return next(((start, ended[start.occurrence]) for start in starts if start.occurrence in ended), (None, None))

    def took(self, job: Job, start: Step, end: Step) -> int:
        connecting, connected = job.at(Kind.AGENT_CONNECTING), job.at(Kind.AGENT_CONNECTED)
        beside = 0
        if connecting and connected:
            beside = max(min(end.time, connected.time) - max(start.time, connecting.time), 0)
        return end.time - start.time - beside

    def waited(self, call: Call, job: Job, start: Step, end: Step) -> int:
        played = end.time - start.time - silence(call, job, start.time, end.time)
        return self.took(job, start, end) - played

    def sentence(self, job: Job, took: float) -> str:
        return f"In job {job.sid}, session.start() took {took:.1f} s."


def _was_waited_for(call: Call, job: Job, start: Step, end: Step) -> bool:
    """Whether a caller was there for longer than anybody fails to notice, with no other session and no music."""
    if not any(stay.lasted > NOTICED for stay in stays(call, job, start.time, end.time)):
        return False
    others = [one for other in call.timeline.jobs for one in sessions_of(other) if one.starting is not start]
    if any(one.since < end.time and one.until > start.time for one in others):
        return False
    return not any(voice.since < start.time < voice.until for voice in music(call, job))
