"""An agent's sessions, from its job's steps: to whom each listened when, whom it heard, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tracer import keys
from tracer.kinds import Kind
from tracer.units import FOREVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tracer.timeline.entities import Job, Participant
    from tracer.timeline.step import Step

__all__ = ["Link", "Off", "Session", "sessions_of"]


class Link(NamedTuple):
    """A stretch of time in which a session listened to one participant, ns since the epoch."""

    participant_id: str | None
    identity: str | None
    since: int
    until: int
    """When that participant left, another was linked or the session closed; FOREVER for a link that lasts."""
    step: Step

    def is_to(self, who: Participant) -> bool:
        """Whether it was this participant, by SID or, where only that is known, by identity."""
        if self.participant_id:
            return self.participant_id == who.sid
        return self.identity is not None and self.identity == who.identity


class Off(NamedTuple):
    """A stretch of time in which a session's audio input, or its output, was turned off, ns since the epoch."""

    since: int
    until: int
    """When it was turned on again; FOREVER where it was not."""


@dataclass(frozen=True, slots=True)
class Session:
    """One AgentSession of a job."""

    starting: Step | None
    """None where only its end was reported."""
    started: Step | None
    closed: Step | None
    links: tuple[Link, ...]
    complete: bool
    """Whether every link is known: not while the session is open, nor where its first events were dropped, or its span
    (``agent_session``, which names the job) did not arrive."""
    waits: tuple[Step, ...]
    """Each time it waited for the audio of whom it was linked to."""
    heard: tuple[Step, ...]
    """Each first frame it received."""
    subscribed: tuple[Step, ...]
    """Each audio track that it was subscribed to while it waited."""
    voiced: tuple[Step, ...]
    """Each time it published its own audio, or failed to."""
    input_off: tuple[Off, ...]
    """Each time that its audio input was turned off, also before it started."""
    output_off: tuple[Off, ...]
    """Each time that its audio output was."""

    @property
    def listens_by(self) -> str | None:
        """What understands the caller: ``stt``, ``realtime`` or ``nothing``; None where that was not reported.

        Of the first agent: those that it hands over to can have models of their own.
        """
        return self._known(keys.LISTENS_BY)

    @property
    def speaks_by(self) -> str | None:
        """What gives it its voice: ``tts``, ``realtime`` or ``nothing``; None where that was not reported.

        Of the first agent, too.
        """
        return self._known(keys.SPEAKS_BY)

    def _known(self, key: str) -> str | None:
        known = (step.facts.get(key) for step in (self.started, self.starting) if step)
        return next((str(value) for value in known if value), None)

    @property
    def since(self) -> int:
        """When it began, ns."""
        step = self.starting or self.started or self.closed
        return step.time if step else 0

    @property
    def until(self) -> int:
        """When it closed, ns; FOREVER for one that is open, as far as is known."""
        return self.closed.time if self.closed else FOREVER

    @property
    def unheard(self) -> list[Step]:
        """Each time it waited for the audio of whom it was linked to, and received none, as far as is known."""
        heard = {step.occurrence for step in self.heard}
        return [step for step in self.waits if step.occurrence not in heard]

    @property
    def has_audio(self) -> bool:
        """Whether it takes part by audio, as far as it reported: a session of text only waits for no track."""
        return bool(self.waits or self.heard)


def sessions_of(job: Job) -> list[Session]:
    """The sessions of a job in the order of their start."""
    steps = [s for s in job.steps if s.kind.value.startswith("session.") or s.kind is Kind.AGENT_PARTICIPANT_READY]
    ids = dict.fromkeys(step.occurrence for step in steps if step.kind in _NAMED)
    spans = [(one, *_ends(steps, one)) for one in ids]
    spans.sort(key=lambda span: min((step.time for step in span[1:] if step), default=0))
    found: list[Session] = []
    before = 0
    for number, (one, starting, started, closed) in enumerate(spans):
        begun = starting or started
        since = begun.time if begun else 0
        following = next((step for later in spans[number + 1 :] for step in later[1:] if step), None)
        until = closed.time if closed else following.time if following else FOREVER
        within = [step for step in steps if since <= step.time <= until]
        switched = [step for step in steps if min(before, since) <= step.time <= until]
        dropped = starting is not None and starting.facts.get(keys.EVENTS_DROPPED) is True
        whole = starting is not None and keys.JOB_ID in starting.facts
        complete = closed is not None and whole and not dropped
        links = tuple(_links(one, within, until, complete=complete))
        found.append(
            Session(
                starting,
                started,
                closed,
                links,
                complete,
                tuple(step for step in within if step.kind is Kind.SESSION_WAITING_FOR_AUDIO),
                tuple(step for step in within if step.kind is Kind.SESSION_AUDIO_RECEIVED),
                tuple(step for step in within if step.kind is Kind.SESSION_TRACK_SUBSCRIBED),
                tuple(step for step in within if step.kind in _VOICED),
                *(tuple(_offs(switched, *kinds)) for kinds in (_INPUT, _OUTPUT)),
            )
        )
        before = max(before, until)
    return found


_NAMED = (Kind.SESSION_STARTING, Kind.SESSION_STARTED, Kind.SESSION_CLOSED)
"""Kinds whose occurrence is the session's id."""
_VOICED = (Kind.SESSION_AUDIO_PUBLISHED, Kind.SESSION_AUDIO_FAILED)


_INPUT = (Kind.SESSION_AUDIO_INPUT_OFF, Kind.SESSION_AUDIO_INPUT_ON)
_OUTPUT = (Kind.SESSION_AUDIO_OUTPUT_OFF, Kind.SESSION_AUDIO_OUTPUT_ON)


def _offs(steps: Iterable[Step], off: Kind, on: Kind) -> Iterator[Off]:
    since: int | None = None
    for step in steps:
        if step.kind is off and since is None:
            since = step.time
        elif step.kind is on and since is not None:
            yield Off(since, step.time)
            since = None
    if since is not None:
        yield Off(since, FOREVER)


def _ends(steps: Sequence[Step], session: str) -> tuple[Step | None, Step | None, Step | None]:
    mine = {step.kind: step for step in steps if step.occurrence == session}
    return mine.get(Kind.SESSION_STARTING), mine.get(Kind.SESSION_STARTED), mine.get(Kind.SESSION_CLOSED)


def _links(session: str, within: Sequence[Step], until: int, *, complete: bool) -> Iterator[Link]:
    """By the session's own events; where those are not known, or no longer, by whom it waited for."""
    events = [step for step in within if step.occurrence.startswith(f"{session}@")]
    linked = [step for step in events if step.kind is Kind.SESSION_LINKED]
    if complete and linked:
        linked = sorted([*linked, *_by_waits_alone(within, linked)], key=lambda step: step.time)
    else:
        shown = _OF_ITSELF if complete else (*_OF_ITSELF, Kind.AGENT_PARTICIPANT_READY)
        linked = sorted([*_by_waits(within, shown, linked), *linked], key=lambda step: step.time)
    ends = [step.time for step in events if step.kind is Kind.SESSION_UNLINKED]
    for number, step in enumerate(linked, 1):
        last = min(linked[number].time, until) if number < len(linked) else until
        end = min([last, *(at for at in ends if at > step.time)])
        yield Link(*_whom(step), step.time, end, step)


def _by_waits_alone(within: Sequence[Step], linked: Sequence[Step]) -> list[Step]:
    """The first wait for each participant to whom no event links it: ``set_participant()`` of one who is not there."""
    known = {_whom(step)[1] for step in linked}
    waits = [step for step in within if step.kind is Kind.SESSION_WAITING_FOR_AUDIO]
    first = {identity: step for step in reversed(waits) if (identity := _whom(step)[1]) not in known}
    return [step for identity, step in first.items() if identity]


def _by_waits(within: Sequence[Step], kinds: Sequence[Kind], linked: Sequence[Step]) -> Iterator[Step]:
    """The first step for each participant that it waited for, and to whom no event had linked it then."""
    known: tuple[str | None, str | None] | None = None
    for step in within:
        whom = _whom(step)
        if step in linked:
            known = whom
        if step in linked or step.kind not in kinds or not any(whom):
            continue
        # A later wait for a participant is one of the agent's own code, as for a colleague.
        if known is None or (step.kind is Kind.SESSION_WAITING_FOR_AUDIO and whom[1] != known[1]):
            known = whom
            yield step


_OF_ITSELF = (Kind.SESSION_STARTING, Kind.SESSION_WAITING_FOR_AUDIO)
"""Kinds that show whom a session is linked to; while it is open, the wait for a participant is likely its own."""


def _whom(step: Step) -> tuple[str | None, str | None]:
    """SID and identity of the participant that a step of a session is about."""
    ready = step.kind is Kind.AGENT_PARTICIPANT_READY
    sid = step.facts.get(keys.PARTICIPANT_ID if ready else keys.LINKED_ID)
    identity = step.facts.get(keys.PARTICIPANT_IDENTITY if ready else keys.LINKED_IDENTITY)
    return str(sid) if sid else None, str(identity) if identity else None
