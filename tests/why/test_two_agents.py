"""Two agents where one was wanted: by two types of jobs, of a room before, or without a dispatch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.moments import ABOUT_ADA, ADA, AGENT, DISPATCH, JOB, ROOM, _cut, _webhook, call, moment, ms
from tests.why.cases import (
    BEFORE,
    BOB,
    OFFERED,
    SECOND,
    Case,
    bob,
    check,
    found,
    healthy,
    in_room,
    moved,
    names,
    second_agent,
    timeline,
    with_facts,
    without,
)
from tracer import keys
from tracer.moment import Kind, facts
from tracer.why import explain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracer.moment import Fact, Moment

OLD_JOB, OLD_AGENT = "AJ_old", "PA_old"
ABOUT_OLD: dict[str, Fact] = {keys.PARTICIPANT_IDENTITY: "agent-" + OLD_JOB, keys.PARTICIPANT_KIND: "AGENT"}
STRAY = "PA_stray"
ABOUT_STRAY: dict[str, Fact] = {keys.PARTICIPANT_IDENTITY: "agent-x9", keys.PARTICIPANT_KIND: "AGENT"}


def for_one(moments: list[Moment], job: str, kind: str, sid: str | None = ADA) -> list[Moment]:
    """The same, where this job is for one participant."""
    return with_facts(moments, Kind.JOB_OFFERED, job, {keys.JOB_TYPE: kind, keys.JOB_PARTICIPANT_ID: sid})


def by_one_dispatch(kind: str) -> list[Moment]:
    """A second agent for ada, by the dispatch that brought the first, and a job of this type."""
    return for_one(without(second_agent(DISPATCH, ""), Kind.DISPATCH_CREATED), SECOND, kind)


def two_publishers(whose: str = ADA) -> list[Moment]:
    """Two dispatches of one name, whose jobs are for those who publish."""
    second = for_one(second_agent("AD_again", ""), SECOND, "JT_PUBLISHER", whose)
    return [*for_one(healthy(), JOB, "JT_PUBLISHER"), *second]


def of_room_before(*what: Kind) -> list[Moment]:
    """The room of this name before this one: deleted before its agent connected, which it did later."""
    known: dict[str, Fact] = {**dict(healthy()[9].facts), keys.JOB_ID: OLD_JOB, **ABOUT_OLD}
    known.pop(keys.PARTICIPANT_KIND)
    itself: dict[str, Fact] = {keys.PARTICIPANT_ID: OLD_AGENT, keys.PARTICIPANT_IDENTITY: "agent-" + OLD_JOB}
    recorded = [
        *(m for m in call() if m.subject in (ROOM, ADA) and m.kind is not Kind.ROOM_FINISHED),
        moment(Kind.JOB_OFFERED, OLD_JOB, ms(200), told=known),
        _webhook(Kind.ROOM_FINISHED, ROOM, 6000, {}),
        moment(Kind.AGENT_CONNECTED, OLD_JOB, ms(10_700), witness="agent", clock="agent", told=itself),
    ]
    return in_room(BEFORE, [moved(m, -10_000) for m in without(recorded, *what)])


def stray(at: int, sid: str, about: Mapping[str, Fact]) -> list[Moment]:
    """An agent of which this room has no job, which joins, and speaks."""
    return [
        _cut(Kind.PARTICIPANT_JOINING, sid, at, "webhook", about),
        _webhook(Kind.PARTICIPANT_ACTIVE, sid, at + 90, about),
        _webhook(Kind.TRACK_PUBLISHED, "TR_" + sid, at + 100, {keys.PARTICIPANT_ID: sid}),
    ]


def longer(moments: list[Moment], by: float = 20_000) -> list[Moment]:
    """A call whose end is so many ms later."""
    end = ms(1000)
    return [moved(m, by) if m.time > end else m for m in moments]


def left_as(sid: str, about: dict[str, Fact], recorded: list[Moment]) -> list[Moment]:
    """That somebody left as the agent did."""
    left = [m for m in recorded if (m.kind, m.subject) == (Kind.PARTICIPANT_LEFT, AGENT)]
    return [replace(m, subject=sid, facts=facts(about)) for m in left]


BESIDE = [*longer(healthy()), *stray(700, STRAY, ABOUT_STRAY)]
CONNECT_ROOM = moment(
    Kind.AGENT_CONNECTED, "job-x9", ms(800), witness="agent", clock="agent", told={keys.PARTICIPANT_ID: STRAY}
)
OLD_IN_NEW = stray(300, OLD_AGENT, ABOUT_OLD)

TWO_AGENTS = (
    Case(
        "two publisher jobs",
        "dispatched-twice",
        two_publishers(),
        f"brought two agents for ada: agent-{JOB} and agent-{SECOND}.",
        ((Kind.DISPATCH_CREATED, DISPATCH), OFFERED, (Kind.DISPATCH_CREATED, "AD_again"), (Kind.JOB_OFFERED, SECOND)),
    ),
    Case(
        "by room and by publisher",
        "two-job-types",
        [*healthy(), *by_one_dispatch("JT_PUBLISHER")],
        f"brought two agents for ada: agent-{JOB} and agent-{SECOND}. One came by JT_ROOM, the other by JT_PUBLISHER.",
        ((Kind.DISPATCH_CREATED, DISPATCH), OFFERED, (Kind.JOB_OFFERED, SECOND)),
    ),
    Case(
        "beside this room's own",
        "agent-of-earlier-room",
        [*healthy(), *OLD_IN_NEW, *left_as(OLD_AGENT, ABOUT_OLD, healthy())],
        f"agent-{OLD_JOB} was dispatched to the room of this name before this one ({BEFORE}), which was closed when it"
        f" connected; it joined this room instead: two agents are in the room, the other is agent-{JOB}.",
        (
            (Kind.JOB_OFFERED, OLD_JOB),
            (Kind.ROOM_FINISHED, BEFORE),
            (Kind.PARTICIPANT_JOINING, AGENT),
            (Kind.PARTICIPANT_JOINING, OLD_AGENT),
        ),
        earlier=of_room_before(),
    ),
    Case(
        "no job is known for it",
        "agent-without-job",
        BESIDE,
        f"Two agents are in the room: agent-{JOB} was dispatched, and no dispatch has a job for agent-x9.",
        ((Kind.PARTICIPANT_JOINING, AGENT), (Kind.PARTICIPANT_JOINING, STRAY)),
        certain=False,
    ),
    Case(
        "connect --room",
        "agent-without-job",
        [*BESIDE, CONNECT_ROOM, *left_as(STRAY, ABOUT_STRAY, BESIDE)],
        "for agent-x9, which was started with connect --room.",
        ((Kind.PARTICIPANT_JOINING, AGENT), (Kind.PARTICIPANT_JOINING, STRAY), (Kind.AGENT_CONNECTED, "job-x9")),
    ),
)


@pytest.mark.parametrize("case", TWO_AGENTS, ids=lambda case: f"{case.cause}: {case.label}")
def test_each_is_found_first_with_its_evidence(case: Case) -> None:
    check(case)


def test_each_publisher_may_have_an_agent_of_their_own() -> None:
    assert found([*two_publishers(BOB), *bob(1, 4150)]) == []
    one = for_one(by_one_dispatch("JT_PUBLISHER"), SECOND, "JT_PUBLISHER", BOB)
    assert found([*for_one(healthy(), JOB, "JT_PUBLISHER"), *one, *bob(1, 4150)]) == []


def test_two_jobs_of_one_type_by_one_dispatch_are_not_of_two_types() -> None:
    assert "two-job-types" not in found([*for_one(healthy(), JOB, "JT_PUBLISHER"), *by_one_dispatch("JT_PUBLISHER")])


def test_workers_of_two_types_and_names_are_meant_as_two() -> None:
    named = for_one(second_agent("AD_named", "transcriber"), SECOND, "JT_PUBLISHER")
    first = with_facts(healthy(), Kind.DISPATCH_CREATED, DISPATCH, {keys.AGENT_NAME: "helper"})
    assert found([*with_facts(first, Kind.JOB_OFFERED, JOB, {keys.AGENT_NAME: "helper"}), *named]) == []


def test_without_any_agent_of_its_own_the_room_has_that_of_the_room_before() -> None:
    alone = [*(m for m in healthy() if m.subject in (ROOM, ADA)), *OLD_IN_NEW]
    explanation = explain(timeline(alone, earlier=of_room_before()))
    assert names(explanation)[:1] == ["agent-of-earlier-room"]
    assert "two agents" not in explanation.findings[0].sentence


def test_an_agent_whose_join_made_the_room_made_a_ghost() -> None:
    explanation = explain(
        timeline(
            [
                _cut(Kind.ROOM_CREATED, ROOM, 0, "webhook", {}),
                _cut(Kind.PARTICIPANT_JOINING, OLD_AGENT, 2, "webhook", ABOUT_OLD),
                _cut(Kind.PARTICIPANT_JOINING, ADA, 300, "webhook", ABOUT_ADA),
            ],
            earlier=of_room_before(),
        )
    )
    assert "agent-of-earlier-room" not in names(explanation)


def test_an_agent_that_was_in_the_room_before_has_reconnected() -> None:
    # The server was started again: the room has another SID, and everybody is back.
    there = in_room(BEFORE, [moved(m, -10_000) for m in stray(300, "PA_then", ABOUT_OLD)])
    recorded = [*healthy(), *OLD_IN_NEW]
    for earlier in ([*of_room_before(), *there], [*of_room_before(Kind.AGENT_CONNECTED), *there]):
        assert "agent-of-earlier-room" not in names(explain(timeline(recorded, earlier=earlier)))


def test_an_identity_that_each_agent_has_proves_nothing() -> None:
    fixed: dict[str, Fact] = {keys.PARTICIPANT_IDENTITY: "support"}
    earlier = with_facts(of_room_before(Kind.AGENT_CONNECTED), Kind.JOB_OFFERED, OLD_JOB, fixed)
    recorded = [*healthy(), *stray(300, OLD_AGENT, {**ABOUT_OLD, **fixed})]
    assert "agent-of-earlier-room" not in names(explain(timeline(recorded, earlier=earlier)))


def test_of_a_redacted_room_before_the_agent_is_known_by_its_sid() -> None:
    def redacted(moments: list[Moment]) -> list[Moment]:
        return [replace(m, facts=tuple(fact for fact in m.facts if not keys.is_personal(fact[0]))) for m in moments]

    explanation = explain(timeline(redacted([*healthy(), *OLD_IN_NEW]), earlier=redacted(of_room_before())))
    assert names(explanation) == ["agent-of-earlier-room"]
    assert found(redacted(BESIDE)) == []  # it may be an avatar, which only personal data shows


@pytest.mark.parametrize(
    "recorded",
    [
        with_facts(
            BESIDE, Kind.PARTICIPANT_JOINING, STRAY, {keys.PARTICIPANT_ATTRIBUTE + "lk.publish_on_behalf": "agent"}
        ),
        without(BESIDE, "TR_" + STRAY),
        [*healthy(), *stray(700, STRAY, ABOUT_STRAY)],
        without(BESIDE, "observer"),
        [
            *BESIDE,
            moment(Kind.DISPATCH_CREATED, "AD_named", ms(500), told={keys.AGENT_NAME: "helper"}),
        ],
        [*BESIDE, _webhook(Kind.PARTICIPANT_LEFT, STRAY, 2000, ABOUT_STRAY)],
    ],
    ids=[
        "an avatar",
        "it says nothing",
        "not listed yet",
        "nobody lists jobs",
        "a dispatch waits for its job",
        "brief",
    ],
)
def test_an_agent_of_which_no_job_is_known_is_not_always_one_too_many(recorded: list[Moment]) -> None:
    assert "agent-without-job" not in found(recorded)


def test_the_second_try_of_a_job_is_the_same_agent() -> None:
    again = stray(700, STRAY, {keys.PARTICIPANT_IDENTITY: "agent-" + JOB, keys.PARTICIPANT_KIND: "AGENT"})
    assert "agent-without-job" not in found([*longer(healthy()), *again])


def test_an_agent_for_each_participant_beside_one_for_each_publisher_is_meant_so() -> None:
    both = [*for_one(healthy(), JOB, "JT_PARTICIPANT"), *by_one_dispatch("JT_PUBLISHER")]
    assert "two-job-types" not in names(explain(timeline(both)))
