from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.moments import ABOUT_ADA, ADA, AGENT, JOB, MICROPHONE, SESSION, _polled, _webhook, ms
from tests.why.cases import (
    BOB,
    BOBS,
    SECOND,
    SILENT,
    STAYS,
    Case,
    bob,
    check,
    doubted,
    error,
    found,
    healthy,
    heard,
    linked,
    monitored,
    moved,
    never_active,
    observed,
    of_job,
    registered,
    second_agent,
    timeline,
    with_facts,
    without,
)
from tracer import keys
from tracer.moment import Kind, facts
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.moment import Moment


def closing(at: float) -> list[Moment]:
    return [*without(healthy(), Kind.SESSION_CLOSED), of_job(Kind.SESSION_CLOSED, at, occurrence=SESSION)]


@pytest.mark.parametrize("case", SILENT, ids=lambda case: f"{case.cause}: {case.label}")
def test_each_is_found_first_with_its_evidence(case: Case) -> None:
    check(case)


@pytest.mark.parametrize(("at", "names"), [(3100, []), (3099, ["session-closed"])])
def test_a_session_may_close_a_second_before_its_caller_leaves(at: float, names: list[str]) -> None:
    assert found(closing(at)) == names


def test_a_session_that_closes_with_its_job_is_no_matter() -> None:
    recorded = [m for m in closing(1000) if m.kind not in (Kind.JOB_SHUTDOWN, Kind.AGENT_DISCONNECTED, Kind.JOB_ENDED)]
    assert found([*recorded, of_job(Kind.JOB_SHUTDOWN, 1900), of_job(Kind.JOB_ENDED, 1990)]) == []
    assert found([*recorded, of_job(Kind.JOB_SHUTDOWN, 2100), of_job(Kind.JOB_ENDED, 2190)]) == ["session-closed"]


@pytest.mark.parametrize("began", [900, 1100])
def test_another_session_of_the_job_answers(began: float) -> None:
    another = of_job(Kind.SESSION_STARTING, began, occurrence="another")
    assert found([*STAYS, another]) == []
    assert found([*STAYS, replace(another, facts=facts(error("APIError", "401")))]) == ["session-closed"]
    assert found([*STAYS, another, of_job(Kind.SESSION_CLOSED, 1950, occurrence="another")]) == ["session-closed"]


def test_another_agent_in_the_room_answers() -> None:
    recorded = [*STAYS, *second_agent("AD_again", "helper")]
    theirs = [replace(m, subject=SECOND) for m in healthy() if m.kind in (Kind.SESSION_STARTING, Kind.SESSION_CLOSED)]
    assert "session-closed" not in found([*recorded, *theirs])


def test_an_agent_for_one_participant_owes_the_others_nothing() -> None:
    recorded = [*healthy(), *bob(300, 7000)]
    mine = {keys.JOB_TYPE: "JT_PARTICIPANT", keys.JOB_PARTICIPANT_ID: ADA}
    assert found(recorded) == ["session-closed"]
    assert found(with_facts(recorded, Kind.JOB_OFFERED, JOB, mine)) == []


def test_a_leave_that_was_seen_seconds_late_is_not_a_caller_left_alone() -> None:
    assert found(observed(healthy())) == []
    assert found(observed(STAYS)) == ["session-closed"]


@pytest.mark.parametrize(
    "recorded",
    [
        monitored(bob_publishes=True),
        monitored(linked_to=ADA),
        without(monitored(), MICROPHONE),
        with_facts(monitored(), Kind.JOB_OFFERED, JOB, {keys.JOB_TYPE: "JT_PARTICIPANT"}),
    ],
    ids=["bob speaks too", "linked to ada", "ada says nothing either", "a job for one of them"],
)
def test_who_is_heard(recorded: list[Moment]) -> None:
    assert found(recorded) == []


def test_when_the_one_it_listens_to_leaves_a_session_turns_to_another() -> None:
    recorded = [m for m in monitored() if (m.kind, m.subject) != (Kind.PARTICIPANT_LEFT, BOB)]
    gone = [m for m in bob(1, 2000) if m.kind is Kind.PARTICIPANT_LEFT]
    assert found([*recorded, *gone]) == ["linked-to-another"]  # ada had spoken for long
    late = [m for m in recorded if m.subject != MICROPHONE]
    late.append(_webhook(Kind.TRACK_PUBLISHED, MICROPHONE, 2000, {keys.PARTICIPANT_ID: ADA}))
    assert found([*late, *gone]) == []
    stays = [m for m in bob(1, 4150) if m.kind is Kind.PARTICIPANT_LEFT]
    assert found([*late, *stays]) == ["linked-to-another"]


def test_while_a_session_runs_it_listens_to_whom_it_waited_for() -> None:
    waits = [
        of_job(Kind.AGENT_WAITING_FOR_PARTICIPANT, 364, occurrence="inner"),
        of_job(Kind.AGENT_PARTICIPANT_READY, 365, {keys.PARTICIPANT_ID: BOB}, "inner"),
    ]
    unlinked = [m for m in healthy() if m not in heard()]
    running = [m for m in [*unlinked, *bob(1, 9000), *waits] if m.time < ms(3000)]
    (finding,) = explain(timeline(running, now=ms(3000))).findings
    assert finding.cause.name == "linked-to-another"
    assert [step.kind for step in finding.evidence] == [
        Kind.TRACK_PUBLISHED,
        Kind.SESSION_STARTING,
        Kind.AGENT_PARTICIPANT_READY,
    ]


def test_a_session_linked_to_somebody_nobody_saw() -> None:
    unlinked = [m for m in healthy() if m not in heard()]
    recorded = with_facts(unlinked, Kind.SESSION_STARTING, JOB, linked("PA_unseen", "carol"))
    (finding,) = explain(timeline(recorded)).findings
    assert "was linked to carol, who published no track" in finding.sentence
    assert BOBS not in {step.subject for step in finding.evidence}


@pytest.mark.parametrize(
    ("gone", "now", "names"),
    [
        (_webhook(Kind.PARTICIPANT_ABORTED, ADA, 2_900, ABOUT_ADA), 9_000, []),
        (_webhook(Kind.PARTICIPANT_ABORTED, ADA, 3_100, ABOUT_ADA), 9_000, ["peer-never-active"]),
        (_webhook(Kind.PARTICIPANT_LEFT, ADA, 8_000, ABOUT_ADA), 9_000, []),
        (_polled(Kind.PARTICIPANT_LEFT, ADA, 8_000, 8_014, {}), 9_000, ["peer-never-active"]),
        (None, 10_002, []),
        (None, 10_003, ["peer-never-active"]),
    ],
    ids=["closed the tab", "gave up", "had been ACTIVE", "went, as the API shows", "not yet 10 s", "10 s"],
)
def test_media_may_take_a_while(gone: Moment | None, now: float, names: list[str]) -> None:
    explanation = explain(timeline(never_active(gone), now=ms(now)))
    assert [finding.cause.name for finding in explanation.findings] == names
    assert explanation.well is (False if names else None)


def test_that_they_gave_up_counts_and_not_that_the_api_saw_them_go() -> None:
    gone = _webhook(Kind.PARTICIPANT_ABORTED, ADA, 8_010, ABOUT_ADA)
    went = _polled(Kind.PARTICIPANT_LEFT, ADA, 7_990, 8_004, {})
    (finding,) = explain(timeline([*never_active(gone), went], now=ms(9_000))).findings
    assert finding.certain
    assert finding.evidence[-1].kind is Kind.PARTICIPANT_ABORTED


def test_one_caller_who_is_active_is_who_the_agent_waits_for() -> None:
    gone = _webhook(Kind.PARTICIPANT_ABORTED, ADA, 60_000, ABOUT_ADA)
    assert found([*never_active(gone), *bob(300, 9000)]) == []


def test_an_agent_that_does_not_wait_is_not_said_to() -> None:
    gone = _webhook(Kind.PARTICIPANT_ABORTED, ADA, 60_000, ABOUT_ADA)
    explanation = explain(timeline(without(never_active(gone), Kind.AGENT_WAITING_FOR_PARTICIPANT)))
    assert explanation.findings == ()
    assert explanation.summary == "No caller became ACTIVE, and the recorded events don't explain why."


def test_what_a_session_does_only_its_agent_reports() -> None:
    doubts = doubted(explain(timeline(without(healthy(), "agent"))))
    assert doubts == {
        "session-closed": f"instrument agent-{JOB} (tracer.instrument): only the agent reports what its session does"
    }
    assert doubted(explain(timeline(healthy()))) == {}
    assert doubted(explain(timeline(without(healthy(), AGENT)))) == {}


def test_who_gave_up_beside_one_who_was_served_is_not_passed_over() -> None:
    joining, active, _ = bob(500, 60_500)
    tried = [joining, replace(active, kind=Kind.PARTICIPANT_ABORTED, latest=ms(60_500), time=ms(60_500))]
    tried[1] = replace(tried[1], earliest=ms(60_400))
    recorded = [moved(m, 70_000) if m.time > ms(4000) else m for m in healthy()]
    explained = explain(timeline([*recorded, *tried], registered()))
    assert (explained.findings, explained.well) == ((), None)
    assert explained.summary == "No cause was found, but bob gave up after 60 s without media."
