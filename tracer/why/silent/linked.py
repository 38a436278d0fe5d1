"""The session listens to somebody else, or to nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import Page, agents
from tracer.units import NS_PER_S
from tracer.why.call.jobs import is_for, is_room_job
from tracer.why.call.limits import NOTICED, SOON, STUCK_BY
from tracer.why.call.listening import listenings, session_end
from tracer.why.call.participants import name_of
from tracer.why.call.permissions import is_hidden
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job, Participant
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.call.listening import Listening
    from tracer.why.cause import Finding

__all__ = ["LinkedToAnother", "LinkedToNobody"]


ITS_OWN = (
    "Of a worker for publishers or participants each job is for one of them: link its session to"
    " ctx.job.participant.identity (ctx.wait_for_participant(identity=…), participant_identity in room_options). Else"
    " it takes whoever was there first, who then has two agents."
)
"""What to do in a job that was sent for one participant."""


class LinkedToAnother(Cause):
    """A session is linked to one participant: the first to join, unless it is given another.

    Known from every link of the session (its events ``participant_linked``, or whom it waited for), and from the
    tracks in the webhooks. Not certain: a webhook of a track can have been lost. But of a job that was sent for one
    participant (JT_PUBLISHER, JT_PARTICIPANT), and whose session listened to another, that is no matter.
    """

    name = "linked-to-another"
    symptom = Symptom.SILENT
    about = "the session was linked to another participant than the one who spoke"
    advice = "Choose whom to listen to: participant_identity in room_options, or session.room_io.set_participant()."
    said = (
        agents("voice/room_io/room_io.py"),
        Page.PARTICIPANTS,
    )

    def find(self, call: Call) -> Iterator[Finding]:
        room = _of_room(call)
        for linked in room:
            if is_room_job(linked.job) and not _spoke_before(call, linked) and not _waits_for_unknown(linked):
                findings = (self._unheard(call, linked, who, room) for who in call.callers.all)
                if first := next((finding for finding in findings if finding), None):
                    yield first  # one caller of each link is enough
            elif finding := self._not_its_own(call, linked, room):
                yield finding

    def _not_its_own(self, call: Call, linked: Listening, room: list[Listening]) -> Finding | None:
        """A job that was sent for a caller to whom nobody listened, as its session was linked to another one."""
        who = next((who for who in call.callers.all if not is_room_job(linked.job) and is_for(linked.job, who)), None)
        if who is None or linked.is_to(who) or is_hidden(who) or linked.who is None:
            return None
        mine = [other for other in room if other.is_to(who)]
        if any(other.since < linked.until and other.until > linked.since for other in mine):
            return None  # a session listens to them
        stretches = _speaking(call, who, linked.since, linked.until)
        unheard = sum(until - since for since, until, _ in stretches)
        if unheard <= NOTICED:
            return None
        return self.found(
            f"Job {linked.job.sid} was sent for {name_of(who)} ({linked.job.text(keys.JOB_TYPE)}), and its session was"
            f" linked to {name_of(linked.who)}: {name_of(who)} had a track and was not heard for"
            f" {unheard / NS_PER_S:.1f} s.",
            linked.job.at(Kind.JOB_OFFERED, Kind.JOB_RECEIVED),
            linked.link.step,
            stretches[0][2],
            certain=unheard > STUCK_BY,
            advice=ITS_OWN,
        )

    def _unheard(self, call: Call, linked: Listening, who: Participant, room: list[Listening]) -> Finding | None:
        """A caller who spoke while a session was linked to one who did not."""
        if linked.is_to(who) or is_hidden(who):
            return None
        stretches = _speaking(call, who, linked.since, linked.until)
        unheard = sum(until - since for since, until, _ in stretches)
        others = [other for other in room if other.is_to(who)]
        if any(other.since < linked.until and other.until > linked.since for other in others):
            return None  # another session listens to them
        if unheard <= (STUCK_BY if others else SOON):
            return None
        name = (linked.who.identity if linked.who else None) or linked.link.identity or linked.link.participant_id
        published = call.callers.published.get(linked.who.sid) if linked.who else None
        nothing = "no audio track" if published else "no track"
        return self.found(
            f"The session of job {linked.job.sid} was linked to {name}, who published {nothing}, and not to"
            f" {name_of(who)}, who did.",
            linked.session.starting or linked.session.started,
            linked.link.step,
            _ready(linked.job, linked.link.participant_id),
            stretches[0][2],
            certain=False,
        )


class LinkedToNobody(Cause):
    """The participant whom a session listened to leaves, and it is not linked to any of those who stay.

    Known from the session's ``participant_disconnected`` and links, from who left, and from the tracks in the
    webhooks. Certain of one caller who stayed for long, if every other agent reported what it did.
    """

    name = "linked-to-nobody"
    symptom = Symptom.SILENT
    about = "the participant whom the session was linked to left, and it listened to nobody after"
    advice = (
        "A session stays with the participant it is linked to: when they leave, call"
        " session.room_io.set_participant() with one who stays (in the room's participant_disconnected), or let it"
        " close with them (close_on_disconnect)."
    )
    said = (
        agents("voice/room_io/room_io.py"),
        Page.PARTICIPANTS,
    )

    def find(self, call: Call) -> Iterator[Finding]:
        room = _of_room(call)
        for linked in room:
            end = session_end(call, linked.job, linked.session)
            following = linked.next.since if linked.next else end
            if not is_room_job(linked.job) or linked.until >= following or not _left(linked):
                continue
            if _waits_for_unknown(linked):
                continue
            findings = (self._unheard(call, linked, who, following, room) for who in call.callers.all)
            if first := next((finding for finding in findings if finding), None):
                yield first

    def _unheard(
        self, call: Call, linked: Listening, who: Participant, following: int, room: list[Listening]
    ) -> Finding | None:
        """A caller who spoke after the linked one had left, until the session was linked again or ended, ns."""
        if is_hidden(who) or (linked.is_to(who) and not linked.session.complete):
            return None  # one who comes back is linked again, which an open session has not reported yet
        stretches = _speaking(call, who, linked.until, following)
        unheard = sum(until - since for since, until, _ in stretches)
        if unheard <= (STUCK_BY if linked.next else NOTICED):
            return None
        if any(other.is_to(who) and other.since < following and other.until > linked.until for other in room):
            return None
        gone = [step for step in linked.job.steps if step.kind is Kind.SESSION_UNLINKED]
        left = next((step for step in gone if abs(step.time - linked.until) <= SOON), None)
        since, active = linked.until + SOON, call.callers.active
        there = {other.sid for began, ended, other in active if began < following and ended > since}
        name = (linked.who.identity if linked.who else None) or linked.link.identity or linked.link.participant_id
        return self.found(
            f"The session of job {linked.job.sid} was linked to {name}, who left, and to nobody after:"
            f" {name_of(who)} had a track and was not heard for {unheard / NS_PER_S:.1f} s.",
            linked.link.step,
            left,
            linked.who.gone if linked.who else None,
            stretches[0][2],
            certain=unheard > STUCK_BY
            and there == {who.sid}
            and not call.agents.uninstrumented
            # Whoever comes later finds a session that closed with the one who left, as far as its end is not known.
            and (linked.session.closed is not None or who.steps[0].time <= linked.until),
        )


def _of_room(call: Call) -> list[Listening]:
    """Whom every session in the room listened to."""
    return [linked for job in call.timeline.jobs for linked in listenings(call, job)]


def _waits_for_unknown(linked: Listening) -> bool:
    """Whether an open session waited again for somebody whose identity is not in the store (--redact).

    Its links are reported when it closes; until then it may be linked to them.
    """
    unknown = [step for step in linked.session.waits if keys.LINKED_IDENTITY not in step.facts]
    return not linked.session.complete and len([step for step in unknown if step.time >= linked.since]) > 1


def _left(linked: Listening) -> bool:
    """Whether a link ended because its participant left: an agent that is cut off reports that of everybody."""
    gone = linked.who.gone if linked.who else None
    return gone is not None and gone.earliest <= linked.until + SOON


def _spoke_before(call: Call, linked: Listening) -> bool:
    """Whether the linked participant could be heard before the link ended, or may have been.

    A track is known from its webhook, from a session that heard it, or not at all where nobody listened.
    """
    sid = linked.who.sid if linked.who else linked.link.participant_id
    came = linked.who.steps[0].time if linked.who else linked.since
    if not call.timeline.is_heard(came, linked.until):
        return True
    who = linked.link.identity if linked.who else None
    if who and any(s.facts.get(keys.LINKED_IDENTITY) == who and s.time < linked.until for s in linked.session.heard):
        return True
    return bool(sid) and any(voice.since < linked.until for voice in call.voices(str(sid)))


def _speaking(call: Call, who: Participant, since: int, until: int) -> list[tuple[int, int, Step]]:
    """From when until when a participant could be heard between two times, ns, and the track."""
    there = min(until, call.seen_until(who))
    stretches = ((max(v.since, since), min(v.until, there), v.step) for v in call.voices(who.sid))
    return [(began, ended, step) for began, ended, step in stretches if ended > began]


def _ready(job: Job, sid: str | None) -> Step | None:
    """When the job's wait for this participant was over."""
    ready = [step for step in job.steps if step.kind is Kind.AGENT_PARTICIPANT_READY]
    return next((step for step in ready if sid and step.facts.get(keys.PARTICIPANT_ID) == sid), None)
