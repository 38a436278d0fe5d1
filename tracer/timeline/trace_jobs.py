"""Which job a moment is about, where the agent's span does not name it.

An agent that was not instrumented stamps most of its spans with the room only. Two of them name the job, which end last
and come last or never: ``job_entrypoint`` and ``agent_session``. All of them are of one trace, though, the agent's own.
So the others' moments are about "the job of that trace" until one of the two names the job; without either, the
identity the agent connected with does, once the server has reported which identity each job was given; and where an
agent reports neither, as one in Node that sets up its telemetry in its entrypoint, it is the room's one job if there is
just one, of just one agent.

Nothing is remembered in between: whoever folds a set of moments resolves it anew, in whatever order they came.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from tracer import keys
from tracer.moment import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracer.moment import Moment

__all__ = ["is_trace", "job_of_trace", "joined", "room_of_trace"]

_TRACE = "trace:"


def job_of_trace(trace_id: bytes) -> str:
    """Stands as a moment's subject for the job that was traced under this id."""
    return _TRACE + trace_id.hex()


def room_of_trace(trace_id: bytes) -> str:
    """Stands as a moment's room for the room whose agent traced under this id, until a span of the trace names it."""
    return _TRACE + trace_id.hex()


def is_trace(room_or_job: str) -> bool:
    """Whether this stands for the room or the job of a trace."""
    return room_or_job.startswith(_TRACE)


def joined(moments: Iterable[Moment]) -> list[Moment]:
    """The moments, each about its job. Those of a trace that no job, or more than one, is known by are held back."""
    given = list(moments)
    if not any(moment.subject.startswith(_TRACE) for moment in given):
        return given
    jobs = _jobs(given)
    known = []
    for moment in given:
        if not moment.subject.startswith(_TRACE):
            known.append(moment)
        elif len(jobs[moment.subject]) == 1:
            known.extend(replace(moment, subject=job) for job in jobs[moment.subject])
    return known


def _jobs(moments: list[Moment]) -> defaultdict[str, set[str]]:
    """The jobs that each trace is known to be of."""
    of_trace: defaultdict[str, set[str]] = defaultdict(set)
    of_identity: defaultdict[str, set[str]] = defaultdict(set)
    connected: defaultdict[str, set[str]] = defaultdict(set)
    traces = {moment.subject for moment in moments if moment.subject.startswith(_TRACE)}
    for moment in moments:
        facts = dict(moment.facts)
        identity = str(facts.get(keys.PARTICIPANT_IDENTITY, ""))
        if moment.subject.startswith(_TRACE):
            if moment.kind is Kind.AGENT_CONNECTED and identity:
                connected[moment.subject].add(identity)
            continue
        if keys.AGENT_TRACE in facts:
            of_trace[f"{_TRACE}{facts[keys.AGENT_TRACE]}"].add(moment.subject)
        if moment.kind is Kind.JOB_OFFERED and identity:
            of_identity[identity].add(moment.subject)
    for trace, identities in connected.items():
        if not of_trace[trace]:
            of_trace[trace] = set().union(*(of_identity[identity] for identity in identities))
    if len(traces) == 1 and not connected and not any(of_trace.values()):
        of_trace[min(traces)] = _the_only_job(moments)
    return of_trace


def _the_only_job(moments: Iterable[Moment]) -> set[str]:
    """The one job that the room is known to have had; none where there may have been another, or an avatar."""
    jobs, agents = set(), set()
    for moment in moments:
        known = dict(moment.facts)
        if moment.kind is Kind.JOB_OFFERED:
            jobs.add(moment.subject)
        elif known.get(keys.PARTICIPANT_KIND) == "AGENT":
            agents.add(moment.subject)
            identity = str(known.get(keys.PARTICIPANT_IDENTITY, ""))
            if identity.startswith(_OWN_IDENTITY):
                jobs.add(identity.removeprefix(_AGENT))
    return jobs if len(jobs) == len(agents) == 1 else set()


_AGENT = "agent-"
_OWN_IDENTITY = f"{_AGENT}AJ_"
"""An agent's identity is its job's id after this, unless its ``request_fnc`` gave it another."""
