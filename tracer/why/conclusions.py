"""The summary of a call: the first of these conclusions that fits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from tracer import keys
from tracer.kinds import Kind
from tracer.timeline.overdue import expected
from tracer.timeline.reporting import FROM_THE_SERVER
from tracer.timeline.sessions import sessions_of
from tracer.units import NS_PER_S, clock
from tracer.why.call.limits import NOTICED, STUCK_BY
from tracer.why.call.participants import name_of
from tracer.why.lack import in_seconds
from tracer.why.missing.room_expired import closed_empty
from tracer.why.served import lacks, left_alone, lost_at_last, muted_at_last
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from tracer.timeline.overdue import Missing
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Doubt, Finding
    from tracer.why.lack import Lack

__all__ = ["CONCLUSIONS", "Conclusion", "Known"]

NOT_EXPLAINED = "and the recorded events don't explain why"


@dataclass(frozen=True)
class Known:
    """What a conclusion is drawn from."""

    call: Call
    findings: tuple[Finding, ...]
    doubts: tuple[Doubt, ...]

    @cached_property
    def lacks(self) -> list[Lack]:
        """What the call lacks of what makes it well."""
        return lacks(self.call)

    @property
    def over(self) -> bool:
        """Whether the room has closed."""
        return self.call.timeline.room.finished is not None

    @property
    def recorded(self) -> str:
        """For what was or was not recorded: whether more may come."""
        goes_on = not self.over and self.call.timeline.cut_off is None
        return "has been recorded so far" if goes_on else "was recorded"

    def too_early(self, what: str, ns: int, more: str = "") -> str:
        """The summary where something happened too short a time, ns, before the end of what is known."""
        ns = max(ns, 0)
        if (at := self.call.timeline.stopped) is None:
            return f"It is too early to say: {what} {in_seconds(ns)} ago{more}."
        before = f"{in_seconds(ns)} before tracer stopped listening at {clock(at)}"
        return f"How it went on is not known: {what} {before}{more}."

    @property
    def pending(self) -> list[Step]:
        """Steps after which an agent should join, too short a time ago to say whether it will.

        Of a dispatch that only its job names, as where nobody polls the API, what is first known of that job.
        """
        dispatches = self.call.dispatches
        awaited = []
        for dispatch in dispatches.unserved:
            jobs = dispatches.jobs[dispatch.sid]
            awaited.append(dispatches.awaited.get(dispatch.sid) or (jobs[0].steps[0] if jobs else None))
        return [step for step in awaited if step and not dispatches.waited_long_enough(step)]


class Conclusion(ABC):
    """One way to sum up a call."""

    well: ClassVar[bool | None] = None
    """Whether all went well; None where that is not known."""

    @abstractmethod
    def sentence(self, known: Known) -> str | None:
        """The summary in one sentence; None where this conclusion does not fit."""


class CauseFound(Conclusion):
    """At least one cause was found: the first is the summary."""

    well = False

    def sentence(self, known: Known) -> str | None:
        """What the first cause is about."""
        if not known.findings:
            return None
        first, lack = known.findings[0], self.besides(known)
        about = first.cause.about if first.certain else f"probably, {first.cause.about}"
        if lack and first.cause.symptom is Symptom.UNRECORDED:  # what came after the call is said after what it lacked
            return f"During the call: {lack.sentence}; and {about}."
        said = f"{about[0].upper()}{about[1:]}"
        return f"{said}; and {lack.sentence}." if lack else f"{said}."

    @staticmethod
    def besides(known: Known) -> Lack | None:
        """What the call lacked beside: that an agent was late, or what came after the call, explains nothing of it."""
        explains = known.findings[0].cause.symptom not in (Symptom.LATE, Symptom.UNRECORDED)
        if explains or not known.lacks or all(lack.early for lack in known.lacks):
            return None
        return known.lacks[0]


class StartMissed(Conclusion):
    """Nothing wrong was recorded, and nobody listened when the room began."""

    def sentence(self, known: Known) -> str | None:
        """From when on somebody did."""
        timeline = known.call.timeline
        since = timeline.heard_from
        if since is None:
            return None
        after = in_seconds(since - timeline.zero)
        return f"Nothing wrong {known.recorded}, but tracer listened only from {after} after the room began."


class TooEarly(Conclusion):
    """An agent was dispatched and may still join."""

    def sentence(self, known: Known) -> str | None:
        """Since when an agent is expected."""
        if known.over or not known.pending:
            return None
        return known.too_early("an agent was requested", known.call.timeline.now - known.pending[0].time)


class EndNotReported(Conclusion):
    """The room has just closed, and an agent has not reported its own end."""

    def sentence(self, known: Known) -> str | None:
        """Which job's end is missing, and since when the room is closed."""
        finished, ending = known.call.timeline.room.finished, known.call.agents.ending
        if finished is None or not ending:
            return None
        job = ending[0]
        more = f", and job {job.sid} has not reported its {'session' if job.is_entrypoint_only else 'end'}"
        return known.too_early("the room closed", known.call.timeline.now - finished.time, more)


class PerhapsUnwanted(Conclusion):
    """Callers were there with each other, as in a meeting, and no agent was asked for."""

    def sentence(self, known: Known) -> str | None:
        """Who was there."""
        call = known.call
        if not call.dispatches.unserved or not call.dispatches.perhaps_unwanted:
            return None
        names = list(dict.fromkeys(map(name_of, call.callers.together)))
        who = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) < 4 else f"{', '.join(names[:3])} and others"
        were = "were" if known.over else "are"
        return (
            f"No agent joined, and perhaps none was wanted: {who} {were} there with each other, and none was requested."
        )


class DispatchUnserved(Conclusion):
    """A dispatch brought no agent, for a reason that no witness saw."""

    def sentence(self, known: Known) -> str | None:
        """For whom no agent joined."""
        call = known.call
        unserved = call.dispatches.unserved
        if not unserved:
            return None
        names = {f"the dispatch of {d.agent_name!r}" if d.agent_name else "the unnamed dispatch" for d in unserved}
        wanted = f" for {' and '.join(sorted(names))}" if call.agents.all else ""
        more = ""
        if call.dispatches.failed_jobs:
            more = ": a job was offered"
        elif known.pending:
            more = ": the room closed before its jobs were listed"
        return f"No agent joined{wanted}, {NOT_EXPLAINED}{more}."


class NoAgentOnRecord(Conclusion):
    """Nothing in the record shows that an agent was wanted."""

    def sentence(self, known: Known) -> str | None:
        """That nothing is known."""
        call = known.call
        if call.timeline.dispatches or call.agents.all:
            return None
        created = call.timeline.room.created
        age = max(call.timeline.now - created.time, 0) if created else NOTICED
        if not known.over and age < NOTICED:
            return known.too_early("the room was created", age)
        return "Nothing is known of any agent in this room: no dispatch, job or agent was recorded."


class NobodyJoined(Conclusion):
    """No caller was ever in the room."""

    def sentence(self, known: Known) -> str | None:
        """That nobody came, and how long the agent waited."""
        call = known.call
        if call.callers.all or not call.witnesses & FROM_THE_SERVER:
            return None
        agent = min(call.agents.all, key=lambda one: one.steps[0].time, default=None)
        closed = self._closed(known)
        if agent is None:
            return f"No caller joined{closed}."
        so_far = "" if known.over or known.call.timeline.cut_off else " so far"
        there = [who for who in call.timeline.participants if who.kind != "EGRESS" and not who.is_avatar]
        since = min(who.steps[0].time for who in (agent, *there))
        until = max(min(call.left_at(who), call.end) for who in (agent, *there))
        waited = f"{max(until - since, 0) / NS_PER_S:.1f} s"
        if len(there) < 2:
            return f"No caller joined{so_far}: {name_of(agent)} was alone for {waited}{closed}."
        names = [f"{name_of(who)} ({who.kind})" for who in there[:3]]
        shown = f"{', '.join(names[:-1])} and {names[-1]}" if len(there) < 4 else f"{', '.join(names)} and others"
        return (
            f"No caller joined{so_far}: only {shown} were there, for {waited}, and ctx.wait_for_participant() waits for"
            f" no participant of these kinds, unless it is told to{closed}."
        )

    @staticmethod
    def _closed(known: Known) -> str:
        """That the room closed as it was empty, and who came too late; empty where that is not known."""
        timeline, how = known.call.timeline, closed_empty(known.call.timeline)
        if how is None:
            return ""
        finished, later = timeline.room.finished, timeline.later
        late = next(iter(later.callers), None) if later else None
        if finished is None or later is None or late is None:
            return f", until the room closed {how}"
        after = in_seconds(max(late.steps[0].time - finished.time, 0))
        new = f"a new room of this name ({later.room.sid})"
        return f", until the room closed {how}; {name_of(late)} joined {new} {after} later"


class NotAnswered(Conclusion):
    """SIP called somebody who did not answer, and nobody else was there."""

    def sentence(self, known: Known) -> str | None:
        """Who, and with which reason."""
        callers = known.call.callers
        if not callers.unanswered or callers.active:
            return None
        who = callers.unanswered[-1]
        return f"The telephone call to {name_of(who)} was not answered ({who.disconnect_reason})."


class NoCallerActive(Conclusion):
    """Callers joined, and none of them was seen to become ACTIVE."""

    def sentence(self, known: Known) -> str | None:
        """That none did."""
        callers = known.call.callers.all
        if not callers or any(caller.at(Kind.PARTICIPANT_ACTIVE) for caller in callers):
            return None
        since = max(known.call.timeline.now - callers[0].steps[0].time, 0)
        if not known.over and since < NOTICED:
            return known.too_early(f"{name_of(callers[0])} joined", since)
        return f"No caller became ACTIVE, {NOT_EXPLAINED}."


class NoTrackForAgent(Conclusion):
    """The agent is sent to those who publish (JT_PUBLISHER), and nobody was seen to."""

    def sentence(self, known: Known) -> str | None:
        """What the agent waits for."""
        call = known.call
        if call.agents.all or any(map(call.agents.joined, call.timeline.jobs)) or not call.callers.active:
            return None
        if all(dispatch.sid in call.dispatches.awaited for dispatch in call.timeline.dispatches):
            return None
        return (
            "No agent joined: it is dispatched to participants who publish a track, and no caller's track was recorded."
        )


class CallerKeptWaiting(Conclusion):
    """A caller waits for something that should have come: see ``tracer.timeline.overdue``."""

    def sentence(self, known: Known) -> str | None:
        """What is overdue, and for how long."""
        call = known.call
        silent = {caller.sid for caller in call.callers.all if caller.sid not in call.callers.published}
        waiting = silent | {agent.sid for agent in call.agents.all}
        missing = next((missing for missing in expected(call.timeline) if self._hurts(call, waiting, missing)), None)
        if missing is None:
            return None
        subject = call.timeline.by_sid.get(missing.step.subject)
        identity = subject.text(keys.PARTICIPANT_IDENTITY) if subject and subject.sid.startswith("PA_") else None
        name = identity or missing.step.subject
        return (
            f"No cause was found, but something is missing: {name}: {missing.what} for {missing.ns / NS_PER_S:.0f} s."
        )

    @staticmethod
    def _hurts(call: Call, waiting: set[str], missing: Missing) -> bool:
        """Whether a caller has been kept waiting for long; ``waiting`` are the SIDs of those who must become ACTIVE."""
        step, until = missing.step, missing.step.time + missing.ns
        if missing.ns < STUCK_BY or missing.lost or step.kind is Kind.JOB_SHUTDOWN:
            return False
        if step.subject.startswith("PA_"):
            return step.subject in waiting
        if step.kind not in (Kind.AGENT_WAITING_FOR_PARTICIPANT, Kind.SESSION_STARTING):
            return False
        if _after_a_session(call, step):
            return False  # the agent's code waits for somebody else, as for a colleague
        stays = ((max(began, step.time), min(ended, until)) for began, ended, _ in call.callers.active)
        return any(ended - began > STUCK_BY for began, ended in stays)


def _after_a_session(call: Call, step: Step) -> bool:
    """Whether it is a wait of a job whose session has answered before."""
    jobs = (job for job in call.timeline.jobs if job.sid == step.subject)
    closed = (session.closed for job in jobs for session in sessions_of(job))
    is_wait = step.kind is Kind.AGENT_WAITING_FOR_PARTICIPANT
    return is_wait and any(one is not None and one.time < step.time for one in closed)


class CallerGaveUp(Conclusion):
    """A caller's media never came up, and they did not come back."""

    def sentence(self, known: Known) -> str | None:
        """Who gave up, and after how long."""
        callers = known.call.callers.all
        there = {who.identity for who in callers if who.identity and who.at(Kind.PARTICIPANT_ACTIVE)}
        for who in callers:
            aborted, joining = who.at(Kind.PARTICIPANT_ABORTED), who.at(Kind.PARTICIPANT_JOINING)
            took = aborted.time - joining.time if aborted and joining else 0
            if took > STUCK_BY and not who.at(Kind.PARTICIPANT_ACTIVE) and who.identity not in there:
                return f"No cause was found, but {name_of(who)} gave up after {took / NS_PER_S:.0f} s without media."
        return None


class Lacking(Conclusion):
    """No cause was found, and something is missing that every call needs: see ``tracer.why.served``."""

    well = False

    def sentence(self, known: Known) -> str | None:
        """What is missing, for whom and for how long."""
        lack = next((lack for lack in known.lacks if lack.certain), None)
        return f"No cause was found, but {lack.sentence}." if lack else None


class NotRuledOut(Conclusion):
    """No cause was found, and of some it is not known.

    What is known to be missing, and for how long, is said instead.
    """

    def sentence(self, known: Known) -> str | None:
        """That there are doubts."""
        if known.lacks and known.lacks[0].ns and not known.lacks[0].early:
            return None
        return f"Nothing wrong {known.recorded}, but not everything can be ruled out." if known.doubts else None


class OnlyTheAgentReported(Conclusion):
    """Neither webhooks nor the API: nobody saw the callers."""

    def sentence(self, known: Known) -> str | None:
        """That only the agent reported."""
        if known.call.witnesses & FROM_THE_SERVER:
            return None
        return "Nothing wrong was recorded, but only the agent reported on this room."


class TooEarlyToMiss(Conclusion):
    """Nothing wrong was recorded, and what is not known yet may come at any moment."""

    def sentence(self, known: Known) -> str | None:
        """Who has just come."""
        lacks = known.lacks
        if not lacks or not all(lack.early for lack in lacks):
            return None
        return known.too_early(lacks[0].early, lacks[0].early_ns)


class NotKnown(Conclusion):
    """Nothing wrong was recorded, and not everything that makes a call well was either."""

    def sentence(self, known: Known) -> str | None:
        """What is not known."""
        if not known.lacks:
            return None
        more = f" ({len(known.lacks) - 1} more like this)" if len(known.lacks) > 1 else ""
        return f"Nothing wrong {known.recorded}, but {known.lacks[0].sentence}{more}."


class CutOff(Conclusion):
    """Nothing wrong was recorded while tracer listened, and the call went on after that."""

    def sentence(self, known: Known) -> str | None:
        """That tracer stopped."""
        return f"Nothing wrong {known.recorded}." if known.call.timeline.cut_off else None


class Away(Conclusion):
    """Nothing wrong was recorded while tracer listened, and for a part of the call it did not."""

    def sentence(self, known: Known) -> str | None:
        """For how long it did not."""
        gaps = known.call.timeline.gaps
        if not gaps:
            return None
        lasted = in_seconds(sum(until - since for since, until in gaps))
        return f"Nothing wrong {known.recorded}, but tracer did not listen for {lasted} while this room was open."


class Well(Conclusion):
    """Each caller that stayed had an agent, and each heard the other."""

    well = True

    def sentence(self, known: Known) -> str | None:
        """That all went well; and what only its developers know to be meant: who stayed on, was lost or was muted."""
        if not known.over:
            return "All is well so far."
        more = ""
        if alone := left_alone(known.call):
            more = f"; {name_of(alone[0])} stayed for {in_seconds(alone[1])} after the agent left"
        elif lost := lost_at_last(known.call):
            more = (
                f"; the server lost the connection of {name_of(lost)} ({lost.disconnect_reason}), who did not come back"
            )
        elif muted := muted_at_last(known.call):
            more = f"; the microphone of {name_of(muted[0])} was muted for the last {in_seconds(muted[1])}"
        return f"All went well{more}."


CONCLUSIONS: tuple[Conclusion, ...] = (
    CauseFound(),
    StartMissed(),
    TooEarly(),
    EndNotReported(),
    PerhapsUnwanted(),
    DispatchUnserved(),
    NoAgentOnRecord(),
    NobodyJoined(),
    NotAnswered(),
    NoCallerActive(),
    NoTrackForAgent(),
    CallerKeptWaiting(),
    CallerGaveUp(),
    Lacking(),
    NotRuledOut(),
    OnlyTheAgentReported(),
    TooEarlyToMiss(),
    NotKnown(),
    CutOff(),
    Away(),
    Well(),
)
"""In order; the last one always fits."""
