"""An agent that is late for a reason that no single step shows."""

from __future__ import annotations

import pytest

from tests.moments import ADA, AGENT, DISPATCH, JOB, ROOM, VOICE, ms
from tests.why.cases import (
    CONNECTING,
    OFFERED,
    STARTED,
    Case,
    check,
    delayed,
    found,
    healthy,
    moved,
    of_job,
    second_agent,
    with_facts,
    without,
)
from tracer import keys
from tracer.moment import Kind, Moment
from tracer.timeline.fold import fold
from tracer.why import explain

JOINING = (Kind.PARTICIPANT_JOINING, AGENT)
ASSIGNED, PROCESS = (Kind.JOB_ASSIGNED, JOB), (Kind.JOB_PROCESS_ASSIGNED, JOB)
BLOCKED = (Kind.AGENT_BLOCKED, JOB)


def agent_late(moments: list[Moment], by: float, subjects: tuple[str, ...] = (AGENT, VOICE)) -> list[Moment]:
    """The same call, 30 s longer, whose agent joins so many ms later."""
    return [moved(m, 30_000) if m.time > ms(1000) else moved(m, by) if m.subject in subjects else m for m in moments]


def unreported(by: float) -> list[Moment]:
    """Its agent is not instrumented."""
    return agent_late(without(healthy(), "agent"), by)


def unlisted(by: float) -> list[Moment]:
    """Nor did the server list its job."""
    return without(unreported(by), JOB)


def blocked(at: float, seconds: float, number: int = 1) -> Moment:
    return of_job(Kind.AGENT_BLOCKED, at, {keys.BLOCKED_FOR: seconds}, f"block {number}")


def starved(process: float = 3500, handed_over: float = 300, connect: float = 1500, block: float = 0.9) -> list[Moment]:
    """A call on a machine without CPU to spare; each in ms, but for the seconds its event loop stands still."""
    recorded = delayed(agent_late(healthy(), 0), Kind.JOB_PROCESS_ASSIGNED, process)
    recorded = delayed(recorded, Kind.JOB_ENTRYPOINT_STARTED, handed_over)
    joins = (Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_ACTIVE)
    recorded = delayed(recorded, Kind.AGENT_CONNECTED, connect)
    recorded = [moved(m, connect) if m.subject == AGENT and m.kind in joins else m for m in recorded]
    return [*recorded, blocked(213 + process + handed_over, block)] if block else recorded


LATE_HIDDEN = (
    Case(
        "12 s after the offer, and not instrumented",
        "late-unexplained",
        unreported(12_000),
        f"agent-{JOB} joined 12.1 s after job {JOB} was offered: nothing in between was reported.",
        (OFFERED, JOINING),
    ),
    Case(
        "12 s after the dispatch, of which no job was listed",
        "late-unexplained",
        unlisted(12_000),
        f"agent-{JOB} joined 12.3 s after it was dispatched: nothing in between was reported.",
        ((Kind.DISPATCH_CREATED, DISPATCH), JOINING),
    ),
    Case(
        "several of these",
        "starved-machine",
        starved(),
        f"While job {JOB} started, several things were slow at once: its process took 3.5 s to start, 0.3 s passed"
        " until its entrypoint was called, 1.5 s from ctx.connect() to JOINING, its event loop stood still for 0.9 s.",
        (ASSIGNED, PROCESS, STARTED, CONNECTING, BLOCKED, JOINING),
        beside=frozenset({"cold-process"}),  # warm processes would help here too
    ),
)


@pytest.mark.parametrize("case", LATE_HIDDEN, ids=lambda case: f"{case.cause}: {case.label}")
def test_each_is_found_first_with_its_evidence(case: Case) -> None:
    check(case)


@pytest.mark.parametrize(("by", "late"), [(4_900, []), (5_000, ["late-unexplained"])])
def test_an_agent_may_take_as_long_as_a_cold_process_does(by: float, late: list[str]) -> None:
    assert found(unreported(by)) == late


def test_nobody_waited_before_a_caller_was_there() -> None:
    recorded = [moved(m, 8_000) if m.subject == ADA and m.time < ms(1000) else m for m in unreported(12_000)]
    assert found(recorded) == []
    assert found(without(unreported(12_000), ADA)) == []


def test_who_had_another_agent_meanwhile_did_not_wait() -> None:
    # A colleague that is dispatched beside it, and takes its time.
    other = [m for m in second_agent("AD_colleague", "colleague", 300) if m.kind is not Kind.PARTICIPANT_LEFT]
    named = with_facts(unreported(12_000), Kind.DISPATCH_CREATED, DISPATCH, {keys.AGENT_NAME: "helper"})
    named = with_facts(named, Kind.JOB_OFFERED, JOB, {keys.AGENT_NAME: "helper"})
    assert "late-unexplained" not in found([*named, *other])


@pytest.mark.parametrize("since", [Kind.JOB_PROCESS_ASSIGNED, Kind.JOB_ACCEPTED, Kind.AGENT_CONNECTING])
def test_what_another_cause_explains_is_not_unexplained(since: Kind) -> None:
    recorded = agent_late(delayed(healthy(), since, 12_000), 12_000)
    assert "late-unexplained" not in found(recorded)


def test_where_a_part_was_reported_the_longest_part_is_named() -> None:
    # What came after the receipt was lost, all but the process that took the job.
    lost = (Kind.JOB_ACCEPTED, Kind.JOB_ASSIGNED, Kind.AGENT_CONNECTING, Kind.AGENT_CONNECTED)
    recorded = without(agent_late(delayed(healthy(), Kind.JOB_PROCESS_ASSIGNED, 9_000), 12_000), *lost)
    (finding,) = [f for f in explain(fold(ROOM, recorded)).findings if f.cause.symptom == "late"][:1]
    assert finding.cause.name == "late-unexplained"
    assert "9.0 s of it passed between “job.received” and “job.process_assigned”" in finding.sentence


def test_of_several_agents_without_a_job_nobody_knows_whose_the_dispatch_was() -> None:
    more = [m for m in second_agent("AD_x", "", 9_000) if m.subject not in ("AD_x", "AJ_second")]
    assert "late-unexplained" not in found([*unlisted(12_000), *more])


def test_an_agent_that_came_when_its_caller_had_gone_is_another_matter() -> None:
    recorded = [
        moved(m, -26_000) if m.kind is Kind.PARTICIPANT_LEFT and m.subject == ADA else m for m in unreported(12_000)
    ]
    assert "late-unexplained" not in found(recorded)


def names(recorded: list[Moment]) -> list[tuple[str, bool]]:
    return [(f.cause.name, f.certain) for f in explain(fold(ROOM, recorded, now=ms(60_000))).findings]


def test_a_process_alone_may_import_much() -> None:
    assert names(starved(handed_over=0, connect=0, block=0)) == [("cold-process", True)]


def test_imports_and_code_that_blocks_are_the_codes_doing() -> None:
    assert ("starved-machine", True) not in names(starved(handed_over=0, connect=0))
    assert ("starved-machine", False) not in names(starved(handed_over=0, connect=0))


def test_a_network_that_is_far_is_another_explanation() -> None:
    assert ("starved-machine", False) in names(starved(handed_over=0))


def test_what_comes_to_less_than_three_seconds_is_nothing() -> None:
    assert names(starved(process=0, connect=0)) == []


def test_where_the_machine_is_starved_the_network_is_not_named() -> None:
    assert [name for name, _ in names(starved(connect=4_000))] == ["starved-machine", "cold-process"]
    assert [name for name, _ in names(starved(process=0, handed_over=0, connect=4_000, block=0))] == ["slow-connect"]


def test_connecting_says_how_much_of_it_was_before_media() -> None:
    (finding,) = explain(fold(ROOM, starved(process=0, handed_over=0, connect=4_000, block=0))).findings
    assert finding.sentence == f"In job {JOB}, ctx.connect() took 4.1 s, 4.0 s of it until JOINING."
    assert "CPU" in finding.advice
    (finding,) = explain(fold(ROOM, delayed(healthy(), Kind.AGENT_CONNECTED, 3_000))).findings
    assert "JOINING" not in finding.sentence


def test_an_event_loop_that_stands_still_later_says_nothing_of_the_start() -> None:
    assert ("starved-machine", False) not in names([*starved(handed_over=0, connect=0, block=0), blocked(9_000, 2.0)])
