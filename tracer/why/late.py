"""The agent came, or answered, late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.moment import Kind
from tracer.timeline.missing_jobs import unaccounted_until
from tracer.units import NS_PER_MS, NS_PER_S
from tracer.why.call import STUCK_BY
from tracer.why.cause import Cause, Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["LATE"]

COLD = NS_PER_S
"""A warm process takes a job in a millisecond; one that takes longer than this, ns, was not there."""
SLOW_OFFER = NS_PER_S
"""From the server to the worker it is a network's way."""
SLOW_ANSWER = NS_PER_S
SLOW_CONNECT = 2 * NS_PER_S
"""connect() takes 0.1 to 0.4 s where server and agent are near."""
SLOW_CODE = 2 * NS_PER_S
SLOW_SESSION = 3 * NS_PER_S
ASKED_AGAIN = NS_PER_S
"""Two dispatches that are closer together than this, ns, were meant as two."""
UNHEARD_OF = 250 * NS_PER_MS
"""A caller with a track is announced within 100 ms; one without in batches, up to 3 s apart."""


def _between(start: Step | None, end: Step | None) -> int:
    """Ns from one step to another; 0 where one is missing."""
    return end.time - start.time if start and end else 0


class _Stretch(Cause):
    """A stretch of a job's way that took too long, on one clock."""

    symptom = Symptom.LATE
    first: tuple[Kind, ...]
    last: tuple[Kind, ...]
    longest: int
    says: str

    def find(self, case: Call) -> Iterator[Finding]:
        for job in case.timeline.jobs:
            start, end = self.ends(job)
            took = _between(start, end)
            if end and case.nobody_waited(end.latest):
                continue
            if start and end and took > self.longest and start.clock == end.clock:
                yield self.found(
                    self.sentence(job, took), start, end, certain=not (start.contradicted or end.contradicted)
                )

    def ends(self, job: Job) -> tuple[Step | None, Step | None]:
        """From where to where."""
        return job.at(*self.first), job.at(*self.last)

    def sentence(self, job: Job, took: int) -> str:
        """What to say of it; ``took`` in ns."""
        return f"{self.says.format(job=job.sid, took=f'{took / NS_PER_S:.1f} s')}"


class ColdProcess(_Stretch):
    """A job that finds no warm process waits until one has been made."""

    name = "cold-process"
    about = "the job had to wait for a process to start"
    advice = (
        "Keep processes warm: num_idle_processes, 1 or more (0 is the default in dev mode), and more than the calls"
        " that come at once; make setup_fnc and imports short."
    )
    first = (Kind.JOB_ASSIGNED,)
    last = (Kind.JOB_PROCESS_ASSIGNED,)
    longest = COLD
    says = "Job {job} waited {took} for a process"

    def sentence(self, job: Job, took: int) -> str:
        setup = _between(job.at(Kind.PROCESS_STARTED), job.at(Kind.PROCESS_READY))
        own = f", of which setup_fnc took {setup / NS_PER_S:.1f} s" if setup else ""
        return super().sentence(job, took) + own + "."


class SlowAnswer(_Stretch):
    """Not so slow that the job was lost."""

    name = "slow-answer"
    about = "request_fnc took long to accept"
    advice = "Answer at once: what takes long belongs into the entrypoint. After 3 s the job would be lost."
    first = (Kind.JOB_RECEIVED,)
    last = (Kind.JOB_ACCEPTED,)
    longest = SLOW_ANSWER
    says = "request_fnc took {took} to accept job {job}."

    def ends(self, job: Job) -> tuple[Step | None, Step | None]:
        """Of the worker that got the job; where none did, see ``SlowRequest``."""
        mine = [step for step in job.steps if step.occurrence == job.worker_id] if job.at(Kind.JOB_ASSIGNED) else []
        start, end = (next((s for s in mine if s.kind in kinds), None) for kinds in (self.first, self.last))
        return start, end


class SlowConnect(_Stretch):
    """Signalling, then ICE and DTLS: many round trips."""

    name = "slow-connect"
    about = "ctx.connect() took long"
    advice = (
        "Run the agent near the server, and see that media needs no fallback (UDP blocked, TURN): each round trip"
        " counts about ten times."
    )
    first = (Kind.AGENT_CONNECTING,)
    last = (Kind.AGENT_CONNECTED,)
    longest = SLOW_CONNECT
    says = "ctx.connect() of job {job} took {took}."


class SlowSession(_Stretch):
    """Starting a session opens connections to the models."""

    name = "slow-session"
    about = "session.start() took long"
    advice = "Look at the models' own start: the spans below session_start say which. Load what can be in setup_fnc."
    first = (Kind.SESSION_STARTING,)
    last = (Kind.SESSION_STARTED,)
    longest = SLOW_SESSION
    says = "session.start() of job {job} took {took}."

    def find(self, case: Call) -> Iterator[Finding]:
        yield from super().find(case)
        for job in case.timeline.jobs:
            ended = {s.occurrence for s in job.steps if s.kind in (Kind.SESSION_STARTED, Kind.SESSION_CLOSED)}
            over = job.at(Kind.JOB_SHUTDOWN, Kind.JOB_ENDED)
            until = min(over.time if over else case.end, case.end)
            for step in job.steps:
                if step.kind is not Kind.SESSION_STARTING or step.occurrence in ended or keys.ERROR_TYPE in step.facts:
                    continue
                waited = until - max(step.time, case.first_active or 0)
                if waited > STUCK_BY and case.timeline.lost(job) is None:
                    how = "did not return" if over else "has not returned"
                    yield self.found(
                        f"session.start() of job {job.sid} {how} in {(until - step.time) / NS_PER_S:.1f} s.",
                        step,
                        over,
                        certain=False,  # its last word may have been lost
                    )


class SlowCode(Cause):
    """What the user's own code does before the caller is served."""

    name = "slow-code"
    symptom = Symptom.LATE
    about = "the agent's own code took long before the session was started"
    advice = (
        "Do it in setup_fnc (once a process, before a call), beside the rest (asyncio.gather), or after the greeting."
    )

    def find(self, case: Call) -> Iterator[Finding]:
        for job in case.timeline.jobs:
            connecting, connected = job.at(Kind.AGENT_CONNECTING), job.at(Kind.AGENT_CONNECTED)
            waiting, starting = job.at(Kind.AGENT_WAITING_FOR_PARTICIPANT), job.at(Kind.SESSION_STARTING)
            ready = next(
                (end for start, end in case.waits(job) if end and starting and end.time <= starting.time), None
            )
            if waiting and starting and waiting.time > starting.time:
                waiting = None  # the session's own
            for what, start, end in (
                ("before ctx.connect()", job.at(Kind.JOB_ENTRYPOINT_STARTED), connecting),
                ("between ctx.connect() and wait_for_participant()", connected, waiting),
                ("before session.start()", ready or (None if waiting else connected), starting),
            ):
                # Before a caller was there, nobody waited; and code may wait for one by means of its own.
                if case.first_active is None:
                    continue
                took = min(_between(start, end), end.time - case.first_active) if end else 0
                if start and end and took > SLOW_CODE:
                    yield self.found(
                        f"The code of job {job.sid} took {took / NS_PER_S:.1f} s {what}.",
                        start,
                        end,
                        certain=not self._dialled(case, start, end),
                    )

    @staticmethod
    def _dialled(case: Call, start: Step, end: Step) -> bool:
        """Whether a telephone joined meanwhile: the code may have called it, and waited for an answer."""
        joins = (p.at(Kind.PARTICIPANT_JOINING) for p in case.callers if p.kind == "SIP")
        return any(start.earliest <= step.latest and step.earliest <= end.latest for step in joins if step)


class SlowOffer(Cause):
    """Between the server's choice and the worker's hearing of it."""

    name = "slow-offer"
    symptom = Symptom.LATE
    about = "the job took long from the server to the worker"
    advice = "Look at the network between server and worker, and whether the worker's own process was busy or stopped."

    def find(self, case: Call) -> Iterator[Finding]:
        for job in case.timeline.jobs:
            offered, received = job.at(Kind.JOB_OFFERED), case.received(job)
            connected, agent = job.at(Kind.AGENT_CONNECTED), case.agent_of.get(job.sid)
            joining = agent.at(Kind.PARTICIPANT_JOINING) if agent else None
            if not (offered and received and connected and joining):
                continue
            # The agent's clock can be ahead by no more than this: it joined before connect() returned.
            ahead = max(connected.latest - joining.earliest, 0)
            took = received.earliest - offered.latest - ahead
            if took > SLOW_OFFER:
                yield self.found(
                    f"Job {job.sid} was offered, and the worker heard of it {took / NS_PER_S:.1f} s later at the"
                    " least.",
                    offered,
                    received,
                )


class SilentCaller(Cause):
    """Who publishes nothing is announced in batches (subscriberUpdateInterval, 3 s)."""

    name = "silent-caller"
    symptom = Symptom.LATE
    about = "the caller published no track, and so was announced to the agent late"
    advice = "Let the caller publish its microphone as soon as it has joined; then the agent hears of it within 0.1 s."

    def find(self, case: Call) -> Iterator[Finding]:
        for job in case.timeline.jobs:
            for waiting, ready in case.waits(job):
                who = case.timeline.by_sid.get(str(ready.facts.get(keys.PARTICIPANT_ID))) if ready else None
                active = who.at(Kind.PARTICIPANT_ACTIVE) if who else None
                if not ready or not who or not active:
                    continue
                sure = case.not_before(job, ready)
                if sure is None:
                    continue
                late = min(sure - active.latest, ready.time - waiting.time)
                spoke = [step for step in case.published.get(who.sid, ()) if step.earliest < ready.time]
                if late > UNHEARD_OF and not spoke:
                    name = who.text(keys.PARTICIPANT_IDENTITY) or who.sid
                    yield self.found(
                        f"{name} was ACTIVE and published no track; the agent heard of them {late / NS_PER_S:.1f} s"
                        " later.",
                        waiting,
                        active,
                        ready,
                        certain=False,  # of a track only a webhook tells, and that can have been lost
                    )


class AskedAgain(Cause):
    """No dispatch is repeated by itself: somebody, or a program of theirs, asked again."""

    name = "asked-again"
    symptom = Symptom.LATE
    about = "the first dispatch brought nobody, and the agent came when it was asked for again"
    advice = (
        "See why the first one brought nobody: was a worker of that name registered, available, and quick to answer?"
        " `tracer timeline` shows what workers told meanwhile."
    )

    def find(self, case: Call) -> Iterator[Finding]:
        for dispatch in case.timeline.dispatches:
            asked, again = dispatch.at(Kind.DISPATCH_CREATED), case.asked_again(dispatch)
            if not asked or not again or case.brought(dispatch) or asked.earliest <= unaccounted_until(case.timeline):
                continue
            waited = again.time - max(asked.time, case.first_active or 0)
            if waited > ASKED_AGAIN:
                yield self.found(
                    f"The dispatch for {case.agent_named(dispatch.agent_name)} brought nobody; one that was made"
                    f" {(again.time - asked.time) / NS_PER_S:.1f} s later did.",
                    asked,
                    again,
                )


LATE = (
    AskedAgain(),
    ColdProcess(),
    SlowOffer(),
    SlowAnswer(),
    SlowConnect(),
    SlowCode(),
    SlowSession(),
    SilentCaller(),
)
"""Its causes, in the order of a job's way."""
