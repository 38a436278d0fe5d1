from __future__ import annotations

from tests.moments import ROOM, call
from tracer.moment import Kind, Moment
from tracer.timeline.fold import fold
from tracer.view.notes import notes


def lines(moments: list[Moment]) -> list[str]:
    return [text.plain for text in notes(fold(ROOM, moments))]


def without(witness: str) -> list[str]:
    return lines([moment for moment in call() if moment.witness != witness])


def test_a_call_that_every_source_reported_needs_no_notes() -> None:
    assert lines(call()) == []


def test_each_missing_source_is_named_with_what_it_would_have_reported() -> None:
    assert without("webhook")[0] == "no webhooks received; join and leave times come from API polling"
    assert without("observer")[0] == "no API polling; JOINED and dispatches are not known"
    assert without("agent") == [
        "no spans received from an agent; the steps of its job are not known (is it instrumented?)"
    ]


def test_an_api_that_lists_no_dispatches_is_noted() -> None:
    found = lines([moment for moment in call() if not moment.kind.value.startswith("dispatch")])
    assert found == ["the API listed no dispatches: this API key may not list them"]


def test_without_the_rooms_creation_offsets_have_another_start() -> None:
    found = lines([moment for moment in call() if moment.kind is not Kind.ROOM_CREATED])
    assert found[-1] == "the room's creation was not recorded; offsets count from the first moment"


def test_lost_webhooks_are_counted_by_their_steps() -> None:
    lost = {Kind.ROOM_FINISHED, Kind.PARTICIPANT_ACTIVE}
    found = lines([moment for moment in call() if not (moment.witness == "webhook" and moment.kind in lost)])
    assert [line for line in found if line.startswith("! webhooks were lost; only other sources reported: ")]
