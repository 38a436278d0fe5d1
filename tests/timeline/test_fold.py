from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.moments import (
    ABOUT_ADA,
    ABOUT_ROOM,
    ADA,
    AGENT,
    DISPATCH,
    GHOST,
    JOB,
    MICROPHONE,
    ROOM,
    SESSION,
    VOICE,
    WAIT,
    WORKER,
    any_moments,
    call,
    moment,
    ms,
    uncertain_calls,
)
from tracer import ids, keys
from tracer.latency.gaps import Paths
from tracer.moment import Kind, Moment
from tracer.timeline.entities import Participant
from tracer.timeline.fold import SAID_LITTLE, fold
from tracer.timeline.precedence import must_precede
from tracer.timeline.trace_jobs import joined
from tracer.view import json as json_view

if TYPE_CHECKING:
    import random

    from tracer.timeline.step import Step


def written(moments: list[Moment]) -> str:
    return json.dumps(json_view.timeline(fold(ROOM, moments)))


def places(steps: tuple[Step, ...]) -> dict[tuple[Kind, str, str], int]:
    return {(step.kind, step.subject, step.occurrence): place for place, step in enumerate(steps)}


def test_steps_of_the_call_in_order() -> None:
    steps = fold(ROOM, call()).steps
    assert [(step.kind, step.subject, step.occurrence) for step in steps] == [
        (Kind.ROOM_CREATED, ROOM, ""),
        (Kind.DISPATCH_CREATED, DISPATCH, ""),
        (Kind.PARTICIPANT_JOINING, ADA, ""),
        (Kind.PARTICIPANT_JOINED, ADA, ""),
        (Kind.PARTICIPANT_ACTIVE, ADA, ""),
        (Kind.TRACK_PUBLISHED, MICROPHONE, ""),
        (Kind.JOB_OFFERED, JOB, ""),
        (Kind.JOB_RECEIVED, JOB, WORKER),
        (Kind.JOB_ACCEPTED, JOB, WORKER),
        (Kind.JOB_ASSIGNED, JOB, ""),
        (Kind.JOB_PROCESS_ASSIGNED, JOB, ""),
        (Kind.JOB_ENTRYPOINT_STARTED, JOB, ""),
        (Kind.AGENT_CONNECTING, JOB, ""),
        (Kind.PARTICIPANT_JOINING, AGENT, ""),
        (Kind.PARTICIPANT_ACTIVE, AGENT, ""),
        (Kind.AGENT_CONNECTED, JOB, ""),
        (Kind.AGENT_WAITING_FOR_PARTICIPANT, JOB, WAIT),
        (Kind.AGENT_PARTICIPANT_READY, JOB, WAIT),
        (Kind.SESSION_STARTING, JOB, SESSION),
        (Kind.TRACK_PUBLISHED, VOICE, ""),
        (Kind.SESSION_STARTED, JOB, SESSION),
        (Kind.JOB_ENTRYPOINT_RETURNED, JOB, ""),
        (Kind.DISPATCH_CREATED, GHOST, ""),
        (Kind.PARTICIPANT_LEFT, ADA, ""),
        (Kind.SESSION_CLOSED, JOB, SESSION),
        (Kind.PARTICIPANT_LEFT, AGENT, ""),
        (Kind.ROOM_FINISHED, ROOM, ""),
        (Kind.JOB_SHUTDOWN, JOB, ""),
        (Kind.AGENT_DISCONNECTED, JOB, ""),
        (Kind.JOB_ENDED, JOB, ""),
    ]
    assert not any(step.contradicted for step in steps)


def test_room_of_the_call() -> None:
    timeline = fold(ROOM, call())
    assert timeline.room.name == "demo"
    assert timeline.room.time(Kind.ROOM_CREATED) == ms(0.5)
    assert timeline.room.time(Kind.ROOM_FINISHED) == ms(6500)
    assert (timeline.created_by, timeline.creator) == ("participant", timeline.by_sid[ADA])
    assert timeline.end_reason == "departure_timeout"
    assert timeline.trace_id == f"{ids.trace_id(ROOM):032x}"
    assert timeline.by_sid[ROOM] is timeline.room


def test_participants_of_the_call() -> None:
    ada, agent = fold(ROOM, call()).participants
    assert (ada.sid, ada.identity, ada.kind, ada.is_agent) == (ADA, "ada", "STANDARD", False)
    assert ada.attributes == {"language": "en"}
    assert (ada.state, ada.disconnect_reason) == ("DISCONNECTED", "CLIENT_INITIATED")
    # Webhook [0, 97] and poll [90, 104] narrow each other.
    active = ada.at(Kind.PARTICIPANT_ACTIVE)
    assert active
    assert (active.earliest, active.latest, active.witnesses) == (ms(90), ms(97), ("observer", "webhook"))
    assert (agent.sid, agent.is_agent, agent.disconnect_reason) == (AGENT, True, "ROOM_CLOSED")
    assert agent.time(Kind.PARTICIPANT_JOINED) is None


def test_dispatches_and_jobs_of_the_call() -> None:
    timeline = fold(ROOM, call())
    automatic, ghost = timeline.dispatches
    assert (automatic.sid, automatic.mode, automatic.agent_name, automatic.jobs) == (DISPATCH, "automatic", "", (JOB,))
    assert (ghost.sid, ghost.mode, ghost.agent_name, ghost.jobs) == (GHOST, "explicit", "ghost", ())
    (job,) = timeline.jobs
    assert (job.sid, job.dispatch_id, job.worker_id, job.status) == (JOB, DISPATCH, WORKER, "JS_SUCCESS")
    assert timeline.agent_of(job) is timeline.by_sid[AGENT]


def test_identity_of_a_job_is_its_own_and_not_whom_it_waited_for() -> None:
    (job,) = fold(ROOM, call()).jobs
    assert job.participant_identity == "agent-" + JOB
    (job,) = fold(ROOM, [m for m in call() if m.kind is not Kind.AGENT_CONNECTED]).jobs
    assert job.participant_identity == "agent-" + JOB


def test_tracks_of_the_call_know_their_publishers() -> None:
    assert {track.sid: track.participant for track in fold(ROOM, call()).tracks} == {MICROPHONE: ADA, VOICE: AGENT}


def test_gaps_follow_each_other_and_sum_to_the_whole() -> None:
    gaps = Paths(fold(ROOM, call())).first
    assert (gaps[0].start.kind, gaps[-1].end.kind) == (Kind.ROOM_CREATED, Kind.SESSION_STARTED)
    assert all(before.end is after.start for before, after in pairwise(gaps))
    assert sum(gap.ns for gap in gaps) == ms(392) - ms(0.5)
    longest = max(gaps, key=lambda gap: gap.ns)
    assert (longest.start.kind, longest.end.kind, longest.owner) == (
        Kind.DISPATCH_CREATED,
        Kind.JOB_OFFERED,
        "livekit_server",
    )


def test_states_grow_with_what_is_seen() -> None:
    told = [m for m in call() if m.subject == ADA]
    states = {}
    for kind in (Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_JOINED, Kind.PARTICIPANT_ACTIVE, Kind.PARTICIPANT_LEFT):
        seen = [m for m in told if m.kind.rank <= kind.rank]
        (ada,) = fold(ROOM, seen).participants
        states[kind] = ada.state
    assert list(states.values()) == ["JOINING", "JOINED", "ACTIVE", "DISCONNECTED"]
    assert Participant(ADA).state is None


def test_a_participant_that_gave_up_is_disconnected() -> None:
    (who,) = fold(ROOM, [moment(Kind.PARTICIPANT_ABORTED, ADA, ms(60_000))]).participants
    assert who.state == "DISCONNECTED"
    assert who.gone
    assert who.gone.kind is Kind.PARTICIPANT_ABORTED


def test_nothing_is_an_empty_timeline() -> None:
    timeline = fold(ROOM, [])
    assert timeline.room.sid == ROOM
    assert not timeline.steps
    assert not Paths(timeline).first
    assert timeline.created_by is None
    assert timeline.end_reason is None


def test_a_job_alone_makes_its_dispatch_known_without_telling_how_it_came_about() -> None:
    (dispatch,) = fold(ROOM, [m for m in call() if m.subject == JOB]).dispatches
    assert (dispatch.sid, dispatch.jobs, dispatch.mode, dispatch.steps) == (DISPATCH, (JOB,), None, ())


def test_who_created_the_room_is_told_though_another_was_never_seen_to_join() -> None:
    stranger = moment(Kind.PARTICIPANT_ACTIVE, "PA_third", ms(500), told={keys.PARTICIPANT_IDENTITY: "eve"})
    creator = fold(ROOM, [*call(), stranger]).creator
    assert creator is not None
    assert creator.sid == ADA


def test_a_join_long_after_the_room_did_not_create_it() -> None:
    late = [
        moment(Kind.ROOM_CREATED, ROOM, ms(0), witness="webhook", told=ABOUT_ROOM),
        moment(Kind.PARTICIPANT_JOINING, ADA, ms(900), witness="webhook", told=ABOUT_ADA),
    ]
    assert fold(ROOM, late).created_by is None
    watched = [*late, moment(Kind.ROOM_CREATED, ROOM, ms(0), told={**ABOUT_ROOM, keys.ROOM_WATCHED: True})]
    assert fold(ROOM, watched).created_by == "api"


@pytest.mark.parametrize(("joined", "by"), [(310, "api"), (599, "api"), (600, None), (900, None)])
def test_a_server_that_is_slow_within_a_join_may_have_been_slow_before_it(joined: float, by: str | None) -> None:
    late = [
        moment(Kind.ROOM_CREATED, ROOM, ms(0), told={**ABOUT_ROOM, keys.ROOM_WATCHED: True}),
        moment(Kind.PARTICIPANT_JOINING, ADA, ms(300), witness="webhook", told=ABOUT_ADA),
        moment(Kind.PARTICIPANT_JOINED, ADA, ms(joined)),
    ]
    assert fold(ROOM, late).created_by == by


@pytest.mark.parametrize(
    ("offset", "name", "mode"),
    [(1, "", "automatic"), (1, "ghost", None), (900, "", "explicit"), (900, "x", "explicit")],
)
def test_mode_of_a_dispatch_is_told_only_where_time_and_name_leave_one(
    offset: float, name: str, mode: str | None
) -> None:
    told = [
        moment(Kind.ROOM_CREATED, ROOM, ms(0)),
        moment(Kind.DISPATCH_CREATED, DISPATCH, ms(offset), told={keys.AGENT_NAME: name}),
    ]
    assert fold(ROOM, told).dispatches[0].mode == mode


def test_an_agent_that_connects_after_its_room_has_closed_made_the_next_one() -> None:
    told = [
        moment(Kind.ROOM_CREATED, ROOM, ms(0)),
        moment(Kind.PARTICIPANT_JOINING, AGENT, ms(2), told={keys.PARTICIPANT_KIND: "AGENT"}),
    ]
    timeline = fold(ROOM, told)
    assert (timeline.created_by, timeline.creator) == ("participant", timeline.by_sid[AGENT])


def test_the_departure_timeout_runs_from_the_last_leave_of_anyone_but_a_recorder_that_the_end_puts_out() -> None:
    def leaves(sid: str, at: float, kind: str, reason: str) -> list[Moment]:
        about = {keys.PARTICIPANT_KIND: kind, keys.DISCONNECT_REASON: reason}
        return [moment(Kind.PARTICIPANT_JOINING, sid, ms(2), told=about), moment(Kind.PARTICIPANT_LEFT, sid, ms(at))]

    told = [
        moment(Kind.ROOM_CREATED, ROOM, ms(0), told={keys.ROOM_DEPARTURE_TIMEOUT: 20}),
        moment(Kind.ROOM_FINISHED, ROOM, ms(30_000)),
        *leaves("PA_ada", 4_000, "STANDARD", "CLIENT_INITIATED"),
        *leaves("PA_recorder", 29_990, "EGRESS", "ROOM_CLOSED"),
    ]
    assert fold(ROOM, told).end_reason is None
    assert fold(ROOM, [*told, *leaves("PA_agent", 10_000, "AGENT", "CLIENT_INITIATED")]).end_reason == (
        "departure_timeout"
    )


def test_mode_is_unknown_without_the_rooms_creation() -> None:
    told = [moment(Kind.DISPATCH_CREATED, DISPATCH, ms(1), told={keys.AGENT_NAME: ""})]
    assert fold(ROOM, told).dispatches[0].mode is None


@pytest.mark.parametrize(
    ("finished", "end_reason"), [(300_000, "empty_timeout"), (302_400, "empty_timeout"), (310_000, None), (100, None)]
)
def test_an_empty_room_ends_by_its_empty_timeout(finished: float, end_reason: str | None) -> None:
    told = [
        moment(Kind.ROOM_CREATED, ROOM, ms(0), told=ABOUT_ROOM),
        moment(Kind.ROOM_FINISHED, ROOM, ms(finished)),
    ]
    assert fold(ROOM, told).end_reason == end_reason


def test_the_servers_own_reason_counts_most() -> None:
    said = moment(Kind.ROOM_FINISHED, ROOM, ms(6500), told={keys.ROOM_END_REASON: "ROOM_END_API_DELETE"})
    told = [m for m in call() if m.kind is not Kind.ROOM_FINISHED]
    assert fold(ROOM, [*told, said]).end_reason == "api_delete"


def test_a_participant_put_out_by_deletion_tells_that_the_room_was_deleted() -> None:
    put_out = moment(Kind.PARTICIPANT_LEFT, "PA_third", ms(6490), told={keys.DISCONNECT_REASON: "ROOM_DELETED"})
    assert fold(ROOM, [*call(), put_out]).end_reason == "deleted"


def test_the_agents_join_comes_after_its_connecting_where_time_cannot_tell() -> None:
    told = [
        moment(Kind.AGENT_CONNECTING, JOB, ms(256), witness="agent"),
        moment(Kind.PARTICIPANT_JOINING, AGENT, ms(255), ms(257), ms(255)),
        moment(Kind.AGENT_CONNECTED, JOB, ms(260), told={keys.PARTICIPANT_ID: AGENT}),
    ]
    kinds = [step.kind for step in fold(ROOM, told).steps]
    assert kinds == [Kind.AGENT_CONNECTING, Kind.PARTICIPANT_JOINING, Kind.AGENT_CONNECTED]


def test_a_narrow_effect_pulls_a_whole_chain_of_causes_before_it() -> None:
    told = [
        moment(Kind.PARTICIPANT_JOINING, ADA, ms(0), ms(20), ms(14)),
        moment(Kind.PARTICIPANT_JOINED, ADA, ms(0), ms(20), ms(15)),
        moment(Kind.PARTICIPANT_ACTIVE, ADA, ms(0), ms(8), ms(8)),
    ]
    steps = fold(ROOM, told).steps
    assert [step.kind for step in steps] == [m.kind for m in told]
    assert all(step.earliest <= step.time <= step.latest for step in steps)


@given(any_moments())
def test_steps_are_in_order_of_time_and_each_within_its_interval(moments: list[Moment]) -> None:
    steps = fold(ROOM, moments).steps
    assert [step.time for step in steps] == sorted(step.time for step in steps)
    assert all(step.earliest <= step.time <= step.latest for step in steps)
    assert len(steps) == len(
        {(m.kind, m.subject, m.occurrence) for m in joined(moments) if m.kind is not Kind.JOB_SPANS_REPORTED}
    )
    written(moments)


@given(any_moments(), st.randoms(use_true_random=False), st.integers(1, 4))
def test_order_repetition_and_the_number_of_receivers_change_nothing(
    moments: list[Moment], chance: random.Random, receivers: int
) -> None:
    # What each receiver was told, with repetitions, put together in any order.
    parts = [chance.sample(moments, chance.randint(0, len(moments))) for _ in range(receivers)]
    union = [m for part in [*parts, moments] for m in part]
    chance.shuffle(union)
    assert written(union) == written(moments)


@given(any_moments())
def test_every_subject_is_told_of_once(moments: list[Moment]) -> None:
    timeline = fold(ROOM, moments)
    told = {m.subject for m in moments if m.kind is not Kind.JOB_SPANS_REPORTED}  # it is no step
    for lives, prefix in ((timeline.participants, "PA_"), (timeline.tracks, "TR_")):
        assert sorted(life.sid for life in lives) == sorted(sid for sid in told if sid.startswith(prefix))
    jobs = [job.sid for job in timeline.jobs]
    assert len(jobs) == len(set(jobs))
    assert {sid for sid in told if sid.startswith("AJ_")} <= set(jobs)
    # A trace that names no job can be that of the room's one agent, whose identity names it.
    assert len(jobs) <= len({sid for sid in told if sid.startswith(("AJ_", "trace:"))})
    dispatches = [dispatch.sid for dispatch in timeline.dispatches]
    assert len(dispatches) == len(set(dispatches))
    assert {sid for sid in told if sid.startswith("AD_")} <= set(dispatches)


@given(any_moments())
def test_gaps_are_never_negative(moments: list[Moment]) -> None:
    gaps = Paths(fold(ROOM, moments)).first
    assert all(gap.ns >= 0 for gap in gaps)
    if gaps:
        assert sum(gap.ns for gap in gaps) == gaps[-1].end.time - gaps[0].start.time


@given(uncertain_calls())
def test_a_cause_is_never_shown_after_its_effect_while_both_could_be_true(moments: list[Moment]) -> None:
    steps = fold(ROOM, moments).steps
    place = places(steps)
    for cause, effect in must_precede(steps):
        if cause.earliest <= effect.latest:
            assert (
                place[cause.kind, cause.subject, cause.occurrence]
                < place[effect.kind, effect.subject, effect.occurrence]
            )


def test_without_identities_a_jobs_agent_is_known_by_the_sid_it_connected_with_and_no_other_is_taken_for_it() -> None:
    redacted = [told.redacted() for told in call()]
    timeline = fold(ROOM, redacted)
    (job,) = timeline.jobs
    agent = timeline.agent_of(job)
    assert agent
    assert agent.sid == AGENT
    unconnected = fold(ROOM, [told for told in redacted if told.kind is not Kind.AGENT_CONNECTED])
    assert unconnected.agent_of(unconnected.jobs[0]) is None


def test_a_worker_is_worked_out_once_for_all_rooms_until_it_says_more() -> None:
    def said(sid: str, kind: Kind, at: int) -> Moment:
        return moment(kind, sid, ms(at), room="", witness="agent", clock="agent")

    both = [said("AW_b", Kind.WORKER_REGISTERED, 1), said("AW_a", Kind.WORKER_REGISTERED, 2)]
    before, again = fold(ROOM, call(), workers=both).workers, fold("RM_other", [], workers=both).workers
    assert [worker.sid for worker in before] == ["AW_b", "AW_a"]
    assert all(one is other for one, other in zip(before, again, strict=True))
    after = fold(ROOM, call(), workers=[said("AW_b", Kind.WORKER_FULL, 0), *reversed(both)]).workers
    assert after[1] is before[1]
    assert [step.kind for step in after[0].steps] == [Kind.WORKER_FULL, Kind.WORKER_REGISTERED]


def test_of_a_worker_that_says_much_nothing_is_remembered() -> None:
    much = [
        moment(Kind.WORKER_LOAD, "AW_much", ms(at), room="", witness="agent", occurrence=str(at))
        for at in range(SAID_LITTLE + 1)
    ]
    (one,), (other,) = (fold(ROOM, call(), workers=much).workers for _ in range(2))
    assert one == other
    assert one is not other
