"""The dispatches of a room: which brought an agent, and which should have."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.timeline.missing_jobs import awaited_since, is_optional, unaccounted_until
from tracer.timeline.provenance import Mode
from tracer.why.call.jobs import is_room_job
from tracer.why.call.limits import LONG_ENOUGH, NO_JOB_AFTER
from tracer.why.call.participants import left_at

if TYPE_CHECKING:
    from tracer.timeline.entities import Dispatch, Job, Participant
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline
    from tracer.why.call.agents import Agents
    from tracer.why.call.callers import Callers
    from tracer.why.call.workers import Workers

__all__ = ["Dispatches", "agent_named"]


def agent_named(name: str | None) -> str:
    """What to call the agent that a dispatch is for."""
    return f"agent {name!r}" if name else "an unnamed agent"


class Dispatches:
    """What was dispatched to the room, and what came of it."""

    def __init__(self, timeline: Timeline, callers: Callers, agents: Agents, workers: Workers) -> None:
        self._timeline = timeline
        self._callers = callers
        self._agents = agents
        self._workers = workers

    @cached_property
    def jobs(self) -> dict[str, list[Job]]:
        """For each dispatch's id its jobs, without those that were offered to no worker: they wait, as it does."""
        found: dict[str, list[Job]] = defaultdict(list)
        for job in self._timeline.jobs:
            if job.dispatch_id and not job.is_waiting:
                found[job.dispatch_id].append(job)
        return found

    def waiting(self, dispatch: Dispatch) -> list[Job]:
        """Its jobs that were offered to no worker."""
        return [job for job in self._timeline.jobs if job.dispatch_id == dispatch.sid and job.is_waiting]

    def in_vain(self, dispatch: Dispatch) -> str:
        """What became of a dispatch of which no worker was offered a job, as the beginning of a sentence."""
        job = "a job that no worker was offered" if self.waiting(dispatch) else "no job"
        return f"The dispatch for {agent_named(dispatch.agent_name)} has {job}"

    def brought_agent(self, dispatch: Dispatch) -> bool:
        """Whether it brought an agent."""
        return any(map(self._agents.joined, self.jobs[dispatch.sid]))

    @cached_property
    def awaited(self) -> dict[str, Step]:
        """For each dispatch's id after which step a job should come; without those that are for nobody yet."""
        return awaited_since(self._timeline)

    @cached_property
    def unserved(self) -> list[Dispatch]:
        """Dispatches that brought no agent, and matter.

        An unnamed one does not, where another agent came or was dispatched; nor does one that was followed by another
        of its name that brought one. Nor do those that were made before an agent joined of which no job is known: it
        can be of any of them.
        """
        until = unaccounted_until(self._timeline)
        without = [
            d
            for d in self._timeline.dispatches
            if ((created := d.at(Kind.DISPATCH_CREATED)) or d.jobs)
            and (created.earliest if created else 1) > until
            and not self.brought_agent(d)
        ]
        wanted = [d for d in without if not is_optional(self._timeline, d)]
        return [d for d in wanted if self.made_again(d) is None and (d.sid in self.awaited or d.jobs)]

    @cached_property
    def without_job(self) -> list[tuple[Dispatch, Step]]:
        """Those of the unserved of which no job is known though it should be, and when they were created."""
        found = []
        for dispatch in self.unserved:
            created = dispatch.at(Kind.DISPATCH_CREATED)
            awaited = self.awaited.get(dispatch.sid)
            if created and awaited and not self.jobs[dispatch.sid] and self.waited_long_enough(awaited):
                found.append((dispatch, created))
        return found

    @cached_property
    def perhaps_unwanted(self) -> bool:
        """Whether perhaps nobody wanted an agent: callers are there with each other, and none was asked for.

        Every room gets the unnamed dispatch, unasked; it is meant for somebody where a worker without a name reported.
        """
        automatic = all(not d.agent_name and d.mode in (None, Mode.AUTOMATIC) for d in self._timeline.dispatches)
        return automatic and not self._workers.named("") and bool(self._callers.together)

    def waited_long_enough(self, awaited: Step) -> bool:
        """Whether a job would be known by now: time enough has passed, or the room ended and a worker would know."""
        finished = self._timeline.room.finished
        end = finished.time if finished else self._timeline.now
        return end - awaited.time >= NO_JOB_AFTER or (finished is not None and bool(self._workers.registered(end)))

    @cached_property
    def failed_jobs(self) -> list[Job]:
        """Jobs that brought no agent: of dispatches that matter, and those that a worker failed of any other."""
        wanted = {dispatch.sid for dispatch in self.unserved}
        return [
            job
            for job in self._timeline.jobs
            if (job.dispatch_id in wanted and not job.is_waiting) or self._failed_by_worker(job)
        ]

    def _failed_by_worker(self, job: Job) -> bool:
        """Whether a worker took a job and brought no agent; of jobs for one participant, also if it did not mean to."""
        if self._agents.unaccounted or self._agents.joined(job):
            return False
        if job.at(Kind.JOB_ASSIGNED, Kind.JOB_ENTRYPOINT_STARTED, Kind.PROCESS_FAILED):
            return True
        refusal = job.at(Kind.JOB_REJECTED)
        return refusal is not None and not is_room_job(job) and refusal.facts.get(keys.JOB_ANSWER) != "rejected"

    def made_again(self, dispatch: Dispatch) -> Step | None:
        """When an agent of a dispatch's name was dispatched again, and joined: whoever needs one tries again."""
        created = dispatch.at(Kind.DISPATCH_CREATED)
        served = self._served.get(dispatch.agent_name, [])
        place = bisect_right(served, created.time, key=lambda step: step.time) if created else len(served)
        if created is None or place == len(served) or self._caller_left(created.time, served[place].time):
            return None
        return served[place]

    @cached_property
    def _served(self) -> dict[str | None, list[Step]]:
        """For each name when those of its dispatches were created that brought an agent."""
        found: dict[str | None, list[Step]] = defaultdict(list)
        for dispatch in self._timeline.dispatches:
            created = dispatch.at(Kind.DISPATCH_CREATED)
            if created and self.brought_agent(dispatch):
                found[dispatch.agent_name].append(created)
        return {name: sorted(steps, key=lambda step: step.time) for name, steps in found.items()}

    def _caller_left(self, first: int, again: int) -> bool:
        """Whether a caller who had waited left between two dispatches, ns: for them no agent came."""
        waited = (
            who
            for began, left, who in self._callers.departed
            if left < again and left - max(began, first) > LONG_ENOUGH
        )
        return any(not self._is_back(who, again) for who in waited)

    def _is_back(self, who: Participant, at: int) -> bool:
        """Whether somebody of the same identity was in the room at this time, ns."""
        return any(
            p.identity == who.identity and p.steps[0].time <= at < left_at(self._timeline, p) for p in self._callers.all
        )
