"""Workers that were registered and not asked, and what resembles them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.moments import ABOUT_JOB, JOB, WORKER, _agent, moment, ms
from tests.why.cases import (
    OTHER,
    again,
    asked_elsewhere,
    found,
    frozen,
    load,
    lonely,
    of_job,
    refused,
    registered,
    reserved,
    timeline,
    worker,
)
from tracer import keys
from tracer.moment import Kind
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.moment import Moment
    from tracer.why import Finding

BLUE = {keys.DEPLOYMENT: "blue"}
LATER = asked_elsewhere(27_000)


def findings(workers: list[Moment], moments: list[Moment] | None = None) -> tuple[Finding, ...]:
    return explain(timeline(moments or lonely(), workers)).findings


@pytest.mark.parametrize(
    ("workers", "cause", "certain"),
    [
        # The server's limit counts, whatever the worker calls itself.
        ([*load(0.70, -5000)], "load-above-limit", True),
        ([*load(0.69, -5000)], "worker-not-asked", False),
        # It was high, and is not any more; or it is so only now; or that depends on two clocks.
        ([*load(0.9, -9000), *load(0.2, -5000)], "worker-not-asked", False),
        ([*load(0.2, -9000), *load(0.9, 5000)], "worker-not-asked", False),
        ([*load(0.9, -9000), *load(0.2, 500)], "worker-not-asked", False),
        # Long ago, and nothing since: it may be gone.
        ([*load(0.9, -300_000)], "load-above-limit", False),
        ([*load(0.9, -300_000), *LATER], "load-above-limit", True),
        # A second worker that had capacity would have been asked, if it was there.
        ([*load(0.9, -5000), *registered(sid=OTHER), *load(0.1, -5000, OTHER)], "worker-not-asked", False),
        ([*load(0.9, -5000), *registered(sid=OTHER)], "load-above-limit", False),
        ([*load(0.9, -5000), *registered(sid=OTHER), *load(0.8, -5000, OTHER)], "load-above-limit", True),
        # No load was reported: what is left, of a worker that was asked elsewhere and still is there.
        (LATER, "load-above-limit", False),
        ([*asked_elsewhere(-10_000), worker(Kind.WORKER_DRAINING, 20_000)], "load-above-limit", False),
        (asked_elsewhere(-10_000), "worker-not-asked", False),
        ([worker(Kind.WORKER_DRAINING, 20_000)], "worker-not-asked", False),
    ],
)  # fmt: skip
def test_a_load_above_the_servers_limit(workers: list[Moment], cause: str, certain: bool) -> None:
    assert [(f.cause.name, f.certain) for f in findings([*registered(-600_000), *workers])] == [(cause, certain)]


def test_nobody_is_told_to_raise_the_threshold_for_it() -> None:
    [finding] = findings([*registered(), *load(0.9, -5000)])
    assert "agents.target_load" in finding.advice
    assert "raise load_threshold" not in finding.advice


@pytest.mark.parametrize("later", [[], load(0.1, 20_000)])
def test_a_worker_that_reported_later_is_not_probably_gone(later: list[Moment]) -> None:
    [finding] = findings([*registered(), *load(0.1, -20_000), *later])
    assert finding.cause.name == "worker-not-asked"
    assert ("probably no longer running" in finding.sentence) is (not later)
    assert ("still running 20 s later" in finding.sentence) is bool(later)
    assert ("target_load" in finding.advice) is bool(later)


@pytest.mark.parametrize(
    ("workers", "cause", "certain"),
    [
        ([worker(Kind.WORKER_DISCONNECTED, -5000)], "worker-disconnected", True),
        # Long ago, and never back: then it has perhaps been stopped.
        ([worker(Kind.WORKER_DISCONNECTED, -300_000)], "worker-disconnected", False),
        # Within what clocks differ.
        ([worker(Kind.WORKER_DISCONNECTED, -500), *again(9000)], "worker-disconnected", False),
        ([worker(Kind.WORKER_DISCONNECTED, -5000), *again(500)], "worker-disconnected", False),
        # Back in time: then its second connection is what counts.
        ([worker(Kind.WORKER_DISCONNECTED, -5000), *again(-4000)], "worker-not-asked", False),
        ([worker(Kind.WORKER_DISCONNECTED, -5000), *again(-4000), *load(0.9, -3000, OTHER)], "load-above-limit", True),
        ([worker(Kind.WORKER_DISCONNECTED, -5000), *again(-4000), worker(Kind.WORKER_CLOSED, -3000, OTHER)],
         "no-worker", True),
        # It broke afterwards.
        ([worker(Kind.WORKER_DISCONNECTED, 5000), *again(9000)], "worker-not-asked", False),
        # Another worker was there.
        ([worker(Kind.WORKER_DISCONNECTED, -5000), *registered(sid=OTHER)], "worker-not-asked", False),
        # It closed: that is no lost connection.
        ([worker(Kind.WORKER_CLOSED, -5000)], "no-worker", True),
    ],
)  # fmt: skip
def test_a_lost_connection(workers: list[Moment], cause: str, certain: bool) -> None:
    reported = findings([*registered(-600_000), *workers])
    assert [(f.cause.name, f.certain) for f in reported] == [(cause, certain)]


def late_report(at: float) -> Moment:
    """A lost connection as an older agent reports it: when it is back."""
    lost = worker(Kind.WORKER_DISCONNECTED, at)
    return replace(lost, earliest=ms(at - 600_000), occurrence=f"back as {OTHER}")


def test_a_connection_that_was_back_later_may_have_been_broken() -> None:
    workers = [*registered(), late_report(16_000), *registered(16_000, OTHER)]
    [finding] = findings(workers)
    assert (finding.cause.name, finding.certain) == ("worker-disconnected", False)
    assert "registered again 16.0 s after" in finding.sentence
    # Unless it reported something in between.
    assert found(lonely(), [*workers, worker(Kind.WORKER_FULL, 6000)]) == ["worker-not-asked"]


FULL = worker(Kind.WORKER_FULL, -400, attributes=reserved(0, 2))


@pytest.mark.parametrize(
    ("workers", "cause", "certain"),
    [
        ([FULL, *load(0.1, -20_000)], "worker-overbooked", True),
        ([worker(Kind.WORKER_FULL, -400, attributes=reserved(1, 2)), *load(0.3, -20_000)], "worker-overbooked", True),
        # Its own load is high.
        ([FULL, *load(0.8, -500)], "workers-full", True),
        ([worker(Kind.WORKER_FULL, -400, attributes=reserved(4, 0)), *load(0.3, -20_000)], "workers-full", True),
        ([worker(Kind.WORKER_FULL, -400, attributes=reserved(4, 2))], "workers-full", True),
        # An older agent: exactly what two requests come to, or some load.
        ([worker(Kind.WORKER_FULL, -400, attributes={keys.WORKER_LOAD: 0.7, keys.WORKER_JOBS: 0})],
         "worker-overbooked", False),
        ([worker(Kind.WORKER_FULL, -400, attributes={keys.WORKER_LOAD: 1.05, keys.WORKER_JOBS: 0})],
         "worker-overbooked", False),
        ([worker(Kind.WORKER_FULL, -400, attributes={keys.WORKER_LOAD: 0.7312, keys.WORKER_JOBS: 0})],
         "workers-full", True),
        ([worker(Kind.WORKER_FULL, -400, attributes={keys.WORKER_LOAD: 0.7, keys.WORKER_JOBS: 3})],
         "workers-full", True),
        # Available again before the dispatch.
        ([worker(Kind.WORKER_FULL, -6000, attributes=reserved(0, 2)), worker(Kind.WORKER_AVAILABLE, -1500)],
         "worker-not-asked", False),
        # Full when the server came to ask it; or long after that, when it could have been asked.
        ([worker(Kind.WORKER_FULL, 3600, attributes=reserved(2, 16)), *load(0.3, -20_000)], "worker-overbooked", False),
        ([worker(Kind.WORKER_FULL, 3600, attributes=reserved(2, 0)), *load(0.9, 3000)], "workers-full", False),
        ([worker(Kind.WORKER_FULL, 5001, attributes=reserved(2, 16)), *load(0.3, -20_000)], "worker-not-asked", False),
        # Another one was not.
        ([worker(Kind.WORKER_FULL, 3600, attributes=reserved(2, 16)), *registered(sid=OTHER)],
         "worker-not-asked", False),
        # One was full before, and the other one soon afterwards.
        ([FULL, *registered(sid=OTHER), worker(Kind.WORKER_FULL, 500, OTHER, attributes=reserved(0, 2))],
         "worker-overbooked", False),
    ],
)  # fmt: skip
def test_a_worker_full_for_jobs_on_their_way(workers: list[Moment], cause: str, certain: bool) -> None:
    assert [(f.cause.name, f.certain) for f in findings([*registered(), *workers])] == [(cause, certain)]


def test_a_refusal_for_high_load_is_no_overbooking() -> None:
    full = [*lonely(), *refused("full", attributes={**reserved(3, 0), keys.WORKER_LOAD: 0.93})]
    assert found(full, [*registered(), *load(0.93, -500)]) == ["workers-full"]


def test_a_deployment_that_was_asked_before_is_not_the_reason() -> None:
    blue = worker(Kind.WORKER_REGISTERED, -30_000, attributes=BLUE)
    assert found(lonely(), [blue]) == ["other-deployment"]
    assert "other-deployment" not in found(lonely(), [blue, *asked_elsewhere(-10_000)])
    assert found(lonely(), [blue, *registered(sid=OTHER)]) == ["worker-not-asked"]
    assert found(lonely(), [blue, *load(0.9, -5000)]) == ["load-above-limit"]


def on(server: str, sid: str, name: str) -> Moment:
    return worker(Kind.WORKER_REGISTERED, -30_000, sid, name, {keys.WORKER_SERVER: server})


@pytest.mark.parametrize(
    ("server", "others"), [("a.example:443", []), ("b.example:443", ["b.example:443"]), ("localhost:7880", [])]
)
def test_workers_of_another_server_are_not_there(server: str, others: list[str]) -> None:
    # "helper" is dispatched in vain; a worker of another name was asked for another job of this room.
    named = moment(Kind.DISPATCH_CREATED, "AD_named", ms(500), told={keys.AGENT_NAME: "helper"})
    workers = [on("b.example:443", WORKER, ""), on(server, OTHER, "helper")]
    causes = found([*lonely(), named, *refused("rejected")], workers)
    assert ("worker-not-asked" in causes) is bool(others)


def test_every_name_of_this_machine_is_one_server() -> None:
    named = moment(Kind.DISPATCH_CREATED, "AD_named", ms(500), told={keys.AGENT_NAME: "helper"})
    workers = [on("127.0.0.1:7880", WORKER, ""), on("localhost:7880", OTHER, "helper")]
    assert "worker-not-asked" in found([*lonely(), named, *refused("rejected")], workers)


def test_a_late_receipt_is_a_worker_that_did_not_answer_and_no_slow_request() -> None:
    assert found([*lonely(), *frozen(10_000)]) == ["worker-did-not-answer"]
    assert "worker-did-not-answer" not in found([*lonely(), *frozen(2_900)])
    slow = [m for m in frozen(1000) if m.kind is not Kind.JOB_ACCEPTED]
    assert found([*lonely(), *slow, of_job(Kind.JOB_ACCEPTED, 5201, ABOUT_JOB, WORKER)]) == ["slow-request"]


@pytest.mark.parametrize(
    ("answer", "at", "cause"),
    [
        ("full", 4000, "worker-did-not-answer"),
        ("draining", 4000, "worker-did-not-answer"),
        ("full", 3200, "worker-overbooked"),
        ("draining", 3200, "worker-draining"),
        ("rejected", 4000, "rejected"),
    ],
)
def test_a_worker_that_says_too_late_that_it_cannot_has_not_answered(answer: str, at: float, cause: str) -> None:
    assert found([*lonely(), *refused(answer, at, reserved(2, 4))], [*registered(), *load(0.3, -500)]) == [cause]


def test_a_late_receipt_and_a_refusal_are_on_two_clocks() -> None:
    late = [m for m in refused("full", 4300) if m.kind is not Kind.JOB_RECEIVED]
    late.append(of_job(Kind.JOB_RECEIVED, 4200, ABOUT_JOB, WORKER))
    finding = findings([], [*lonely(), *late])[0]
    assert (finding.cause.name, finding.certain) == ("worker-did-not-answer", False)
    assert "answered that it was full 4.1 s after it was offered the job" in finding.sentence


def test_without_its_wait_in_vain_it_may_be_the_clock() -> None:
    cut = [m for m in frozen(10_000) if m.kind is not Kind.JOB_TIMED_OUT]
    assert found([*lonely(), *cut]) == []


def test_another_job_shows_that_the_clocks_agree() -> None:
    other = "AJ_other"
    prompt = [
        replace(_agent(Kind.JOB_OFFERED, 201), subject=other),
        replace(_agent(Kind.JOB_RECEIVED, 202, {**ABOUT_JOB, keys.JOB_ID: other}, WORKER), subject=other),
    ]
    finding = findings([], [*lonely(), *frozen(10_000), *prompt])[0]
    assert (finding.cause.name, finding.certain) == ("worker-did-not-answer", True)


def test_each_worker_that_refused_is_named_with_its_own_offer() -> None:
    second = [
        _agent(Kind.JOB_OFFERED, 300, None, OTHER),
        _agent(Kind.JOB_RECEIVED, 300.4, ABOUT_JOB, OTHER),
        _agent(Kind.JOB_REJECTED, 301, {keys.JOB_ANSWER: "rejected", keys.WORKER_ID: OTHER}, OTHER),
    ]
    [finding] = findings([], [*lonely(), *refused("rejected"), *second])
    assert finding.sentence == (
        f"Workers {WORKER} and {OTHER} were offered the job, and request_fnc of each rejected it."
    )
    assert {step.subject for step in finding.evidence} == {JOB}
    assert [s.occurrence for s in finding.evidence if s.kind is Kind.JOB_REJECTED] == [WORKER, OTHER]


def test_an_unnamed_dispatch_is_not_told_to_correct_a_name() -> None:
    [unnamed], [named] = findings([]), findings([], lonely("helper"))
    assert "without an agent_name" in unnamed.advice
    assert "letter by letter" in named.advice


def test_where_workers_are_of_several_servers_nobody_knows_which_should_have_been_asked() -> None:
    servers = ("one.example:443", "two.example:443")
    made = [
        worker(Kind.WORKER_REGISTERED, -30_000, sid, attributes={keys.WORKER_SERVER: server})
        for sid, server in zip((WORKER, OTHER), servers, strict=True)
    ]
    assert found(lonely(), made[:1]) == ["worker-not-asked"]
    assert found(lonely(), made) == []


def test_of_a_worker_that_still_ran_its_load_and_its_server_are_what_to_compare() -> None:
    at = worker(Kind.WORKER_REGISTERED, -30_000, attributes={keys.WORKER_SERVER: "livekit.example:7880"})
    (finding,) = findings([at, *load(0.5, -5000), *LATER])
    assert finding.cause.name == "worker-not-asked"
    assert "the load that it reported (0.50) with" in finding.advice
    assert "registered with (livekit.example:7880) with the room's" in finding.advice
