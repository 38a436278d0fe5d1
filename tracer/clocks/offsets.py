"""How far the clocks of a call are apart, as far as what must be in order shows it.

Three kinds of clocks tell times: the server's, the receiver's, and that of each machine on which agents run. What the
server offers before an agent receives it, and the JOINING that comes while the agent connects, bound how far the
agent's clock is ahead of the server's; likewise for the receiver. Within these bounds times are brought to the server's
clock, and no further: an offset is an interval, too.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tracer import keys
from tracer.moment import NS_PER_MS, NS_PER_S, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tracer.moment import Fact, Moment
    from tracer.timeline.entities import Job
    from tracer.timeline.fold import Timeline
    from tracer.timeline.step import Step

__all__ = ["RECEIVER", "SERVER", "Apart", "Bounds", "Clock", "Clocks", "Offset"]


class Clock(NamedTuple):
    """Whose clock it is."""

    kind: str
    """``server``, ``receiver`` or ``agent``."""
    host: str = ""
    """The agent's machine, as it calls itself."""
    sid: str = ""
    """The job (``AJ_…``) or worker, where nobody told of its machine: it then has a clock of its own."""

    def __str__(self) -> str:
        return f"{self.kind} on {self.host}" if self.host else f"{self.kind} of {self.sid}" if self.sid else self.kind


SERVER = Clock("server")
"""The clock that times are brought to."""
RECEIVER = Clock("receiver")
"""The clock of the machine that gets webhooks and asks the API."""

SHOWN_WITHIN = 250 * NS_PER_MS
"""The server lists what it has made this soon after it took the time, ns: it connects a participant before."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """When a step was, ns by each clock: not before ``lower``, not after ``upper``.

    A clock that bounds it on one side only is in one of them.
    """

    lower: Mapping[Clock, int]
    upper: Mapping[Clock, int]


@dataclass(frozen=True, slots=True)
class Apart:
    """One step came after another by between ``least`` and ``most`` ns; below zero it came before.

    None where no clock told both.
    """

    least: int | None
    most: int | None


@dataclass(frozen=True, slots=True)
class Offset:
    """A clock is ahead of the server's by between ``least`` and ``most`` ns; below zero it is behind.

    None where nothing bounds it to this side.
    """

    least: int | None = None
    most: int | None = None
    by_least: tuple[Step, ...] = ()
    """What gives ``least``: two steps of which the first cannot have come after the second; or what was listed."""
    by_most: tuple[Step, ...] = ()

    @property
    def contradictory(self) -> bool:
        """Whether no offset fits: the clock was set meanwhile, or something was out of order."""
        return self.least is not None and self.most is not None and self.least > self.most

    @property
    def bounded(self) -> bool:
        """Whether it is bounded to both sides, and some offset fits."""
        return self.least is not None and self.most is not None and self.least <= self.most

    @property
    def proven(self) -> int:
        """How far the clock is ahead of the server's for certain, ns; below zero it is behind, and 0 may be right."""
        return 0 if self.contradictory else max(self.least or 0, 0) or min(self.most or 0, 0)

    @property
    def off(self) -> bool:
        """Whether the two clocks cannot show the same time."""
        return self.proven != 0


class Clocks:
    """All the clocks of one timeline, and its steps by each of them."""

    def __init__(self, timeline: Timeline, pairs: Iterable[tuple[Step, Step]]) -> None:
        """``pairs`` are steps of the timeline, of which the first cannot have come after the second."""
        self._timeline = timeline  # and with it its steps and moments, which are known here by their id()
        self._hosts = {job.sid: job.text(keys.WORKER_HOST) for job in timeline.jobs}
        # Where the observer takes the server's JOINING for the earliest time of what came after it.
        self._joined = {
            (moment.subject, moment.earliest)
            for participant in timeline.participants
            if (joining := participant.at(Kind.PARTICIPANT_JOINING))
            for moment in joining.told
        }
        self._clock_of: dict[int, Clock] = {}
        self._together: dict[tuple[int, str], list[tuple[tuple[Moment, ...], Bounds]]] = {}
        self._raw: dict[tuple[int, str], Bounds] = {}
        self._brought: dict[tuple[int, str], Bounds] = {}
        self.offsets: dict[Clock, Offset] = {}
        """Of every clock but the server's, in order of its name."""
        self.offsets = self._bounded(pairs)

    def bounds(self, step: Step, effect: Step | None = None) -> Bounds:
        """A step by every clock that told it, and brought to the server's.

        An offer that ``effect`` answers is the one to that worker.
        """
        key = id(step), _asked(step, effect)
        if key not in self._brought:
            self._brought[key] = self._said(step, key[1], self._bring)
        return self._brought[key]

    def apart(self, cause: Step, effect: Step) -> Apart:
        """How long after the cause the effect came, by the clocks that told both, and by the server's."""
        before, after = self.bounds(cause, effect), self.bounds(effect)
        least = [low - before.upper[clock] for clock, low in after.lower.items() if clock in before.upper]
        most = [high - before.lower[clock] for clock, high in after.upper.items() if clock in before.lower]
        return Apart(max(least, default=None), min(most, default=None))

    def missed(self, step: Step) -> int:
        """How far apart two of its witnesses are who cannot both be right, ns; 0 when all can."""
        told = [self._bring(together) for _, together in self._accounts(step, "")]
        return max([0, *(low - one.upper.get(clock, low) for one in told for clock, low in one.lower.items())])

    def of_job(self, job: Job) -> Offset:
        """The offset of the clock of the machine on which the job runs."""
        host = self._hosts[job.sid]
        return self.offsets.get(_agent(host, job.sid), Offset())

    def clocks_of(self, *steps: Step) -> set[Clock]:
        """Whose clocks told these steps."""
        return {clock for step in steps for moment in step.told for clock in self._clocks_by(moment)}

    def across(self, cause: Step, effect: Step) -> Clock | None:
        """The agent's clock, where that told one of the two and the server's the other; else None."""
        one, other = self.clocks_of(cause), self.clocks_of(effect)
        agents = [clock for clock in one | other if clock.kind == "agent"]
        if one & other or SERVER not in one | other or len(agents) != 1:
            return None
        return agents[0]

    def possible(self, cause: Step, effect: Step) -> bool:
        """Whether some offset within its bounds, of the agent's clock that told one of the two, puts them in order."""
        clock = self.across(cause, effect)
        offset = self.offsets[clock] if clock else None
        if clock is None or offset is None or offset.least is None or offset.most is None or offset.contradictory:
            return False
        before, after = self._hull(cause, effect).upper, self._hull(effect).lower
        if clock in before and SERVER in after:
            return before[clock] - offset.most <= after[SERVER]
        if clock in after and SERVER in before:
            return before[SERVER] <= after[clock] - offset.least
        return False

    def _hull(self, step: Step, effect: Step | None = None) -> Bounds:
        """A step by every clock that told it."""
        key = id(step), _asked(step, effect)
        if key not in self._raw:
            self._raw[key] = self._said(step, key[1], lambda told: told)
        return self._raw[key]

    def _said(self, step: Step, worker: str, bring: Callable[[Bounds], Bounds]) -> Bounds:
        """What the witnesses say together or, where they cannot all be right, whichever of them is."""
        said = []
        for moments, raw in self._accounts(step, worker):
            together = bring(raw)
            if any(low > together.upper.get(clock, low) for clock, low in together.lower.items()):
                said += [bring(self._all_of([moment])) for moment in moments]
            else:
                said.append(together)
        return _any_of(said)

    def _accounts(self, step: Step, worker: str) -> list[tuple[tuple[Moment, ...], Bounds]]:
        """Each account of a step, and what its witnesses say together."""
        key = id(step), worker
        if key not in self._together:
            told = _accounts(step, worker)
            self._together[key] = [(moments, self._all_of(moments)) for moments in told]
        return self._together[key]

    def _all_of(self, moments: Iterable[Moment]) -> Bounds:
        lower: dict[Clock, int] = {}
        upper: dict[Clock, int] = {}
        for moment in moments:
            clock, low = self._lower(moment)
            lower[clock] = max(low, lower.get(clock, low))
            for clock, high in self._upper(moment):
                upper[clock] = min(high, upper.get(clock, high))
        return Bounds(lower, upper)

    def _clocks_by(self, moment: Moment) -> set[Clock]:
        return {self._lower(moment)[0], *(clock for clock, _ in self._upper(moment))}

    def _lower(self, moment: Moment) -> tuple[Clock, int]:
        clock = self._clock(moment)
        # A webhook was stamped by the server, and an observer's look can be earlier than a JOINING that it saw.
        stamped = moment.witness == "webhook" or (moment.subject, moment.earliest) in self._joined
        return SERVER if clock is RECEIVER and stamped else clock, moment.earliest

    def _upper(self, moment: Moment) -> Iterator[tuple[Clock, int]]:
        clock = self._clock(moment)
        if clock is RECEIVER and moment.witness == "webhook":
            # It arrived within the second that it was stamped with, or else is bounded by that second's end.
            end = moment.latest // NS_PER_S * NS_PER_S + NS_PER_S - 1
            yield SERVER, end
            if moment.latest == end:
                return
        yield clock, moment.latest

    def _clock(self, moment: Moment) -> Clock:
        if moment.clock == "agent":
            known = self._clock_of.get(id(moment))
            if known is None:
                # A job can have been offered to workers on several machines; who does not say is on the job's.
                host = dict(moment.facts).get(keys.WORKER_HOST) or self._hosts.get(moment.subject)
                known = self._clock_of[id(moment)] = _agent(host, moment.subject)
            return known
        return RECEIVER if moment.clock == "receiver" else SERVER

    def _bring(self, told: Bounds) -> Bounds:
        """The same, and by the server's clock, as far as the other's offset is known."""
        lower, upper = dict(told.lower), dict(told.upper)
        for clock, low in told.lower.items():
            known = self.offsets.get(clock)
            if known and known.most is not None and not known.contradictory:
                lower[SERVER] = max(low - known.most, lower.get(SERVER, low - known.most))
        for clock, high in told.upper.items():
            known = self.offsets.get(clock)
            if known and known.least is not None and not known.contradictory:
                upper[SERVER] = min(high - known.least, upper.get(SERVER, high - known.least))
        return Bounds(lower, upper)

    def _bounded(self, pairs: Iterable[tuple[Step, Step]]) -> dict[Clock, Offset]:
        """The narrowest bounds that the pairs give, and the observer's looks."""
        least: dict[Clock, _Bound] = {}
        most: dict[Clock, _Bound] = {}
        for cause, effect in pairs:
            lower, upper = self._hull(cause, effect).lower, self._hull(effect).upper
            if any(low > upper.get(clock, low) for clock, low in lower.items()):
                continue  # out of order by one clock alone: it says nothing of others
            if SERVER in lower:
                for clock, high in upper.items():
                    _narrow(most, clock, _Bound(high - lower[SERVER], (cause, effect)), min)
            if SERVER in upper:
                for clock, low in lower.items():
                    _narrow(least, clock, _Bound(low - upper[SERVER], (cause, effect)), max)
        for bound in self._looks(keys.SEEN_BY):
            _narrow(most, RECEIVER, bound, min)
        shown = max(self._looks(keys.SEEN_AFTER), key=lambda bound: bound.ns, default=None)
        # How long the server takes to show something is not guaranteed: this never makes a contradiction.
        if shown and (RECEIVER not in most or shown.ns <= most[RECEIVER].ns):
            _narrow(least, RECEIVER, shown, max)
        clocks = self.clocks_of(*self._timeline.steps) | least.keys() | most.keys()
        return {
            clock: Offset(
                least[clock].ns if clock in least else None,
                most[clock].ns if clock in most else None,
                least[clock].by if clock in least else (),
                most[clock].by if clock in most else (),
            )
            for clock in sorted(clocks - {SERVER})
        }

    def _looks(self, key: str) -> Iterator[_Bound]:
        """How far the receiver's clock is ahead by what the observer saw: the server's own time lies between."""
        for step in self._timeline.steps:
            for moment in step.told:
                at = _time(dict(moment.facts).get(key)) if moment.witness == "observer" else None
                if at is not None and moment.clock == "server":
                    bound = moment.earliest if key == keys.SEEN_BY else moment.latest + SHOWN_WITHIN
                    yield _Bound(at - bound, (step,))


class _Bound(NamedTuple):
    """A bound of an offset, ns, and the steps that give it."""

    ns: int
    by: tuple[Step, ...]


def _narrow(bounds: dict[Clock, _Bound], clock: Clock, bound: _Bound, better: Callable[[int, int], int]) -> None:
    if clock not in bounds or better(bound.ns, bounds[clock].ns) != bounds[clock].ns:
        bounds[clock] = bound


def _agent(host: Fact | None, sid: str) -> Clock:
    return Clock("agent", host=str(host)) if host else Clock("agent", sid=sid)


def _asked(step: Step, effect: Step | None) -> str:
    """The worker that was offered the job when ``effect`` answers the offer; else empty."""
    answered = step.kind is Kind.JOB_OFFERED and effect is not None and effect.kind is Kind.JOB_RECEIVED
    return effect.occurrence if effect is not None and answered else ""


def _accounts(step: Step, worker: str) -> list[tuple[Moment, ...]]:
    """What was told of one and the same step.

    A job can have been offered to several workers, one after the other: one for each, or that of the ``worker``.
    """
    if step.kind is not Kind.JOB_OFFERED:
        return [step.told]
    by_worker: dict[str, list[Moment]] = defaultdict(list)
    for moment in step.told:
        by_worker[str(dict(moment.facts).get(keys.WORKER_ID, ""))].append(moment)
    return [tuple(by_worker[one]) for one in ([worker] if worker in by_worker else by_worker)]


def _any_of(alternatives: list[Bounds]) -> Bounds:
    """What holds whichever of these is meant."""
    if len(alternatives) == 1:
        return alternatives[0]
    first = alternatives[0] if alternatives else Bounds({}, {})
    return Bounds(
        {
            clock: min(b.lower[clock] for b in alternatives)
            for clock in first.lower
            if all(clock in b.lower for b in alternatives)
        },
        {
            clock: max(b.upper[clock] for b in alternatives)
            for clock in first.upper
            if all(clock in b.upper for b in alternatives)
        },
    )


def _time(text: Fact | None) -> int | None:
    """A time that a fact holds as text, ns since the epoch; None for whatever is none."""
    return int(text) if isinstance(text, str) and text.isdecimal() and text.isascii() and len(text) < 20 else None
