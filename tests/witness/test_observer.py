from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TypeVar

import aiohttp
import pytest
from google.protobuf.json_format import MessageToJson
from livekit import api
from livekit.protocol.agent import Job, JobState, JobStatus, JobType
from livekit.protocol.agent_dispatch import AgentDispatch, AgentDispatchState
from livekit.protocol.models import ParticipantInfo, ParticipantPermission, Room, TrackSource
from livekit.protocol.webhook import WebhookEvent

from tests.moments import ADA, AGENT, DISPATCH, JOB, ROOM, START, WORKER, ms
from tracer import keys
from tracer.moment import Kind, Moment
from tracer.settings import LiveKit
from tracer.witness.jobs import dispatch_moments
from tracer.witness.observer import Observer, _in_short, _Poll
from tracer.witness.pace import WatchedRoom
from tracer.witness.protocol import webhook_event

JOINING, JOINED, ACTIVE = ParticipantInfo.JOINING, ParticipantInfo.JOINED, ParticipantInfo.ACTIVE
DEMO = Room(sid=ROOM, name="demo", creation_time_ms=START // 1_000_000, departure_timeout=2, turn_password="secret")  # noqa: S106  # of no room


def ada(state: ParticipantInfo.State, sid: str = ADA) -> ParticipantInfo:
    return ParticipantInfo(
        sid=sid, identity="ada", state=state, joined_at_ms=START // 1_000_000 + 2, attributes={"language": "en"}
    )


def observer(url: str = "ws://127.0.0.1:1") -> Observer:
    return Observer(LiveKit(url, "key", "s" * 32))


def look(room: WatchedRoom, asked: float, answered: float, *listed: ParticipantInfo) -> list[Moment]:
    """One poll of a room's participants, as the observer takes its answer."""
    watching = observer()
    watching._take(_Poll(room, ms(asked), ms(answered), {who.sid: who for who in listed}))
    return watching._unkept


def watched() -> WatchedRoom:
    return WatchedRoom(DEMO)


def shape(moments: list[Moment]) -> list[tuple[Kind, str, int, int]]:
    return [(m.kind, m.subject, m.earliest, m.latest) for m in moments]


def test_each_change_lies_between_two_polls() -> None:
    room = watched()
    assert shape(look(room, 0, 3, ada(JOINING))) == [(Kind.PARTICIPANT_JOINING, ADA, ms(2), ms(3) - 1)]
    assert look(room, 4, 5, ada(JOINING)) == []
    assert shape(look(room, 10, 11, ada(JOINED))) == [(Kind.PARTICIPANT_JOINED, ADA, ms(4), ms(11))]
    assert shape(look(room, 90, 91, ada(ACTIVE))) == [(Kind.PARTICIPANT_ACTIVE, ADA, ms(10), ms(91))]
    assert look(room, 100, 101, ada(ACTIVE)) == []
    assert shape(look(room, 200, 201)) == [(Kind.PARTICIPANT_LEFT, ADA, ms(100), ms(201))]
    assert look(room, 300, 301) == []


def test_a_change_seen_at_the_first_poll_came_after_the_join() -> None:
    assert shape(look(watched(), 500, 501, ada(ACTIVE))) == [
        (Kind.PARTICIPANT_JOINING, ADA, ms(2), ms(3) - 1),
        (Kind.PARTICIPANT_ACTIVE, ADA, ms(2), ms(501)),
    ]


def test_a_participant_new_since_the_last_poll_changed_after_it() -> None:
    room = watched()
    look(room, 1, 1)
    (_, joined) = look(room, 20, 21, ada(JOINED))
    assert (joined.kind, joined.earliest, joined.latest) == (Kind.PARTICIPANT_JOINED, ms(2), ms(21))


def test_what_has_the_servers_own_time_also_has_the_polls_between_which_it_appeared() -> None:
    room = watched()
    (first, _) = look(room, 0, 1, ada(ACTIVE))
    assert dict(first.facts)[keys.SEEN_BY] == str(ms(1))
    assert keys.SEEN_AFTER not in dict(first.facts), "there was no poll before"
    joined, active = look(room, 20, 21, ada(ACTIVE), ada(ACTIVE, AGENT))
    known = dict(joined.facts)
    assert (known[keys.SEEN_AFTER], known[keys.SEEN_BY]) == (str(ms(0)), str(ms(21)))
    assert not {keys.SEEN_AFTER, keys.SEEN_BY} & dict(active.facts).keys()


def test_a_room_has_the_polls_between_which_it_appeared() -> None:
    watching = observer()
    (first,) = watching._found(DEMO, ms(5))
    assert (dict(first.facts).get(keys.SEEN_AFTER), dict(first.facts)[keys.SEEN_BY]) == (None, str(ms(5)))
    assert dict(first.facts)[keys.ROOM_WATCHED] is False
    watching._listed = ms(-200)
    (later,) = watching._found(DEMO, ms(5))
    known = dict(later.facts)
    assert (known[keys.SEEN_AFTER], known[keys.SEEN_BY], known[keys.ROOM_WATCHED]) == (str(ms(-200)), str(ms(5)), True)


def test_a_room_made_while_the_server_could_not_be_reached_was_not_watched() -> None:
    watching = observer()
    watching._listed, watching._away = ms(-200), ms(-100)
    (found,) = watching._found(DEMO, ms(5))
    assert dict(found.facts)[keys.ROOM_WATCHED] is False


def closed(watching: Observer, room: WatchedRoom, answered: float) -> list[Moment]:
    return list(watching._closed(room, ms(answered)))


def test_a_room_that_is_no_longer_listed_has_finished_and_everybody_has_left() -> None:
    watching, room = observer(), watched()
    look(room, 100, 101, ada(ACTIVE))
    watching._listed = ms(50)
    left, finished = closed(watching, room, 300)
    assert shape([left]) == [(Kind.PARTICIPANT_LEFT, ADA, ms(100), ms(300))]
    assert shape([finished]) == [(Kind.ROOM_FINISHED, ROOM, ms(100), ms(300))], "at 100 ms somebody was still in it"
    assert not {key for m in (left, finished) for key, _ in m.facts} - {keys.ROOM_NAME}


def test_an_empty_room_was_there_when_it_was_last_listed() -> None:
    watching, room = observer(), watched()
    look(room, 100, 101)
    watching._listed = ms(50)
    assert shape(closed(watching, room, 300)) == [(Kind.ROOM_FINISHED, ROOM, ms(50), ms(300))]


def test_what_ended_while_the_server_could_not_be_reached_is_marked() -> None:
    watching, room = observer(), watched()
    look(room, 100, 101, ada(ACTIVE))
    watching._listed, watching._away = ms(102), ms(5000)
    for moment in closed(watching, room, 9000):
        assert dict(moment.facts)[keys.ROOM_SERVER_AWAY] is True
    watching._listed, room.polled_at = ms(6000), ms(6001)
    for moment in closed(watching, room, 9000):
        assert keys.ROOM_SERVER_AWAY not in dict(moment.facts), "it had answered since"


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


def test_participants_are_reported_with_what_is_known_of_them() -> None:
    (_, active) = look(watched(), 0, 97, ada(ACTIVE))
    assert dict(active.facts) == {
        keys.PARTICIPANT_IDENTITY: "ada",
        keys.PARTICIPANT_KIND: "STANDARD",
        keys.PARTICIPANT_ATTRIBUTE + "language": "en",
    }
    assert (active.room, active.clock, active.witness) == (ROOM, "receiver", "observer")


def test_what_a_token_allows_is_reported_with_who_joined() -> None:
    who = ada(ACTIVE)
    who.permission.CopyFrom(
        ParticipantPermission(can_subscribe=True, hidden=True, can_publish_sources=[TrackSource.MICROPHONE])
    )
    for moment in look(watched(), 0, 97, who):
        known = dict(moment.facts)
        assert (known[keys.CAN_PUBLISH], known[keys.CAN_SUBSCRIBE], known[keys.HIDDEN]) == (False, True, True)
        assert known[keys.CAN_PUBLISH_SOURCES] == "MICROPHONE"


def test_who_leaves_is_reported_with_what_they_were_allowed_to_do_at_last() -> None:
    room, who = watched(), ada(ACTIVE)
    who.permission.can_publish = True
    look(room, 100, 101, who)
    (left,) = look(room, 200, 201)
    known = dict(left.facts)
    assert (known[keys.CAN_PUBLISH], known[keys.CAN_SUBSCRIBE], known[keys.HIDDEN]) == (True, False, False)


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
    running = dispatch(
        status=JobStatus.JS_RUNNING, started_at=ms(201), worker_id=WORKER, participant_identity="agent-" + JOB
    )
    created, offered = dispatch_moments(DEMO, running)
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
def test_a_job_without_a_time_is_no_moment(started_at: int, ended_at: int) -> None:
    (created,) = dispatch_moments(DEMO, dispatch(started_at=started_at, ended_at=ended_at))
    assert created.kind is Kind.DISPATCH_CREATED


def test_an_end_before_the_offer_is_no_end() -> None:
    _, offered = dispatch_moments(DEMO, dispatch(started_at=ms(201), ended_at=ms(100)))
    assert offered.kind is Kind.JOB_OFFERED


def test_of_a_dispatch_without_a_time_only_the_jobs_are_moments() -> None:
    undated = dispatch(started_at=ms(201))
    undated.state.created_at = 0
    (offered,) = dispatch_moments(DEMO, undated)
    assert offered.kind is Kind.JOB_OFFERED


def test_the_turn_password_is_in_no_moment() -> None:
    moments = [*dispatch_moments(DEMO, dispatch(started_at=ms(201))), *look(watched(), 0, 97, ada(ACTIVE, AGENT))]
    assert "secret" in str(DEMO)
    assert "secret" not in repr(moments)


Answer = TypeVar("Answer")


class Server:
    """LiveKit's API as the observer calls it: what it lists can be changed between calls."""

    def __init__(self) -> None:
        self.rooms = [DEMO]
        self.participants: dict[str, list[ParticipantInfo]] = {}
        self.failing: Exception | None = None
        self.calls: list[str] = []
        self.dispatches: list[AgentDispatch] = []
        self.room = self.agent_dispatch = self

    async def list_rooms(self, _: object) -> api.ListRoomsResponse:
        return self._answer("ListRooms", api.ListRoomsResponse(rooms=self.rooms))

    async def list_participants(self, request: api.ListParticipantsRequest) -> api.ListParticipantsResponse:
        there = self.participants.get(request.room, [])
        return self._answer("ListParticipants", api.ListParticipantsResponse(participants=there))

    async def list_dispatch(self, _: str) -> list[AgentDispatch]:
        return self._answer("ListDispatch", self.dispatches)

    def _answer(self, method: str, answer: Answer) -> Answer:
        self.calls.append(method)
        if self.failing:
            raise self.failing
        return answer


def heard(name: str, who: ParticipantInfo | None = None, room: str = ROOM) -> WebhookEvent:
    """A webhook of a room, about a participant, as the receiver reads it."""
    event = WebhookEvent(event=name, room=Room(sid=room, name="demo"), participant=who)
    return webhook_event(MessageToJson(event))


def rounds(watching: Observer, server: Server, *, heard: WebhookEvent | None = None) -> list[Moment]:
    """One round of polls; what it found."""

    async def keep(_: object) -> bool:
        return True

    async def main() -> None:
        await watching._poll(server, keep)  # type: ignore[arg-type]
        await asyncio.gather(*watching._asking.values())

    watching._unkept = []
    server.calls = []
    if heard:
        watching.heard(heard)
    asyncio.run(main())
    return watching._unkept


def at_rest(server: Server) -> Observer:
    """An observer that has found the demo's room and those in it, and expects nothing for now."""
    watching = observer()
    rounds(watching, server)
    watching._rooms[ROOM].next_poll = watching._rooms[ROOM].next_dispatches = watching._next_list = float("inf")
    return watching


def test_a_webhook_makes_one_poll_of_its_room_and_no_other() -> None:
    server = Server()
    server.participants["demo"] = [ada(ACTIVE)]
    watching = at_rest(server)
    assert rounds(watching, server) == []
    assert server.calls == []
    assert rounds(watching, server, heard=heard("participant_left", ada(ACTIVE, "PA_0"))) == []
    assert server.calls == ["ListParticipants"]


@pytest.mark.parametrize(("name", "polls"), [("track_published", ["ListParticipants"]), ("track_unpublished", [])])
def test_a_webhook_of_a_track_shows_nothing_to_poll_for_where_its_publisher_is_known(
    name: str, polls: list[str]
) -> None:
    server = Server()
    server.participants["demo"] = [ada(ACTIVE)]
    watching = at_rest(server)
    assert rounds(watching, server, heard=heard(name, ada(ACTIVE))) == []
    assert server.calls == []
    rounds(watching, server, heard=heard(name, ada(ACTIVE, "PA_2")))
    assert server.calls == polls


def test_who_comes_and_leaves_by_webhooks_is_known_without_a_poll() -> None:
    server = Server()
    server.participants["demo"] = [ada(ACTIVE)]
    watching = at_rest(server)
    agent = ParticipantInfo(sid=AGENT, identity="agent", kind=ParticipantInfo.Kind.AGENT)
    for name in ("participant_joined", "participant_left"):
        assert rounds(watching, server, heard=heard(name, agent)) == []
        assert "ListParticipants" not in server.calls
        assert (AGENT in watching._rooms[ROOM].present) is (name == "participant_joined")
    watching._rooms[ROOM].next_poll = 0.0
    assert rounds(watching, server) == [], "the next poll finds nobody to have come or left"


def test_a_poll_that_was_on_its_way_when_somebody_came_does_not_show_that_they_left() -> None:
    room = watched()
    look(room, 0, 10, ada(ACTIVE))
    room.hears(heard("participant_joined", ada(ACTIVE, "PA_2")), 0.0)  # now, which is after the poll below
    assert look(room, 20, 30, ada(ACTIVE)) == []
    assert set(room.present) == {ADA, "PA_2"}
    room.heard_at = {"PA_2": ms(35)}
    assert shape(look(room, 40, 50, ada(ACTIVE))) == [(Kind.PARTICIPANT_LEFT, "PA_2", ms(20), ms(50))]


@pytest.mark.parametrize("state", [JOINING, JOINED, ACTIVE])
def test_a_poll_that_was_on_its_way_when_a_webhook_came_does_not_undo_it(state: ParticipantInfo.State) -> None:
    room = watched()
    look(room, 0, 10, ada(JOINED))
    room.hears(heard("participant_joined", ada(ACTIVE)), 0.0)
    assert look(room, 20, 30, ada(state)) == []
    room.heard_at = {}
    assert look(room, 40, 41, ada(state)) == [], "neither does a list that is behind"
    room.hears(heard("participant_left", ada(ACTIVE)), 0.0)
    assert look(room, 40, 50, ada(state)) == []
    room.heard_at = {}
    assert look(room, 60, 70) == []


def test_a_webhook_of_an_unknown_or_empty_room_makes_a_poll_for_rooms() -> None:
    server = Server()
    watching = at_rest(server)
    for name, sid in (("participant_joined", "RM_new"), ("egress_ended", ROOM)):
        rounds(watching, server, heard=heard(name, room=sid))
        assert "ListRooms" in server.calls


def test_a_room_that_a_webhook_starts_is_looked_into_at_once_and_listed_when_rooms_are_next() -> None:
    server = Server()
    server.participants["new"] = [ada(JOINED, "PA_2")]
    watching = at_rest(server)
    started = WebhookEvent(
        event="room_started", room=Room(sid="RM_new", name="new", creation_time_ms=START // 1_000_000)
    )
    found = rounds(watching, server, heard=webhook_event(MessageToJson(started)))
    assert ("RM_new", Kind.PARTICIPANT_JOINED) in {(m.room, m.kind) for m in found}
    assert "ListRooms" not in server.calls
    server.rooms.append(started.room)
    watching._next_list = 0.0
    assert ("RM_new", Kind.ROOM_CREATED) in {(m.room, m.kind) for m in rounds(watching, server)}
    watching._next_list = 0.0
    assert Kind.ROOM_CREATED not in {m.kind for m in rounds(watching, server)}


def test_a_room_that_only_a_webhook_has_shown_and_that_is_never_listed_is_the_webhooks_alone() -> None:
    server = Server()
    watching = at_rest(server)
    rounds(watching, server, heard=heard("room_started", room="RM_new"))
    watching._rooms["RM_new"].polled_at = 0  # the poll did not come back
    watching._next_list = 0.0
    assert rounds(watching, server) == []
    assert "RM_new" not in watching._rooms


def test_a_webhook_of_a_rooms_end_is_enough_until_rooms_are_listed_next() -> None:
    server = Server()
    watching = at_rest(server)
    assert rounds(watching, server, heard=heard("room_finished")) == []
    assert server.calls == []


def test_participants_of_a_newer_room_of_the_same_name_are_not_taken_for_this_rooms() -> None:
    server = Server()
    server.participants["demo"] = [ada(ACTIVE)]
    watching = at_rest(server)
    server.rooms = [Room(sid="RM_2", name="demo", creation_time_ms=START // 1_000_000 + 9000)]
    server.participants["demo"] = [ada(ACTIVE, "PA_2")]
    found = rounds(watching, server, heard=heard("participant_left", ada(ACTIVE, "PA_0")))
    assert {(m.room, m.kind, m.subject) for m in found} == {
        (ROOM, Kind.PARTICIPANT_LEFT, ADA),
        (ROOM, Kind.ROOM_FINISHED, ROOM),
        ("RM_2", Kind.ROOM_CREATED, "RM_2"),
    }
    assert ("RM_2", "PA_2") in {(m.room, m.subject) for m in rounds(watching, server)}


def test_when_the_list_of_rooms_counts_somebody_more_the_room_is_polled() -> None:
    server = Server()
    watching = at_rest(server)
    server.rooms = [Room(sid=ROOM, name="demo", num_participants=1)]
    server.participants["demo"] = [ada(ACTIVE)]
    watching._next_list = 0.0
    assert Kind.PARTICIPANT_ACTIVE in {m.kind for m in rounds(watching, server)}


def test_one_room_that_fails_does_not_keep_the_others_from_being_seen() -> None:
    server = Server()
    server.rooms = [DEMO, Room(sid="RM_2", name="other")]
    server.participants = {"demo": [ada(ACTIVE)]}
    watching = observer()
    real = server.list_participants

    async def failing(request: api.ListParticipantsRequest) -> api.ListParticipantsResponse:
        if request.room == "other":
            raise aiohttp.ServerDisconnectedError
        return await real(request)

    server.list_participants = failing  # type: ignore[method-assign]
    with suppress(aiohttp.ServerDisconnectedError):
        rounds(watching, server)
    assert Kind.PARTICIPANT_ACTIVE in {m.kind for m in watching._unkept}


def test_an_error_is_shown_without_the_password_of_the_url() -> None:
    error = aiohttp.InvalidURL("http://user:hunter2@example.com/twirp")
    assert _in_short(error) == "http://example.com/twirp"


def test_a_dispatch_of_a_new_room_of_the_same_name_is_not_of_the_one_before() -> None:
    watching, before = observer(), watched()
    after = Room(sid="RM_after", name="demo", creation_time_ms=DEMO.creation_time_ms + 5000)
    watching._rooms["RM_after"] = WatchedRoom(after)

    def is_of(created: float, *rooms: Room) -> list[bool]:
        state = AgentDispatchState(created_at=ms(created), jobs=[Job(room=room) for room in rooms])
        dispatch = AgentDispatch(id=DISPATCH, room="demo", state=state)
        return [watching._is_of(room, dispatch) for room in (before, watching._rooms["RM_after"])]

    assert is_of(6000, after) == [False, True]
    assert is_of(1, DEMO) == [True, False]
    assert is_of(6000)[0] is False, "its job is listed later"
    assert is_of(1)[0] is True
    assert observer()._is_of(before, AgentDispatch(state=AgentDispatchState(jobs=[Job()])))
