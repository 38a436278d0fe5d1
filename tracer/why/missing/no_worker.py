"""No worker of the dispatched name."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.livekit_sources import Page, server
from tracer.why.missing.without_job import MOST_WORKERS, WithoutJob, names_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Dispatch, Worker
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["NoWorker"]


UNNAMED = (
    "Start a worker without an agent_name: a room that requests no agent by name gets a dispatch for such a one. For a"
    " worker with an agent_name, request it by that name."
)
"""What to do where the dispatch has no name."""
_PSEUDONYM = re.compile(r"agent-name-\d+")
"""What stands for a name in a redacted bundle: ``tracer.service.pseudonyms``."""
SEE_WHETHER = "If a worker ran, its log shows whether it was registered (“registered worker”), and as what. "
"""What to do first where no worker has reported."""


class NoWorker(WithoutJob):
    """The commonest cause: the dispatched name is not the worker's, or no worker runs.

    Known from a dispatch without a job (the observer's) and from the workers that reported themselves: certain where
    the only one had closed, or where a registered name differs by no more than people mistype. None where callers are
    there with each other and no agent was asked for, as in a meeting: every room gets an unnamed dispatch.
    """

    name = "no-worker"
    about = "no worker was registered for the dispatched agent"
    advice = (
        "Start a worker for this agent, or dispatch the name that the worker has: agent_name in @server.rtc_session()"
        " and in the dispatch, token or CreateRoom must be identical, letter by letter."
    )
    said = (
        Page.DISPATCH,
        server("pkg/service/agentservice.go"),
    )

    def judge(self, call: Call, dispatch: Dispatch, created: Step, same: list[Worker]) -> Iterator[Finding]:
        if same:
            yield from self._all_closed(call, dispatch, created, same)
            return
        known = call.workers.registered(created.time)
        sentence = call.dispatches.in_vain(dispatch)
        if not known:
            yield self.found(
                f"{sentence}, and no worker has reported anything: none ran, or none that is instrumented.",
                created,
                certain=False,
                advice=SEE_WHETHER + (self.advice if dispatch.agent_name else UNNAMED),
            )
            return
        if not dispatch.agent_name or all(not worker.agent_name for worker in known):
            return  # a matter of having a name or none: see WorkerIsNamed and WorkerIsUnnamed
        names = sorted({worker.agent_name for worker in known if worker.agent_name})
        meant = _nearest(dispatch.agent_name, names)
        there = f"a worker is registered as {meant!r}" if meant else f"registered are {', '.join(map(repr, names))}"
        # A worker of that name that reports nothing could have been full; where a name is nearly it, hardly.
        yield self.found(
            f"{sentence}; {there}.",
            created,
            *(worker.steps[0] for worker in known[:MOST_WORKERS]),
            certain=meant is not None and _letters(meant) == _letters(dispatch.agent_name),
        )

    def doubt(self, call: Call) -> str | None:
        unserved = call.dispatches.without_job if call.dispatches.perhaps_unwanted else []
        if not any(not call.workers.registered(created.time) for _, created in unserved):
            return None
        return "if an agent was wanted, its worker's log shows whether it was registered (“registered worker”)"

    def _all_closed(self, call: Call, dispatch: Dispatch, created: Step, same: list[Worker]) -> Iterator[Finding]:
        """Given workers of this name, whether each had closed before."""
        if all(worker.standing(created.time) is Kind.WORKER_CLOSED for worker in same):
            last = same[-1]
            closed = last.at(Kind.WORKER_CLOSED)
            # The same program under another name, more often than not.
            since = [one for one in call.workers.registered(created.time) if closed and one.steps[0].time > closed.time]
            named = f", and what registered since is {_called(since)}" if since else ""
            yield self.found(
                f"{call.dispatches.in_vain(dispatch)}: its worker ({last.sid}) had already closed{named}.",
                created,
                closed,
                *(worker.steps[0] for worker in since[:MOST_WORKERS]),
            )


def _called(workers: list[Worker]) -> str:
    """What workers are called that have other names than the dispatch."""
    named = names_of([worker for worker in workers if worker.agent_name])
    return named or "a worker without a name"


def _nearest(name: str, names: list[str]) -> str | None:
    """The one of these names that resembles another most, if any does. Of pseudonyms each resembles each."""
    if _PSEUDONYM.fullmatch(name):
        return None
    near = get_close_matches(name.casefold(), [n.casefold() for n in names], n=1, cutoff=0.6)
    return next((n for n in names if near and n.casefold() == near[0]), None)


def _letters(name: str) -> str:
    """A name without what people mistype; ``agent-en`` and ``agent-de`` are two, and both can be meant."""
    return "".join(char for char in name.casefold() if char.isalnum())
