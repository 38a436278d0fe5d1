"""Whether anything of the server still reaches the agent: neither its room nor its session reports that nothing does.

The SDK tries to reconnect only when it has heard nothing of the server for some 15 s. Until then the connection is
called connected, and tracks are subscribed, while caller and agent hear nothing of each other: a server that stands
still, or a network that is away for some seconds. The statistics of a subscribed track tell of its connection too: what
it received, and answers to its own checks, of which there is one every two seconds, whatever the callers do. Measured
with livekit-rtc 1.1.21 and livekit-server 1.13.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tracer.kinds import Kind
from tracer.units import NS_PER_MS, NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Arrived", "MediaFlow", "arrived"]

STOPPED_NS = 5 * NS_PER_S
"""Nothing for so long, ns, is reported: more than two checks were not answered."""


class Arrived(NamedTuple):
    """What has come of the server over a connection so far."""

    amount: int
    """Packets and answers."""
    last: int
    """When the last packet came, ns since the epoch; 0 where that is not reported."""


def arrived(statistics: Iterable[Any]) -> Arrived | None:
    """By a track's statistics; None where they do not tell."""
    try:
        pairs = [one.candidate_pair.candidate_pair for one in statistics if one.HasField("candidate_pair")]
        if not pairs:
            return None
        amount = sum(pair.packets_received + pair.responses_received + pair.requests_received for pair in pairs)
        return Arrived(amount, round(max(pair.last_packet_received_timestamp for pair in pairs) * NS_PER_MS))
    except (AttributeError, ValueError, TypeError):
        return None


class MediaFlow:
    """Reports when nothing of the server reaches an agent any more, and when something does again."""

    def __init__(self, report: Callable[[Kind, int, int], None]) -> None:
        """``report`` gets the kind, the earliest and the likeliest time, ns since the epoch."""
        self._report = report
        self._amount = -1
        self._before = self._grown = 0
        """The last two times at which more had come, ns; 0 while nothing is known."""
        self._stopped = 0
        """When nothing more had come last, once that is reported, ns; else 0."""

    def learn(self, seen: Arrived | None, at: int) -> None:
        """What had come until a time, ns; of any of the agent's tracks, which have one connection."""
        if seen is None:
            return
        if seen.amount != self._amount:
            if self._stopped:
                self._report(Kind.AGENT_MEDIA_BACK, self._stopped, at)
            self._before = self._grown or at  # at first nothing is known of what came before
            self._amount, self._grown, self._stopped = seen.amount, at, 0
            return
        # Where packets came until then, the last is known; answers to checks, which tell no time, can be later.
        since = seen.last if self._before < seen.last <= self._grown else self._grown
        if self._stopped:
            self._stopped = at
        elif at - since >= STOPPED_NS:
            self._stopped = at
            self._report(Kind.AGENT_MEDIA_STOPPED, since, since)

    def unknown(self) -> None:
        """The connection is being renewed, which is reported as such: what comes next begins anew."""
        self._amount, self._before, self._grown, self._stopped = -1, 0, 0, 0
