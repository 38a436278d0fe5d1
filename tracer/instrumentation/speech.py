"""Who speaks in a job, by the spans that livekit-agents makes of it while it happens."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from tracer.instrumentation.guard import guarded

if TYPE_CHECKING:
    from collections.abc import Callable

    from livekit.agents import JobContext

__all__ = ["SPEECH", "Speech", "Spoken"]

AGENT = "agent_speaking"
CALLER = "user_speaking"
SPEECH = frozenset({AGENT, CALLER, "user_turn"})
"""Spans that show that somebody speaks: the agent, or the caller, as its session noticed."""
JOBS = 100
"""Of so many jobs at once it is known."""


class Spoken:
    """What is known of one job."""

    def __init__(self) -> None:
        self._open: dict[str, int] = {AGENT: 0, CALLER: 0}
        """How many spans of somebody who speaks are open."""
        self._last: dict[str, int] = {AGENT: 0, CALLER: 0}
        """When one began or ended last, ns since the epoch."""

    def noted(self, name: str, at: int, change: int) -> None:
        """A span began (1) or ended (-1) at a time, ns."""
        who = AGENT if name == AGENT else CALLER
        self._last[who] = max(self._last[who], at)
        if name in self._open:  # a turn lasts while nobody speaks, too
            self._open[name] = max(self._open[name] + change, 0)

    def agent_since(self, at: int) -> bool:
        """Whether the agent speaks, or has spoken since a time, ns."""
        return bool(self._open[AGENT]) or self._last[AGENT] >= at

    def caller_since(self, at: int) -> bool:
        """Whether the session notices the caller speak, or has since a time, ns."""
        return bool(self._open[CALLER]) or self._last[CALLER] >= at


class Speech:
    """Who speaks in each job of this process."""

    def __init__(self, agent_speaks: Callable[[JobContext, bool], None] = lambda *_: None) -> None:
        """``agent_speaks`` is called when an agent begins to speak, and when it has ended."""
        self._jobs: OrderedDict[str, Spoken] = OrderedDict()
        self._agent_speaks = agent_speaks

    def of(self, job: str) -> Spoken:
        """What is known of the job of this id."""
        known = self._jobs.setdefault(job, Spoken())
        if len(self._jobs) > JOBS:
            self._jobs.popitem(last=False)
        return known

    def span(self, job: JobContext, name: str, at: int, *, began: bool) -> None:
        """A span of ``SPEECH`` began, or ended, at a time, ns."""
        self.of(job.job.id).noted(name, at, 1 if began else -1)
        if name == AGENT:
            guarded(self._agent_speaks, job, began)
