from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.moments import (
    ABOUT_ADA,
    ABOUT_AGENT,
    ADA,
    AGENT,
    JOB,
    ROOM,
    WORKER,
    _cut,
    _webhook,
    call,
    moment,
    ms,
)
from tests.why.cases import (
    AFTER,
    BEFORE,
    CAME_BACK,
    DISCONNECTED,
    IN_CALL,
    KILLED,
    LEFT,
    NAMED,
    OTHER,
    SECOND,
    Case,
    agent_goes,
    bob,
    calls_again,
    check,
    ended_early,
    error,
    found,
    healthy,
    in_room,
    moved,
    names,
    of_job,
    registered,
    second_agent,
    shape,
    timeline,
    with_facts,
    without,
    worker,
)
from tracer import keys
from tracer.moment import Kind
from tracer.units import NS_PER_S
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.moment import Moment

STOPPED = [*registered(), worker(Kind.WORKER_DRAINING, 1000)]
GHOST = next(case for case in DISCONNECTED if case.label == "connected when all was over")
GHOSTS_ROOM = next(case for case in DISCONNECTED if case.label == "the room that the ghost made")


@pytest.mark.parametrize("case", DISCONNECTED, ids=lambda case: f"{case.cause}: {case.label}")
def test_each_is_found_first_with_its_evidence(case: Case) -> None:
    check(case)


@pytest.mark.parametrize(("after", "names"), [(29_999, []), (30_000, ["process-killed"])])
def test_a_job_is_given_30_s_after_its_room_to_tell_its_end(after: float, names: list[str]) -> None:
    assert found(IN_CALL, now=ms(6500 + after)) == names


def test_a_process_that_failed_when_its_job_had_ended_is_no_matter() -> None:
    assert found([*healthy(), KILLED]) == []


@pytest.mark.parametrize(
    ("recorded", "sentence"),
    [
        ({keys.EXIT_CODE: -11, keys.KILLED: False}, "ended by signal 11: it did not shut down by itself."),
        ({keys.EXIT_CODE: 1}, "ended with exit code 1: it did not shut down by itself."),
        ({keys.EXIT_CODE: -9, keys.KILLED: True}, "ended by signal 9: the worker itself killed it."),
        ({keys.KILLED: True}, "ended early: the worker itself killed it."),
    ],
)
def test_how_a_process_ended(recorded: dict[str, int | bool], sentence: str) -> None:
    failed = moment(Kind.PROCESS_FAILED, JOB, ms(2000), witness="agent", clock="agent", told=recorded)
    (killed,) = explain(timeline([*IN_CALL, failed])).findings
    assert sentence in killed.sentence


@pytest.mark.parametrize("reason", ["room disconnected", "user requested", "the caller asked to", "job crashed"])
def test_a_job_that_ended_for_another_reason_was_not_cut_by_a_deploy(reason: str) -> None:
    assert found(ended_early(2500, reason), STOPPED) in ([], ["raised-after-connect"])


@pytest.mark.parametrize(
    ("at", "workers"),
    [(4105, STOPPED), (2500, registered()), (2500, [*registered(), worker(Kind.WORKER_DRAINING, 3501)]), (2500, [])],
    ids=["the caller had left", "nobody stopped it", "stopped later", "the worker reported nothing"],
)
def test_a_shutdown_is_a_deploy_only_of_a_stopped_worker_with_a_caller(at: float, workers: list[Moment]) -> None:
    assert found(ended_early(at, "parent process shutdown"), workers) == []


@pytest.mark.parametrize(
    ("reason", "at", "names"),
    [
        ("job crashed", 700, ["raised-after-connect"]),
        ("room disconnected", 700, []),
        ("job crashed", 4105, []),
    ],
)
def test_what_an_entrypoint_raises_matters_while_the_caller_is_there(reason: str, at: float, names: list[str]) -> None:
    assert found(ended_early(at, reason, error("ValueError", "no such voice"))) == names


def test_an_entrypoint_that_raised_is_known_before_its_job_has_ended() -> None:
    recorded = [m for m in without(ended_early(700, "job crashed"), ADA) if m.time < ms(701)]
    recorded += [m for m in healthy() if m.subject == ADA and m.time < ms(701)]
    (raised,) = explain(timeline(recorded, now=ms(2000))).findings
    assert (
        raised.sentence
        == f"The entrypoint of job {JOB} raised an exception, and the agent left while the caller was there."
    )


@pytest.mark.parametrize("finished", [9_900, 8_000])
def test_an_agent_is_no_ghost_while_its_room_is_open(finished: float) -> None:
    recorded = [moved(m, finished - 6500) if m.kind is Kind.ROOM_FINISHED else m for m in GHOST.moments]
    late = [] if finished > 8200 else ["ghost-room"]
    assert found(recorded, now=ms(9000))[: len(late)] == late
    assert ("ghost-room" in found(recorded, now=ms(9000))) is bool(late)


@pytest.mark.parametrize("ahead", [3600 * NS_PER_S, -3600 * NS_PER_S])
def test_an_agent_whose_joining_nobody_saw_is_no_ghost_though_its_clock_is_off(ahead: int) -> None:
    recorded = [m for m in without(healthy(), AGENT) if m.witness != "agent"]
    recorded += [moved(m, ahead / 1e6) if m.clock == "agent" else m for m in healthy() if m.witness == "agent"]
    assert found(recorded) == []


@pytest.mark.parametrize(
    ("identity", "before"),
    [
        ("my-agent", with_facts(healthy(), Kind.AGENT_CONNECTED, JOB, {keys.PARTICIPANT_IDENTITY: "my-agent"})),
        ("agent-AJ_unknown", healthy()),
        ("agent-" + JOB, without(healthy(), JOB)),
    ],
    ids=["one identity for all", "another job", "no job known"],
)
def test_an_agent_belongs_to_the_room_before_only_by_its_jobs_own_identity(identity: str, before: list[Moment]) -> None:
    about = {**ABOUT_AGENT, keys.PARTICIPANT_IDENTITY: identity}
    recorded = with_facts(GHOSTS_ROOM.moments, Kind.PARTICIPANT_JOINING, AGENT, about)
    case = replace(GHOSTS_ROOM, moments=recorded, earlier=in_room(BEFORE, [moved(m, -10_000) for m in before]))
    assert "ghost-room" not in names(case.explanation)


@pytest.mark.parametrize("reason", ["CLIENT_INITIATED", "ROOM_CLOSED", "SIGNAL_CLOSE", "UNKNOWN_REASON", "new"])
def test_who_left_for_another_reason_was_neither_removed_nor_thrown_out(reason: str) -> None:
    assert found(with_facts(healthy(), Kind.PARTICIPANT_LEFT, ADA, {keys.DISCONNECT_REASON: reason})) == []


def test_a_room_deleted_when_only_the_agent_was_in_it_is_no_matter() -> None:
    recorded = with_facts(healthy(), Kind.PARTICIPANT_LEFT, AGENT, {keys.DISCONNECT_REASON: "ROOM_DELETED"})
    assert found(recorded) == []


def test_everybody_in_a_deleted_room_is_named() -> None:
    deleted = {keys.DISCONNECT_REASON: "ROOM_DELETED"}
    recorded = with_facts([*healthy(), *bob(300, 4100)], Kind.PARTICIPANT_LEFT, ADA, deleted)
    (finding,) = explain(timeline(with_facts(recorded, Kind.PARTICIPANT_LEFT, "PA_bob", deleted))).findings
    assert "while ada, bob were in it" in finding.sentence


def test_of_several_with_one_identity_the_one_that_came_last_threw_the_first_out() -> None:
    recorded = [m for m in healthy() if (m.kind, m.subject) != (Kind.PARTICIPANT_LEFT, ADA)]
    out = {**ABOUT_ADA, keys.DISCONNECT_REASON: "DUPLICATE_IDENTITY"}
    recorded += [_webhook(Kind.PARTICIPANT_LEFT, ADA, 2000, out)]
    recorded += with_facts(bob(1999, 3000, "PA_2", ABOUT_ADA), Kind.PARTICIPANT_LEFT, "PA_2", out)
    recorded += bob(2999, 4100, "PA_3", ABOUT_ADA)
    first, second = explain(timeline(recorded)).findings
    assert shape(first)[0] == (Kind.PARTICIPANT_JOINING, "PA_2")
    assert shape(second)[0] == (Kind.PARTICIPANT_JOINING, "PA_3")


def test_who_threw_somebody_out_need_not_be_known() -> None:
    recorded = with_facts(healthy(), Kind.PARTICIPANT_LEFT, ADA, {keys.DISCONNECT_REASON: "DUPLICATE_IDENTITY"})
    (finding,) = explain(timeline(recorded)).findings
    assert shape(finding) == ((Kind.PARTICIPANT_LEFT, ADA),)


def back(*more: Moment, left: float = 11_000, webhooks_only: bool = False) -> list[Moment]:
    """Ada comes back at 5 s to a room whose agent has gone, and stays until ``left``."""
    recorded = [m for m in CAME_BACK if (m.kind, m.subject) != (Kind.PARTICIPANT_LEFT, "PA_ada2")]
    recorded += [_webhook(Kind.PARTICIPANT_LEFT, "PA_ada2", left, ABOUT_ADA), *more]
    return [m for m in recorded if m.witness != "observer"] if webhooks_only else recorded


def test_a_rejoin_is_remarkable_after_3_s_alone() -> None:
    assert found(back(left=8_094)) == []
    assert found(back(left=8_096)) == ["rejoined-without-agent"]


def test_whoever_was_asked_for_an_agent_again_is_another_matter() -> None:
    asked = moment(Kind.DISPATCH_CREATED, NAMED, ms(5500), told={keys.AGENT_NAME: "helper"})
    assert found(back(asked), registered(sid=OTHER, name="helper")) == ["worker-not-asked"]
    assert found(back(*(moved(m, 5000) for m in second_agent(NAMED, "helper") if m.subject == SECOND))) == []


def test_another_agent_that_was_there_for_a_while_is_an_agent() -> None:
    about = {keys.PARTICIPANT_IDENTITY: "guest", keys.PARTICIPANT_KIND: "AGENT"}
    guest = [
        _cut(Kind.PARTICIPANT_JOINING, "PA_guest", 7000, "webhook", about),
        _webhook(Kind.PARTICIPANT_LEFT, "PA_guest", 9000, about),
    ]
    assert found(back(*guest)) == []


def test_without_the_observer_nobody_knows_that_nobody_was_dispatched() -> None:
    (finding,) = explain(timeline(back(webhooks_only=True))).findings
    assert (finding.cause.name, finding.certain) == ("rejoined-without-agent", False)


def test_somebody_else_who_joins_when_the_agent_has_gone() -> None:
    recorded = [m for m in back() if m.subject != "PA_ada2"]
    (finding,) = explain(timeline([*recorded, *bob(5000, 11_000)])).findings
    assert finding.sentence.startswith(f"bob joined when agent-{JOB} had left")


def test_who_joins_while_the_agent_ends_finds_none_and_was_not_left_by_it() -> None:
    """The agent ends when its caller hangs up, at 2.5 s, and is gone at 4.3 s; bob joined at 4 s."""
    ends = (Kind.JOB_SHUTDOWN, Kind.AGENT_DISCONNECTED, Kind.JOB_ENDED)
    made = [m for m in back() if m.subject != "PA_ada2" and m.kind not in ends]
    made += [of_job(Kind.JOB_SHUTDOWN, 2500, {keys.SHUTDOWN_REASON: "done"}), *bob(4000, 30_000)]
    made = [moved(m, 20_000) if m.kind is Kind.ROOM_FINISHED else m for m in made]
    (finding,) = explain(timeline(made)).findings
    assert finding.cause.name == "rejoined-without-agent"
    assert finding.sentence.startswith(f"bob joined as agent-{JOB} left; the room was the same, so no agent was dis")
    assert finding.sentence.endswith("they were alone for 25.7 s.")


def test_an_agent_that_leaves_with_its_caller_is_no_matter() -> None:
    assert found(agent_goes(4300)) == []


@pytest.mark.parametrize(
    ("case", "names"),
    [
        (calls_again(7100, reason="CLIENT_INITIATED"), []),
        (calls_again(606_400, reason="SIGNAL_CLOSE"), ["caller-away"]),
        (calls_again(606_600, reason="SIGNAL_CLOSE"), []),
        (calls_again(7100, identity="eve"), []),
        (replace(calls_again(7100), moments=[m for m in calls_again(7100).moments if m.subject != AGENT]), []),
    ],
    ids=["hung up, another call", "dropped, back", "dropped, much later", "another", "no agent"],
)
def test_who_was_cut_off_and_calls_again_soon_means_the_same_call(case: Case, names: list[str]) -> None:
    assert [finding.cause.name for finding in case.explanation.findings] == names


@pytest.mark.parametrize(("after", "doubted"), [(66_400, True), (66_600, False)])
def test_whether_who_calls_again_was_cut_off_only_a_webhook_reports(after: float, doubted: bool) -> None:
    case = calls_again(after)
    unknown = with_facts(case.moments, Kind.PARTICIPANT_LEFT, ADA, {keys.DISCONNECT_REASON: None})
    explained = replace(case, moments=unknown).explanation
    assert names(explained) == []
    assert ("caller-away" in {doubt.cause.name for doubt in explained.doubts}) is doubted


def test_a_room_that_ended_for_another_reason_did_not_wait_for_its_caller() -> None:
    case = calls_again(7100)
    recorded = with_facts(case.moments, Kind.ROOM_FINISHED, ROOM, {keys.ROOM_END_REASON: "ROOM_END_API_DELETE"})
    assert names(replace(case, moments=recorded).explanation) == []


def test_the_later_room_is_named() -> None:
    (finding,) = calls_again(7100).explanation.findings
    assert AFTER in finding.sentence
    assert finding.evidence[-1].time == ms(7100 + 2.5)


def test_a_stopped_worker_without_a_closing_word_is_evidence_enough() -> None:
    (finding,) = explain(timeline(ended_early(2500, "parent process shutdown"), STOPPED)).findings
    assert shape(finding) == ((Kind.WORKER_DRAINING, WORKER), (Kind.JOB_SHUTDOWN, JOB))


def test_a_job_that_reports_no_end_after_its_caller_left_is_not_shut_down_by_anyone() -> None:
    recorded = [m for m in healthy() if m.kind not in (Kind.JOB_SHUTDOWN, Kind.AGENT_DISCONNECTED, Kind.JOB_ENDED)]
    recorded.append(of_job(Kind.JOB_SHUTDOWN, LEFT, {keys.SHUTDOWN_REASON: "parent process shutdown"}))
    assert found(recorded, STOPPED, now=ms(LEFT + 300)) == []


@pytest.mark.parametrize(("reason", "doubted"), [("room disconnected", True), ("user requested", False)])
def test_an_agent_that_left_its_caller_without_a_known_reason_is_a_doubt(reason: str, doubted: bool) -> None:
    """Without webhooks nothing reports why somebody left; an agent that hung up by itself does."""
    early = {Kind.JOB_SHUTDOWN: 500, Kind.AGENT_DISCONNECTED: 520, Kind.SESSION_CLOSED: 510, Kind.JOB_ENDED: 540}
    recorded = [m for m in call() if m.witness != "webhook" and not (m.kind in early and m.subject == JOB)]
    recorded += [
        moment(kind, JOB, ms(at), witness="agent", clock="agent", told={keys.SHUTDOWN_REASON: reason})
        for kind, at in early.items()
        if kind is not Kind.SESSION_CLOSED
    ]
    recorded.append(moment(Kind.PARTICIPANT_JOINING, AGENT, ms(256), told=ABOUT_AGENT))
    recorded.append(moment(Kind.PARTICIPANT_LEFT, AGENT, ms(510), ms(520), clock="receiver"))
    recorded.append(moment(Kind.PARTICIPANT_LEFT, ADA, ms(6000), ms(6010), clock="receiver"))
    recorded.append(moment(Kind.ROOM_FINISHED, ROOM, ms(8000), ms(8010), clock="receiver"))
    explained = explain(timeline(recorded))
    assert ("removed" in {doubt.cause.name for doubt in explained.doubts}) is doubted


def test_a_process_that_was_killed_before_it_told_anything_is_lost_as_well() -> None:
    of_worker = {Kind.JOB_OFFERED, Kind.JOB_RECEIVED, Kind.JOB_ACCEPTED}
    recorded = [m for m in without(healthy(), AGENT) if m.subject != JOB or m.kind in of_worker]
    killed = timeline([*recorded, KILLED], registered())
    assert killed.lost(killed.jobs[0]) is not None
    (finding,) = explain(killed).findings
    assert finding.cause.name == "process-killed"
    assert shape(finding) == ((Kind.JOB_ACCEPTED, JOB), (Kind.PROCESS_FAILED, JOB))
