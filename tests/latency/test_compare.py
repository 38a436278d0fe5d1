from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from tests.latency.test_gaps import HOUR, at, cold, moved, without
from tests.latency.test_stats import CONNECT, SUMMARIES, job, rooms
from tests.moments import JOB, ROOM, call
from tracer import keys
from tracer.latency.compare import Comparison, GapState, Length, against, between
from tracer.latency.stats import CALLER_WAITED, WHOLE, figures
from tracer.latency.summary import ARROW, Counted, Summary, summarize
from tracer.moment import Kind
from tracer.timeline.fold import fold
from tracer.units import NS_PER_MS
from tracer.view.compare import as_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracer.moment import Moment

SETUP = f"process.started{ARROW}process.ready"


def summary(moments: Sequence[Moment]) -> Summary:
    return summarize(fold(ROOM, moments))


def took(ms: int, high: int | None = None) -> Length:
    return Length(GapState.MEASURED, ms * NS_PER_MS, None if high is None else high * NS_PER_MS)


def rows(comparison: Comparison) -> list[tuple[str, float | None]]:
    return [(one.name, None if one.ns is None else round(one.ns / NS_PER_MS, 1)) for one in comparison.gaps]


def test_what_differs_most_is_first() -> None:
    slow = at(at(call(), Kind.SESSION_STARTED, 892), Kind.JOB_OFFERED, 151)
    found = between(summary(slow), summary(call()))
    assert rows(found)[:2] == [
        (f"session.starting{ARROW}session.started", 500.0),
        (f"dispatch.created{ARROW}job.offered", -50.0),
    ]
    assert found.gaps[0].owner == "session_start"
    sizes = [abs(one.ns or 0) for one in found.gaps]
    assert sizes == sorted(sizes, reverse=True)
    assert [(one.name, (one.ns or 0) / NS_PER_MS) for one in found.sums] == [(WHOLE, 500.0), (CALLER_WAITED, 500.0)]


def test_a_room_compared_with_itself_differs_in_nothing() -> None:
    found = between(summary(call()), summary(call()))
    assert {one.ns for one in (*found.gaps, *found.sums)} == {0}
    assert (found.only_first, found.only_second) == ((), ())


def test_the_other_way_round_is_the_same_with_the_other_sign() -> None:
    one, two = summary(cold()), summary(call())
    there, back = between(one, two), between(two, one)
    assert {(gap.name, gap.owner): gap.ns for gap in there.gaps} == {
        (gap.name, gap.owner): -(gap.ns or 0) for gap in back.gaps
    }


def test_what_one_lacks_took_no_time_there() -> None:
    found = between(summary(cold()), summary(call()))
    setup = next(one for one in found.gaps if one.name == SETUP)
    assert (setup.first, setup.second) == (took(1500), Length(GapState.ABSENT))
    assert setup.ns == 1500 * NS_PER_MS
    assert found.gaps[0] == setup
    # So that what the gaps differ by is what the whole differs by.
    assert sum(one.ns or 0 for one in found.gaps) == found.sums[0].ns


def test_what_is_not_known_differs_by_nothing_that_is_known() -> None:
    found = between(summary(moved(call(), HOUR)), summary(call()))
    assert [one.name for one in (*found.gaps, *found.sums) if one.ns is None] == [
        f"job.offered{ARROW}job.received",
        f"agent.connecting{ARROW}participant.joining",
        f"participant.joining{ARROW}agent.connected",
        WHOLE,
        CALLER_WAITED,
    ]
    assert found.gaps[-1].ns is None
    assert found.counted == (Counted.CLOCK_SKEW, Counted.MEASURED)


def test_a_room_that_was_not_measured_is_compared_in_nothing() -> None:
    for other in (summary([]), summary(without(Kind.SESSION_STARTED)), summary(without(Kind.ROOM_FINISHED))):
        found = between(summary(call()), other)
        assert {one.ns for one in (*found.gaps, *found.sums)} == {None}
        assert found.counted == (Counted.MEASURED, other.counted)
        nothing = between(other, other)
        assert (nothing.gaps, nothing.sums) == ((), ())


def test_jobs_of_the_same_agent_are_compared_where_there_are_any() -> None:
    one = Summary(Counted.MEASURED, (job("greeter", 5), job("helper", 7)))
    two = Summary(Counted.MEASURED, (job("helper", 3), job("greeter", 4)))
    [gap] = between(one, two).gaps
    assert (gap.first, gap.second) == (took(5), took(4))
    three = Summary(Counted.MEASURED, (job("helper", 1),))
    [gap] = between(one, three).gaps
    assert (gap.first, gap.second) == (took(7), took(1))
    other = Summary(Counted.MEASURED, (job("other", 1),))
    [gap] = between(one, other).gaps
    assert (gap.first, gap.second) == (took(5), took(1))


def test_causes_that_only_one_has_are_named() -> None:
    one = Summary(Counted.MEASURED, (job("", 1),), ("cold-process", "silent-caller"))
    two = Summary(Counted.MEASURED, (job("", 1),), ("silent-caller", "slow-connect"))
    found = between(one, two)
    assert (found.only_first, found.only_second) == (("cold-process",), ("slow-connect",))


# Against many


def test_a_room_against_the_many() -> None:
    many = figures(rooms(*range(1, 101)))
    [gap] = against(rooms(250)[0], many).gaps
    assert (gap.first, gap.second) == (took(250), took(50, 95))
    assert gap.ns == 200 * NS_PER_MS


def test_too_few_to_compare_with_are_shown_as_few() -> None:
    found = against(rooms(250)[0], figures(rooms(1)))
    [gap] = found.gaps
    assert (gap.second, gap.ns) == (Length(GapState.UNKNOWN), None)
    assert (found.counted, found.jobs) == ((Counted.MEASURED, None), 1)
    [gap] = against(rooms(250)[0], figures(rooms(*range(19)))).gaps
    assert gap.second == took(9)


def test_only_jobs_of_the_same_agent_name_are_the_many() -> None:
    found = against(rooms(250)[0], figures(rooms(*range(100), name="other")))
    [gap] = found.gaps
    assert (gap.second.state, gap.ns) == (GapState.UNKNOWN, None)
    assert found.jobs == 0


def test_a_way_that_few_of_the_many_take_is_not_missed_in_one_that_did_not() -> None:
    many = [summary(call())] * 9 + [summary(cold())]
    assert SETUP not in dict(rows(against(summary(call()), figures(many))))
    found = against(summary(cold()), figures(many))
    assert rows(found)[0] == (SETUP, 1500.0)
    # And one that most take is.
    many = [summary(call())] + [summary(cold())] * 9
    assert dict(rows(against(summary(call()), figures(many))))[SETUP] == -1500.0


def test_what_clocks_that_are_off_hide_in_most_of_the_many_is_compared_with_the_rest_or_with_nothing() -> None:
    good, off = summary(call()), summary(moved(call(), HOUR))
    found = against(good, figures([good] * 4 + [off] * 6))
    # Times of the agent are given to 512 ns.
    assert all(one.ns is not None and abs(one.ns) <= 512 for one in (*found.gaps, *found.sums))
    found = against(good, figures([off] * 10))
    assert [(one.second.state, one.ns) for one in found.sums] == [(GapState.UNKNOWN, None)] * 2
    assert [one.name for one in found.gaps if one.ns is None] == [
        f"job.offered{ARROW}job.received",
        f"agent.connecting{ARROW}participant.joining",
        f"participant.joining{ARROW}agent.connected",
    ]


def test_a_room_that_was_not_measured_differs_from_the_many_in_nothing() -> None:
    found = against(summary(without(Kind.SESSION_STARTED)), figures([summary(call())] * 9))
    assert {one.ns for one in found.gaps} == {None}
    assert found.counted[0] == Counted.NOT_READY


@given(SUMMARIES, SUMMARIES, st.lists(SUMMARIES, max_size=25))
def test_any_comparison_is_json(one: Summary, two: Summary, many: list[Summary]) -> None:
    for found in (between(one, two), against(one, figures(many))):
        told = json.loads(json.dumps(as_json(found, "a", "b"), allow_nan=False))
        assert told["schema"] == "tracer.compare/1"
        assert len(told["gaps"]) == len(found.gaps)
        known = [abs(gap["difference_ms"]) for gap in told["gaps"] if gap["difference_ms"] is not None]
        assert known == sorted(known, reverse=True)


def test_the_names_in_this_file_are_those_of_the_code() -> None:
    kept = {what for what, _, _ in summary(cold()).jobs[0].gaps}
    assert {SETUP, CONNECT} <= kept
    assert summary(cold()).jobs[0].agent_name == dict(call()[0].facts).get(keys.AGENT_NAME, "")
    assert JOB in {m.subject for m in cold()}
