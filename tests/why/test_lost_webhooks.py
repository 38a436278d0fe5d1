"""Healthy calls without some of their webhooks: that one is missing is no proof of anything that went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.calls.expected import EXPECTED, WELL
from tests.why.test_calls import FOLDER
from tracer.service.replay import records
from tracer.store import Form
from tracer.timeline.fold import fold
from tracer.units import NS_PER_S
from tracer.why import explain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracer.store import Arrival

CALLS = sorted(name for name, rooms in EXPECTED.items() if rooms == [WELL] and name != "ok_node")
"""Of an agent in Node only the store knows which room most spans are of."""
LATER = 600 * NS_PER_S
"""After the call, ns: nothing is on its way any more."""


def cut(recorded: Sequence[Arrival]) -> Iterator[tuple[int, ...]]:
    """Which webhooks to lose: each alone, and the last ones, two and more of them."""
    webhooks = [place for place, arrival in enumerate(recorded) if _is_webhook(arrival)]
    yield from ((place,) for place in webhooks)
    yield from (tuple(webhooks[-count:]) for count in range(2, len(webhooks)))


def _is_webhook(arrival: Arrival) -> bool:
    return arrival.evidence is not None and arrival.evidence.form is Form.WEBHOOK


def certain_of(recorded: Sequence[Arrival]) -> set[str]:
    """Causes that are named for certain."""
    moments = [moment for arrival in recorded for moment in arrival.moments]
    [room] = {moment.room for moment in moments if moment.room.startswith("RM_")}
    own = [moment for moment in moments if moment.room == room]
    workers = [moment for moment in moments if not moment.room]
    explained = explain(fold(room, own, workers=workers, now=max(moment.latest for moment in own) + LATER))
    return {finding.cause.name for finding in explained.findings if finding.certain}


@pytest.mark.slow
@pytest.mark.parametrize("observed", [True, False], ids=["observed", "not observed"])
@pytest.mark.parametrize("name", CALLS)
def test_a_lost_webhook_leads_to_no_certain_cause(name: str, observed: bool) -> None:
    recorded = [arrival for record in records(FOLDER / f"{name}.jsonl.gz") for arrival in record]
    if not observed:
        recorded = [arrival for arrival in recorded if {moment.witness for moment in arrival.moments} != {"observer"}]
    assert certain_of(recorded) == set()
    for lost in cut(recorded):
        kept = [arrival for place, arrival in enumerate(recorded) if place not in lost]
        assert certain_of(kept) <= {"lost-webhooks"}, lost
