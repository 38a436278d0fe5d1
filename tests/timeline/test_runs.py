from __future__ import annotations

from tests.moments import JOB, WORKER, moment, ms
from tracer import keys
from tracer.moment import Kind, Moment
from tracer.timeline.runs import offers_apart, run_name, runs_apart


def by_agent(kind: Kind, at: int) -> Moment:
    return moment(kind, JOB, at, witness="agent", clock="agent")


def test_a_job_that_runs_twice_has_its_second_run_as_occurrences() -> None:
    first = [by_agent(Kind.JOB_ENTRYPOINT_STARTED, ms(12_000)), by_agent(Kind.JOB_ENDED, ms(17_000))]
    second = [
        by_agent(Kind.JOB_PROCESS_ASSIGNED, ms(43_022)),
        by_agent(Kind.JOB_ENTRYPOINT_STARTED, ms(43_063)),
        by_agent(Kind.JOB_ENDED, ms(73_000)),
    ]
    told = runs_apart([*second, *first])
    assert {m.occurrence for m in told if m.time < ms(20_000)} == {""}
    assert {m.occurrence for m in told if m.time > ms(20_000)} == {run_name(2)}


def test_two_reports_of_one_start_are_one_run() -> None:
    both = [by_agent(Kind.JOB_ENTRYPOINT_STARTED, ms(at)) for at in (12_000, 12_000.4)]
    assert {m.occurrence for m in runs_apart(both)} == {""}


def test_offers_to_two_workers_are_two() -> None:
    offers = [
        moment(Kind.JOB_OFFERED, JOB, ms(at), told={keys.WORKER_ID: worker})
        for at, worker in ((201, WORKER), (205, "AW_other"))
    ]
    assert [m.occurrence for m in offers_apart(offers)] == [WORKER, "AW_other"]
    assert {m.occurrence for m in offers_apart(offers[:1])} == {""}
