"""Healthy calls without some of their webhooks: that one is missing is no proof of anything that went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.calls.expected import EXPECTED, WELL
from tests.moments import ADA, AGENT, _webhook
from tests.why.cases import leaves_its_caller, timeline
from tests.why.silent.calls import long_call
from tests.why.test_calls import FOLDER
from tests.why.test_varied import broken
from tests.why.varied import halved
from tracer import keys
from tracer.moment import Kind
from tracer.service.replay import records
from tracer.store import Form
from tracer.timeline.fold import fold
from tracer.units import NS_PER_S
from tracer.why import explain
from tracer.why.call import Call
from tracer.why.served import lacks

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


def test_where_a_webhook_is_lost_of_which_nobody_has_the_content_nothing_is_certain_and_nothing_well() -> None:
    assert explain(timeline(long_call())).well
    about = {keys.PARTICIPANT_ID: ADA}
    ended = _webhook(Kind.TRACK_UNPUBLISHED, "TR_other", 900, about)
    lost = explain(timeline([*long_call(), ended]))
    assert (lost.findings, lost.well) == ((), None)
    assert "webhooks about ada were lost, and what was in them is not known" in lost.summary
    assert "server can reach the receiver" in lost.advice
    left = leaves_its_caller(8500)
    (sure,) = explain(timeline(left)).findings
    (likely,) = explain(timeline([*left, ended])).findings
    assert (sure.cause.name, sure.certain) == ("agent-left-caller", True)
    assert (likely.cause.name, likely.certain) == ("agent-left-caller", False)


def test_where_the_agents_leave_is_lost_its_caller_was_not_alone_for_certain() -> None:
    lost = [m for m in long_call() if not (m.kind is Kind.PARTICIPANT_LEFT and m.subject == AGENT)]
    assert not [lack for lack in lacks(Call(timeline(lost))) if lack.certain]
    assert "alone" not in explain(timeline(lost)).summary
    plain = [m for m in lost if m.witness != "agent"]  # of which the agent itself reports nothing
    [lack] = [lack for lack in lacks(Call(timeline(plain))) if "agent left" in lack.sentence]
    assert (lack.sentence[:50], lack.certain) == ("when the agent left is not known: it was last seen", False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "seed"),
    [
        ("ok_handoff", 11),
        ("ok_hold_music", 8),
        ("ok_passes_on", 7),
        ("ok_passes_on", 16),
        ("ok_passes_on", 17),
        ("ok_passes_on", 21),
        ("server_lost", 6),
        ("server_lost", 11),
    ],
)
def test_when_half_of_the_webhooks_are_lost_it_is_not_certain_who_was_left_alone(name: str, seed: int) -> None:
    variants = [variant for variant in halved(name, [seed]) if "webhooks" in variant.label]
    assert variants
    assert not [one for variant in variants for one in broken(name, variant)]
