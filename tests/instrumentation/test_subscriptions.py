from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tracer.instrumentation import subscriptions
from tracer.instrumentation.subscriptions import SubscriptionWatch
from tracer.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

IN = [SimpleNamespace(HasField=lambda name: name == "inbound_rtp")]
OUT = [SimpleNamespace(HasField=lambda _: False)]
LOST, GOT = Kind.TRACK_UNSUBSCRIBED, Kind.TRACK_SUBSCRIBED


def watched(
    answers: Sequence[object], monkeypatch: pytest.MonkeyPatch, *, interrupted: bool = False
) -> list[tuple[Kind, int, int]]:
    """What is reported of a track whose statistics are these, one after the other, until it is gone."""
    for pause in ("FIRST_S", "EVERY_S"):
        monkeypatch.setattr(subscriptions, pause, 0.0)
    left = list(answers)
    reported: list[tuple[Kind, int, int]] = []

    async def main() -> None:
        over = asyncio.Event()

        async def get_stats() -> object:
            if not left:
                over.set()
                raise ValueError("the track is gone")
            return left.pop(0)

        def report(kind: Kind, earliest: int, at: int) -> None:
            reported.append((kind, earliest, at))

        track: Any = SimpleNamespace(get_stats=get_stats)
        SubscriptionWatch(track, is_there=lambda: True, is_interrupted=lambda: interrupted, report=report)
        await asyncio.wait_for(over.wait(), 10)

    asyncio.run(main())
    return reported


@pytest.mark.parametrize(
    ("answers", "kinds"),
    [
        ([IN, IN, OUT, OUT, OUT], [LOST]),
        ([IN, OUT, OUT, OUT, IN, IN], [LOST, GOT]),
        ([IN, OUT, IN, OUT, IN], []),
        ([OUT, OUT, OUT], []),
        ([[], [], IN, [], []], [LOST]),
    ],
    ids=["taken away", "and given back", "a moment without", "never heard", "no statistics at all"],
)
def test_a_track_of_which_nothing_is_received_any_more_is_unsubscribed(
    answers: list[object], kinds: list[Kind], monkeypatch: pytest.MonkeyPatch
) -> None:
    reported = watched(answers, monkeypatch)
    assert [kind for kind, _, _ in reported] == kinds
    assert all(0 < earliest <= at for _, earliest, at in reported)


def test_while_the_agents_connection_is_interrupted_nothing_is_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    assert watched([IN, OUT, OUT, OUT], monkeypatch, interrupted=True) == []
