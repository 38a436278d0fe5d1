"""What every scenario of the demo has: a question, a real call, and an answer from what was measured."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from tracer.demo.play import DemoWorker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.demo.play import Play
    from tracer.timeline.timeline import Timeline

__all__ = ["Scenario"]


class Scenario(ABC):
    """One way a call can go."""

    name: ClassVar[str]
    question: ClassVar[str]
    """The question that it answers."""
    cause: ClassVar[str | None] = None
    """Name of the cause that `tracer why` gives first; None where nothing is wrong."""
    workers: ClassVar[tuple[DemoWorker, ...]] = (DemoWorker(),)
    """Those that run before the call."""
    lost: ClassVar[tuple[str, ...]] = ()
    """Webhooks that are dropped on their way to the receiver."""
    own_server: ClassVar[str] = ""
    """Why it is played on a server of the demo's own only; empty where it can be played on one that others use too."""

    @abstractmethod
    async def play(self, play: Play) -> None:
        """Make the call; returns when the last caller has left."""

    def answer(self, timeline: Timeline) -> Iterator[str]:
        """Sentences that answer the question, from what was measured only."""
        yield from ()
