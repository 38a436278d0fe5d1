"""A subscription that the server ends: the agent's room reports nothing of it, and the track stays as if it were there.

So UpdateSubscriptions does, called by a backend. What shows it is that the track's statistics no longer have anything
received (``inbound_rtp``), which they have also of a track that is muted, or whose packets are lost. Measured with
livekit-rtc 1.1.21 and livekit-server 1.13.5.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from tracer.instrumentation.guard import guarded
from tracer.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from livekit.rtc import Track
    from livekit.rtc._proto.stats_pb2 import RtcStats

__all__ = ["SubscriptionWatch"]

FIRST_S = 1.0
"""Seconds until the first question: of a track of which nothing was received yet it is not known whether it will be."""
EVERY_S = 3.0
"""Seconds between questions: an answer takes some ms."""
MISSING = 2
"""So many answers in a row without anything received are reported: one can be of a connection that is being renewed."""
PATIENCE_S = 2.0
"""Seconds for an answer; without one the track is no longer watched."""


class SubscriptionWatch:
    """Watches one track, as long as it is there; must be made on the job's event loop."""

    def __init__(
        self,
        track: Track,
        *,
        is_there: Callable[[], bool],
        is_interrupted: Callable[[], bool],
        report: Callable[[Kind, int, int], None],
        answered: Callable[[Sequence[RtcStats], int], None] = lambda *_: None,
    ) -> None:
        """While the agent's connection is interrupted nothing is learnt.

        ``report`` gets the kind, and the last time without it and the first with it, ns since the epoch; ``answered``
        each answer, for what else it shows, and when it came.
        """
        self._track = track
        self._is_there = is_there
        self._is_interrupted = is_interrupted
        self._report = report
        self._shows = answered
        self._received = 0
        """When something was received last, ns since the epoch; 0 for never."""
        self._missed: list[int] = []
        """The first answers since without anything, ns since the epoch."""
        self._last_missed = 0
        self._asking: asyncio.Task[None] | None = None
        self._later(FIRST_S)

    def _later(self, seconds: float) -> None:
        # No task sleeps: one that is pending when the loop is closed would be a warning in the user's log.
        asyncio.get_running_loop().call_later(seconds, guarded, self._next)

    def _next(self) -> None:
        if not self._is_there():
            return
        asking = self._ask()
        try:
            self._asking = asyncio.get_running_loop().create_task(asking)
        except BaseException:
            asking.close()  # else Python warns of it in the user's log
            raise

    async def _ask(self) -> None:
        try:
            answer = await asyncio.wait_for(self._track.get_stats(), PATIENCE_S)
            received = any(one.HasField("inbound_rtp") for one in answer)
        except Exception:  # noqa: BLE001  the track is gone, or an SDK without statistics: nothing is known
            return
        guarded(self._answered, received)
        if not self._is_interrupted():
            guarded(self._shows, answer, time.time_ns())

    def _answered(self, received: bool) -> None:
        if self._is_interrupted():
            self._missed = []
        elif self._is_there():
            self._learn(received)
        self._later(EVERY_S)

    def _learn(self, received: bool) -> None:
        now = time.time_ns()
        if received:
            if len(self._missed) >= MISSING:
                self._report(Kind.TRACK_SUBSCRIBED, self._last_missed, now)
            self._received, self._missed = now, []
        elif self._received:
            self._last_missed = now
            if len(self._missed) < MISSING:
                self._missed.append(now)
                if len(self._missed) == MISSING:
                    self._report(Kind.TRACK_UNSUBSCRIBED, self._received, self._missed[0])
