"""How two steps are related of which one must come before the other."""

from __future__ import annotations

from collections import defaultdict
from enum import StrEnum
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from tracer import keys
from tracer.moment import BY_WORKER, Kind
from tracer.timeline.runs import ONCE_A_RUN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tracer.timeline.step import Step

__all__ = [
    "Guarantee",
    "Pair",
    "Precedence",
    "StepIndex",
    "each_worker",
    "in_room",
    "its_agent",
    "its_job",
    "names",
    "same",
]


class Guarantee(StrEnum):
    """What LiveKit guarantees about the order of steps; each is the rule of ``tracer check`` with this slug."""

    ROOM_FIRST = "room-first"
    PARTICIPANT_STATES = "participant-states"
    JOB_START = "job-start"
    AGENT_CONNECTS = "agent-connects"
    SESSION_AND_SHUTDOWN = "session-and-shutdown"
    ROOM_ENDS_LAST = "room-ends-last"
    CLOCKS = "clocks"
    """The server's offer comes before all that the agent's clock shows of the job: it bounds the clock skew."""


class Pair(NamedTuple):
    """Two steps of which the first cannot have come after the second."""

    cause: Step
    effect: Step
    guarantee: Guarantee


class Precedence(NamedTuple):
    """A step of one kind cannot have come after a step of another, where they are related."""

    cause: Kind
    effect: Kind
    guarantee: Guarantee
    related: Callable[[StepIndex, Precedence], Iterator[tuple[Step, Step]]]
    """The steps of these kinds that belong together, one of the functions below."""
    unless: tuple[Kind, ...] = ()
    """Kinds that come between the two: where one of them is known, its own rows are more exact."""
    condition: Callable[[Step, Step], bool] | None = None
    """What must be true of the two besides; None: nothing."""

    def pairs(self, steps: StepIndex) -> Iterator[Pair]:
        """The pairs among the steps that this row is about."""
        for cause, effect in self.related(steps, self):
            if self.condition is None or self.condition(cause, effect):
                yield Pair(cause, effect, self.guarantee)


class StepIndex:
    """Steps by kind, and by what they happened to."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self.by_kind: dict[Kind, list[Step]] = defaultdict(list)
        groups: dict[tuple[str, str], dict[Kind, Step]] = defaultdict(dict)
        for step in steps:
            self.by_kind[step.kind].append(step)
            groups[step.subject, step.occurrence if step.kind in _REPEATABLE else ""][step.kind] = step
        self._groups = groups
        self.once = {subject: known for (subject, occurrence), known in groups.items() if not occurrence}
        """For each subject what happens to it once, by kind; of a job that ran twice, what its first run was."""
        self.together: dict[Kind, list[Mapping[Kind, Step]]] = defaultdict(list)
        """For each kind the steps by kind of every subject and occurrence that has it."""
        for known in groups.values():
            for kind in known:
                self.together[kind].append(known)

    def in_run_of(self, step: Step) -> Mapping[Kind, Step]:
        """What happened in the same run of a job, by kind."""
        return self._groups.get((step.subject, step.occurrence), {})


_REPEATABLE = (
    BY_WORKER
    | ONCE_A_RUN
    | {
        Kind.AGENT_WAITING_FOR_PARTICIPANT,
        Kind.AGENT_PARTICIPANT_READY,
        Kind.SESSION_STARTING,
        Kind.SESSION_STARTED,
        Kind.SESSION_CLOSED,
    }
)
"""Kinds that one subject can have several of, distinguished by their occurrence."""


# How the two steps of a row are related.


def same(steps: StepIndex, row: Precedence) -> Iterator[tuple[Step, Step]]:
    """Both happened to one subject and, where it can have several, in one occurrence."""
    for known in steps.together[row.cause]:
        if row.effect in known and known.keys().isdisjoint(row.unless):
            yield known[row.cause], known[row.effect]


def in_room(steps: StepIndex, row: Precedence) -> Iterator[tuple[Step, Step]]:
    """Both happened in the room, to whatever."""
    return product(steps.by_kind[row.cause], steps.by_kind[row.effect])


def names(key: str) -> Callable[[StepIndex, Precedence], Iterator[tuple[Step, Step]]]:
    """The effect names the cause's subject under this key."""

    def related(steps: StepIndex, row: Precedence) -> Iterator[tuple[Step, Step]]:
        causes = {step.subject: step for step in steps.by_kind[row.cause]}
        for effect in steps.by_kind[row.effect]:
            cause = causes.get(str(effect.facts.get(key)))
            if cause:
                yield cause, effect

    return related


def each_worker(steps: StepIndex, row: Precedence) -> Iterator[tuple[Step, Step]]:
    """The effect happened to the cause's job, at the worker that the cause was for; at any, where that is not known."""
    causes = {(step.subject, step.occurrence): step for step in steps.by_kind[row.cause]}
    for effect in steps.by_kind[row.effect]:
        cause = causes.get((effect.subject, effect.occurrence)) or causes.get((effect.subject, ""))
        if cause:
            yield cause, effect


def its_job(steps: StepIndex, row: Precedence) -> Iterator[tuple[Step, Step]]:
    """The cause happened to the effect's job, at one of the workers that were asked."""
    for cause in steps.by_kind[row.cause]:
        job = steps.once.get(cause.subject, {})
        if row.effect in job and job.keys().isdisjoint(row.unless):
            yield cause, job[row.effect]


def its_agent(steps: StepIndex, row: Precedence) -> Iterator[tuple[Step, Step]]:
    """The effect happened to the participant that the cause's job became."""
    effects = {step.subject: step for step in steps.by_kind[row.effect]}
    for connected in steps.by_kind[Kind.AGENT_CONNECTED]:
        cause = steps.in_run_of(connected).get(row.cause)
        effect = effects.get(str(connected.facts.get(keys.PARTICIPANT_ID)))
        if cause and effect:
            yield cause, effect
