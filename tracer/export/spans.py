"""The room's trace: spans from moments. Pure, and the same wherever it runs: ids come from LiveKit's own.

livekit.room         room                        created … finished
livekit.room         ├ room_started              created
livekit.dispatch     ├ dispatch                  created … job assigned (ERROR if one should have been)
livekit.dispatch     │  └ job                    offered … ended
(the agent's own)    │     └ job_entrypoint …    livekit-agents' own tree, see witness.agent
livekit.participant  └ participant STANDARD      JOINING … left; the kind is one of seven
livekit.participant     ├ JOINING ├ JOINED ├ ACTIVE
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tracer import ids, keys
from tracer.export.span_names import KINDS, SpanNames, with_names
from tracer.moment import Facts, Kind, Tie, facts
from tracer.timeline.missing_jobs import dispatches_without_job, unaccounted_until
from tracer.why.call.connection import given_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.moment import Fact, Moment
    from tracer.timeline.entities import Dispatch, Entity, Job, Participant
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["Span", "SpanEvent", "spans"]


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """A moment as an event of its span; the whole moment can be read back from it."""

    name: str
    time: int
    """ns since the epoch."""
    attributes: Facts


@dataclass(frozen=True, slots=True)
class Span:
    """A finished span. Times are ns since the epoch, ids OpenTelemetry's integers."""

    trace_id: int
    span_id: int
    parent_id: int | None
    service: str
    name: str
    start: int
    end: int
    attributes: Facts
    events: tuple[SpanEvent, ...] = ()
    error: str | None = None
    """What went wrong, in a sentence; None for a span whose status is not ERROR."""
    closes: str = ""
    """Id of a lost job: its open spans end with this one."""
    pending: bool = False
    """Whether an agent has yet to report its end, which says how this went."""


LOST = "lost"
"""Name of the event that says where in an agent's span its job, or its connection to the room, was lost."""
CUT = "the agent lost its connection to the room, and gave up reconnecting"
"""The error of an agent's span where that happened."""


def spans(timeline: Timeline, names: SpanNames = SpanNames.FEW) -> list[Span]:
    """Every span of a room of which both ends are known, in the order in which they started.

    A lost job ends, with an error, when it is known to be lost. What stands in their names changes no id.
    """
    return sorted(_Trace(timeline, names).spans(), key=lambda span: (span.start, span.end, span.span_id))


class _Trace:
    """One room's spans in the making."""

    def __init__(self, timeline: Timeline, names: SpanNames) -> None:
        self.timeline = timeline
        self.names = names
        self._jobs = {agent.sid: job for job in timeline.jobs if (agent := timeline.agent_of(job))}
        """The job of each agent's participant."""
        self.trace_id = ids.trace_id(timeline.room.sid)
        self.root = ids.span_id("room", timeline.room.sid)
        self._unaccounted_until = unaccounted_until(timeline)
        self._without_job = {dispatch.sid for dispatch, _ in dispatches_without_job(timeline)}

    def spans(self) -> Iterator[Span]:
        room = self.timeline.room
        if room.created:
            yield self._span("livekit.room", "room_started", room, self.root, room.created.time, room.created.latest)
            if room.finished:
                yield self._span(
                    "livekit.room",
                    "room",
                    room,
                    None,
                    room.created.time,
                    room.finished.time,
                    personal=room.name,
                    events=self._events(room),
                    pending=bool(self.timeline.open_jobs()),
                )
        for participant in self.timeline.participants:
            yield from self._participant(participant)
        for dispatch in self.timeline.dispatches:
            yield from self._dispatch(dispatch)
        for job in self.timeline.jobs:
            yield from self._job(job)

    def _span(
        self,
        service: str,
        name: str,
        entity: Entity,
        parent: int | None,
        start: int,
        end: int,
        *,
        kind: str = "",
        personal: str | None = None,
        more: dict[str, Fact | None] | None = None,
        events: tuple[SpanEvent, ...] = (),
        error: str | None = None,
        closes: str = "",
        pending: bool = False,
    ) -> Span:
        """A span of ``name``, by which it has its id; ``kind`` stands in the name that is shown, ``personal`` may."""
        room = self.timeline.room
        attributes = {
            **entity.facts,
            keys.ROOM_SID: room.sid,
            keys.CONVERSATION_ID: room.sid,
            keys.ROOM_NAME: room.name,
            **(more or {}),
        }
        # With clock skew between two machines an end can precede its start: the length is then unknown, not negative.
        # Jaeger flags a span of no length as an error.
        return Span(
            self.trace_id,
            ids.span_id(name, entity.sid),
            parent,
            service,
            with_names(name, kind, personal if self.names is SpanNames.FULL else None),
            start,
            max(start + 1, end),
            facts(attributes),
            events,
            error,
            closes,
            pending,
        )

    def _events(self, *entities: Entity) -> tuple[SpanEvent, ...]:
        """The moments of these entities as span events, in order of time.

        What one witness reports of one several times, as each webhook does of a joining, is one event with all it told.
        """
        told: defaultdict[Moment, dict[str, Fact]] = defaultdict(dict)
        moments = [moment for entity in entities for step in entity.steps for moment in step.moments]
        moments.sort(key=lambda m: (m.time, m.kind.rank, Tie(m)))  # the rest only makes the order the same everywhere
        for moment in moments:
            told[replace(moment, facts=())] |= dict(moment.facts)
        return tuple(
            SpanEvent(
                moment.kind.value,
                moment.time,
                facts(
                    {
                        **known,
                        keys.SUBJECT: moment.subject,
                        keys.WITNESS: moment.witness,
                        keys.CLOCK: moment.clock,
                        keys.EARLIEST: str(moment.earliest),
                        keys.LATEST: str(moment.latest),
                        keys.OCCURRENCE: moment.occurrence or None,
                    }
                ),
            )
            for moment, known in told.items()
        )

    def _participant(self, participant: Participant) -> Iterator[Span]:
        # One that nobody reported leaving has left by the room's end; else its states would have no parent.
        joining, gone = participant.at(Kind.PARTICIPANT_JOINING), participant.gone or self.timeline.room.finished
        joined, active = participant.at(Kind.PARTICIPANT_JOINED), participant.at(Kind.PARTICIPANT_ACTIVE)
        about: dict[str, Fact | None] = {keys.PARTICIPANT_ID: participant.sid}
        service, whole = "livekit.participant", ids.span_id("participant", participant.sid)

        def state(name: str, start: Step | None, *ends: Step | None) -> Iterator[Span]:
            end = next((step for step in ends if step), None)
            if start and end:
                yield self._span(service, name, participant, whole, start.time, end.time, more=about)

        yield from state("JOINING", joining, joined, active, gone)
        yield from state("JOINED", joined, active, gone)
        yield from state("ACTIVE", active, gone)
        if joining and gone:
            tracks = [track for track in self.timeline.tracks if track.participant == participant.sid]
            errors = {
                Kind.PARTICIPANT_ABORTED: "the participant left before it was ACTIVE",
                Kind.ROOM_FINISHED: "the participant's leaving was not reported: it was before the room's end",
            }
            events, error = self._events(participant, *tracks), errors.get(gone.kind)
            job = self._jobs.get(participant.sid)
            lost = self._lost(job) if job else None
            if lost:
                events = tuple(sorted((*events, lost[0]), key=lambda event: event.time))
            yield self._span(
                service,
                "participant",
                participant,
                self.root,
                joining.time,
                gone.time,
                kind=participant.kind if participant.kind in KINDS else "",
                personal=participant.identity,
                more=about,
                events=events,
                error=lost[1] if lost else error,
                pending=job is not None and self.timeline.is_open(job),
            )

    def _lost(self, job: Job) -> tuple[SpanEvent, str] | None:
        """Where in its agent's span a job or its connection was lost, and a sentence on it; None where neither was.

        Of a job, when its process ended, where the worker saw that; else when it last reported.
        """
        if self.timeline.lost(job) is not None:
            at = job.at(Kind.PROCESS_FAILED) or job.last_reported
            known = {keys.SUBJECT: job.sid, keys.EXIT_CODE: at.facts.get(keys.EXIT_CODE)}
            return SpanEvent(LOST, at.time, facts(known)), self._lost_sentence(job)
        if cut := next(given_up(self.timeline, job), None):
            return SpanEvent(LOST, cut.began.time, facts({keys.SUBJECT: job.sid})), CUT
        return None

    @staticmethod
    def _lost_sentence(job: Job) -> str:
        return f"the job was lost: its last recorded step is {job.last_reported.kind}"

    def _dispatch(self, dispatch: Dispatch) -> Iterator[Span]:
        created = dispatch.at(Kind.DISPATCH_CREATED)
        if not created:
            return
        jobs = [job for job in self.timeline.jobs if job.sid in dispatch.jobs]
        answers = [step for job in jobs if (step := self._answer(job))]
        finished = self.timeline.room.finished
        if answers:
            end, error = min(step.time for step in answers), None
        elif finished and created.earliest > self._unaccounted_until:
            offered = [step.time for job in jobs if (step := job.at(Kind.JOB_OFFERED))]
            end, error = max(offered, default=finished.time), None
            if jobs:
                error = "a job was offered, and no agent joined"
            elif dispatch.sid in self._without_job:
                error = "no worker took the job before the room closed"
        else:
            return
        events = self._events(dispatch)
        yield self._span(
            "livekit.dispatch",
            "dispatch",
            dispatch,
            self.root,
            created.time,
            end,
            personal=dispatch.agent_name,
            more={keys.DISPATCH_ID: dispatch.sid},
            events=events,
            error=error,
        )

    def _answer(self, job: Job) -> Step | None:
        """The step that shows an accepted job: its assignment, or the joining of an agent that reports nothing."""
        answer = job.at(Kind.JOB_ASSIGNED, Kind.AGENT_CONNECTING)
        agent = self.timeline.agent_of(job)
        return agent.at(Kind.PARTICIPANT_JOINING) if answer is None and agent else answer

    def _job(self, job: Job) -> Iterator[Span]:
        offered, ended = job.at(Kind.JOB_OFFERED), job.at(Kind.JOB_ENDED)
        lost = self.timeline.lost(job)
        start = offered or (job.steps[0] if lost is not None else None)
        if not start or (not ended and lost is None) or self.timeline.is_open(job):
            return
        error = "the job failed" if ended and job.status == "JS_FAILED" else None
        if lost is not None and error is None:
            error = self._lost_sentence(job)
        dispatch = self.timeline.dispatch_of(job)
        seen = dispatch is not None and dispatch.at(Kind.DISPATCH_CREATED) is not None
        yield self._span(
            "livekit.dispatch",
            "job",
            job,
            ids.span_id("dispatch", dispatch.sid) if dispatch and seen else self.root,
            start.time,
            lost if lost is not None else ended.time if ended else start.time,
            personal=job.agent_name,
            more={keys.JOB_ID: job.sid},
            events=self._events(job),
            error=error,
            closes=job.sid if lost is not None else "",
        )
