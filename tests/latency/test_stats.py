from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.latency.test_gaps import HOUR, at, cold, late_caller, moved, without
from tests.moments import ADA, AGENT, JOB, ROOM, VOICE, call
from tracer.latency.compare import against, between
from tracer.latency.owner import Owner
from tracer.latency.stats import CALLER_WAITED, PERCENTILES, WHOLE, AgentFigures, GapFigures, figures, percentile
from tracer.latency.summary import ARROW, Counted, JobSummary, Summary, summarize
from tracer.moment import Kind
from tracer.timeline.fold import fold
from tracer.units import NS_PER_MS
from tracer.view.stats import as_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracer.moment import Moment

CONNECT = f"participant.joining{ARROW}agent.connected"


def summary(moments: Sequence[Moment]) -> Summary:
    return summarize(fold(ROOM, moments))


def job(name: str, ms: float, whole: float | None = None) -> JobSummary:
    gaps = ((CONNECT, Owner.NETWORK, round(ms * NS_PER_MS)),)
    return JobSummary(name, Counted.MEASURED, gaps, None if whole is None else round(whole * NS_PER_MS), None)


def rooms(*times: float, name: str = "helper") -> list[Summary]:
    return [Summary(Counted.MEASURED, (job(name, ms, ms + 1),), (), (name,)) for ms in times]


def stage(agent: AgentFigures, name: str) -> GapFigures:
    [found] = [stage for stage in agent.stages if stage.name == name]
    return found


@pytest.mark.parametrize(
    ("languages", "word"),
    [
        pytest.param((True, True), "prewarm", id="all in Node"),
        pytest.param((True, False), "setup_fnc", id="one in Python"),
        pytest.param((False, False), "setup_fnc", id="all in Python"),
    ],
)
def test_advice_is_in_the_words_of_the_agents_language(languages: tuple[bool, ...], word: str) -> None:
    name = f"job.entrypoint_started{ARROW}session.starting"
    jobs = [
        JobSummary("helper", Counted.MEASURED, ((name, Owner.CODE, 10**9),), 10**9, None, is_node=is_node)
        for is_node in languages
    ]
    many = [Summary.from_json(Summary(Counted.MEASURED, (one,), (), ("helper",)).to_json()) for one in jobs]
    assert f"({word})" in stage(figures(many).agents[0], name).advice
    [alone] = against(many[-1], figures(many)).gaps
    assert alone.advice == ""
    quick = many[0]._replace(jobs=(many[0].jobs[0]._replace(gaps=((name, Owner.CODE, 10**6),)),))
    [longer] = between(many[-1], quick).gaps
    assert ("(prewarm)" in longer.advice) is languages[-1]


@given(st.lists(st.integers(0, 10**12), max_size=300), st.sampled_from(PERCENTILES))
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(values: list[int], per_cent: int) -> None:
    values.sort()
    found = percentile(values, per_cent)
    least = {50: 2, 95: 20, 99: 100}[per_cent]
    assert (found is None) == (len(values) < least)
    if found is not None:
        assert found in values
        below = sum(value <= found for value in values)
        assert below * 100 >= len(values) * per_cent
        assert sum(value < found for value in values) * 100 < len(values) * per_cent


def test_of_a_thousand_values_the_percentiles_are_those_of_the_textbook() -> None:
    values = list(range(1, 1001))
    assert [percentile(values, per_cent) for per_cent in PERCENTILES] == [500, 950, 990]


@pytest.mark.parametrize(("count", "known"), [(1, 0), (2, 1), (19, 1), (20, 2), (99, 2), (100, 3)])
def test_too_few_rooms_for_a_percentile_have_a_count_and_a_longest_and_no_percentile(count: int, known: int) -> None:
    [agent] = figures(rooms(*range(count))).agents
    found = stage(agent, CONNECT)
    assert (found.count, found.most) == (count, (count - 1) * NS_PER_MS)
    assert [value is not None for value in found.percentiles] == [n < known for n in range(3)]


def test_the_order_of_the_rooms_changes_nothing() -> None:
    many = rooms(*(n * 7 % 101 for n in range(300)))
    assert figures(many) == figures(reversed(many)) == figures(sorted(many))


def test_agents_are_apart_by_name() -> None:
    found = figures([*rooms(1, 2, 3), *rooms(100, 200, name="other"), *rooms(5, name="")])
    assert [(agent.name, agent.jobs) for agent in found.agents] == [("", 1), ("helper", 3), ("other", 2)]
    assert [stage(agent, CONNECT).most // NS_PER_MS for agent in found.agents] == [5, 3, 200]


def test_gaps_are_in_the_order_of_the_way_and_the_sums_last() -> None:
    [agent] = [agent for agent in figures([summary(call())] * 2).agents if not agent.name]
    ends = [stage.name.partition(ARROW)[2] for stage in agent.stages]
    assert ends == [
        *(kind for kind in ("dispatch.created", "job.offered", "job.received", "job.accepted", "job.assigned")),
        *("job.process_assigned", "job.entrypoint_started", "agent.connecting"),
        *("participant.joining", "agent.connected"),
        *("agent.waiting_for_participant", "agent.participant_ready", "session.starting", "session.started"),
        *("agent ready", "agent ready"),
    ]
    assert [stage.name for stage in agent.stages][-2:] == [WHOLE, CALLER_WAITED]
    assert {stage.owner for stage in agent.stages} <= {*Owner, None}


def test_a_caller_who_is_waited_for_comes_after_the_waiting_has_begun() -> None:
    late = late_caller(joining=2360, active=2460, published=3900, heard=3950)
    [agent] = [agent for agent in figures([summary(late)] * 2).agents if not agent.name]
    ends = [stage.name.partition(ARROW)[2] for stage in agent.stages]
    assert ends[9:-2] == [
        *("agent.connected", "agent.waiting_for_participant", "participant.joining", "participant.active"),
        *("track.published", "agent.participant_ready", "session.starting", "session.started"),
    ]


def test_medians_of_calls() -> None:
    calls = [at(call(), Kind.SESSION_STARTED, 392 + late) for late in (0, 10, 1000)]
    [agent] = [agent for agent in figures(map(summary, calls)).agents if not agent.name]
    assert stage(agent, WHOLE).percentiles[0] == round(401.5 * NS_PER_MS)
    assert stage(agent, CALLER_WAITED).percentiles[0] == 305 * NS_PER_MS
    assert stage(agent, f"session.starting{ARROW}session.started").percentiles[0] == 39 * NS_PER_MS


ASIDE = {
    Counted.OPEN: without(Kind.ROOM_FINISHED),
    Counted.NOT_READY: without(Kind.SESSION_STARTED),
    Counted.NOT_REPORTED: [m for m in call() if m.witness != "agent"],
    Counted.NO_AGENT: [m for m in call() if m.subject not in (JOB, AGENT, VOICE)],
    Counted.UNREADABLE: None,
}


@pytest.mark.parametrize("how", ASIDE)
def test_what_was_not_measured_is_counted_apart_and_changes_no_figure(how: Counted) -> None:
    moments = ASIDE[how]
    other = Summary(how) if moments is None else summary(moments)
    alone, beside = figures([summary(call())] * 5), figures([*[summary(call())] * 5, *[other] * 3])
    assert beside.counted == {Counted.MEASURED: 5, how: 3}
    assert (beside.rooms, beside.over) == (8, 5 if how in (Counted.OPEN, Counted.UNREADABLE) else 8)
    assert [agent.stages for agent in beside.agents] == [agent.stages for agent in alone.agents]
    assert [agent.jobs for agent in beside.agents] == [agent.jobs for agent in alone.agents]
    unnamed, ghost = beside.agents
    assert unnamed.counted == ({how: 3} if how in (Counted.NOT_READY, Counted.NOT_REPORTED) else {})
    assert ghost.counted == {Counted.NO_AGENT: beside.over}


def test_a_clock_that_is_off_is_counted_apart_and_spoils_no_gap_that_it_told_alone() -> None:
    unnamed = figures([*[summary(call())] * 5, *[summary(moved(call(), HOUR))] * 3]).agents[0]
    assert (unnamed.jobs, unnamed.counted) == (8, {Counted.CLOCK_SKEW: 3})
    counts = {stage.name: stage.count for stage in unnamed.stages}
    assert {name for name, count in counts.items() if count == 5} == {
        f"job.offered{ARROW}job.received",
        f"agent.connecting{ARROW}participant.joining",
        f"participant.joining{ARROW}agent.connected",
        WHOLE,
        CALLER_WAITED,
    }
    assert set(counts.values()) == {5, 8}
    assert all(stage.most < 3600 * 10**9 / 2 for stage in unnamed.stages)


def test_the_share_of_rooms_for_each_cause_is_of_rooms_and_not_of_jobs() -> None:
    def wrong(*causes: str) -> Summary:
        return Summary(Counted.MEASURED, (job("", 1), job("", 2)), causes, ("",))

    found = figures([wrong("cold-process"), wrong("cold-process", "silent-caller"), wrong(), Summary(Counted.OPEN)])
    assert found.causes == (("cold-process", 2), ("silent-caller", 1))
    assert (found.rooms, found.over) == (4, 3)


def test_the_longest_that_can_be_shortened_is_of_most_jobs() -> None:
    [unnamed, _] = figures([*[summary(call())] * 5, *[summary(cold())] * 3]).agents
    assert unnamed.longest_of_yours is None  # of most jobs none is worth it
    [unnamed, _] = figures([*[summary(call())] * 2, *[summary(cold())] * 3]).agents
    found = unnamed.longest_of_yours
    assert found
    assert (found.name, "setup_fnc" in found.advice) == (f"process.started{ARROW}process.ready", True)
    assert figures(rooms(1)).agents[0].longest_of_yours is None


def test_where_the_median_caller_did_not_wait_nothing_is_worth_shortening() -> None:
    came_late = [m if m.subject != ADA else moved([m], 2_500, m.clock)[0] for m in cold()]
    [unnamed, _] = figures([summary(came_late)] * 5).agents
    assert unnamed.longest_of_yours is None


def test_no_rooms_have_no_figures() -> None:
    found = figures([])
    assert (found.rooms, found.over, found.counted, found.agents, found.causes) == (0, 0, {}, (), ())


_JOBS = st.builds(
    JobSummary,
    st.sampled_from(["", "helper", "ünï\n\x1b[31m"]),
    st.sampled_from(list(Counted)),
    st.lists(
        st.tuples(
            st.sampled_from([CONNECT, f"job.offered{ARROW}job.received"]),
            st.sampled_from(list(Owner)),
            st.none() | st.integers(0, 10**13),
        ),
        max_size=4,
        unique_by=lambda gap: gap[:2],
    ).map(tuple),
    st.none() | st.integers(0, 10**13),
    st.none() | st.integers(0, 10**13),
)
SUMMARIES = st.builds(
    Summary,
    st.sampled_from(list(Counted)),
    st.lists(_JOBS, max_size=3).map(tuple),
    st.lists(st.sampled_from(["cold-process", "no-worker"]), unique=True).map(tuple),
    st.lists(st.sampled_from(["", "ghost"]), unique=True).map(tuple),
)


@given(st.lists(SUMMARIES, max_size=30))
def test_any_figures_are_json_and_hold_no_number_that_is_none(summaries: list[Summary]) -> None:
    read = [Summary.from_json(one.to_json()) for one in summaries]
    assert read == summaries
    found = figures(read)
    text = json.dumps(as_json(found), allow_nan=False)
    told = json.loads(text)
    assert told["schema"] == "tracer.stats/1"
    assert sum(told["counted"].values()) == told["rooms"] == len(summaries)
    for agent in told["agents"]:
        assert agent["jobs"] == sum(
            job.agent_name == agent["agent_name"] and job.counted in (Counted.MEASURED, Counted.CLOCK_SKEW)
            for one in summaries
            for job in one.jobs
        )
