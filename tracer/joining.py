"""Which job a moment is about, when the agent who told it did not say.

An agent that was not instrumented stamps most of its spans with the room only. Its job is in two of them, which end
last and come last or never: ``job_entrypoint`` and ``agent_session``. All of them are of one trace, though, the agent's
own. So the others' moments are about "the job of that trace" until one of the two says which job that is. Nothing is
remembered in between: whoever folds a set of moments resolves it anew, in whatever order they came.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from tracer import keys

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracer.moment import Moment

__all__ = ["job_of_trace", "joined"]

_TRACE = "trace:"


def job_of_trace(trace_id: bytes) -> str:
    """Stands as a moment's subject for the job that was traced under this id."""
    return _TRACE + trace_id.hex()


def joined(moments: Iterable[Moment]) -> list[Moment]:
    """The moments, each about its job. Those of a trace that no job, or more than one, is known by are held back."""
    told = list(moments)
    jobs: dict[str, set[str]] = defaultdict(set)
    for moment in told:
        if not moment.subject.startswith(_TRACE):
            for key, value in moment.facts:
                if key == keys.AGENT_TRACE:
                    jobs[f"{_TRACE}{value}"].add(moment.subject)
    known: list[Moment] = []
    for moment in told:
        if not moment.subject.startswith(_TRACE):
            known.append(moment)
        elif len(jobs[moment.subject]) == 1:
            (job,) = jobs[moment.subject]
            known.append(replace(moment, subject=job))
    return known
