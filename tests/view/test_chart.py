from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.moments import ADA, JOB, ROOM, WAIT, call, moment, ms
from tests.moments import AGENT as PA_AGENT
from tests.view.test_wording import SECOND, second_job
from tests.why.cases import CASES
from tracer import keys
from tracer.moment import Fact, Kind, Moment
from tracer.service.replay import timelines
from tracer.timeline.entities import Participant
from tracer.timeline.fold import fold
from tracer.view.axis import NARROWEST, Axis
from tracer.view.chart import NOW, STYLES, Chart
from tracer.view.lanes import style_of
from tracer.view.rows import MomentRows
from tracer.why import explain


def by_agent(kind: Kind, at: float, told: dict[str, Fact] | None = None) -> Moment:
    return moment(kind, JOB, ms(at), witness="agent", clock="agent", occurrence="x", told=told)


def drawn(*moments: Moment, width: int = 120) -> dict[str, str]:
    """Each row's bars by its name; of two rows of one name the last."""
    made = fold(ROOM, moments)
    chart = Chart(made, list(made.participants), list(made.steps), width, explain(made))
    lines = [line.plain for line in chart.lines()]
    return {line[: chart.label_width].strip(): line[chart.label_width + chart.note_width + 2 :] for line in lines}


AGENT = "agent 1"
CALLS = Path(__file__).parents[1] / "calls"


def test_a_call_that_goes_well_has_no_broken_bar() -> None:
    rows = drawn(*call())
    assert set("╌✕") <= set(rows.pop("dispatch"))  # for an agent that nobody is
    assert not set("╌✕") & set("".join(rows.values()))


def test_from_where_it_failed_an_agents_bar_is_broken() -> None:
    closed = by_agent(Kind.SESSION_CLOSED, 2000, {keys.CLOSE_REASON: "error", keys.ERROR_TYPE: "APIError"})
    bar = drawn(*(m for m in call() if m.kind is not Kind.SESSION_CLOSED), closed)[AGENT]
    before, after = bar.split("✕")
    assert "━" in before
    assert "╌" not in before
    assert "━" not in after
    assert after.endswith("┫ left")


def test_a_failure_of_a_track_is_drawn_where_it_was_and_not_where_the_axis_is_folded() -> None:
    timeline = timelines(CALLS / "muted_by_api.jsonl.gz")[-1]
    answer = explain(timeline)
    shown = [row.step for row in MomentRows(timeline, answer.findings).rows]
    chart = Chart(timeline, list(timeline.participants), shown, 120, answer)
    muted = next(step for step in answer.findings[0].evidence if step.kind is Kind.TRACK_MUTED)
    assert any(stretch.start <= muted.time <= stretch.end for stretch in chart.axis.stretches)


def test_once_it_is_back_the_bar_is_whole_again() -> None:
    failed = by_agent(Kind.MODEL_FAILED, 1000, {keys.ERROR_TYPE: "APIError"})
    after = drawn(*call(), failed, by_agent(Kind.MODEL_ANSWERED, 3000))[AGENT].partition("✕")[2]
    assert after.index("╌") < after.index("━")


def test_a_job_that_failed_without_an_agent_shows_it_on_its_own_row() -> None:
    killed = by_agent(Kind.PROCESS_FAILED, 5000, {keys.EXIT_CODE: -9})
    until = [m for m in call() if m.time < ms(250)]
    assert drawn(*until, killed, moment(Kind.ROOM_FINISHED, ROOM, ms(6000)))[f"job {JOB}"].endswith("✕")


def test_a_wait_that_ended_with_nobody_is_not_drawn_as_open() -> None:
    ended = moment(Kind.AGENT_WAIT_ENDED, JOB, ms(4000), witness="agent", clock="agent", occurrence=WAIT)
    waits = drawn(*(m for m in call() if m.kind is not Kind.AGENT_PARTICIPANT_READY), ended)["wait_for_participant"]
    assert "┄" not in waits
    assert "nobody" in waits


def test_what_an_agent_does_twice_is_drawn_twice_and_no_words_cover_a_bar() -> None:
    again = [
        moment(kind, JOB, ms(at), witness="agent", clock="agent", occurrence="second")
        for kind, at in ((Kind.AGENT_WAITING_FOR_PARTICIPANT, 2000), (Kind.AGENT_PARTICIPANT_READY, 3000))
    ]
    waits = drawn(*call(), *again, width=200)["wait_for_participant"]
    assert "▏ 0.2 ms" in waits
    assert "├" in waits.partition("0.2 ms")[2]
    assert "1.0 s" in waits


def test_what_is_broken_is_red() -> None:
    made = fold(ROOM, [*call(), by_agent(Kind.MODEL_FAILED, 1000, {keys.ERROR_TYPE: "APIError"})])
    lines = list(Chart(made, list(made.participants), list(made.steps), 120).lines())
    (agent,) = [line for line in lines if line.plain.startswith(AGENT)]
    red = "".join(agent.plain[span.start : span.end] for span in agent.spans if span.style == STYLES["failed"])
    assert red.startswith("✕╌")


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_what_is_missing_is_drawn_for_as_long_as_it_was(width: int) -> None:
    dispatched = drawn(*call(), width=width)["dispatch"]
    assert dispatched.rstrip().endswith("✕") or "no job for 5.0 s" in dispatched
    assert dispatched.count("╌") >= 4
    if width >= 80:
        assert " no job for 5.0 s " in dispatched


@given(
    times=st.lists(st.integers(0, 10**11), min_size=1, max_size=60),
    width=st.integers(24, 220),
    last=st.sampled_from([NARROWEST, NOW]),
)
def test_every_time_has_a_column_in_their_order_and_no_stretch_is_beyond_the_edge(
    times: list[int], width: int, last: int
) -> None:
    known = sorted(times)
    axis = Axis(known, known[0], width, pairwise(known), last=last)
    columns = [axis.column(time) for time in known]
    assert columns == sorted(columns)
    assert columns[0] >= 0
    assert columns[-1] < width
    assert all(one.column + one.width <= other.column for one, other in pairwise(axis.stretches))
    assert axis.stretches[-1].column + axis.stretches[-1].width <= width


def test_stretches_that_touch_have_nothing_folded_between_them_and_one_label() -> None:
    timeline = timelines(CALLS / "s15_hot_reload.jsonl.gz")[-1]
    shown = [row.step for row in MomentRows(timeline, ()).rows]
    axis = Chart(timeline, list(timeline.participants), shown, 80, explain(timeline)).axis
    touching = [(one, other) for one, other in pairwise(axis.stretches) if other.start - one.end <= 1]
    assert touching, "she had no agent from the last thing that happened before on"
    assert all(one.column + one.width == other.column for one, other in touching)
    assert len(axis.folds) == len(axis.stretches) - 1 - len(touching)
    labels = [label for _, label in axis.ticks()]
    assert len(set(labels)) == len(labels)


def test_a_job_that_brought_no_agent_shows_for_how_long() -> None:
    moments = [m for m in call() if m.time < ms(250)]
    bar = drawn(*moments, moment(Kind.ROOM_FINISHED, ROOM, ms(6000)))[f"job {JOB}"]
    assert " no agent for 5.8 s " in bar
    assert "╌" in bar
    assert bar.endswith("✕")


def test_an_agent_that_was_killed_unseen_is_no_solid_line_after_its_last_report() -> None:
    case = next(one for one in CASES if one.cause == "process-killed" and not one.certain)
    made = fold(ROOM, case.moments, now=case.now)
    chart = Chart(made, list(made.participants), list(made.steps), 120, explain(made))
    job = made.jobs[0]
    agent = made.agent_of(job)
    assert agent
    (bar,) = [line for line in chart.lines() if line.plain.startswith(AGENT)]
    last = chart.axis.column(explain(made).findings[0].evidence[0].time) + chart.label_width + chart.note_width + 2
    assert "━" not in bar.plain[last + 1 :]
    assert "╌" in bar.plain[last + 1 :]


def test_only_who_an_agent_can_be_meant_for_is_drawn_as_a_caller() -> None:
    def kind(name: str) -> str:
        step = fold(ROOM, [moment(Kind.PARTICIPANT_JOINING, ADA, ms(1), told={keys.PARTICIPANT_KIND: name})]).steps
        return style_of(Participant(ADA, tuple(step)))

    assert {name: kind(name) for name in ("STANDARD", "SIP", "AGENT", "EGRESS", "INGRESS")} == {
        "STANDARD": "caller",
        "SIP": "caller",
        "AGENT": "agent",
        "EGRESS": "other",
        "INGRESS": "other",
    }


def test_each_agent_has_a_number_and_a_colour_of_its_own() -> None:
    told = {keys.PARTICIPANT_IDENTITY: f"agent-{SECOND}", keys.PARTICIPANT_KIND: "AGENT"}
    came = [moment(kind, "PA_two", ms(700), told=told) for kind in (Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_ACTIVE)]
    joined = moment(Kind.AGENT_CONNECTED, SECOND, ms(700), witness="agent", told={keys.PARTICIPANT_ID: "PA_two"})
    made = fold(ROOM, [*call(), *second_job(), *came, joined])
    lines = list(Chart(made, list(made.participants), list(made.steps), 120).lines())
    colour = {
        name: next(str(span.style) for span in line.spans if line.plain[span.start : span.end].startswith(name))
        for line in lines
        for name in ("agent 1", "agent 2")
        if line.plain.startswith(name)
    }
    assert set(colour) == {"agent 1", "agent 2"}
    assert colour["agent 1"] != colour["agent 2"]
    assert STYLES["failed"] not in colour.values()


def test_an_identity_is_not_shown_twice_and_one_of_the_users_own_stays() -> None:
    rows = drawn(*call(), width=200)
    assert [name for name in rows if JOB in name] == [f"job {JOB}"]
    mine = [
        replace(m, facts=tuple((k, "nova" if k == keys.PARTICIPANT_IDENTITY else v) for k, v in m.facts))
        if m.subject == PA_AGENT
        else m
        for m in call()
    ]
    assert "nova" in drawn(*mine)


def test_a_zoomed_axis_is_the_same_wider_and_shows_a_part() -> None:
    made = fold(ROOM, call())

    def bars(zoom: int, shift: int) -> tuple[Chart, list[str]]:
        chart = Chart(made, list(made.participants), list(made.steps), 100, zoom=zoom, shift=shift)
        return chart, [line.plain[chart.label_width + chart.note_width + 2 :] for line in chart.lines()]

    chart, whole = bars(4, 0)
    parts = [bars(4, shift)[1] for shift in range(0, 4 * chart.width, chart.width)]
    assert all(len(line) <= chart.width for part in parts for line in part)
    rows = ["".join(part[at].ljust(chart.width) for part in parts) for at in range(1, len(whole))]
    wide = Chart(made, list(made.participants), list(made.steps), 100 + 3 * chart.width)
    lines = [line.plain[wide.label_width + wide.note_width + 2 :] for line in list(wide.lines())[1:]]
    assert len(rows) == len(lines)
    for row, line in zip(rows, lines, strict=True):
        differ = {at for at, (one, other) in enumerate(zip(row, line.ljust(len(row)), strict=True)) if one != other}
        assert {at % chart.width for at in differ} <= {0, chart.width - 1}, "only where an edge cuts a label"
        assert {row[at] for at in differ} <= {"…"}
    assert bars(4, 10**9)[0].shift == 3 * chart.width, "not beyond the end"
    assert bars(4, -5)[0].shift == 0


def test_what_an_edge_leaves_of_a_label_does_not_read_as_another_time() -> None:
    made = fold(ROOM, call())
    whole = Chart(made, list(made.participants), list(made.steps), 100, zoom=4)
    scale = whole.axis.scale()
    found = re.search(r"[1-9]\d+ ms", scale)
    assert found
    before = whole.label_width + whole.note_width + 2
    shown = Chart(made, list(made.participants), list(made.steps), 100, zoom=4, shift=found.start() + 1)
    assert next(shown.lines()).plain[before:].startswith("…")
    cut = Chart(
        made, list(made.participants), list(made.steps), 100, zoom=4, shift=max(found.end() - 2 - whole.width, 0)
    )
    edge = cut.shift + cut.width
    assert next(cut.lines()).plain.endswith("…") == (found.start() < edge < found.end())


def test_a_marked_time_has_a_line_down_its_column_that_covers_nothing() -> None:
    made = fold(ROOM, call())
    plain = list(Chart(made, list(made.participants), list(made.steps), 100).lines())
    chart = Chart(made, list(made.participants), list(made.steps), 100, mark=ms(300))
    marked = list(chart.lines())
    assert chart.marked is not None
    column = chart.label_width + chart.note_width + 2 + chart.marked
    for before, after in zip(plain[1:], marked[1:], strict=True):
        was = before.plain.ljust(column + 1)[column]
        assert after.plain[column] == ("┊" if was == " " else was)


def test_where_there_is_no_room_for_why_somebody_left_it_says_that_they_did() -> None:
    made = timelines(CALLS / "second_tab.jsonl.gz")[-1]

    def ended(width: int) -> str:
        chart = Chart(made, list(made.participants), list(made.steps), width, explain(made))
        line = next(line.plain for line in chart.lines() if line.plain.startswith("ada "))
        return line.rpartition("┫ ")[2]

    assert ended(120) == "left: DUPLICATE_IDENTITY"
    assert ended(60) == "left"
