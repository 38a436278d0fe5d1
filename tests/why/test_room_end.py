"""Rooms that end, and callers who are left: what looks like a fault and is none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.moments import (
    ABOUT_ADA,
    ABOUT_AGENT,
    ABOUT_ROOM,
    ADA,
    AGENT,
    JOB,
    ROOM,
    SESSION,
    VOICE,
    _cut,
    _webhook,
    call,
    moment,
    ms,
)
from tests.why.cases import (
    AFTER,
    BEFORE,
    BOB,
    BOBS,
    CAME_BACK,
    DISCONNECTED,
    HUNG_UP,
    NAMED,
    bob,
    calls_again,
    deletes_the_room,
    dispatch_deleted,
    doubted,
    found,
    healthy,
    in_room,
    leaves_its_caller,
    moved,
    names,
    observed,
    of_job,
    registered,
    second_agent,
    timeline,
    with_facts,
    without,
    worker,
)
from tracer import keys
from tracer.moment import Kind
from tracer.timeline.fold import fold
from tracer.units import NS_PER_S
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.moment import Fact, Moment
    from tracer.why import Explanation, Finding

DELETED: dict[str, Fact] = {keys.DISCONNECT_REASON: "ROOM_DELETED"}
TIMED_OUT: dict[str, Fact] = {keys.DISCONNECT_REASON: "CONNECTION_TIMEOUT"}


# The agent's own end deleted the room.


def test_an_agent_that_hangs_up_by_deleting_the_room_is_well() -> None:
    assert found(without(deletes_the_room(), BOB, BOBS)) == []


@pytest.mark.parametrize(
    "listener",
    [
        without(deletes_the_room(), BOBS),
        with_facts(deletes_the_room(), Kind.PARTICIPANT_JOINING, BOB, {keys.HIDDEN: True}),
    ],
    ids=["published nothing", "hidden"],
)
def test_a_listener_is_not_in_the_conversation(listener: list[Moment]) -> None:
    assert found(listener) == []


def test_who_is_left_when_the_other_hung_up_is_not_in_a_conversation() -> None:
    hung_up = with_facts(deletes_the_room(), Kind.PARTICIPANT_LEFT, ADA, {keys.DISCONNECT_REASON: "CLIENT_INITIATED"})
    assert found(hung_up) == []


def test_an_agent_that_hosts_two_people_may_have_ended_their_call() -> None:
    hosted = [m if m.subject != BOB or m.time > ms(3000) else moved(m, -1000) for m in deletes_the_room()]
    (finding,) = findings(hosted)
    assert (finding.cause.name, finding.certain) == ("agent-deleted-room", False)


@pytest.mark.parametrize(
    ("reason", "by_user", "cause"),
    [
        ("room disconnected", False, "room-deleted"),
        ("parent process shutdown", False, "room-deleted"),
        ("room disconnected", True, "agent-deleted-room"),
        ("bye", False, "room-deleted"),
    ],
)
def test_a_room_that_somebody_else_deleted(reason: str, by_user: bool, cause: str) -> None:
    facts: dict[str, Fact] = {keys.SHUTDOWN_REASON: reason, keys.SHUTDOWN_BY_USER: by_user}
    assert found(with_facts(deletes_the_room(), Kind.JOB_SHUTDOWN, JOB, facts)) == [cause]


def test_without_webhooks_it_is_a_doubt_whether_the_room_was_deleted() -> None:
    recorded = observed(deletes_the_room())
    for sid in (ADA, AGENT, BOB):
        recorded = with_facts(recorded, Kind.PARTICIPANT_LEFT, sid, {keys.DISCONNECT_REASON: None})
    explained = explain(timeline(recorded))
    assert (names(explained), "agent-deleted-room" in doubted(explained)) == ([], True)
    assert "agent-deleted-room" not in doubted(explain(timeline(without(recorded, BOB))))


def test_a_session_that_closes_by_itself_deletes_the_room_too() -> None:
    closed = [m for m in deletes_the_room() if m.kind not in (Kind.JOB_SHUTDOWN, Kind.SESSION_CLOSED)]
    closed.append(of_job(Kind.SESSION_CLOSED, 4000, {keys.CLOSE_REASON: "user_initiated"}, SESSION))
    closed.append(of_job(Kind.JOB_SHUTDOWN, 4110, {keys.SHUTDOWN_REASON: "room disconnected"}))
    (finding,) = findings(closed)
    assert finding.sentence.startswith("An agent closed its session, and the room was deleted while ada and bob")
    assert not finding.certain
    by_leave = with_facts(closed, Kind.SESSION_CLOSED, JOB, {keys.CLOSE_REASON: "participant_disconnected"})
    assert found(by_leave) == ["room-deleted"]


def test_an_agent_that_deletes_the_room_has_hung_up_whatever_ends_its_job() -> None:
    closed = [m for m in deletes_the_room() if m.kind not in (Kind.JOB_SHUTDOWN, Kind.SESSION_CLOSED)]
    closed.append(of_job(Kind.JOB_SHUTDOWN, 4110, {keys.SHUTDOWN_REASON: "room disconnected"}))
    deletes = of_job(Kind.AGENT_DELETING_ROOM, 4000, occurrence="deletes")
    alone = without(closed, BOB, BOBS)
    assert found(alone)[:1] == ["room-deleted"]
    assert "room-deleted" not in found([*alone, deletes])
    (finding,) = findings([*closed, deletes])
    assert finding.sentence.startswith("An agent hung up, and the room was deleted while ada and bob")


@pytest.mark.parametrize(
    ("at", "reason", "cause"),
    [
        (4900, "task_completed", "agent-deleted-room"),
        (5200, "task_completed", "room-deleted"),
        (4117, "user_initiated", "room-deleted"),  # as the shutdown of a job closes its session
        (4117, "job_shutdown", "room-deleted"),
    ],
)
def test_a_session_is_still_closing_when_the_room_that_it_deleted_is_gone(at: float, reason: str, cause: str) -> None:
    closed = [m for m in deletes_the_room() if m.kind not in (Kind.JOB_SHUTDOWN, Kind.SESSION_CLOSED)]
    closed.append(of_job(Kind.JOB_SHUTDOWN, 4110, {keys.SHUTDOWN_REASON: "room disconnected"}))
    closed.append(of_job(Kind.SESSION_CLOSED, at, {keys.CLOSE_REASON: reason}, SESSION))
    assert found(closed) == [cause]


def test_a_phone_caller_is_hung_up_by_deleting_the_room() -> None:
    phone: dict[str, Fact] = {keys.PARTICIPANT_KIND: "SIP", **DELETED}
    deleted = without(deletes_the_room(), BOB, BOBS, Kind.JOB_SHUTDOWN, Kind.SESSION_CLOSED)
    assert found(deleted)[:1] == ["room-deleted"]
    for kind in (Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_JOINED, Kind.PARTICIPANT_ACTIVE, Kind.PARTICIPANT_LEFT):
        deleted = with_facts(deleted, kind, ADA, phone)
    assert "room-deleted" not in found(deleted)


def test_whether_an_agent_that_reports_nothing_hung_up_is_a_doubt() -> None:
    deleted = without(deletes_the_room(), BOB, BOBS, "agent")
    explained = explain(timeline(deleted))
    assert (names(explained), "room-deleted" in doubted(explained), explained.well) == ([], True, None)


def test_a_room_deleted_before_its_agent_came_was_deleted_by_an_api_call() -> None:
    deleted = [m for m in without(deletes_the_room(), BOB, BOBS, AGENT, VOICE) if m.subject != JOB]
    (finding,) = [finding for finding in findings(deleted) if finding.cause.name == "room-deleted"]
    assert finding.certain


# The agent left, and its caller stayed.


@pytest.mark.parametrize(("stays", "causes"), [(0, []), (8_300, []), (8_500, ["agent-left-caller"])])
def test_who_leaves_within_10_s_was_hung_up_on(stays: float, causes: list[str]) -> None:
    assert found(leaves_its_caller(stays)) == causes


def test_that_the_agent_left_first_is_said_of_a_call_that_went_well() -> None:
    recorded = leaves_its_caller(4000)
    said = explain(timeline(recorded))
    assert (said.well, said.summary) == (True, "All went well; ada stayed for 5.6 s after the agent left.")
    for reason in ("PARTICIPANT_REMOVED", "CONNECTION_TIMEOUT"):
        other = with_facts(recorded, Kind.PARTICIPANT_LEFT, ADA, {keys.DISCONNECT_REASON: reason})
        assert "stayed" not in explain(timeline(other)).summary
    assert "stayed" not in explain(timeline([*recorded, *bob(1000, 9000)])).summary


@pytest.mark.parametrize(
    ("stays", "attributes", "causes"),
    [
        (20_000, DELETED, []),
        (30_000, DELETED, ["agent-left-caller"]),
        (20_000, {keys.DISCONNECT_REASON: "PARTICIPANT_REMOVED"}, []),
        (20_000, TIMED_OUT, []),
        (30_000, TIMED_OUT, ["agent-left-caller"]),
        (20_000, {keys.HIDDEN: True}, []),
        (20_000, {keys.CAN_PUBLISH: False}, []),
    ],
)
def test_a_caller_may_not_have_been_left_alone(stays: float, attributes: dict[str, Fact], causes: list[str]) -> None:
    recorded = with_facts(leaves_its_caller(stays), Kind.PARTICIPANT_LEFT, ADA, attributes)
    assert [name for name in found(recorded) if name == "agent-left-caller"] == causes


def disconnects(*more: Moment) -> list[Moment]:
    """The agent calls ctx.room.disconnect(), and its job goes on."""
    ends = (Kind.JOB_SHUTDOWN, Kind.AGENT_DISCONNECTED, Kind.SESSION_CLOSED, Kind.JOB_ENDED)
    left = with_facts(without(leaves_its_caller(20_000), *ends), Kind.PARTICIPANT_LEFT, AGENT, HUNG_UP)
    return [*left, *more]


def test_while_its_caller_may_still_hang_up_it_is_said_how_the_agent_ended() -> None:
    left = next(
        one.time for one in leaves_its_caller(20_000) if one.kind is Kind.PARTICIPANT_LEFT and one.subject == AGENT
    )
    live = [one for one in leaves_its_caller(20_000) if one.time <= left]
    answer = explain(timeline(live, registered(), now=left + 7 * NS_PER_S))
    assert names(answer) == []
    assert answer.summary.endswith("after the agent left, whose own code had shut down its job.")


def test_an_agent_that_disconnected_from_the_room_left_its_caller_and_was_not_killed() -> None:
    (finding,) = findings(disconnects())
    assert (finding.cause.name, finding.certain) == ("agent-left-caller", False)
    assert finding.sentence.startswith(f"agent-{JOB} left by its own code while ada was there, who was alone for")
    lost = with_facts(disconnects(), Kind.PARTICIPANT_LEFT, AGENT, {keys.DISCONNECT_REASON: "SIGNAL_CLOSE"})
    assert found(lost) == ["process-killed"]
    older = with_facts(disconnects(), Kind.JOB_ENTRYPOINT_STARTED, JOB, {keys.ENTRYPOINT_ONLY: True})
    assert "agent-left-caller" not in found(older)


def test_what_ended_an_agent_while_nobody_listened_is_not_known() -> None:
    """Its spans of that time are lost, as those of a job whose dispatch was deleted; its leave is sent again."""
    heard = timeline(disconnects(), registered())
    assert names(explain(heard)) == ["agent-left-caller"]
    away = explain(replace(heard, unheard=((ms(1500), ms(15_000)),)))
    assert names(away) == []
    assert away.summary.startswith("No cause was found, but ada was alone for 21.6 s after the agent left")


@pytest.mark.parametrize(("left", "well"), [(2500, False), (2000, False), (20_000, True)])
def test_who_had_left_before_the_agent_was_no_company_after_it(left: float, *, well: bool) -> None:
    """bob was there from 1 s on; the agent leaves at 2.5 s, nobody reports why, and ada stays for 21.6 s."""
    unreported = replace(timeline([*disconnects(), *bob(1000, left)], registered()), unheard=((ms(1500), ms(15_000)),))
    lack = "ada was alone for 21.6 s after the agent left"
    assert (lack in explain(unreported).summary) is not well


def test_a_connection_that_the_server_lost_was_lost_earlier() -> None:
    (finding,) = findings(with_facts(leaves_its_caller(40_000), Kind.PARTICIPANT_LEFT, ADA, TIMED_OUT))
    assert "alone for at least 21 s" in finding.sentence


@pytest.mark.parametrize(("joined", "left"), [(1000, 20_000), (6000, 20_000)], ids=["there before", "joins after"])
def test_an_agent_that_leaves_two_people_to_each_other_is_well(joined: float, left: float) -> None:
    assert "agent-left-caller" not in found([*leaves_its_caller(20_000), *bob(joined, left)])


@pytest.mark.parametrize(("at", "well"), [(700, True), (5000, True), (14_000, False)])
def test_an_agent_that_hands_over_to_another_is_well(at: float, well: bool) -> None:
    other = [moved(m, 17_000) if m.kind is Kind.PARTICIPANT_LEFT else m for m in second_agent(NAMED, "helper", at)]
    assert ("agent-left-caller" not in found([*leaves_its_caller(20_000), *other])) is well


@pytest.mark.parametrize("reason", ["parent process shutdown", "job crashed"])
def test_an_agent_that_did_not_end_itself_left_for_another_reason(reason: str) -> None:
    recorded = with_facts(leaves_its_caller(20_000), Kind.JOB_SHUTDOWN, JOB, {keys.SHUTDOWN_REASON: reason})
    assert "agent-left-caller" not in found(recorded)


@pytest.mark.parametrize(
    ("moments", "workers", "cause"),
    [
        (dispatch_deleted(closed=3500, left=2500), registered(), ["agent-left-caller"]),
        (dispatch_deleted(reason="PARTICIPANT_REMOVED"), registered(), ["removed"]),
        (dispatch_deleted(), [*registered(), worker(Kind.WORKER_DRAINING, 2400)], ["deployed"]),
        (without(dispatch_deleted(), Kind.SESSION_CLOSED), registered(), ["agent-left-caller"]),
        ([*dispatch_deleted(), *bob(1000, 20_000)], registered(), []),
    ],
    ids=["it left by itself", "it was removed", "its worker stopped", "its session is not known", "left to each other"],
)
def test_a_job_may_have_ended_otherwise(moments: list[Moment], workers: list[Moment], cause: list[str]) -> None:
    assert found(moments, workers)[:1] == cause


def test_a_session_that_closed_by_an_error_is_a_cause_of_its_own() -> None:
    recorded = with_facts(leaves_its_caller(20_000), Kind.SESSION_CLOSED, JOB, {keys.CLOSE_REASON: "error"})
    assert "agent-left-caller" not in found(recorded)


def test_why_an_agent_without_spans_left_by_itself_is_a_doubt() -> None:
    recorded = without(leaves_its_caller(20_000), "agent")
    explained = explain(timeline(recorded))
    assert (names(explained), explained.well is True) == ([], False)
    assert doubted(explained)["agent-left-caller"].startswith(f"check in its worker's log why agent-{JOB} left")
    lost = explain(timeline(with_facts(recorded, Kind.PARTICIPANT_LEFT, AGENT, TIMED_OUT)))
    assert "agent-left-caller" not in names(lost) + list(doubted(lost))
    assert "agent-left-caller" not in doubted(explain(timeline(without(leaves_its_caller(0), "agent"))))


def test_an_agent_without_a_session_may_not_have_been_meant_to_talk() -> None:
    silent = without(leaves_its_caller(20_000), Kind.SESSION_STARTING, Kind.SESSION_STARTED, Kind.SESSION_CLOSED)
    (finding,) = [finding for finding in findings(silent) if finding.cause.name == "agent-left-caller"]
    assert not finding.certain


def test_a_caller_who_is_still_there_is_alone_until_now() -> None:
    recorded = [m for m in leaves_its_caller(20_000) if m.time < ms(20_000)]
    (finding,) = explain(timeline(recorded, now=ms(32_510))).findings
    assert "who has been alone for at least 30 s since" in finding.sentence
    assert found(recorded, now=ms(12_000)) == []


# The caller was away.


def test_a_reason_that_the_server_reports_for_both_timeouts_is_enough() -> None:
    case = calls_again(7100)
    idle = with_facts(case.moments, Kind.ROOM_FINISHED, ROOM, {keys.ROOM_END_REASON: "ROOM_END_IDLE_TIMEOUT"})
    assert names(replace(case, moments=idle).explanation) == ["caller-away"]


def test_a_recorder_keeps_no_room_open() -> None:
    case = calls_again(7100)
    recorder: dict[str, Fact] = {keys.PARTICIPANT_IDENTITY: "EG_rec", keys.PARTICIPANT_KIND: "EGRESS"}
    recorded = [
        *case.moments,
        _cut(Kind.PARTICIPANT_JOINING, "PA_recorder", 900, "webhook", recorder),
        _webhook(Kind.PARTICIPANT_ACTIVE, "PA_recorder", 1000, recorder),
        _webhook(Kind.PARTICIPANT_LEFT, "PA_recorder", 6496, {**recorder, keys.DISCONNECT_REASON: "ROOM_CLOSED"}),
    ]
    assert names(replace(case, moments=recorded).explanation) == ["caller-away"]


# The agent's join created a room.

CLOSED = next(case for case in DISCONNECTED if case.label == "connected when all was over")
NEW = next(case for case in DISCONNECTED if case.label == "the room that the ghost made")


def later_room(first: str = "PA_ghost", at: float = 8100, joined: float = 2) -> list[Moment]:
    """The room after the closed one, and who joined it first, so many ms after it was made."""
    about = ABOUT_AGENT if first == "PA_ghost" else ABOUT_ADA
    recorded = [
        _cut(Kind.ROOM_CREATED, ROOM, 0, "webhook", ABOUT_ROOM),
        _cut(Kind.PARTICIPANT_JOINING, first, int(joined), "webhook", about),
    ]
    if first != "PA_ghost":
        recorded.append(_cut(Kind.PARTICIPANT_JOINING, "PA_ghost", 50, "webhook", ABOUT_AGENT))
    return in_room(AFTER, [moved(m, at) for m in recorded])


@pytest.mark.parametrize(
    ("later", "ghost"),
    [(later_room(), True), (later_room("PA_ada2"), False), (later_room(joined=900), False)],
    ids=["the agent made it", "a caller made it", "an API call made it"],
)
def test_a_later_room_is_a_ghost_only_if_the_agents_join_made_it(later: list[Moment], ghost: bool) -> None:
    explained = replace(CLOSED, later=later).explanation
    assert ("ghost-room" in names(explained)) is ghost
    assert all(finding.certain for finding in explained.findings if finding.cause.name == "ghost-room")


def test_a_job_whose_entrypoint_started_after_the_room_had_closed_did_no_slow_work() -> None:
    waited = [moved(m, 7000) if m.kind is Kind.JOB_ENTRYPOINT_STARTED else m for m in CLOSED.moments]
    assert "ghost-room" not in found(waited, now=ms(9000))


def test_a_room_that_may_have_closed_with_its_server_has_no_ghost() -> None:
    away: dict[str, Fact] = {keys.ROOM_SERVER_AWAY: True}
    assert NEW.earlier is not None
    died = with_facts(NEW.earlier, Kind.ROOM_FINISHED, BEFORE, away)
    reported = replace(NEW, earlier=died)
    unreported = replace(NEW, earlier=[replace(m, witness="observer") for m in died])
    assert "ghost-room" in names(reported.explanation)
    assert "ghost-room" not in names(unreported.explanation)
    closed = with_facts(CLOSED.moments, Kind.ROOM_FINISHED, ROOM, away)
    closed = [replace(m, witness="observer") if m.kind is Kind.ROOM_FINISHED else m for m in closed]
    assert "ghost-room" not in found(closed, now=ms(9000))


def test_a_room_that_may_have_closed_with_its_server_has_no_known_reason() -> None:
    away: dict[str, Fact] = {keys.ROOM_SERVER_AWAY: True}
    recorded = with_facts(call(), Kind.ROOM_FINISHED, ROOM, away)
    assert fold(ROOM, recorded).end_reason == "departure_timeout"
    assert fold(ROOM, [replace(m, witness="observer") for m in recorded]).end_reason is None


def test_a_room_to_which_a_caller_comes_too_is_no_ghost() -> None:
    caller = _cut(Kind.PARTICIPANT_JOINING, "PA_ada2", 2000, "webhook", ABOUT_ADA)
    assert "ghost-room" not in names(replace(NEW, moments=[*NEW.moments, caller]).explanation)


@pytest.mark.parametrize(("how", "ghost"), [({}, True), ({keys.ROOM_DEPARTURE_TIMEOUT: 100}, False)])
def test_an_agent_that_reconnects_makes_a_ghost_only_if_its_room_had_closed(how: dict[str, Fact], ghost: bool) -> None:
    """It was in the room before, whose end nothing explains when the timeout is another one."""
    assert NEW.earlier is not None
    there = in_room(BEFORE, [_cut(Kind.PARTICIPANT_JOINING, "PA_first", 256 - 10_000, "webhook", ABOUT_AGENT)])
    earlier = with_facts([*NEW.earlier, *there], Kind.ROOM_FINISHED, BEFORE, how)
    assert ("ghost-room" in names(replace(NEW, earlier=earlier).explanation)) is ghost


def test_a_room_that_a_reconnecting_agent_made_was_not_made_by_an_api_call() -> None:
    watched = moment(Kind.ROOM_CREATED, ROOM, ms(0), told={**ABOUT_ROOM, keys.ROOM_WATCHED: True})
    joins = _cut(Kind.PARTICIPANT_JOINING, AGENT, 900, "webhook", ABOUT_AGENT)
    assert fold(ROOM, [watched, joins]).created_by is None
    job = moment(Kind.JOB_OFFERED, JOB, ms(201), told={keys.PARTICIPANT_IDENTITY: "agent-" + JOB})
    assert fold(ROOM, [watched, joins, job]).created_by == "api"


# The caller came back to a room without an agent.


def test_an_agent_that_was_dispatched_just_before_the_caller_came_back_is_another_matter() -> None:
    asked = moment(Kind.DISPATCH_CREATED, NAMED, ms(4600), told={keys.AGENT_NAME: "helper"})
    coming = [moved(m, 4500) for m in second_agent("AD_x", "helper") if m.subject == "AJ_second"]
    assert "rejoined-without-agent" in found([*CAME_BACK])
    assert "rejoined-without-agent" not in found([*CAME_BACK, asked])
    assert "rejoined-without-agent" not in found([*CAME_BACK, *(moved(m, -700) for m in coming)])


@pytest.mark.parametrize("attributes", [{keys.HIDDEN: True}, {keys.CAN_PUBLISH: False}])
def test_a_listener_who_comes_when_all_is_over_misses_no_agent(attributes: dict[str, Fact]) -> None:
    recorded = with_facts(CAME_BACK, Kind.PARTICIPANT_JOINING, "PA_ada2", attributes)
    assert "rejoined-without-agent" not in found(recorded)


def findings(recorded: list[Moment]) -> tuple[Finding, ...]:
    return explain(timeline(recorded)).findings


# The room has just closed, and the agent's last spans are on their way.

LAST = {Kind.SESSION_CLOSED, Kind.JOB_SHUTDOWN, Kind.AGENT_DISCONNECTED, Kind.JOB_ENDED}


def just_closed(moments: list[Moment], seconds: float) -> Explanation:
    """What is said so long after the room's end, while nothing of its agent's end has come."""
    (finished,) = {m.time for m in moments if m.kind is Kind.ROOM_FINISHED and m.witness == "webhook"}
    return explain(timeline(without(moments, *LAST), now=finished + round(seconds * NS_PER_S)))


def test_who_deleted_a_room_is_not_said_before_its_agent_can_have_reported_that_it_did() -> None:
    deleted = with_facts(healthy(), Kind.PARTICIPANT_LEFT, ADA, DELETED)
    assert [f.cause.name for f in explain(timeline(deleted)).findings] == ["room-deleted"]
    early = just_closed(deleted, 2.0)
    assert early.findings == ()
    assert early.summary.endswith(f"the room closed 2.0 s ago, and job {JOB} has not reported its end.")
    assert "room-deleted" in [f.cause.name for f in just_closed(deleted, 11.0).findings]


def test_a_call_is_not_well_before_its_agent_has_reported_its_end() -> None:
    assert explain(timeline(healthy())).well is True
    assert just_closed(healthy(), 2.0).well is None
    older = with_facts(healthy(), Kind.JOB_ENTRYPOINT_STARTED, JOB, {keys.ENTRYPOINT_ONLY: True})
    early = just_closed(older, 2.0)
    assert early.summary.endswith(f"the room closed 2.0 s ago, and job {JOB} has not reported its session.")
