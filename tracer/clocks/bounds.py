"""Between which times a step was, by each clock that was read for it.

Three kinds of clocks give times: the server's, the receiver's, and that of each machine on which agents run. The two
ends of one moment's interval can be of two clocks: a webhook carries the second in which the server made it, and
arrives by the receiver's clock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from tracer import keys
from tracer.moment import Kind
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tracer.moment import Fact, Moment
    from tracer.timeline.timeline import Timeline

__all__ = ["RECEIVER", "SERVER", "Bounds", "Clock", "MomentClocks", "agent_clock", "widest"]


class Clock(NamedTuple):
    """Whose clock it is."""

    kind: str
    """``server``, ``receiver`` or ``agent``."""
    host: str = ""
    """The agent's machine, as it calls itself."""
    sid: str = ""
    """The job (``AJ_…``) or worker, where its machine is not known: it then has a clock of its own."""

    def __str__(self) -> str:
        return f"{self.kind} on {self.host}" if self.host else f"{self.kind} of {self.sid}" if self.sid else self.kind


SERVER = Clock("server")
"""The clock that times are brought to."""
RECEIVER = Clock("receiver")
"""The clock of the machine that gets webhooks and polls the API."""


def agent_clock(host: Fact | None, sid: str) -> Clock:
    """The clock of this machine or, where that is not known, of this job or worker."""
    return Clock("agent", host=str(host)) if host else Clock("agent", sid=sid)


@dataclass(frozen=True, slots=True)
class Bounds:
    """When a step was, ns by each clock: not before ``lower``, not after ``upper``.

    A clock that bounds it on one side only is in one of them.
    """

    lower: Mapping[Clock, int]
    upper: Mapping[Clock, int]

    @property
    def impossible(self) -> bool:
        """Whether no time of one of the clocks lies within."""
        return any(low > self.upper.get(clock, low) for clock, low in self.lower.items())


class MomentClocks:
    """Which clock gave the time of a moment, and each end of its interval."""

    def __init__(self, timeline: Timeline) -> None:
        self.hosts = {job.sid: job.text(keys.WORKER_HOST) for job in timeline.jobs}
        """For each job's id the machine on which it ran; None where that is not known."""
        # Where the observer takes the server's JOINING for the earliest time of what came after it.
        self._joined = {
            (moment.subject, moment.earliest)
            for participant in timeline.participants
            if (joining := participant.at(Kind.PARTICIPANT_JOINING))
            for moment in joining.moments
        }

    def of(self, moment: Moment) -> Clock:
        """The clock that gave a moment's time."""
        if moment.clock == "agent":
            # A job can have been offered to workers on several machines; a moment that names none is of the job's.
            # So is what a job reports of participants and tracks.
            told = dict(moment.facts)
            job = moment.subject
            if job not in self.hosts and keys.JOB_ID in told:
                job = str(told[keys.JOB_ID])
            return agent_clock(told.get(keys.WORKER_HOST) or self.hosts.get(job), job)
        return RECEIVER if moment.clock == "receiver" else SERVER

    def all_of(self, moment: Moment) -> set[Clock]:
        """Every clock that gave an end of a moment's interval."""
        return {self._lower(moment), *(clock for clock, _ in self._upper(moment))}

    def together(self, moments: Iterable[Moment]) -> Bounds:
        """What these moments of one step leave open, if all of them are right."""
        lower: dict[Clock, int] = {}
        upper: dict[Clock, int] = {}
        for moment in moments:
            clock, low = self._lower(moment), moment.earliest
            lower[clock] = max(low, lower.get(clock, low))
            for one, high in self._upper(moment):
                upper[one] = min(high, upper.get(one, high))
        return Bounds(lower, upper)

    def corrected(self, moment: Moment, ahead: Mapping[Clock, int]) -> Moment:
        """The moment by the server's clock, each end by as much as the clock that gave it is ``ahead``, ns."""
        ends = [high - ahead.get(clock, 0) for clock, high in self._upper(moment)]
        earliest, latest = moment.earliest - ahead.get(self._lower(moment), 0), min(ends)
        time = moment.time - ahead.get(self.of(moment), 0)
        if (earliest, latest, time) == (moment.earliest, moment.latest, moment.time):
            return moment
        latest = max(earliest, latest)
        return replace(moment, earliest=earliest, latest=latest, time=min(max(time, earliest), latest))

    def _lower(self, moment: Moment) -> Clock:
        clock = self.of(moment)
        # A webhook was stamped by the server, and an observer's poll can be earlier than a JOINING that it saw.
        stamped = moment.witness == "webhook" or (moment.subject, moment.earliest) in self._joined
        return SERVER if clock is RECEIVER and stamped else clock

    def _upper(self, moment: Moment) -> Iterator[tuple[Clock, int]]:
        clock = self.of(moment)
        if clock is RECEIVER and moment.witness == "webhook":
            # It arrived within the second that it was stamped with, or else is bounded by that second's end.
            end = moment.latest // NS_PER_S * NS_PER_S + NS_PER_S - 1
            yield SERVER, end
            if moment.latest == end:
                return
        yield clock, moment.latest


def widest(alternatives: list[Bounds]) -> Bounds:
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
