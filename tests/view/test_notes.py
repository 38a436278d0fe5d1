from __future__ import annotations

from dataclasses import replace

from tests.moments import AGENT, JOB, ROOM, VOICE, WORKER, call, ms
from tests.moments import moment as told
from tracer import keys
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
    assert without("agent") == ["no spans received of agent 1; what it did is not known (is it instrumented?)"]


def test_who_reports_or_whose_worker_does_is_not_asked_to_be_instrumented() -> None:
    silent = [moment for moment in call() if moment.witness != "agent"]
    known = told(Kind.WORKER_REGISTERED, WORKER, ms(-1000), witness="agent", told={keys.AGENT_NAME: ""}, room="")
    assert not [text.plain for text in notes(fold(ROOM, silent, workers=[known])) if "instrumented" in text.plain]


def test_an_avatar_is_not_asked_to_be_instrumented() -> None:
    about = {keys.PARTICIPANT_KIND: "AGENT", keys.PARTICIPANT_ATTRIBUTE + "lk.publish_on_behalf": "agent-AJ_i9CF"}
    assert lines([*call(), told(Kind.PARTICIPANT_JOINING, "PA_face", ms(400), told=about)]) == []


def test_without_an_agent_in_the_room_nothing_is_said_of_one() -> None:
    gone = [m for m in call() if m.witness != "agent" and m.subject not in (AGENT, JOB, VOICE)]
    assert not [line for line in lines(gone) if "instrumented" in line]


def test_an_agent_that_came_from_the_room_before_reports_there() -> None:
    later = fold(ROOM, [m for m in call() if m.witness != "agent" and m.subject != JOB])
    assert any("instrumented" in text.plain for text in notes(later))
    earlier = fold("RM_before", [m for m in call() if m.subject == JOB])
    assert not any("instrumented" in text.plain for text in notes(replace(later, earlier=earlier)))


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
