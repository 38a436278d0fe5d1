"""Which gap is worth shortening."""

from __future__ import annotations

from dataclasses import replace

from tests.latency.test_gaps import at, cold, late_caller, moved, of
from tests.moments import ADA, AGENT, ROOM, call
from tests.why.cases import ended_early, error, healthy
from tracer.latency.gaps import Paths
from tracer.latency.owner import Owner
from tracer.latency.shorten import FLOOR, Shortened, longest_of_yours, to_shorten
from tracer.moment import Kind, Moment
from tracer.timeline.fold import fold
from tracer.units import NS_PER_MS


def found(moments: list[Moment]) -> Shortened | None:
    timeline = fold(ROOM, moments)
    return to_shorten(timeline, Paths(timeline))


def later(moments: list[Moment], subject: str, by: float) -> list[Moment]:
    """The same, with what happened to this subject so many ms later, but for its leave."""
    ns = round(by * NS_PER_MS)
    return [
        replace(m, earliest=m.earliest + ns, latest=m.latest + ns, time=m.time + ns)
        if m.subject == subject and m.kind is not Kind.PARTICIPANT_LEFT
        else m
        for m in moments
    ]


def starved() -> list[Moment]:
    """The call, with 1.5 s more between ctx.connect() and JOINING."""
    before = [m for m in call() if m.clock != "agent" or m.kind.rank < Kind.AGENT_CONNECTED.rank]
    after = [m for m in call() if m.clock == "agent" and m.kind.rank >= Kind.AGENT_CONNECTED.rank]
    return [*later(before, AGENT, 1_500), *moved(after, 1_500)]


def test_the_longest_that_can_be_shortened_is_named() -> None:
    one = found(cold())
    assert one
    assert (one.gap.end.kind, one.gap.owner, one.ns) == (Kind.PROCESS_READY, Owner.CODE, one.gap.ns)
    assert "num_idle_processes" in one.gap.advice


def test_in_a_prompt_call_nothing_is_worth_it() -> None:
    assert found(call()) is None


def test_a_gap_counts_only_while_its_caller_was_there() -> None:
    # ada is ACTIVE 97 ms after the room was made; 1.6 s later, half a second of the set-up is left.
    whole, late = found(cold()), found(later(cold(), ADA, 1_600))
    assert whole
    assert late
    assert late.gap.end.kind is Kind.PROCESS_READY
    assert 450 < late.ns / NS_PER_MS < whole.ns / NS_PER_MS - 900


def test_what_was_over_before_the_caller_came_kept_nobody_waiting() -> None:
    assert found(later(cold(), ADA, 2_500)) is None
    assert found([m for m in cold() if m.subject != ADA]) is None


def test_where_nobody_reports_callers_every_gap_counts() -> None:
    one = found([m for m in cold() if m.witness == "agent"])
    assert one
    assert one.gap.owner is Owner.CODE


def test_a_call_that_failed_is_not_about_time() -> None:
    raised = ended_early(3_000, "job crashed", error("KeyError", "'MODEL'"))
    assert found(at(healthy(), Kind.SESSION_STARTED, 1_400))
    assert found(at(raised, Kind.SESSION_STARTED, 1_400)) is None
    assert found([m for m in cold() if m.kind is not Kind.SESSION_STARTED]) is None


def test_nothing_is_advised_where_nothing_can_be_done_or_the_time_is_no_figure() -> None:
    assert longest_of_yours(()) is None
    assert longest_of_yours([gap for gap in of(call()) if gap.owner is Owner.SERVER]) is None
    assert longest_of_yours([replace(gap, doubtful=True) for gap in of(cold())]) is None


def test_a_gap_below_the_floor_or_a_small_share_is_not_worth_it() -> None:
    [setup] = [gap for gap in of(cold()) if gap.end.kind is Kind.PROCESS_READY]
    short, just = (replace(setup, end=replace(setup.end, time=setup.start.time + ns)) for ns in (FLOOR - 1, FLOOR))
    assert longest_of_yours([short]) is None
    assert longest_of_yours([just])
    servers = next(gap for gap in of(call()) if gap.owner is Owner.SERVER)
    [waits] = [gap for gap in of(late_caller(joining=2360, active=2460, heard=2540)) if gap.owner is Owner.CALLER]
    most = replace(waits, end=replace(waits.end, time=waits.start.time + FLOOR * 9))
    assert longest_of_yours([just, most])  # 10 % of the whole
    assert longest_of_yours([just, most, servers]) is None


def test_connecting_is_the_workers_until_joining_and_then_the_networks() -> None:
    gaps = [gap for gap in of(call()) if Kind.AGENT_CONNECTING.rank < gap.end.kind.rank <= Kind.AGENT_CONNECTED.rank]
    assert [(gap.end.kind, gap.owner) for gap in of(call()) if gap.start.kind is Kind.AGENT_CONNECTING] == [
        (Kind.PARTICIPANT_JOINING, Owner.WORKER)
    ]
    assert (gaps[-1].start.kind, gaps[-1].owner) == (Kind.PARTICIPANT_JOINING, Owner.NETWORK)
    unseen = of([m for m in call() if m.subject != AGENT])
    # Where JOINING was not seen, it can be of either.
    assert (Kind.AGENT_CONNECTING, Owner.UNKNOWN) in {(gap.start.kind, gap.owner) for gap in unseen}


def test_a_machine_without_cpu_to_spare_is_not_the_network() -> None:
    one = found(starved())
    assert one
    assert (one.gap.owner, round(one.ns / NS_PER_MS)) == (Owner.WORKER, 1544)
    assert "CPU" in one.gap.advice
