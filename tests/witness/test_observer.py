from __future__ import annotations

import pytest
from livekit.protocol.agent import Job, JobState, JobStatus, JobType
from livekit.protocol.agent_dispatch import AgentDispatch, AgentDispatchState
from livekit.protocol.models import ParticipantInfo, Room

from tests.moments import ADA, AGENT, DISPATCH, JOB, ROOM, START, WORKER, ms
from tracer import keys
from tracer.moment import Kind, Moment
from tracer.settings import LiveKit
from tracer.witness.observer import Observer, _changes, _Watched, dispatch_moments

JOINING, JOINED, ACTIVE = ParticipantInfo.JOINING, ParticipantInfo.JOINED, ParticipantInfo.ACTIVE
DEMO = Room(sid=ROOM, name="demo", creation_time_ms=START // 1_000_000, departure_timeout=2, turn_password="secret")  # noqa: S106  # of no room


def ada(state: ParticipantInfo.State, sid: str = ADA) -> ParticipantInfo:
    return ParticipantInfo(
        sid=sid, identity="ada", state=state, joined_at_ms=START // 1_000_000 + 2, attributes={"language": "en"}
    )


def look(room: _Watched, asked: float, answered: float, *listed: ParticipantInfo) -> list[Moment]:
    """One question about a room's participants, as the observer asks it."""
    moments = list(_changes(room, listed, ms(answered)))
    room.looked = ms(asked)
    return moments


def watched() -> _Watched:
    return _Watched(ROOM, "demo", 0.0)


def shape(moments: list[Moment]) -> list[tuple[Kind, str, int, int]]:
    return [(m.kind, m.subject, m.earliest, m.latest) for m in moments]


def test_each_change_lies_between_two_looks() -> None:
    room = watched()
    assert shape(look(room, 0, 3, ada(JOINING))) == [(Kind.PARTICIPANT_JOINING, ADA, ms(2), ms(3) - 1)]
    assert look(room, 4, 5, ada(JOINING)) == []
    assert shape(look(room, 10, 11, ada(JOINED))) == [(Kind.PARTICIPANT_JOINED, ADA, ms(4), ms(11))]
    assert shape(look(room, 90, 91, ada(ACTIVE))) == [(Kind.PARTICIPANT_ACTIVE, ADA, ms(10), ms(91))]
    assert look(room, 100, 101, ada(ACTIVE)) == []
    assert shape(look(room, 200, 201)) == [(Kind.PARTICIPANT_LEFT, ADA, ms(100), ms(201))]
    assert look(room, 300, 301) == []


def test_a_change_seen_at_the_first_look_came_after_the_join() -> None:
    assert shape(look(watched(), 500, 501, ada(ACTIVE))) == [
        (Kind.PARTICIPANT_JOINING, ADA, ms(2), ms(3) - 1),
        (Kind.PARTICIPANT_ACTIVE, ADA, ms(2), ms(501)),
    ]


def test_a_participant_new_since_the_last_look_changed_after_it() -> None:
    room = watched()
    look(room, 1, 1)
    (_, joined) = look(room, 20, 21, ada(JOINED))
    assert (joined.kind, joined.earliest, joined.latest) == (Kind.PARTICIPANT_JOINED, ms(2), ms(21))


def test_what_has_the_servers_own_time_says_between_which_looks_it_appeared() -> None:
    room = watched()
    (first, _) = look(room, 0, 1, ada(ACTIVE))
    assert dict(first.facts)[keys.SEEN_BY] == str(ms(1))
    assert keys.SEEN_AFTER not in dict(first.facts), "there was no look before"
    joined, active = look(room, 20, 21, ada(ACTIVE), ada(ACTIVE, AGENT))
    told = dict(joined.facts)
    assert (told[keys.SEEN_AFTER], told[keys.SEEN_BY]) == (str(ms(0)), str(ms(21)))
    assert not {keys.SEEN_AFTER, keys.SEEN_BY} & dict(active.facts).keys()


def test_a_room_says_between_which_lists_it_appeared() -> None:
    observer = Observer(LiveKit("ws://127.0.0.1:1", "key", "s" * 32))
    (first,) = observer._found(DEMO, ms(5))
    assert (dict(first.facts).get(keys.SEEN_AFTER), dict(first.facts)[keys.SEEN_BY]) == (None, str(ms(5)))
    observer._listed = ms(-200)
    (later,) = observer._found(DEMO, ms(5))
    told = dict(later.facts)
    assert (told[keys.SEEN_AFTER], told[keys.SEEN_BY], told[keys.ROOM_WATCHED]) == (str(ms(-200)), str(ms(5)), True)


def test_a_servers_clock_ahead_of_ours_gives_no_negative_interval() -> None:
    for m in look(watched(), -50, -40, ada(ACTIVE)):
        assert m.earliest <= m.time <= m.latest


def test_who_comes_back_under_another_sid_left_and_joined() -> None:
    room = watched()
    look(room, 10, 11, ada(ACTIVE))
    kinds = {(m.kind, m.subject) for m in look(room, 20, 21, ada(JOINED, "PA_ada2"))}
    assert kinds == {
        (Kind.PARTICIPANT_JOINING, "PA_ada2"),
        (Kind.PARTICIPANT_JOINED, "PA_ada2"),
        (Kind.PARTICIPANT_LEFT, ADA),
    }


def test_participants_are_told_with_what_is_known_of_them() -> None:
    (_, active) = look(watched(), 0, 97, ada(ACTIVE))
    assert dict(active.facts) == {
        keys.PARTICIPANT_IDENTITY: "ada",
        keys.PARTICIPANT_KIND: "STANDARD",
        keys.PARTICIPANT_ATTRIBUTE + "language": "en",
    }
    assert (active.room, active.clock, active.witness) == (ROOM, "receiver", "observer")


def dispatch(**state: object) -> AgentDispatch:
    job = Job(id=JOB, dispatch_id=DISPATCH, type=JobType.JT_ROOM, state=JobState(**state))  # type: ignore[arg-type]
    return AgentDispatch(
        id=DISPATCH,
        agent_name="greeter",
        metadata="tier=gold",
        state=AgentDispatchState(created_at=ms(0.7), jobs=[job]),
    )


def test_a_dispatch_has_the_servers_own_time() -> None:
    nobody = AgentDispatch(id=DISPATCH, agent_name="", state=AgentDispatchState(created_at=ms(0.7)))
    (created,) = dispatch_moments(DEMO, nobody)
    assert shape([created]) == [(Kind.DISPATCH_CREATED, DISPATCH, ms(0.7), ms(0.7))]
    assert created.clock == "server"
    assert dict(created.facts) == {keys.ROOM_NAME: "demo", keys.ROOM_DEPARTURE_TIMEOUT: 2, keys.AGENT_NAME: ""}


def test_a_running_job_was_offered_and_has_not_ended() -> None:
    told = dispatch(
        status=JobStatus.JS_RUNNING, started_at=ms(201), worker_id=WORKER, participant_identity="agent-" + JOB
    )
    created, offered = dispatch_moments(DEMO, told)
    assert dict(created.facts)[keys.DISPATCH_METADATA] == "tier=gold"
    assert shape([offered]) == [(Kind.JOB_OFFERED, JOB, ms(201), ms(201))]
    assert dict(offered.facts) == {
        keys.JOB_ID: JOB,
        keys.DISPATCH_ID: DISPATCH,
        keys.AGENT_NAME: "greeter",
        keys.JOB_TYPE: "JT_ROOM",
        keys.JOB_STATUS: "JS_RUNNING",
        keys.WORKER_ID: WORKER,
        keys.PARTICIPANT_IDENTITY: "agent-" + JOB,
    }


def test_a_job_that_ended_lies_between_its_offer_and_what_the_server_wrote_down() -> None:
    _, _, ended = dispatch_moments(DEMO, dispatch(status=JobStatus.JS_SUCCESS, started_at=ms(201), ended_at=ms(6520)))
    assert shape([ended]) == [(Kind.JOB_ENDED, JOB, ms(201), ms(6520))]
    assert ended.time == ms(6520)


def test_a_rejected_job_ended_when_it_was_offered() -> None:
    _, offered, ended = dispatch_moments(
        DEMO, dispatch(status=JobStatus.JS_SUCCESS, started_at=ms(201), ended_at=ms(201))
    )
    assert (offered.time, ended.time, ended.width) == (ms(201), ms(201), 0)


@pytest.mark.parametrize(
    ("started_at", "ended_at"), [(0, 0), (-5, -5), (0, ms(5)), (2**62 + 1, 2**62 + 2), (2**63 - 1, 2**63 - 1)]
)
def test_a_job_without_a_time_tells_nothing(started_at: int, ended_at: int) -> None:
    (created,) = dispatch_moments(DEMO, dispatch(started_at=started_at, ended_at=ended_at))
    assert created.kind is Kind.DISPATCH_CREATED


def test_an_end_before_the_offer_is_no_end() -> None:
    _, offered = dispatch_moments(DEMO, dispatch(started_at=ms(201), ended_at=ms(100)))
    assert offered.kind is Kind.JOB_OFFERED


def test_a_dispatch_without_a_time_tells_of_its_jobs_only() -> None:
    told = dispatch(started_at=ms(201))
    told.state.created_at = 0
    (offered,) = dispatch_moments(DEMO, told)
    assert offered.kind is Kind.JOB_OFFERED


def test_the_turn_password_is_in_no_moment() -> None:
    moments = [*dispatch_moments(DEMO, dispatch(started_at=ms(201))), *look(watched(), 0, 97, ada(ACTIVE, AGENT))]
    assert "secret" in str(DEMO)
    assert "secret" not in repr(moments)
