"""The agent is there, and does not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.moment import Kind
from tracer.timeline.entities import Participant
from tracer.units import NS_PER_S
from tracer.why.call import FOREVER, SOON, STUCK_BY
from tracer.why.cause import Cause, Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["SILENT"]


MEDIA_BY = 3 * NS_PER_S
"""Who gives up sooner than this, ns, did not wait for media to come up: that can take a second or two."""
UNHEARD = {"CAMERA", "SCREEN_SHARE"}
"""Tracks without a voice."""


class SessionClosed(Cause):
    """A closed session says nothing more; the job and the agent's seat in the room go on."""

    name = "session-closed"
    symptom = Symptom.SILENT
    about = "the agent's session was closed, and its job went on"
    advice = "When the session is over, end the job too (ctx.shutdown()), or start a new session."

    def find(self, case: Call) -> Iterator[Finding]:
        room = [span for one in case.timeline.jobs if case.is_room_job(one) for span in self._sessions(case, one)]
        for job in case.timeline.jobs:
            spans = room if case.is_room_job(job) else [*room, *self._sessions(case, job)]
            closed = (step for step in reversed(job.steps) if step.kind is Kind.SESSION_CLOSED)
            found = (self._silence(case, job, last, spans) for last in closed)
            yield from [finding for finding in found if finding][:1]

    def _silence(self, case: Call, job: Job, last: Step, spans: list[tuple[int, int]]) -> Finding | None:
        """What came after a session was closed, given from when until when there were sessions, ns."""
        if any(began <= last.time and ended - last.time > SOON for began, ended in spans):
            return None  # another session goes on
        again = min((began for began, _ in spans if began > last.time), default=FOREVER)
        if again - last.time <= STUCK_BY:
            return None  # another one answers
        over = job.at(Kind.JOB_SHUTDOWN, Kind.JOB_ENDED, Kind.PROCESS_FAILED)
        agent = case.agent_of.get(job.sid)
        ends = [case.end, again, *([over.time] if over else []), *([case.gone(agent)] if agent else [])]
        there = [(min(end, *ends), who) for end, who in case.callers_at(last.time) if case.is_for(job, who)]
        there = [(end, who) for end, who in there if end - last.time > SOON]
        if not there:
            return None
        silent = (max(end for end, _ in there) - last.time) / NS_PER_S
        names = ", ".join(case.who(who) for _, who in there[:3])
        return self.found(
            f"The session of job {job.sid} was closed, and for {silent:.1f} s more {names} had an agent in the"
            " room that could not hear or speak.",
            last,
            over,
            # Two may talk with each other, as after a transfer; and an agent that tells nothing may answer.
            certain=len(there) == 1
            and again == FOREVER
            and case.watched_over(there[0][1])
            and not self._other(case, job, last),
        )

    @staticmethod
    def _other(case: Call, job: Job, closed: Step) -> bool:
        """Whether another agent was there of which it is not known what it did."""
        mine = case.agent_of.get(job.sid)
        return any(case.gone(a) > closed.time + SOON for a in case.untold_agents if mine is None or a.sid != mine.sid)

    @staticmethod
    def _sessions(case: Call, job: Job) -> list[tuple[int, int]]:
        """From when until when a job had sessions, ns; of one whose beginning nobody told, that is the job's."""
        closed = {step.occurrence: step.time for step in job.steps if step.kind is Kind.SESSION_CLOSED}
        starts = [s for s in job.steps if s.kind is Kind.SESSION_STARTING]
        over = job.at(Kind.JOB_ENDED, Kind.PROCESS_FAILED)
        end = over.time if over else job.last_told.time if case.timeline.lost(job) else FOREVER
        begun = [(s.time, closed.get(s.occurrence, end)) for s in starts if keys.ERROR_TYPE not in s.facts]
        untold = closed.keys() - {s.occurrence for s in starts}
        return begun + [(job.steps[0].time, closed[occurrence]) for occurrence in untold]

    def doubt(self, case: Call) -> str | None:
        untold = " and ".join(case.who(agent) for agent in case.untold_agents[:3])
        return f"instrument {untold} (tracer.instrument): what a session does, only its agent tells" if untold else None


class LinkedToAnother(Cause):
    """A session listens to one participant: the first to come, unless it is told whom."""

    name = "linked-to-another"
    symptom = Symptom.SILENT
    about = "the session listened to another participant than the one who spoke"
    advice = "Say whom to listen to: room_options with participant_identity, or session.room_io.set_participant()."

    def find(self, case: Call) -> Iterator[Finding]:
        for job in case.timeline.jobs:
            started = job.at(Kind.SESSION_STARTING)
            linked = self._linked(case, job)
            if not started or linked is None or self._voices(case, linked) or not case.is_room_job(job):
                continue
            closed = job.at(Kind.SESSION_CLOSED, Kind.JOB_ENDED)
            heard = case.timeline.by_sid.get(linked)
            until = closed.time if closed else case.end
            if isinstance(heard, Participant):
                until = min(until, case.seen_until(heard))  # when they leave, it turns to another
            for who in case.callers:
                spoke = [step for step in self._voices(case, who.sid) if step.time < until - SOON]
                if who.sid == linked or not spoke or case.gone(who) < started.time:
                    continue
                name = heard.text(keys.PARTICIPANT_IDENTITY) if heard else None
                nothing = "no track to be heard" if case.published.get(linked) else "no track"
                yield self.found(
                    f"The session of job {job.sid} listened to {name or linked}, who published {nothing}, and not to"
                    f" {case.who(who)}, who did.",
                    started,
                    self._ready(job, linked),
                    spoke[0],
                    certain=False,  # of a track only a webhook tells, and that can have been lost
                )
                break

    @staticmethod
    def _voices(case: Call, sid: str) -> list[Step]:
        return [step for step in case.published.get(sid, ()) if step.facts.get(keys.TRACK_SOURCE) not in UNHEARD]

    @staticmethod
    def _linked(case: Call, job: Job) -> str | None:
        """SID of whom the job's session listened to first."""
        told = [s.facts.get(keys.LINKED_ID) for s in job.steps if s.kind is Kind.SESSION_STARTING]
        if linked := next((sid for sid in told if sid), None):
            return str(linked)
        # Until it has ended, a session does not say; but it waits for whom it will listen to.
        began = job.at(Kind.SESSION_STARTING)
        waited = [ready for start, ready in case.waits(job) if began and ready and start.time >= began.time]
        sid = waited[0].facts.get(keys.PARTICIPANT_ID) if waited else None
        return str(sid) if sid else None

    @staticmethod
    def _ready(job: Job, sid: str) -> Step | None:
        ready = [s for s in job.steps if s.kind is Kind.AGENT_PARTICIPANT_READY]
        return next((s for s in ready if s.facts.get(keys.PARTICIPANT_ID) == sid), None)


class PeerNeverActive(Cause):
    """wait_for_participant() returns for those who are ACTIVE."""

    name = "peer-never-active"
    symptom = Symptom.SILENT
    about = "the agent waited for a participant whose media never came up"
    advice = (
        "See why the caller's media path fails: UDP or TURN blocked by their network, a wrong node_ip or external"
        " IP at the server. The server gives up after 60 s; give wait_for_participant() a limit of your own."
    )

    def find(self, case: Call) -> Iterator[Finding]:
        if any(caller.at(Kind.PARTICIPANT_ACTIVE) for caller in case.callers):
            return
        waits = [(job, start) for job in case.timeline.jobs for start, ready in case.waits(job) if ready is None]
        for caller in case.callers:
            for job, waiting in waits:
                if not case.is_for(job, caller):
                    continue
                joining = caller.at(Kind.PARTICIPANT_JOINING)
                gone = caller.at(Kind.PARTICIPANT_ABORTED) or caller.gone  # the API shows only that they went
                if gone and gone.kind is Kind.PARTICIPANT_LEFT and "webhook" in gone.witnesses:
                    continue  # so the server says only of one who had been ACTIVE
                until = (gone.time if gone else case.end) - (joining.time if joining else 0)
                if not joining or until < (MEDIA_BY if gone else STUCK_BY):
                    continue
                after = "gave up" if gone else "is there still"
                yield self.found(
                    f"The agent of job {job.sid} waited for a participant; {case.who(caller)} was JOINING and never"
                    f" became ACTIVE, and {after} after {until / NS_PER_S:.1f} s.",
                    waiting,
                    joining,
                    gone,
                    certain=gone is not None and gone.kind is Kind.PARTICIPANT_ABORTED,
                )
                break  # of a hundred who wait, one is told of


SILENT = (SessionClosed(), LinkedToAnother(), PeerNeverActive())
"""Its causes."""
