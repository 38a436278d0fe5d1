"""Calls that are well, or fail for another reason, and look as if a cause were there."""

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
    MICROPHONE,
    ROOM,
    SESSION,
    _cut,
    _webhook,
    moment,
    ms,
)
from tests.why.cases import (
    AFTER,
    BOB,
    BOBS,
    DISCONNECTED,
    HUNG_UP,
    NAMED,
    OTHER,
    STAYS,
    agent_goes,
    asked_again,
    bob,
    calls_again,
    delayed,
    ended_early,
    error,
    found,
    healthy,
    lonely,
    monitored,
    moved,
    names,
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
from tracer.timeline.overdue import expected
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.moment import Moment

LEFT = Kind.PARTICIPANT_LEFT
SIP = {keys.PARTICIPANT_IDENTITY: "human", keys.PARTICIPANT_KIND: "SIP"}


def sureness(moments: list[Moment], workers: list[Moment]) -> list[tuple[str, bool]]:
    return [(f.cause.name, f.certain) for f in explain(timeline(moments, workers)).findings]


def ends_the_call(reason: str) -> list[Moment]:
    """The agent hangs up, as EndCallTool does: closes its session, shuts down, throws the caller out."""
    recorded = without(healthy(), Kind.SESSION_CLOSED, Kind.JOB_SHUTDOWN, Kind.AGENT_DISCONNECTED, Kind.JOB_ENDED, LEFT)
    return [
        *recorded,
        of_job(Kind.SESSION_CLOSED, 4000, occurrence=SESSION),
        of_job(Kind.JOB_SHUTDOWN, 4003, {keys.SHUTDOWN_REASON: "user_initiated"}),
        _webhook(LEFT, ADA, 4030, {**ABOUT_ADA, keys.DISCONNECT_REASON: reason}),
        _webhook(LEFT, AGENT, 4031, {**ABOUT_AGENT, **HUNG_UP}),
        of_job(Kind.JOB_ENDED, 4060, {keys.JOB_STATUS: "JS_SUCCESS"}),
    ]


@pytest.mark.parametrize("reason", ["ROOM_DELETED", "PARTICIPANT_REMOVED"])
def test_an_agent_that_hangs_up_throws_nobody_out(reason: str) -> None:
    assert found(ends_the_call(reason), registered()) == []


@pytest.mark.parametrize(
    ("whom", "asked", "names"),
    [("ada", 3990, []), ("bob", 3990, ["removed"]), ("ada", 5900, ["removed"]), ("ada", None, ["removed"])],
)
def test_an_agent_that_removes_its_caller_hangs_up_and_stays(whom: str, asked: float | None, names: list[str]) -> None:
    recorded = with_facts(healthy(), LEFT, ADA, {keys.DISCONNECT_REASON: "PARTICIPANT_REMOVED"})
    if asked is not None:
        recorded.append(of_job(Kind.AGENT_REMOVING_PARTICIPANT, asked, {keys.PARTICIPANT_IDENTITY: whom}))
    assert found(recorded, registered()) == names
    assert explain(timeline(recorded, registered())).well is not bool(names)
    # Without identities in the store it is anybody whom the agent removed.
    redacted = [m.redacted() for m in recorded]
    assert found(redacted, registered()) == (["removed"] if asked in (None, 5900) else [])


def test_an_agent_that_is_removed_when_its_caller_has_gone_is_no_matter() -> None:
    assert found(agent_goes(4300, "PARTICIPANT_REMOVED"), registered()) == []


def warm_transfer() -> list[Moment]:
    """livekit-agents' WarmTransferTask: a human is moved in, the session closes, the job stays to delete the room."""
    return [
        *(m for m in healthy() if m.time < ms(4000)),
        _cut(Kind.PARTICIPANT_JOINING, BOB, 2000, "webhook", SIP),
        _webhook(Kind.PARTICIPANT_ACTIVE, BOB, 2095, SIP),
        of_job(Kind.SESSION_CLOSED, 3000, occurrence=SESSION),
        _webhook(LEFT, ADA, 50_000, {**ABOUT_ADA, **HUNG_UP}),
        _webhook(LEFT, BOB, 50_150, {**SIP, keys.DISCONNECT_REASON: "ROOM_DELETED"}),
        _webhook(LEFT, AGENT, 50_151, {**ABOUT_AGENT, keys.DISCONNECT_REASON: "ROOM_DELETED"}),
        _webhook(Kind.ROOM_FINISHED, ROOM, 50_155, ABOUT_ROOM),
        of_job(Kind.JOB_SHUTDOWN, 50_160, {keys.SHUTDOWN_REASON: "room disconnected"}),
        of_job(Kind.JOB_ENDED, 50_180, {keys.JOB_STATUS: "JS_SUCCESS"}),
    ]


def test_a_warm_transfer_is_not_surely_silence_and_its_end_no_deletion() -> None:
    assert sureness(warm_transfer(), registered()) == [("session-closed", False)]


@pytest.mark.parametrize("joined", [2500, 3200], ids=["before it leaves", "after it has left"])
def test_an_agent_that_hands_its_caller_over_left_nobody_alone(joined: float) -> None:
    recorded = [m for m in ended_early(2990, "transferred") if (m.kind, m.subject) != (LEFT, ADA)]
    recorded = without(recorded, Kind.ROOM_FINISHED)
    recorded += [*bob(joined, 50_050), _webhook(LEFT, ADA, 50_000, {**ABOUT_ADA, **HUNG_UP})]
    assert found(recorded, registered()) == []


def test_an_agent_that_reports_nothing_may_answer() -> None:
    recorded = [*STAYS, *second_agent(NAMED, "helper")]
    assert ("session-closed", False) in sureness(recorded, registered())


@pytest.mark.parametrize("workers", [[], registered(2000, name="helper")])
def test_a_dispatch_that_was_tried_again_with_success_made_the_agent_late_and_no_more(workers: list[Moment]) -> None:
    assert found(asked_again(3000), workers) == ["asked-again"]
    assert found(asked_again(900), workers) == []


def test_names_that_only_resemble_each_other_can_both_be_meant() -> None:
    assert sureness(lonely("outbound-agent"), registered(name="inbound-agent")) == [("no-worker", False)]
    assert sureness(lonely("my_agent"), registered(name="My-Agent")) == [("no-worker", True)]


def test_an_unnamed_worker_that_serves_the_room_is_hardly_the_one_that_was_named() -> None:
    asked = moment(Kind.DISPATCH_CREATED, NAMED, ms(500), told={keys.AGENT_NAME: "supervisor"})
    assert sureness([*healthy(), asked], registered()) == [("worker-is-unnamed", False)]


def test_people_among_themselves_may_want_no_agent() -> None:
    recorded = [*lonely(), *bob(300, 11_000)]
    assert sureness(recorded, registered(name="helper")) == []
    assert sureness(recorded, []) == []
    assert sureness([*lonely(), *bob(300, 2000)], []) == [("no-worker", False)]  # they hardly met
    assert sureness([*lonely("helper"), *bob(300, 11_000)], []) == [("no-worker", False)]


def test_a_worker_that_is_stopped_after_the_webhooks_of_the_end_were_lost_did_not_surely_cut_the_call() -> None:
    recorded = ended_early(2500, "parent process shutdown")
    draining = [*registered(), worker(Kind.WORKER_DRAINING, 1000), worker(Kind.WORKER_CLOSED, 2600)]
    assert sureness(recorded, draining) == [("deployed", True)]
    end = {(LEFT, ADA), (Kind.ROOM_FINISHED, ROOM), (Kind.TRACK_UNPUBLISHED, MICROPHONE)}
    lost = [m for m in recorded if (m.kind, m.subject) not in end]
    lost += bob(8000, 9000)
    assert sureness(without(lost, "observer"), draining)[0] == ("deployed", False)
    assert sureness(lost, draining)[0] == ("deployed", True)  # who is polled is there


def over_at_once(*agent: Moment) -> list[Moment]:
    """The caller hangs up and the backend deletes the room while the agent is JOINING."""
    recorded = [m for m in healthy() if m.time < ms(257) and m.subject != MICROPHONE]
    gone = [_webhook(LEFT, ADA, 300, {**ABOUT_ADA, **HUNG_UP}), _webhook(Kind.ROOM_FINISHED, ROOM, 311, ABOUT_ROOM)]
    return [*recorded, *gone, *agent]


def test_an_agent_that_was_connecting_when_the_room_ended_did_not_fail() -> None:
    failed = error("ConnectError", "room closed")
    deleted = {**ABOUT_AGENT, keys.DISCONNECT_REASON: "ROOM_DELETED"}
    recorded = over_at_once(
        _webhook(Kind.PARTICIPANT_ABORTED, AGENT, 310, deleted), of_job(Kind.JOB_ENDED, 330, failed)
    )
    assert found(recorded) == []
    assert found(with_facts(recorded, Kind.AGENT_CONNECTING, JOB, failed)) == []


def test_an_avatar_without_media_is_not_the_agent() -> None:
    about = {keys.PARTICIPANT_IDENTITY: "avatar", keys.PARTICIPANT_KIND: "AGENT"}
    avatar = [
        _cut(Kind.PARTICIPANT_JOINING, "PA_avatar", 500, "webhook", about),
        _webhook(Kind.PARTICIPANT_ABORTED, "PA_avatar", 4090, about),
    ]
    assert found([*healthy(), *avatar]) == []


@pytest.mark.parametrize(
    "since", [Kind.JOB_PROCESS_ASSIGNED, Kind.AGENT_CONNECTING, Kind.AGENT_WAITING_FOR_PARTICIPANT]
)
def test_nothing_is_late_while_nobody_waits(since: Kind) -> None:
    assert found(precreated(delayed(healthy(), since, 4000))) == []


def precreated(recorded: list[Moment], by: float = 40_000) -> list[Moment]:
    """The room is made 40 s before its caller comes."""
    before = [m for m in recorded if m.subject not in (ADA, MICROPHONE)]
    last = Kind.AGENT_WAITING_FOR_PARTICIPANT.rank
    return [m if m.kind.rank <= last and m in before else moved(m, by) for m in recorded]


def test_an_agent_that_waits_for_its_caller_by_means_of_its_own_is_not_slow() -> None:
    recorded = without(precreated(healthy()), Kind.AGENT_WAITING_FOR_PARTICIPANT, Kind.AGENT_PARTICIPANT_READY)
    assert found(recorded) == []


def test_an_agent_that_calls_somebody_waits_for_an_answer() -> None:
    recorded = without(healthy(), ADA, MICROPHONE, Kind.AGENT_WAITING_FOR_PARTICIPANT, Kind.AGENT_PARTICIPANT_READY)
    recorded = [moved(m, 12_000) if m.time >= ms(363) else m for m in recorded]
    recorded += [
        _cut(Kind.PARTICIPANT_JOINING, ADA, 700, "webhook", SIP),
        _webhook(Kind.PARTICIPANT_ACTIVE, ADA, 800, SIP),
    ]
    recorded += [_webhook(LEFT, ADA, 16_100, {**SIP, **HUNG_UP})]
    assert sureness(recorded, registered()) == [("slow-code", False)]


@pytest.mark.parametrize("reason", [None, "PARTICIPANT_REMOVED", "CLIENT_INITIATED"])
def test_who_is_not_known_to_have_been_cut_off_calls_again_as_anybody(reason: str | None) -> None:
    case = calls_again(500_000)
    recorded = [*without(case.moments, LEFT), _webhook(LEFT, ADA, 4100, {**ABOUT_ADA, keys.DISCONNECT_REASON: reason})]
    assert "caller-away" not in names(replace(case, moments=recorded).explanation)


def test_an_agent_that_had_left_did_not_go_with_the_room() -> None:
    case = calls_again(7100, reason="SIGNAL_CLOSE")
    recorded = with_facts(ended_early(3000, "goodbye"), LEFT, ADA, {keys.DISCONNECT_REASON: "SIGNAL_CLOSE"})
    assert names(replace(case, moments=recorded).explanation) == []
    assert AFTER in case.timeline.later.room.sid  # type: ignore[union-attr]


def test_an_agent_asked_for_anew_may_take_over_from_one_that_is_dead() -> None:
    recorded = [moved(m, 60_000) if m.time > ms(4000) else m for m in without(healthy(), "agent")]
    again = [moved(m, 60_000) if m.kind is LEFT else m for m in second_agent(NAMED, "", at=30_000)]
    assert ("dispatched-twice", False) in [
        (f.cause.name, f.certain) for f in explain(timeline([*recorded, *again], now=ms(120_000))).findings
    ]


def test_a_job_that_the_server_ended_was_not_cut_by_the_drain_of_its_worker() -> None:
    recorded = [m for m in ended_early(2500, "parent process shutdown") if (m.kind, m.subject) != (LEFT, AGENT)]
    recorded.append(_webhook(LEFT, AGENT, 2490, {**ABOUT_AGENT, keys.DISCONNECT_REASON: "PARTICIPANT_REMOVED"}))
    draining = [*registered(), worker(Kind.WORKER_DRAINING, 1000), worker(Kind.WORKER_CLOSED, 9000)]
    assert sureness(recorded, draining) == [("removed", True), ("deployed", False)]


def test_a_picture_says_nothing() -> None:
    assert found(with_facts(monitored(), Kind.TRACK_PUBLISHED, MICROPHONE, {keys.TRACK_SOURCE: "CAMERA"})) == []
    assert BOBS not in {m.subject for m in monitored()}


def test_an_agent_that_joins_a_room_made_by_its_caller_did_not_make_it() -> None:
    ghost = next(case for case in DISCONNECTED if case.label == "the room that the ghost made")
    recorded = [m for m in lonely() if m.kind in (Kind.ROOM_CREATED, Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_ACTIVE)]
    recorded.append(_cut(Kind.PARTICIPANT_JOINING, AGENT, 900, "webhook", ABOUT_AGENT))
    assert "ghost-room" not in names(replace(ghost, moments=recorded).explanation)


def test_two_that_throw_each_other_out_are_two() -> None:
    out = {**ABOUT_ADA, keys.DISCONNECT_REASON: "DUPLICATE_IDENTITY"}
    recorded = [m for m in healthy() if (m.kind, m.subject) != (LEFT, ADA)] + [_webhook(LEFT, ADA, 2000, out)]
    again = with_facts(bob(1999, 3000, "PA_2", ABOUT_ADA), LEFT, "PA_2", out)
    assert sureness([*recorded, *bob(1999, 4100, "PA_2", ABOUT_ADA)], []) == [("duplicate-identity", False)]
    twice = sureness([*recorded, *again, *bob(2999, 4100, "PA_3", ABOUT_ADA)], [])
    assert twice == [("duplicate-identity", True)] * 2


def test_a_worker_that_is_not_instrumented_may_be_ours() -> None:
    recorded = without(with_facts(healthy(), Kind.JOB_OFFERED, JOB, {keys.WORKER_ID: OTHER}), "agent")
    assert sureness(recorded, registered()) == [("foreign-worker", False)]


@pytest.mark.parametrize(("job_type", "since"), [("JT_PARTICIPANT", ms(1)), ("JT_PUBLISHER", ms(100))])
def test_a_worker_for_each_caller_is_not_missing_before_there_is_one(job_type: str, since: int) -> None:
    recorded = worker(Kind.WORKER_REGISTERED, -1000, attributes={keys.JOB_TYPE: job_type})
    full = worker(Kind.WORKER_FULL, -500)
    nobody = [m for m in lonely() if m.time < since]
    alone = timeline(nobody, [recorded, full], now=ms(60_000))
    assert expected(alone) == [] or {missing.what for missing in expected(alone)} == {"not ACTIVE"}
    assert explain(alone).findings == ()
    assert explain(timeline(lonely(), [recorded, full])).findings[0].cause.name == "workers-full"
