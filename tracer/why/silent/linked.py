"""The session listens to somebody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.timeline.entities import Participant
from tracer.why.call.jobs import is_room_job, waits
from tracer.why.call.limits import SOON
from tracer.why.call.participants import name_of
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["LinkedToAnother"]

WITHOUT_VOICE = {"CAMERA", "SCREEN_SHARE"}
"""Sources of tracks that a session does not listen to."""


class LinkedToAnother(Cause):
    """A session is linked to one participant: the first to join, unless it is given another.

    Known from the session's ``participant_linked``, or from whom it waited for, and from the tracks in the webhooks.
    Never certain: a webhook of a track can have been lost.
    """

    name = "linked-to-another"
    symptom = Symptom.SILENT
    about = "the session was linked to another participant than the one who spoke"
    advice = "Choose whom to listen to: participant_identity in room_options, or session.room_io.set_participant()."

    def find(self, call: Call) -> Iterator[Finding]:
        for job in call.timeline.jobs:
            starting, linked = job.at(Kind.SESSION_STARTING), _linked(job)
            if starting and linked and is_room_job(job) and not _voices(call, linked):
                yield from self._unheard(call, job, starting, linked)

    def _unheard(self, call: Call, job: Job, starting: Step, linked: str) -> Iterator[Finding]:
        """The first caller who spoke, given that the session was linked to one who did not."""
        heard = call.timeline.by_sid.get(linked)
        closed = job.at(Kind.SESSION_CLOSED, Kind.JOB_ENDED)
        until = closed.time if closed else call.end
        if isinstance(heard, Participant):
            until = min(until, call.seen_until(heard))  # when they leave, it turns to another
        for who in call.callers.all:
            spoke = [step for step in _voices(call, who.sid) if step.time < until - SOON]
            if who.sid == linked or not spoke or call.left_at(who) < starting.time:
                continue
            name = (heard.text(keys.PARTICIPANT_IDENTITY) if heard else None) or linked
            nothing = "no audio track" if call.callers.published.get(linked) else "no track"
            yield self.found(
                f"The session of job {job.sid} was linked to {name}, who published {nothing}, and not to"
                f" {name_of(who)}, who did.",
                starting,
                _ready(job, linked),
                spoke[0],
                certain=False,
            )
            return


def _voices(call: Call, sid: str) -> list[Step]:
    """Tracks of a participant that can be heard."""
    published = call.callers.published.get(sid, ())
    return [step for step in published if step.facts.get(keys.TRACK_SOURCE) not in WITHOUT_VOICE]


def _linked(job: Job) -> str | None:
    """SID of the participant whom the job's session was linked to first."""
    links = [s.facts.get(keys.LINKED_ID) for s in job.steps if s.kind is Kind.SESSION_STARTING]
    if linked := next((sid for sid in links if sid), None):
        return str(linked)
    # A session reports it when it has ended; but it waits for the one it will be linked to.
    began = job.at(Kind.SESSION_STARTING)
    waited = [ready for start, ready in waits(job) if began and ready and start.time >= began.time]
    sid = waited[0].facts.get(keys.PARTICIPANT_ID) if waited else None
    return str(sid) if sid else None


def _ready(job: Job, sid: str) -> Step | None:
    """When the job's wait for this participant was over."""
    ready = [s for s in job.steps if s.kind is Kind.AGENT_PARTICIPANT_READY]
    return next((s for s in ready if s.facts.get(keys.PARTICIPANT_ID) == sid), None)
