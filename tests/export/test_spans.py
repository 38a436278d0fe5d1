from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.moments import (
    ADA,
    AGENT,
    DISPATCH,
    GHOST,
    JOB,
    MICROPHONE,
    ROOM,
    VOICE,
    any_moments,
    call,
    moment,
    ms,
)
from tracer import ids, keys
from tracer.export.spans import CUT, LOST, Span, spans
from tracer.moment import Kind, Moment, facts
from tracer.timeline.fold import fold
from tracer.timeline.timeline import LONG_SHUTDOWN

if TYPE_CHECKING:
    import random

WHOLE = ids.span_id("room", ROOM)


def found(moments: list[Moment], name: str, subject: str) -> Span:
    (span,) = (span for span in spans(fold(ROOM, moments)) if span.span_id == ids.span_id(name, subject))
    assert span.name.partition(" ")[0] == name
    return span


def tree(made: list[Span]) -> dict[str, list[str]]:
    """Names of each span's children, in order, under the names of their parents."""
    names = {span.span_id: span.name for span in made}
    by_parent = sorted(made, key=lambda span: names.get(span.parent_id or 0, ""))
    return {
        name: [span.name for span in children]
        for name, children in groupby(by_parent, key=lambda span: names.get(span.parent_id or 0, ""))
    }


def test_the_call_is_one_tree() -> None:
    made = spans(fold(ROOM, call()))
    assert {span.trace_id for span in made} == {ids.trace_id(ROOM)}
    assert tree(made) == {
        "": ["room"],
        "room": ["room_started", "dispatch", "participant STANDARD", "participant AGENT", "dispatch"],
        "dispatch": ["job"],
        "participant STANDARD": ["JOINING", "JOINED", "ACTIVE"],
        "participant AGENT": ["JOINING", "ACTIVE"],
    }


def test_services_of_the_call() -> None:
    assert {(span.service, span.name) for span in spans(fold(ROOM, call()))} == {
        ("livekit.room", "room"),
        ("livekit.room", "room_started"),
        ("livekit.dispatch", "dispatch"),
        ("livekit.dispatch", "job"),
        ("livekit.participant", "participant STANDARD"),
        ("livekit.participant", "participant AGENT"),
        ("livekit.participant", "JOINING"),
        ("livekit.participant", "JOINED"),
        ("livekit.participant", "ACTIVE"),
    }


@pytest.mark.parametrize(
    ("name", "subject", "parent", "start", "end"),
    [
        ("room", ROOM, None, 0.5, 6500),
        ("dispatch", DISPATCH, WHOLE, 0.7, 202.6),
        ("job", JOB, ids.span_id("dispatch", DISPATCH), 201, 6520),
        ("participant", ADA, WHOLE, 2.5, 4100),
        ("JOINING", ADA, ids.span_id("participant", ADA), 2.5, 9),
        ("JOINED", ADA, ids.span_id("participant", ADA), 9, 97),
        ("ACTIVE", ADA, ids.span_id("participant", ADA), 97, 4100),
        ("JOINING", AGENT, ids.span_id("participant", AGENT), 256.5, 351),
    ],
)
def test_spans_of_the_call(name: str, subject: str, parent: int | None, start: float, end: float) -> None:
    span = found(call(), name, subject)
    assert (span.parent_id, span.start, span.end, span.error) == (parent, ms(start), ms(end), None)


def test_a_dispatch_that_nobody_answered_is_an_error_and_ends_with_the_room() -> None:
    ghost = found(call(), "dispatch", GHOST)
    assert ghost.error == "no worker took the job before the room closed"
    assert (ghost.start, ghost.end) == (ms(1500), ms(6500))


def test_a_dispatch_that_nobody_answered_yet_is_no_span_while_the_room_is_open() -> None:
    open_room = [m for m in call() if m.kind is not Kind.ROOM_FINISHED]
    assert ids.span_id("dispatch", GHOST) not in {span.span_id for span in spans(fold(ROOM, open_room))}


def test_a_failed_job_is_an_error() -> None:
    failed = moment(Kind.JOB_ENDED, JOB, ms(6521), witness="agent", told={keys.JOB_STATUS: "JS_FAILED"})
    told = [m for m in call() if m.kind is not Kind.JOB_ENDED]
    assert found([*told, failed], "job", JOB).error == "the job failed"


def test_the_servers_word_that_a_job_failed_does_not_end_it_while_it_may_say_good_bye() -> None:
    """The server calls a job failed as soon as its agent has left; its shutdown callbacks come after that."""
    failed = moment(Kind.JOB_ENDED, JOB, ms(6521), told={keys.JOB_STATUS: "JS_FAILED"})
    told = [*(m for m in call() if m.kind is not Kind.JOB_ENDED), failed]
    job = ids.span_id("job", JOB)
    assert job not in {span.span_id for span in spans(fold(ROOM, told))}
    late = fold(ROOM, told, now=ms(6500) + LONG_SHUTDOWN)
    (span,) = (span for span in spans(late) if span.span_id == job)
    assert span.closes == JOB
    ended = moment(Kind.JOB_ENDED, JOB, ms(9000), witness="agent", told={keys.JOB_STATUS: "JS_SUCCESS"})
    (span,) = (span for span in spans(fold(ROOM, [*told, ended])) if span.span_id == job)
    assert span.closes == ""


def test_a_participant_that_gave_up_is_an_error_and_was_never_active() -> None:
    told = [
        moment(Kind.PARTICIPANT_JOINING, ADA, ms(2)),
        moment(Kind.PARTICIPANT_ABORTED, ADA, ms(60_000)),
    ]
    made = {span.name: span for span in spans(fold(ROOM, told))}
    assert set(made) == {"participant", "JOINING"}
    assert made["participant"].error == "the participant left before it was ACTIVE"


def test_a_participant_whose_leaving_nobody_told_ends_with_the_room_and_says_so() -> None:
    gone = (Kind.PARTICIPANT_LEFT, Kind.PARTICIPANT_ABORTED)
    told = [m for m in call() if m.subject != ADA or m.kind not in gone]
    whole = found(told, "participant", ADA)
    assert whole.end == ms(6500)
    assert whole.error == "the participant's leaving was not reported: it was before the room's end"
    assert found(told, "ACTIVE", ADA).parent_id == whole.span_id
    still_there = [m for m in told if m.kind is not Kind.ROOM_FINISHED]
    assert whole.span_id not in {span.span_id for span in spans(fold(ROOM, still_there))}


def test_the_job_of_an_unseen_dispatch_hangs_on_the_room() -> None:
    told = [m for m in call() if m.subject != DISPATCH]
    assert found(told, "job", JOB).parent_id == WHOLE


@pytest.mark.parametrize("until", [0, 1, 2, 5, 9, 17, 27, 28, 30])
def test_a_span_is_given_as_soon_as_both_its_ends_are_known_and_not_before(until: int) -> None:
    told = call()[:until]
    kinds = {(m.kind, m.subject) for m in told}
    given_now = {span.span_id for span in spans(fold(ROOM, told))}
    for name, subject, ends in (
        ("room_started", ROOM, [Kind.ROOM_CREATED]),
        ("room", ROOM, [Kind.ROOM_CREATED, Kind.ROOM_FINISHED]),
        ("participant", ADA, [Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_LEFT]),
        ("ACTIVE", ADA, [Kind.PARTICIPANT_ACTIVE, Kind.PARTICIPANT_LEFT]),
        ("JOINED", ADA, [Kind.PARTICIPANT_JOINED, Kind.PARTICIPANT_ACTIVE]),
        ("job", JOB, [Kind.JOB_OFFERED, Kind.JOB_ENDED]),
    ):
        assert (ids.span_id(name, subject) in given_now) is all((kind, subject) in kinds for kind in ends), name


def test_every_moment_of_a_whole_call_is_on_one_span_as_an_event() -> None:
    carried = [
        (event.name, dict(event.attributes)[keys.SUBJECT], dict(event.attributes)[keys.WITNESS])
        for span in spans(fold(ROOM, call()))
        for event in span.events
    ]
    assert sorted(carried) == sorted((m.kind.value, m.subject, m.witness) for m in call())


def test_an_event_holds_the_whole_moment() -> None:
    (event,) = (
        event
        for event in found(call(), "participant", ADA).events
        if event.name == Kind.PARTICIPANT_ACTIVE and dict(event.attributes)[keys.WITNESS] == "webhook"
    )
    (moment,) = (m for m in call() if (m.kind, m.subject, m.witness) == (Kind.PARTICIPANT_ACTIVE, ADA, "webhook"))
    assert event.time == ms(97)
    assert dict(event.attributes) == {
        **dict(moment.facts),
        keys.SUBJECT: ADA,
        keys.WITNESS: "webhook",
        keys.CLOCK: "receiver",
        keys.EARLIEST: str(ms(0)),
        keys.LATEST: str(ms(97)),
    }


def test_what_a_witness_reports_of_a_moment_again_is_one_event_with_all_it_told() -> None:
    told = next(m for m in call() if (m.kind, m.subject, m.witness) == (Kind.PARTICIPANT_JOINING, ADA, "webhook"))
    again = replace(told, facts=facts({keys.DISCONNECT_REASON: "CLIENT_INITIATED"}))
    events = [
        dict(event.attributes)
        for event in found([*call(), again], "participant", ADA).events
        if event.name == Kind.PARTICIPANT_JOINING and dict(event.attributes)[keys.WITNESS] == "webhook"
    ]
    assert len(events) == 1
    assert events[0].items() >= {*told.facts, *again.facts}


def test_a_publishers_tracks_are_events_on_its_span() -> None:
    for who, track in ((ADA, MICROPHONE), (AGENT, VOICE)):
        subjects = {dict(event.attributes)[keys.SUBJECT] for event in found(call(), "participant", who).events}
        assert subjects == {who, track}


def test_every_span_names_its_room_and_what_it_is_about() -> None:
    for span in spans(fold(ROOM, call())):
        told = dict(span.attributes)
        assert (told[keys.ROOM_SID], told[keys.CONVERSATION_ID], told[keys.ROOM_NAME]) == (ROOM, ROOM, "demo")
    assert dict(found(call(), "participant", ADA).attributes)[keys.PARTICIPANT_ID] == ADA
    assert dict(found(call(), "dispatch", DISPATCH).attributes)[keys.DISPATCH_ID] == DISPATCH
    assert dict(found(call(), "job", JOB).attributes)[keys.JOB_ID] == JOB


def test_the_span_of_a_job_names_the_agent_and_not_whom_it_waited_for() -> None:
    told = dict(found(call(), "job", JOB).attributes)
    assert told[keys.PARTICIPANT_IDENTITY] == "agent-" + JOB
    assert told.get(keys.PARTICIPANT_ID, AGENT) == AGENT


def test_a_span_of_a_redacted_call_holds_nothing_personal() -> None:
    for span in spans(fold(ROOM, [m.redacted() for m in call()])):
        assert not [key for key, _ in span.attributes if keys.is_personal(key)]


def test_ids_do_not_depend_on_what_else_is_known() -> None:
    whole = {span.span_id for span in spans(fold(ROOM, call()))}
    for until in range(len(call())):
        assert {span.span_id for span in spans(fold(ROOM, call()[:until]))} <= whole


@given(any_moments())
def test_each_span_is_given_once_and_lasts(moments: list[Moment]) -> None:
    made = spans(fold(ROOM, moments))
    assert len({span.span_id for span in made}) == len(made)
    assert all(0 < span.span_id < 2**64 and span.trace_id == ids.trace_id(ROOM) for span in made)
    assert all(span.start < span.end for span in made)
    assert all(span.parent_id != span.span_id for span in made)
    assert [span.start for span in made] == sorted(span.start for span in made)


@given(any_moments(), st.randoms(use_true_random=False), st.integers(1, 4))
def test_order_repetition_and_the_number_of_receivers_change_nothing(
    moments: list[Moment], chance: random.Random, receivers: int
) -> None:
    parts = [chance.sample(moments, chance.randint(0, len(moments))) for _ in range(receivers)]
    union = [m for part in [*parts, moments] for m in part]
    chance.shuffle(union)
    assert repr(spans(fold(ROOM, union))) == repr(spans(fold(ROOM, moments)))


def test_moments_that_differ_by_their_clock_only_keep_one_order() -> None:
    clocks = [
        moment(Kind.JOB_OFFERED, JOB, ms(1), clock=clock, witness="agent") for clock in ("server", "agent", "receiver")
    ]
    told = [*clocks, moment(Kind.JOB_ENDED, JOB, ms(9))]
    (job,) = spans(fold(ROOM, told))
    assert [dict(event.attributes)[keys.CLOCK] for event in job.events] == ["agent", "receiver", "server", "server"]


def test_an_agents_span_shows_where_its_connection_was_lost_and_not_where_it_was_given_up() -> None:
    def by_agent(kind: Kind, at: float) -> Moment:
        return moment(kind, JOB, ms(at), witness="agent", clock="agent")

    lost, given_up = by_agent(Kind.AGENT_RECONNECTING, 1000), by_agent(Kind.AGENT_CONNECTION_LOST, 5000)
    agent = found([*call(), lost, given_up], "participant", AGENT)
    assert [event.time for event in agent.events if event.name == LOST] == [ms(1000)]
    assert agent.error == CUT
    # It was leaving anyway.
    meant = found([*call(), by_agent(Kind.AGENT_CONNECTION_LOST, 6505)], "participant", AGENT)
    assert meant.error is None
    assert LOST not in {event.name for event in meant.events}
