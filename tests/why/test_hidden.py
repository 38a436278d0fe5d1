"""Calls that went wrong where something beside it, or before it, or after it, could hide that."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.moments import (
    ABOUT_ADA,
    ABOUT_AGENT,
    ABOUT_JOB,
    ABOUT_ROOM,
    ADA,
    AGENT,
    JOB,
    MICROPHONE,
    ROOM,
    SESSION,
    WORKER,
    _cut,
    _webhook,
    moment,
    ms,
)
from tests.why.cases import (
    BOB,
    BOBS,
    CAME_BACK,
    HELPER,
    HUNG_UP,
    IN_CALL,
    NAMED,
    OTHER,
    SECOND,
    SECOND_AGENT,
    STAYS,
    agent_goes,
    asked_again,
    bob,
    delayed,
    ended_early,
    error,
    found,
    healthy,
    lonely,
    monitored,
    moved,
    observed,
    of_job,
    offered,
    registered,
    second_agent,
    shape,
    timeline,
    until,
    with_facts,
    without,
    worker,
)
from tracer import keys
from tracer.moment import Kind, facts
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.moment import Fact, Moment
    from tracer.why import Explanation

LEFT = Kind.PARTICIPANT_LEFT
ABOUT_SECOND: dict[str, Fact] = {keys.PARTICIPANT_IDENTITY: "agent-" + SECOND, keys.PARTICIPANT_KIND: "AGENT"}
ASKED_FOR = moment(Kind.DISPATCH_CREATED, NAMED, ms(2000), told={keys.AGENT_NAME: "helper"})
RAISED = error("KeyError", "'MODEL'")
ENDS = (Kind.JOB_SHUTDOWN, Kind.AGENT_DISCONNECTED, Kind.JOB_ENDED)


def of(moments: list[Moment], workers: list[Moment] | None = None, now: int = ms(120_000)) -> Explanation:
    return explain(timeline(moments, workers or [], now=now))


def first(moments: list[Moment], workers: list[Moment] | None = None) -> tuple[str, bool]:
    finding = of(moments, workers).findings[0]
    return finding.cause.name, finding.certain


def raised(job: str, at: float, recorded: dict[str, Fact]) -> list[Moment]:
    """A job whose entrypoint raised."""
    steps = (Kind.JOB_OFFERED, Kind.JOB_ASSIGNED, Kind.JOB_PROCESS_ASSIGNED, Kind.JOB_ENTRYPOINT_STARTED)
    known: dict[str, Fact] = {**ABOUT_JOB, keys.JOB_ID: job, **recorded}
    made = [of_job(kind, at + place, known) for place, kind in enumerate(steps)]
    return [replace(m, subject=job) for m in [*made, of_job(Kind.JOB_ENDED, at + 20, {**known, **RAISED})]]


@pytest.mark.parametrize("by", [900, 3000])
def test_what_an_entrypoint_raised_is_told_though_another_was_dispatched(by: float) -> None:
    recorded = [*asked_again(by), *raised("AJ_1", 100, {keys.DISPATCH_ID: "AD_first", keys.AGENT_NAME: "helper"})]
    assert found(recorded, registered(name="helper"))[0] == "raised-before-connect"


def test_what_an_entrypoint_raised_is_told_though_an_agent_came_by_another_name() -> None:
    recorded = [*lonely(), *until(Kind.JOB_ENTRYPOINT_STARTED), of_job(Kind.JOB_ENDED, 260, RAISED)]
    assert found([*recorded, *second_agent(NAMED, "helper")]) == ["raised-before-connect"]


def test_what_an_entrypoint_raised_for_one_caller_is_told_though_another_has_an_agent() -> None:
    mine: dict[str, Fact] = {keys.JOB_TYPE: "JT_PARTICIPANT", keys.JOB_PARTICIPANT_ID: ADA}
    recorded = [*with_facts(healthy(), Kind.JOB_OFFERED, JOB, mine), *bob(500, 4150)]
    recorded += raised(SECOND, 700, {keys.JOB_TYPE: "JT_PARTICIPANT", keys.JOB_PARTICIPANT_ID: BOB})
    assert found(recorded, [worker(Kind.WORKER_REGISTERED, -1000, attributes=mine)]) == ["raised-before-connect"]


def test_who_refused_before_another_took_the_job_is_not_why_nobody_came() -> None:
    recorded = [*lonely(), *until(Kind.JOB_ENTRYPOINT_STARTED), of_job(Kind.JOB_ENDED, 260, RAISED)]
    recorded += [
        of_job(Kind.JOB_RECEIVED, 201.2, None, OTHER),
        of_job(Kind.JOB_REJECTED, 201.3, {keys.JOB_ANSWER: "rejected"}, OTHER),
    ]
    assert found(recorded) == ["raised-before-connect"]


def test_for_a_caller_who_had_gone_when_it_was_asked_again_nobody_came() -> None:
    recorded = [
        moved(m, 29_000) if m.subject in (ADA, MICROPHONE) and m.time < ms(5000) else m for m in asked_again(30_000)
    ]
    eve = bob(2, 10_000, "PA_eve", {keys.PARTICIPANT_IDENTITY: "eve"})
    assert found([*recorded, *eve], registered(1500, name="helper")) == ["late-worker"]


def test_an_avatar_is_no_agent_that_was_asked_for() -> None:
    about: dict[str, Fact] = {keys.PARTICIPANT_IDENTITY: "avatar", keys.PARTICIPANT_KIND: "AGENT"}
    about[keys.PARTICIPANT_ATTRIBUTE + "lk.publish_on_behalf"] = "agent-" + JOB
    avatar = [
        _cut(Kind.PARTICIPANT_JOINING, "PA_avatar", 2500, "webhook", about),
        _webhook(Kind.PARTICIPANT_ACTIVE, "PA_avatar", 2600, about),
    ]
    assert found([*healthy(), *avatar, ASKED_FOR], registered(sid=HELPER, name="Helper")) == ["no-worker"]


def test_an_agent_that_was_there_before_is_not_the_one_that_was_asked_for() -> None:
    recorded = [moved(m, 20_000) if m.time > ms(4000) else m for m in without(healthy(), JOB, "agent")]
    assert found([*recorded, ASKED_FOR]) == ["no-worker"]
    early = moment(Kind.DISPATCH_CREATED, NAMED, ms(100), told={keys.AGENT_NAME: "helper"})
    assert found([*recorded, early]) == []


@pytest.mark.parametrize("more", [[], [replace(ASKED_FOR, earliest=ms(9), latest=ms(9), time=ms(9))]])
def test_an_agent_that_the_server_gave_up_did_not_come_though_it_reports_nothing(more: list[Moment]) -> None:
    recorded = with_facts(offered("JS_RUNNING"), Kind.JOB_OFFERED, JOB, ABOUT_AGENT)
    recorded += [
        _cut(Kind.PARTICIPANT_JOINING, AGENT, 256, "webhook", ABOUT_AGENT),
        _webhook(Kind.PARTICIPANT_ABORTED, AGENT, 10_256, ABOUT_AGENT),
    ]
    assert "connect-failed" in found([*lonely(), *recorded, *more])


def test_a_worker_for_each_publisher_did_not_come_and_that_is_not_well() -> None:
    publisher = worker(Kind.WORKER_REGISTERED, -1000, attributes={keys.JOB_TYPE: "JT_PUBLISHER"})
    for recorded in (without(lonely(), MICROPHONE), observed(lonely())):
        explanation = of(recorded, [publisher])
        assert explanation.well is None
        assert explanation.summary.startswith("No agent joined: it is dispatched to participants who publish a track")


def test_a_worker_for_each_caller_has_time_from_the_callers_join_on() -> None:
    recorded = [m for m in lonely(joined=40_000) if m.time < ms(40_100) and m.kind not in (LEFT, Kind.ROOM_FINISHED)]
    each = worker(Kind.WORKER_REGISTERED, -1000, attributes={keys.JOB_TYPE: "JT_PARTICIPANT"})
    assert of(recorded, [each], ms(40_100)).summary.startswith(
        "It is too early to say: an agent was requested 0.1 s ago"
    )
    assert found(recorded, [each], now=ms(50_000)) == ["worker-not-asked"]


def test_a_caller_whose_becoming_active_nobody_told_waited_all_the_same() -> None:
    recorded = [m for m in delayed(healthy(), Kind.JOB_PROCESS_ASSIGNED, 4000) if m.witness != "observer"]
    recorded = [m for m in recorded if (m.kind, m.subject) != (Kind.PARTICIPANT_ACTIVE, ADA)]
    late = {LEFT, Kind.ROOM_FINISHED, Kind.SESSION_CLOSED, *ENDS}
    recorded = [moved(m, 20_000) if m.kind in late else m for m in recorded]
    assert found([*recorded, *bob(15_000, 24_000)]) == ["cold-process"]


@pytest.mark.parametrize(
    ("reason", "causes", "doubts"),
    [("PARTICIPANT_REMOVED", ["removed"], set()), ("ROOM_DELETED", [], {"room-deleted"})],
)
def test_an_agent_that_ended_its_job_long_ago_did_not_hang_up(reason: str, causes: list[str], doubts: set[str]) -> None:
    """The other agent, which reports nothing, may have: it can call DeleteRoom, and RemoveParticipant."""
    recorded = [m for m in ended_early(2500, "transferred") if (m.kind, m.subject) != (LEFT, ADA)]
    recorded = without(recorded, Kind.ROOM_FINISHED) + [
        m for m in second_agent(NAMED, "helper", 2000) if m.kind is not LEFT
    ]
    recorded += [
        _webhook(LEFT, ADA, 50_000, {**ABOUT_ADA, keys.DISCONNECT_REASON: reason}),
        _webhook(Kind.ROOM_FINISHED, ROOM, 50_010, ABOUT_ROOM),
    ]
    explained = of(recorded)
    assert not any(finding.certain for finding in explained.findings if finding.cause.name == "removed")
    assert [
        finding.cause.name for finding in explained.findings if finding.certain or finding.cause.name == "removed"
    ] == causes
    assert {"room-deleted"} & {doubt.cause.name for doubt in explained.doubts} == doubts


def test_two_that_are_thrown_out_when_a_third_hangs_up_can_have_gone_on() -> None:
    out: dict[str, Fact] = {keys.DISCONNECT_REASON: "ROOM_DELETED"}
    recorded = [*healthy(), *bob(310, 4090), *bob(300, 4100, "PA_eve", {keys.PARTICIPANT_IDENTITY: "eve"})]
    recorded = with_facts(with_facts(recorded, LEFT, ADA, out), LEFT, "PA_eve", out)
    assert first(recorded) == ("room-deleted", False)
    assert "while ada, eve were in it" in of(recorded).findings[0].sentence


def test_each_pair_of_one_name_is_found_beside_an_agent_of_another() -> None:
    recorded = with_facts(healthy(), Kind.DISPATCH_CREATED, "AD_automatic", {keys.AGENT_NAME: "x"})
    third = {SECOND: "AJ_third", SECOND_AGENT: "PA_third", "agent-" + SECOND: "agent-AJ_third"}
    again = [
        replace(
            m, subject=third.get(m.subject, m.subject), facts=tuple((key, third.get(str(v), v)) for key, v in m.facts)
        )
        for m in second_agent("AD_third", "a", 900)
    ]
    assert found([*recorded, *second_agent("AD_2", "a"), *again]) == ["dispatched-twice"]


def test_an_agent_that_the_server_lost_is_gone_before_its_room_is() -> None:
    recorded = [m for m in IN_CALL if m.kind not in (LEFT, Kind.ROOM_FINISHED)]
    lost = _webhook(LEFT, AGENT, 17_000, {**ABOUT_AGENT, keys.DISCONNECT_REASON: "CONNECTION_TIMEOUT"})
    (finding,) = of([*recorded, lost]).findings
    assert (finding.cause.name, finding.certain) == ("process-killed", False)
    assert shape(finding) == ((Kind.JOB_ENTRYPOINT_RETURNED, JOB), (LEFT, AGENT))
    assert "process-killed" in {doubt.cause.name for doubt in of(without([*recorded, lost], "agent")).doubts}


@pytest.mark.parametrize("over", [True, False])
def test_a_session_that_does_not_start(over: bool) -> None:
    recorded = [m for m in healthy() if m.time < ms(391)]
    recorded += [moved(m, 30_000) for m in healthy() if over and m.kind in (LEFT, Kind.ROOM_FINISHED, *ENDS)]
    (finding,) = of(recorded).findings
    assert (finding.cause.name, finding.certain) == ("no-session", over)
    assert ("did not return in 36.1 s" if over else "has not returned in 119.6 s") in finding.sentence


def test_what_a_caller_is_kept_waiting_for_is_not_well() -> None:
    waits = [m for m in healthy() if m.time < ms(360.1)]
    explanation = of(waits, now=ms(60_000))
    assert explanation.well is None
    assert explanation.summary.endswith(f"something is missing: {JOB}: waits for a participant for 60 s.")
    assert of(waits, now=ms(9_000)).well is None


@pytest.mark.parametrize("subject", [JOB, SECOND])
def test_a_session_that_comes_a_minute_later_did_not_answer_before(subject: str) -> None:
    recorded = [m for m in STAYS if m.time < ms(2000)]
    recorded += [moved(m, 80_000) for m in healthy() if m.time > ms(4000) and m.kind is not Kind.SESSION_CLOSED]
    again = [(Kind.SESSION_STARTING, 61_000), (Kind.SESSION_STARTED, 61_100), (Kind.SESSION_CLOSED, 84_160)]
    recorded += [replace(of_job(kind, at, occurrence="again"), subject=subject) for kind, at in again]
    (finding,) = of(recorded).findings
    assert (finding.cause.name, finding.certain) == ("session-closed", False)
    assert "for 60.0 s more" in finding.sentence
    assert finding.evidence[0].occurrence == SESSION


def test_a_picture_is_nothing_to_listen_to() -> None:
    camera = _webhook(Kind.TRACK_PUBLISHED, BOBS, 120, {keys.PARTICIPANT_ID: BOB, keys.TRACK_SOURCE: "CAMERA"})
    (finding,) = of([*monitored(), camera]).findings
    assert "was linked to bob, who published no audio track, and not to ada, who did" in finding.sentence


def test_who_came_back_was_alone_until_an_agent_was_asked_for() -> None:
    recorded = [m for m in CAME_BACK if (m.kind, m.subject) != (LEFT, "PA_ada2") and m.kind is not Kind.ROOM_FINISHED]
    recorded += [moved(m, 59_000) for m in second_agent(NAMED, "helper") if m.kind is not LEFT]
    recorded += [_webhook(LEFT, "PA_ada2", 80_000, {**ABOUT_ADA, **HUNG_UP})]
    finding = of(recorded).findings[0]
    assert finding.cause.name == "rejoined-without-agent"
    assert "alone for 54.4 s" in finding.sentence
    assert shape(finding)[-1] == (Kind.DISPATCH_CREATED, NAMED)


@pytest.mark.parametrize(
    ("reason", "shutdown", "cause"),
    [
        ("PARTICIPANT_REMOVED", "room disconnected", "removed"),
        ("CLIENT_INITIATED", "job crashed", "raised-after-connect"),
        ("CLIENT_INITIATED", "parent process shutdown", "deployed"),
    ],
)
def test_why_an_agent_had_gone_before_its_caller_came(reason: str, shutdown: str, cause: str) -> None:
    recorded = [m for m in healthy() if m.time < ms(361) and m.kind is not Kind.AGENT_PARTICIPANT_READY]
    recorded = [moved(m, 40_000) if m.subject in (ADA, MICROPHONE) else m for m in recorded]
    recorded += [
        of_job(Kind.JOB_SHUTDOWN, 2001, {keys.SHUTDOWN_REASON: shutdown}),
        _webhook(LEFT, AGENT, 2005, {**ABOUT_AGENT, keys.DISCONNECT_REASON: reason}),
        of_job(Kind.JOB_ENDED, 2060),
        _webhook(LEFT, ADA, 50_000, {**ABOUT_ADA, **HUNG_UP}),
    ]
    workers = [*registered(), worker(Kind.WORKER_DRAINING, 1000), worker(Kind.WORKER_CLOSED, 2100)]
    assert found(recorded, workers if cause == "deployed" else registered()) == [cause, "rejoined-without-agent"]


def test_an_agent_that_was_removed_from_a_caller_who_may_have_gone() -> None:
    recorded = [m for m in agent_goes(2000, "PARTICIPANT_REMOVED") if (m.kind, m.subject) != (LEFT, ADA)]
    assert first(recorded) == ("removed", False)


def test_a_worker_that_drains_beside_one_that_is_full_is_not_one_to_ask() -> None:
    workers = [*registered(), worker(Kind.WORKER_FULL, -900), *registered(sid=OTHER)]
    assert first(lonely(), [*workers, worker(Kind.WORKER_DRAINING, -500, OTHER)]) == ("workers-full", True)


def test_no_number_is_negative_or_nothing() -> None:
    stopped = [*registered(), worker(Kind.WORKER_DRAINING, 3000), worker(Kind.WORKER_CLOSED, 3600)]
    (finding,) = of(ended_early(2500, "parent process shutdown"), stopped).findings
    assert f"{WORKER} was being stopped, and at once job {JOB} was shut down" in finding.sentence
    (finding,) = of(lonely(), registered(20.7)).findings
    assert "registered 20 ms after the dispatch was created" in finding.sentence


def test_whose_identity_is_not_known_did_not_throw_anybody_out_again() -> None:
    out: dict[str, Fact] = {keys.DISCONNECT_REASON: "DUPLICATE_IDENTITY"}
    recorded = with_facts(with_facts([*healthy(), *bob(300, 3000)], LEFT, ADA, out), LEFT, BOB, out)
    recorded = [replace(m, facts=facts({k: v for k, v in m.facts if k != keys.PARTICIPANT_IDENTITY})) for m in recorded]
    assert [(f.cause.name, f.certain) for f in of(recorded).findings if f.certain] == []


def test_a_hundred_who_wait_for_a_hundred_are_each_told_of_once() -> None:
    recorded = [_cut(Kind.ROOM_CREATED, ROOM, 0, "webhook", ABOUT_ROOM)]
    for number in range(100):
        recorded.append(_cut(Kind.PARTICIPANT_JOINING, f"PA_{number}", 500, "webhook", ABOUT_ADA))
        recorded.append(
            replace(of_job(Kind.AGENT_WAITING_FOR_PARTICIPANT, 600, occurrence="w"), subject=f"AJ_{number}")
        )
    assert len(of(recorded).findings) == 100
    names = [moment(Kind.DISPATCH_CREATED, f"AD_{n}", ms(1), told={keys.AGENT_NAME: f"a{n}"}) for n in range(100)]
    others = [m for number in range(100) for m in registered(sid=f"AW_{number}", name=f"b{number}")]
    assert {len(finding.evidence) for finding in of([*lonely(), *names], others).findings} == {11}
