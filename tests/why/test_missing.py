from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.moments import (
    ABOUT_ADA,
    ABOUT_AGENT,
    ABOUT_JOB,
    ADA,
    AGENT,
    DISPATCH,
    JOB,
    ROOM,
    WORKER,
    _cut,
    _webhook,
    moment,
    ms,
)
from tests.why.cases import (
    ASKED,
    CLOSED,
    HELPER,
    HUNG_UP,
    LOST,
    MISSING,
    NO_PROCESS,
    OTHER,
    REGISTERED,
    Case,
    check,
    doubted,
    error,
    found,
    healthy,
    lonely,
    moved,
    of_job,
    offered,
    refused,
    registered,
    shape,
    timeline,
    until,
    with_facts,
    without,
    worker,
)
from tracer import keys
from tracer.moment import Kind
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.moment import Moment
    from tracer.why import Finding

OPEN = without(lonely("helper"), Kind.PARTICIPANT_LEFT, Kind.ROOM_FINISHED)
ACTIVE_AGENT = [
    _cut(Kind.PARTICIPANT_JOINING, AGENT, 256, "webhook", ABOUT_AGENT),
    _webhook(Kind.PARTICIPANT_ACTIVE, AGENT, 351, ABOUT_AGENT),
]


def first(moments: list[Moment], workers: list[Moment], now: int = ms(60_000)) -> Finding:
    return explain(timeline(moments, workers, now=now)).findings[0]


@pytest.mark.parametrize("case", MISSING, ids=lambda case: f"{case.cause}: {case.label}")
def test_each_is_found_first_with_its_evidence(case: Case) -> None:
    check(case)


@pytest.mark.parametrize(("after", "names"), [(7_999, []), (8_000, ["no-worker"])])
def test_a_dispatch_is_given_time_to_be_answered(after: float, names: list[str]) -> None:
    assert found(OPEN, now=ms(0.7 + after)) == names


def test_who_reports_itself_would_have_reported_a_job_at_once() -> None:
    short = [moved(m, 2000 - CLOSED) if m.kind is Kind.ROOM_FINISHED else m for m in lonely("helper")]
    assert found(short) == []
    assert found(short, registered(name="other")) == ["no-worker"]
    gone = worker(Kind.WORKER_CLOSED, -10, name="other")
    assert found(short, [*registered(name="other"), gone]) == []


def test_no_dispatch_is_missed_where_an_agent_came_of_which_no_job_is_known() -> None:
    assert found([*lonely("helper"), *ACTIVE_AGENT]) == []


def test_the_unnamed_dispatch_does_not_count_beside_a_named_one() -> None:
    named = moment(Kind.DISPATCH_CREATED, "AD_named", ms(500), told={keys.AGENT_NAME: "helper"})
    (only,) = explain(timeline([*lonely(), named], registered(name="Helper"))).findings
    assert only.cause.name == "no-worker"
    assert shape(only) == (REGISTERED, (Kind.DISPATCH_CREATED, "AD_named"))


@pytest.mark.parametrize(
    ("name", "workers", "cause", "certain"),
    [
        # Another worker that reports nothing can have been full.
        ("billing", [*registered(name="helper"), *registered(sid=OTHER, name="sales")], "no-worker", False),
        # Workers of other names that had closed, or came later, were not there.
        ("helper", [*registered(), worker(Kind.WORKER_CLOSED, -10)], "no-worker", False),
        ("", [*registered(name="helper"), worker(Kind.WORKER_CLOSED, -10, name="helper")], "no-worker", False),
        ("", registered(500, name="helper"), "no-worker", False),
        # One of two had closed before.
        ("", [*registered(), *registered(sid=OTHER), worker(Kind.WORKER_CLOSED, -10)], "worker-not-asked", False),
        # Whether it registered before or after depends on two clocks.
        ("", registered(500), "late-worker", False),
        ("", registered(1_001), "late-worker", True),
        # It has been full since, or is being stopped: then it can have been there before, and its clock be ahead.
        ("", [*registered(3000), worker(Kind.WORKER_FULL, 3500)], "late-worker", False),
        ("", registered(CLOSED + 1000), "late-worker", False),
        # A worker that came back under the same name.
        ("", [*registered(), worker(Kind.WORKER_CLOSED, -500), *registered(4000, OTHER)], "late-worker", False),
        ("", registered(-1), "worker-not-asked", False),
        # Full, and available again.
        ("", [*registered(), worker(Kind.WORKER_FULL, -900), worker(Kind.WORKER_AVAILABLE, -1)],
         "worker-not-asked", False),
        # Its last word, long ago: it may be gone.
        ("", [*registered(-900_000), worker(Kind.WORKER_FULL, -60_001)], "workers-full", False),
        ("", [*registered(-900_000), worker(Kind.WORKER_DRAINING, -60_001)], "worker-draining", False),
        ("", [*registered(-900_000), worker(Kind.WORKER_FULL, -60_001), worker(Kind.WORKER_AVAILABLE, 20_000)],
         "workers-full", True),
        # One full, one not.
        ("", [*registered(), worker(Kind.WORKER_FULL, -900), *registered(sid=OTHER)], "worker-not-asked", False),
    ],
)  # fmt: skip
def test_what_workers_told_decides(name: str, workers: list[Moment], cause: str, certain: bool) -> None:
    findings = explain(timeline(lonely(name), workers)).findings
    assert [(finding.cause.name, finding.certain) for finding in findings] == [(cause, certain)]


def test_every_full_worker_is_evidence() -> None:
    workers = [*registered(), worker(Kind.WORKER_FULL, -900), *registered(sid=OTHER)]
    finding = first(lonely(), [*workers, worker(Kind.WORKER_FULL, -300, OTHER, attributes={keys.WORKER_LOAD: 0.71})])
    assert "found all 2 workers at full capacity (load 0.71)" in finding.sentence
    assert shape(finding) == ((Kind.WORKER_FULL, WORKER), (Kind.WORKER_FULL, OTHER), ASKED)


@pytest.mark.parametrize(("joined", "cause"), [(0, "worker-is-named"), (3000, "room-existed")])
def test_whether_the_join_made_the_room_tells_a_named_worker_from_ignored_agents(joined: float, cause: str) -> None:
    assert found(lonely(joined=joined), registered(name="helper")) == [cause]


def test_who_made_the_room_cannot_always_be_told() -> None:
    unwatched = with_facts(lonely(joined=3000), Kind.ROOM_CREATED, ROOM, {keys.ROOM_WATCHED: None})
    explanation = explain(timeline(unwatched, registered(name="helper")))
    (only,) = explanation.findings
    assert (only.cause.name, only.certain) == ("worker-is-named", False)
    assert "RoomConfiguration.agents" in doubted(explanation)["room-existed"]


@pytest.mark.parametrize(("took", "names"), [(3_000, []), (3_001, ["slow-request"])])
def test_an_answer_is_slow_after_3_s(took: float, names: list[str]) -> None:
    accepted = of_job(Kind.JOB_ACCEPTED, 201.4 + took, ABOUT_JOB, WORKER)
    assert found([*lonely(), *until(Kind.JOB_RECEIVED), accepted, LOST]) == names


def test_a_worker_that_told_something_later_has_really_not_answered() -> None:
    recorded = with_facts(
        [*lonely(), *until(Kind.JOB_RECEIVED)], Kind.JOB_OFFERED, JOB, {keys.JOB_STATUS: "JS_PENDING"}
    )
    finding = first(recorded, [*registered(), worker(Kind.WORKER_FULL, 4000)], ms(10_201.4))
    assert "has not answered in 10.0 s" in finding.sentence
    assert finding.certain
    assert found(recorded, now=ms(3_201)) == []
    runs = with_facts(recorded, Kind.JOB_OFFERED, JOB, {keys.JOB_STATUS: "JS_RUNNING"})
    assert not first(runs, [*registered(), worker(Kind.WORKER_FULL, 4000)], ms(10_201.4)).certain


def test_what_load_fnc_took_of_a_late_answer_is_named_only_where_it_was_most_of_it() -> None:
    said = []
    for load_took in (0.002, 1.9, 2.1):
        about = {**ABOUT_JOB, keys.LOAD_TOOK: load_took}
        accepted = of_job(Kind.JOB_ACCEPTED, 4201.4, about, WORKER)
        finding = first([*lonely(), *until(Kind.JOB_RECEIVED), accepted, LOST], [])
        said.append(("load_fnc" in finding.sentence, "load_fnc" in finding.advice))
    assert said == [(False, False), (False, False), (True, True)]


def test_a_late_refusal_is_a_refusal() -> None:
    assert found([*lonely(), *refused("rejected", at=5_000)]) == ["rejected"]


def test_the_worker_that_refused_is_the_evidence_and_not_another_that_was_asked() -> None:
    # The first one rejected and another is asked, which raises.
    recorded = [*lonely(), *refused("rejected")]
    recorded += [
        of_job(Kind.JOB_RECEIVED, 300, None, OTHER),
        of_job(Kind.JOB_REJECTED, 301, {keys.JOB_ANSWER: "raised", keys.ERROR_TYPE: "KeyError"}, OTHER),
    ]
    rejected, raised = explain(timeline(recorded)).findings
    assert (rejected.cause.name, raised.cause.name) == ("rejected", "request-raised")
    assert raised.sentence == f"Worker {OTHER} was offered the job, and its request_fnc raised an exception: KeyError."
    assert [step.occurrence for step in raised.evidence] == ["", OTHER, OTHER]


@pytest.mark.parametrize(
    "recorded",
    [
        refused("newer than we know"),
        offered("JS_SUCCESS", 202),
        offered("JS_FAILED", 201),
        offered("JS_RUNNING"),
        with_facts(offered("JS_SUCCESS", 201), Kind.JOB_OFFERED, JOB, {keys.PARTICIPANT_IDENTITY: "agent-" + JOB}),
    ],
    ids=["unknown", "took time", "failed", "running", "has an identity"],
)
def test_no_refusal_is_read_into_a_job(recorded: list[Moment]) -> None:
    assert found([*lonely(), *recorded]) == []


@pytest.mark.parametrize(
    ("job", "failed", "now"),
    [
        (until(Kind.JOB_ASSIGNED), [worker(Kind.PROCESS_FAILED, -5_000)], ms(60_000)),
        (until(Kind.JOB_ASSIGNED), [worker(Kind.PROCESS_FAILED, 900, OTHER)], ms(60_000)),
        (until(Kind.JOB_ASSIGNED), [worker(Kind.PROCESS_FAILED, 900)], ms(10_202)),
        ([*until(Kind.JOB_ACCEPTED), LOST], [worker(Kind.PROCESS_FAILED, 900)], ms(60_000)),
        (until(Kind.JOB_ASSIGNED), [], ms(60_000)),
    ],
    ids=["long before", "of another worker", "not yet 10 s", "never assigned", "none failed"],
)
def test_a_process_of_the_workers_that_failed_need_not_be_this_jobs(
    job: list[Moment], failed: list[Moment], now: int
) -> None:
    assert "process-failed" not in found([*lonely(), *job], [*registered(), *failed], now=now)


def test_a_process_that_took_too_long_is_not_the_fault_of_setup_fnc_alone() -> None:
    # The worker starts another one each time, also when the call has been over for long.
    slow = [worker(Kind.PROCESS_FAILED, at, attributes=error("TimeoutError", "timed out")) for at in (10_900, 57_000)]
    workers = [*registered(), *slow]
    recorded = [*lonely(), *until(Kind.JOB_ASSIGNED)]
    (finding,) = explain(timeline(recorded, workers, now=ms(60_000))).findings
    assert (finding.cause.name, finding.certain) == ("process-failed", True)
    there = [m for m in recorded if m.kind not in (Kind.ROOM_FINISHED, Kind.PARTICIPANT_LEFT)]
    (likely,) = explain(timeline(there, workers, now=ms(20_000))).findings
    assert (likely.cause.name, likely.certain) == ("process-failed", False)  # the next one may start yet
    assert [step.time for step in finding.evidence if step.kind is Kind.PROCESS_FAILED] == [ms(10_900)]
    assert "CPU" in finding.advice


def test_a_process_that_failed_after_the_entrypoint_had_started_came_up() -> None:
    recorded = [*lonely(), *until(Kind.JOB_ENTRYPOINT_STARTED), NO_PROCESS]
    assert found(recorded) == ["process-killed"]


@pytest.mark.parametrize(
    ("last", "names"),
    [
        (Kind.JOB_ENTRYPOINT_STARTED, ["raised-before-connect"]),
        (Kind.AGENT_CONNECTING, []),  # on its way the server ended it
    ],
)
def test_what_raises_after_connect_began_is_another_matter(last: Kind, names: list[str]) -> None:
    assert found([*lonely(), *until(last), of_job(Kind.JOB_ENDED, 1300, error("KeyError", "'MODEL'"))]) == names


@pytest.mark.parametrize(("now", "names"), [(10_207, []), (10_208, ["never-connected"])])
def test_an_entrypoint_is_given_10_s_to_connect(now: float, names: list[str]) -> None:
    opened = without([*lonely(), *until(Kind.JOB_ENTRYPOINT_STARTED)], Kind.PARTICIPANT_LEFT, Kind.ROOM_FINISHED)
    assert found(opened, now=ms(now)) == names


def test_an_entrypoint_whose_room_closes_may_have_been_about_to_connect() -> None:
    recorded = [*lonely(), *until(Kind.JOB_ENTRYPOINT_STARTED)]
    short = [moved(m, 2500 - m.time / 1e6 + ms(0) / 1e6) if m.kind is Kind.ROOM_FINISHED else m for m in recorded]
    assert found(short, now=ms(5000)) == []
    finding = first(short, [], ms(11_000))
    assert (finding.cause.name, finding.certain) == ("never-connected", False)
    assert "ran for 2.3 s" in finding.sentence


def test_an_agent_that_is_active_is_connected_whatever_it_told() -> None:
    opened = without([*lonely(), *until(Kind.AGENT_CONNECTING)], Kind.PARTICIPANT_LEFT, Kind.ROOM_FINISHED)
    opened = with_facts(opened, Kind.JOB_OFFERED, JOB, ABOUT_AGENT)
    assert found([*opened, *ACTIVE_AGENT], now=ms(60_000)) == []
    assert found(opened, now=ms(15_212)) == []
    assert found(opened, now=ms(15_213)) == ["connect-failed"]


def test_without_any_worker_that_reports_each_reason_is_a_doubt_and_says_what_to_look_for() -> None:
    doubts = doubted(explain(timeline(lonely("helper"))))
    assert {name: how.partition("its log for ")[2] for name, how in doubts.items()} == {
        "late-worker": "“registered worker” and its time",
        "workers-full": "“worker is at full capacity”",
        "slow-request": "“assignment for job … timed out”",
        "request-raised": "“job_request_fnc failed”",
        "load-fnc-raised": "“Error in _load_task”",
        "request-unanswered": "“no answer was given inside the job_request_fnc”",
    }
    assert ["tracer.instrument" in how for how in doubts.values()] == [True, False, False, False, False, False]
    assert doubted(explain(timeline(lonely("helper"), registered(name="helper")))) == {}


def test_of_a_job_that_runs_and_reports_nothing_there_are_doubts() -> None:
    explanation = explain(timeline([*lonely(), *offered("JS_RUNNING")]))
    assert explanation.findings == ()
    assert explanation.summary == "No agent joined, and the recorded events don't explain why: a job was offered."
    assert doubted(explanation).keys() >= {"process-failed", "raised-before-connect", "never-connected"}


def test_without_the_observer_a_jobs_own_word_is_enough() -> None:
    raised = next(case for case in MISSING if case.cause == "raised-before-connect")
    assert found([m for m in raised.moments if m.witness != "observer"]) == ["raised-before-connect"]


def test_a_healthy_agent_beside_a_dispatch_of_another_name() -> None:
    named = moment(Kind.DISPATCH_CREATED, "AD_named", ms(500), told={keys.AGENT_NAME: "helper"})
    assert found([*healthy(), named], registered()) == ["worker-is-unnamed"]
    assert found([*healthy(), named], [*registered(), *registered(sid=HELPER, name="helper")]) == ["worker-not-asked"]
    summary = explain(timeline([*healthy(), named])).summary
    assert summary.startswith("No agent joined for the dispatch of 'helper', and the recorded events don't explain why")


def test_a_caller_who_left_at_once_needed_nobody_and_is_told_of_all_the_same() -> None:
    gone = _webhook(Kind.PARTICIPANT_LEFT, ADA, 150, {**ABOUT_ADA, **HUNG_UP})
    kept = [m for m in lonely("helper") if m.kind is not Kind.PARTICIPANT_LEFT]
    assert found([*kept, gone]) == ["no-worker"]
    assert DISPATCH in {step.subject for step in first([*kept, gone], []).evidence}
