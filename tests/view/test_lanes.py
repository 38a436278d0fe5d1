"""The lanes that every picture of a room is drawn from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.moments import ADA, AGENT, JOB, ROOM, call, moment, ms
from tracer import keys
from tracer.moment import Kind
from tracer.service.replay import timelines
from tracer.timeline.fold import fold
from tracer.units import NS_PER_S
from tracer.view.failed import NO_AGENT
from tracer.view.lanes import Form, Lane, lanes, waits
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.timeline.timeline import Timeline

CALLS = Path(__file__).parents[1] / "calls"


def of(name: str) -> tuple[Timeline, list[Lane]]:
    timeline = timelines(CALLS / f"{name}.jsonl.gz")[-1]
    return timeline, lanes(timeline, explain(timeline))


@pytest.mark.parametrize("name", ["ok_two_callers", "two_job_types", "s11_all_reject", "ok_long_back_muted"])
def test_every_lane_is_one_and_lies_within_the_room(name: str) -> None:
    timeline, found = of(name)
    assert len({lane.id for lane in found}) == len(found)
    known: set[str] = {""}
    for lane in found:
        assert lane.parent in known, "a lane stands below the one that it can be folded into"
        assert not lane.subjects & known, "each is on one lane"
        known |= lane.subjects
        for bar in lane.bars:
            assert bar.end is not None
            assert bar.start <= bar.end
    assert {participant.sid for participant in timeline.participants} <= known
    assert {job.sid for job in timeline.jobs} <= known


def test_a_participant_is_joining_until_it_is_active_and_there_until_it_left() -> None:
    timeline, found = of("ok_two_callers")
    caller = timeline.callers[0]
    lane = next(one for one in found if one.id == caller.sid)
    joining, present = lane.bars
    assert (joining.form, joining.start, joining.end) == (
        Form.JOINING,
        caller.time(Kind.PARTICIPANT_JOINING),
        caller.time(Kind.PARTICIPANT_ACTIVE),
    )
    assert caller.gone
    assert (present.form, present.end) == (Form.PRESENT, caller.gone.time)


def test_where_an_agent_failed_its_bar_is_broken_until_it_left() -> None:
    timeline, found = of("case_agent_cut")
    (agent,) = timeline.agents
    lane = next(one for one in found if one.id == agent.sid)
    failed = next(bar for bar in lane.bars if bar.form is Form.FAILED)
    lost = next(step for step in timeline.steps if step.kind is Kind.AGENT_RECONNECTING)
    assert agent.gone
    assert (failed.start, failed.end) == (lost.time, agent.gone.time)


@pytest.mark.parametrize(
    ("name", "kind", "until"),
    [
        ("s11_all_reject", Kind.JOB_REJECTED, None),
        ("hangs_before_connect", Kind.JOB_ENTRYPOINT_STARTED, None),
        ("s15_hot_reload", Kind.JOB_SHUTDOWN, Kind.AGENT_CONNECTING),
        ("case_one_identity", Kind.PARTICIPANT_LEFT, None),
        ("case_agent_cut", Kind.PARTICIPANT_LEFT, None),  # until then the agent's own line is red
    ],
)
def test_who_had_no_agent_is_red_from_what_failed_on(name: str, kind: Kind, until: Kind | None) -> None:
    timeline, found = of(name)
    caller = timeline.callers[0]
    lane = next(one for one in found if one.id == caller.sid)
    alone = [bar for bar in lane.bars if bar.text == NO_AGENT][-1]
    began = [step.time for step in timeline.steps if step.kind is kind]
    assert any(abs(alone.start - time) < NS_PER_S for time in began)
    assert alone.end is not None
    if until:
        later = next(step.time for step in timeline.steps if step.kind is until and step.time > alone.start)
        assert abs(alone.end - later) < NS_PER_S
    else:
        assert caller.gone
        assert alone.end == caller.gone.time
    assert (alone.start, alone.end) in waits(timeline, found)


def test_a_picture_has_room_for_a_missing_agent_while_somebody_waits_for_it() -> None:
    wanted = moment(Kind.DISPATCH_CREATED, "AD_x", ms(0), told={keys.AGENT_NAME: ""})
    there = [moment(Kind.PARTICIPANT_ACTIVE, ADA, ms(50)), moment(Kind.PARTICIPANT_LEFT, ADA, ms(20_000))]
    closed = moment(Kind.ROOM_FINISHED, ROOM, ms(40_000))
    made = moment(Kind.ROOM_CREATED, ROOM, ms(0))
    timeline = fold(ROOM, [made, wanted, *there, closed], now=ms(50_000))
    found = lanes(timeline, explain(timeline))
    assert [(bar.form, bar.end) for lane in found if lane.of == "dispatch" for bar in lane.bars] == [
        (Form.MISSING, ms(40_000))
    ]
    assert waits(timeline, found) == [(ms(0), ms(20_000))]


@pytest.mark.parametrize(
    ("name", "who", "stays"),
    [
        ("s15_hot_reload", "agent 1", [2]),  # its worker was reloaded
        ("leaves_and_comes_back", "agent 1", [2]),
        ("case_reload", "ada", [2]),
        ("s09_connect_retry", "agent 1", [1, 1]),  # of which one had not ended when the other began
        ("second_tab", "ada", [1, 1]),
        ("case_one_identity", "my-agent", [1, 1]),  # two jobs
    ],
)
def test_who_left_and_came_again_is_on_one_lane(name: str, who: str, stays: list[int]) -> None:
    timeline, found = of(name)
    theirs = [lane for lane in found if lane.label == who]
    assert [len(lane.stays) for lane in theirs] == stays
    for lane in theirs:
        there = [bar for bar in lane.bars if bar.form is Form.PRESENT]
        assert [bar.end for bar in there] == [end for end in lane.stays.values() if end in {bar.end for bar in there}]
        tracks = [one for one in timeline.tracks if one.participant in lane.stays]
        assert {one.parent for one in found if one.id in {track.sid for track in tracks}} <= {lane.id}


def test_what_failed_in_one_stay_ends_with_it() -> None:
    gone = {Kind.SESSION_CLOSED, Kind.PARTICIPANT_LEFT, Kind.ROOM_FINISHED}
    who = next(one for one in call() if one.subject == AGENT and one.kind is Kind.PARTICIPANT_JOINING).facts
    closed = {keys.CLOSE_REASON: "error"}
    timeline = fold(
        ROOM,
        [
            *(one for one in call() if one.kind not in gone),
            moment(Kind.SESSION_CLOSED, JOB, ms(2000), witness="agent", clock="agent", told=closed),
            moment(Kind.PARTICIPANT_LEFT, AGENT, ms(3000)),
            moment(Kind.PARTICIPANT_JOINING, "PA_again", ms(4000), told=dict(who)),
            moment(Kind.PARTICIPANT_ACTIVE, "PA_again", ms(4100), told=dict(who)),
        ],
    )
    lane = next(one for one in lanes(timeline, explain(timeline)) if AGENT in one.stays)
    assert lane.stays == {AGENT: ms(3000), "PA_again": None}
    failed = next(bar for bar in lane.bars if bar.form is Form.FAILED)
    assert (failed.start, failed.end) == (ms(2000), ms(3000))


@pytest.mark.parametrize("name", ["on_enter_hangs", "case_shutdown_slow"])
def test_a_shutdown_in_which_the_process_was_killed_is_red_on_its_job(name: str) -> None:
    timeline, found = of(name)
    (job,) = timeline.jobs
    lane = next(one for one in found if one.id == job.sid)
    failed = next(bar for bar in lane.bars if bar.form is Form.FAILED)
    assert (failed.start, failed.end) == (job.time(Kind.JOB_SHUTDOWN), job.time(Kind.PROCESS_FAILED))


@pytest.mark.parametrize(
    ("name", "who"),
    [
        ("case_cannot_publish", "ada"),  # may not, and the agent waited
        ("sources_without_microphone", "ada"),
        ("case_hidden_agent", "agent 1"),  # goes on to speak
    ],
)
def test_who_lacked_what_the_call_needs_is_red_until_they_left(name: str, who: str) -> None:
    _, found = of(name)
    red = [(lane.label, lane, bar) for lane in found for bar in lane.bars if bar.form is Form.FAILED]
    ((label, lane, bar),) = red
    assert label == who
    assert bar.end == next(iter(lane.stays.values()))


def test_a_wait_for_somebody_else_is_red_until_they_came() -> None:
    timeline, found = of("other_caller_waited")
    failed = next(bar for lane in found for bar in lane.bars if bar.form is Form.FAILED)
    ready = next(step for step in timeline.steps if step.kind is Kind.AGENT_PARTICIPANT_READY)
    assert failed.end == ready.time


def test_nobody_is_red_before_they_were_there() -> None:
    _, found = of("agent_publish_taken_away")  # the machine was slow before it, too
    lane = next(one for one in found if one.label == "agent 1")
    assert len([mark for mark in lane.marks if mark.form == "failed"]) > 1
    assert all(mark.at >= lane.bars[0].start for mark in lane.marks)


def test_what_failed_has_room_in_the_picture() -> None:
    timeline, found = of("case_agent_cut")
    failed = next(bar for lane in found for bar in lane.bars if bar.form is Form.FAILED)
    assert (failed.start, failed.end) in waits(timeline, found)


def test_what_is_red_is_of_this_room() -> None:
    timeline, found = of("s20_dev_load_one")
    marked = [lane.label for lane in found for mark in lane.marks if mark.form == "failed"]
    assert marked == [timeline.agents[0].identity], "it came from the room before, whose end is on no lane"


def test_while_something_else_is_red_for_it_who_had_no_agent_is_not() -> None:
    timeline, found = of("room_expired")
    assert explain(timeline).missed
    assert not [bar for lane in found for bar in lane.bars if bar.text == NO_AGENT]


def test_a_track_is_muted_while_it_is() -> None:
    published = next(one for one in call() if one.kind is Kind.TRACK_PUBLISHED)
    at = published.time
    muted, unmuted = (
        replace(published, kind=kind, earliest=at + after, time=at + after, latest=at + after)
        for kind, after in ((Kind.TRACK_MUTED, 10), (Kind.TRACK_UNMUTED, 30))
    )
    found = lanes(fold(published.room, [*call(), muted, unmuted]))
    track = next(lane for lane in found if lane.id == published.subject)
    assert [bar.form for bar in track.bars] == [Form.PRESENT, Form.MUTED, Form.PRESENT]
    assert (track.bars[1].start, track.bars[1].end) == (at + 10, at + 30)


def test_what_goes_on_has_no_end() -> None:
    moments = [one for one in call() if one.kind not in (Kind.ROOM_FINISHED, Kind.PARTICIPANT_LEFT)]
    timeline = fold(moments[0].room, moments, now=max(one.latest for one in moments))
    assert next(iter(lanes(timeline))).bars[0].end is None


@pytest.mark.parametrize(("name", "words"), [("second_tab", "left"), ("s09_connect_retry", "aborted")])
def test_why_one_identity_has_two_lanes_is_said(name: str, words: str) -> None:
    timeline, found = of(name)
    put_out = next(one for one in timeline.participants if one.disconnect_reason == "DUPLICATE_IDENTITY")
    lane = next(one for one in found if put_out.sid in one.subjects)
    assert [one.label for one in found].count(lane.label) == 2
    assert f"{words}: DUPLICATE_IDENTITY" in [mark.text for mark in lane.marks]
