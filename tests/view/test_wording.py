from __future__ import annotations

import pytest
from rich.cells import cell_len

from tests.moments import ABOUT_JOB, ADA, AGENT, JOB, ROOM, WORKER, call, moment, ms
from tracer import keys
from tracer.moment import Fact, Kind, Moment
from tracer.timeline.fold import fold
from tracer.view.wording import say


def by_agent(kind: Kind, at: float, told: dict[str, Fact] | None = None, occurrence: str = "x") -> Moment:
    return moment(kind, JOB, ms(at), witness="agent", clock="agent", occurrence=occurrence, told=told)


def words(made: Moment, *others: Moment) -> str:
    """The details of a step beside others, in a call."""
    timeline = fold(ROOM, [*(m for m in call() if m.kind is not made.kind), *others, made])
    (step,) = [s for s in timeline.steps if (s.kind, s.occurrence) == (made.kind, made.occurrence)]
    return say(timeline, step)[1]


ADA_LINKED: dict[str, Fact] = {keys.LINKED_ID: ADA, keys.LINKED_IDENTITY: "ada"}
BOB_LINKED: dict[str, Fact] = {keys.LINKED_ID: "PA_bob", keys.LINKED_IDENTITY: "bob"}


@pytest.mark.parametrize(
    ("kind", "told", "expected"),
    [
        (Kind.AGENT_BLOCKED, {keys.BLOCKED_FOR: 1.25}, "for 1.2 s"),
        (Kind.SESSION_CLOSED, {keys.CLOSE_REASON: "participant_disconnected"}, "participant_disconnected"),
        (
            Kind.SESSION_CLOSED,
            {keys.CLOSE_REASON: "error", keys.ERROR_TYPE: "APIError", keys.ERROR_MESSAGE: "no credit"},
            "error, APIError: no credit",
        ),
        (
            Kind.MODEL_FAILED,
            {keys.SPAN_NAME: "llm_node", keys.ERROR_TYPE: "APIError", keys.ERROR_MESSAGE: "no credit"},
            "APIError: no credit (llm_node)",
        ),
        (
            Kind.SESSION_AGENT_CHANGED,
            {keys.PREVIOUS_AGENT_LABEL: "a.Sales", keys.AGENT_LABEL: "a.Support"},
            "a.Support, after a.Sales",
        ),
        (Kind.SESSION_AGENT_CHANGED, {keys.PREVIOUS_AGENT_LABEL: "a.Sales", keys.AGENT_LABEL: "a.Sales"}, "a.Sales"),
        (Kind.SESSION_LINKED, ADA_LINKED, "ada"),
        (Kind.SESSION_LINKED, {keys.LINKED_ID: ADA}, "ada"),
        (Kind.SESSION_TRACK_SUBSCRIBED, {keys.TRACK_SOURCE: "MICROPHONE"}, "MICROPHONE"),
    ],
)
def test_a_row_shows_what_is_known_of_its_step(kind: Kind, told: dict[str, Fact], expected: str) -> None:
    assert words(by_agent(kind, 1000, told)) == expected


def test_an_offer_shows_how_many_were_asked_where_the_server_reports_it() -> None:
    def offered(**more: int) -> str:
        told = {**ABOUT_JOB, **{f"tracer.job.{key}": value for key, value in more.items()}}
        return words(moment(Kind.JOB_OFFERED, JOB, ms(201), told=told))

    assert offered(attempts=1, workers_asked=1) == offered()
    assert offered(attempts=2, workers_asked=3).endswith("attempt 2, 3 workers were asked")


def test_a_session_that_is_linked_anew_says_after_whom() -> None:
    first = by_agent(Kind.SESSION_LINKED, 900, ADA_LINKED, "session@900")
    assert words(by_agent(Kind.SESSION_LINKED, 2000, BOB_LINKED, "session@2000"), first) == "bob, after ada"
    assert words(by_agent(Kind.SESSION_LINKED, 2000, ADA_LINKED, "session@2000"), first) == "ada again"
    assert words(by_agent(Kind.SESSION_LINKED, 2000, BOB_LINKED, "another@2000"), first) == "bob"


def test_a_linked_participant_that_the_others_still_see_is_said_to_be_there() -> None:
    assert words(by_agent(Kind.SESSION_UNLINKED, 2000, ADA_LINKED)) == "ada, still in the room"
    assert words(by_agent(Kind.SESSION_UNLINKED, 4095, ADA_LINKED)) == "ada"


SHUTDOWN: dict[str, Fact] = {keys.SHUTDOWN_REASON: "parent process shutdown"}


def test_a_job_that_the_worker_ended_says_why() -> None:
    assert words(by_agent(Kind.JOB_SHUTDOWN, 6503, SHUTDOWN)) == "the room closed (parent process shutdown)"
    early = by_agent(Kind.JOB_SHUTDOWN, 2000, SHUTDOWN)
    assert words(early) == "the server ended it, or its worker stops (parent process shutdown)"
    draining = moment(Kind.WORKER_DRAINING, WORKER, ms(1900), witness="agent")
    assert words(early, draining) == "its worker stops (parent process shutdown)"
    removed = moment(Kind.PARTICIPANT_LEFT, AGENT, ms(1900), told={keys.DISCONNECT_REASON: "PARTICIPANT_REMOVED"})
    others = [m for m in call() if not (m.kind is Kind.PARTICIPANT_LEFT and m.subject == AGENT)]
    timeline = fold(ROOM, [*(m for m in others if m.kind is not Kind.JOB_SHUTDOWN), early, removed])
    (step,) = [s for s in timeline.steps if s.kind is Kind.JOB_SHUTDOWN]
    assert say(timeline, step)[1].startswith("the server ended it: its agent left, PARTICIPANT_REMOVED")


def test_a_job_that_its_own_code_ended_says_so() -> None:
    told: dict[str, Fact] = {keys.SHUTDOWN_REASON: "all said", keys.SHUTDOWN_BY_USER: True}
    assert words(by_agent(Kind.JOB_SHUTDOWN, 2000, told)) == "by its own code: all said"


def test_a_changed_attribute_shows_its_new_value() -> None:
    about = {keys.PARTICIPANT_IDENTITY: "ada", keys.PARTICIPANT_ATTRIBUTE + "language": "de"}
    assert words(moment(Kind.PARTICIPANT_ATTRIBUTES_CHANGED, ADA, ms(900), told=about)) == "language=de"


def test_a_participant_shows_what_its_token_does_not_allow() -> None:
    about: dict[str, Fact] = {
        keys.PARTICIPANT_KIND: "STANDARD",
        keys.CAN_PUBLISH: False,
        keys.CAN_SUBSCRIBE: True,
        keys.HIDDEN: True,
    }
    timeline = fold(ROOM, [moment(Kind.PARTICIPANT_JOINING, ADA, ms(2), told=about)])
    assert say(timeline, timeline.steps[0])[1] == "STANDARD, hidden, cannot publish"


SECOND = "AJ_iother"


def second_job() -> list[Moment]:
    return [moment(Kind.JOB_OFFERED, SECOND, ms(500), told=ABOUT_JOB)]


def test_where_there_are_several_jobs_each_row_of_one_says_which() -> None:
    timeline = fold(ROOM, [*call(), *second_job()])
    for step in timeline.steps:
        if step.subject.startswith("AJ_"):
            assert say(timeline, step)[1].split()[0] == {JOB: "AJ_i9CF", SECOND: "AJ_ioth"}[step.subject]
        else:
            assert "AJ_i" not in say(timeline, step)[1].replace("AJ_i9CF left", "")


def test_jobs_with_a_long_common_beginning_are_kept_apart() -> None:
    timeline = fold(
        ROOM, [moment(Kind.JOB_OFFERED, job, ms(1)) for job in ("AJ_aaaaaaaa1", "AJ_aaaaaaaa2", "AJ_aaaaaaaa")]
    )
    assert [say(timeline, step)[1] for step in timeline.steps] == ["AJ_aaaaaaaa", "AJ_aaaaaaaa1", "AJ_aaaaaaaa2"]


def test_an_agent_whose_identity_is_not_its_jobs_has_the_jobs_tag() -> None:
    renamed = [
        moment(
            Kind.PARTICIPANT_JOINING,
            "PA_own",
            ms(600),
            told={keys.PARTICIPANT_IDENTITY: "my-agent", keys.PARTICIPANT_KIND: "AGENT"},
        ),
        moment(Kind.AGENT_CONNECTED, SECOND, ms(700), witness="agent", told={keys.PARTICIPANT_ID: "PA_own"}),
    ]
    timeline = fold(ROOM, [*call(), *second_job(), *renamed])
    joining = {s.subject: say(timeline, s) for s in timeline.steps if s.kind is Kind.PARTICIPANT_JOINING}
    assert joining["PA_own"] == ("my-agent JOINING", "AJ_ioth AGENT")
    assert joining[AGENT] == ("agent 1 JOINING", "AGENT")


def test_with_a_width_there_is_room_for_the_tag() -> None:
    timeline = fold(ROOM, [*call(), *second_job()])
    for step in timeline.steps:
        phrase, _ = say(timeline, step, 30)
        assert cell_len(phrase) <= (21 if step.subject.startswith("AJ_") else 30)
