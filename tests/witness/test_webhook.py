from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from livekit.api import AccessToken

from tests.moments import ADA, MICROPHONE, ROOM, START, ms
from tests.signed import (
    ARRIVALS,
    CREATED_AT,
    EVENTS,
    KEY,
    SECRET,
    SERVER,
    TURN_PASSWORD,
    ada,
    body,
    event,
    read,
    room,
    token,
)
from tracer import keys
from tracer.errors import BadSignatureError, MalformedError
from tracer.moment import Kind, Moment
from tracer.store import Arrival
from tracer.store.sqlite import SqliteStore
from tracer.timeline.fold import fold
from tracer.units import NS_PER_S
from tracer.witness import webhook

if TYPE_CHECKING:
    from pathlib import Path

    from tracer.timeline.timeline import Timeline


def told(what: dict[str, Any], arrival: int) -> list[Moment]:
    raw = body(what)
    return list(webhook.moments(read(raw, token(raw), SERVER), arrival))


def all_told(late: int = 0) -> list[Moment]:
    """The moments of a whole call, each webhook this many ns late."""
    return [m for what, at in zip(EVENTS, ARRIVALS, strict=True) for m in told(what, ms(at) + late)]


def own(moments: list[Moment], kind: Kind) -> Moment:
    (moment,) = (m for m in moments if m.kind is kind)
    return moment


def test_a_signed_webhook_is_read() -> None:
    raw = body(EVENTS[0])
    got = read(raw, token(raw), SERVER)
    assert (got.event, got.room.sid, got.id) == ("room_started", ROOM, "EV_room_started0")


def test_a_token_may_have_its_scheme_before_it() -> None:
    raw = body(EVENTS[0])
    assert read(raw, "Bearer " + token(raw), SERVER).room.sid == ROOM


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "   ",
        "Bearer ",
        "Bearer nonsense",
        "a.b.c",
        token(body(EVENTS[0]), secret="another secret of thirty-two characters"),  # noqa: S106  # of no server
        token(body(EVENTS[0]), key="APIother"),
        token(body(EVENTS[0]), ttl=timedelta(hours=-1)),
        token(body(EVENTS[1])),
        AccessToken(KEY, SECRET).to_jwt(),
        AccessToken(KEY, SECRET).with_sha256("not base64!").to_jwt(),
        AccessToken(KEY, SECRET).with_sha256("\N{SNOWMAN}").to_jwt(),
        "\N{SNOWMAN}",
    ],
    ids=[
        "none",
        "blank",
        "scheme only",
        "no token",
        "three parts of nothing",
        "other secret",
        "other key",
        "expired",
        "of another body",
        "of no body",
        "of no digest",
        "of no ASCII",
        "no ASCII",
    ],
)
def test_what_is_not_signed_is_refused_in_words_that_give_nothing_away(authorization: str) -> None:
    raw = body(EVENTS[0])
    with pytest.raises(BadSignatureError) as refused:
        read(raw, authorization, SERVER)
    text = str(refused.value)
    assert "\n" not in text
    assert SECRET not in text
    assert (
        not authorization.strip() or authorization.removeprefix("Bearer ").strip() not in text or len(authorization) < 8
    )


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_off_is_named(hours: int) -> None:
    raw = body(EVENTS[0])
    there = datetime.now(UTC) + timedelta(hours=hours)
    claims = {"iss": KEY, "nbf": there, "exp": there + timedelta(minutes=5), "sha256": "of the body"}
    signed = jwt.encode(claims, SECRET, algorithm="HS256")
    with pytest.raises(BadSignatureError, match=r"signed for another time .* compare this machine's clock"):
        read(raw, signed, SERVER)


def test_one_changed_byte_is_another_body() -> None:
    raw = body(EVENTS[0])
    with pytest.raises(BadSignatureError, match="differs from the one that was signed"):
        read(raw.replace(b"demo", b"dema"), token(raw), SERVER)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"null",
        b"7",
        b"\xff\xfe",
        b'{"event": 7}',
        b'{"event": "room_started", "room": {"name": "\\ud800"}}',
        b'{"createdAt": "soon"}',
        b'{"createdAt": "99999999999999999999999"}',
        b'{"createdAt": 1e400}',
        b"[" * 100_000,
        b'{"room":' * 100_000,
    ],
    ids=lambda raw: raw[:40].decode("latin-1"),
)
def test_a_body_that_is_no_webhook_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedError) as malformed:
        read(raw, token(raw), SERVER)
    assert len(str(malformed.value)) < 1000


@pytest.mark.parametrize("raw", [b"{}", b"[]", b'"text"', b'{"event": "room_started", "room": "demo"}'])
def test_a_body_that_says_nothing_tells_nothing(raw: bytes) -> None:
    assert list(webhook.moments(read(raw, token(raw), SERVER), ms(3))) == []


def test_fields_of_a_newer_server_are_ignored() -> None:
    assert told(event("room_started", inThe={"future": 1}, room=room(another=2)), ms(3)) == told(EVENTS[0], ms(3))


def test_room_started_tells_the_creation_by_the_servers_clock_to_the_millisecond() -> None:
    (created,) = told(EVENTS[0], ms(3))
    assert (created.room, created.kind, created.subject) == (ROOM, Kind.ROOM_CREATED, ROOM)
    assert (created.earliest, created.latest, created.clock) == (START, START + 999_999, "server")
    assert dict(created.facts)[keys.ROOM_NAME] == "demo"


def test_a_server_without_milliseconds_leaves_a_second_open() -> None:
    (created,) = told(event("room_started", room=room(creationTimeMs="0")), ms(3))
    assert (created.earliest, created.latest) == (START, START + NS_PER_S - 1)


def test_participant_joined_is_active_and_never_joining() -> None:
    moments = told(EVENTS[1], ms(97))
    assert [m.kind for m in moments] == [Kind.ROOM_CREATED, Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_ACTIVE]
    active = own(moments, Kind.PARTICIPANT_ACTIVE)
    assert (active.earliest, active.time, active.latest) == (ms(2), ms(97), ms(97))
    assert active.clock == "receiver"
    assert dict(active.facts) == {
        keys.PARTICIPANT_IDENTITY: "ada",
        keys.PARTICIPANT_NAME: "Ada L.",
        keys.PARTICIPANT_METADATA: "vip",
        keys.PARTICIPANT_KIND: "STANDARD",
        keys.PARTICIPANT_ATTRIBUTE + "language": "en",
        keys.CAN_PUBLISH: True,
        keys.CAN_SUBSCRIBE: True,
        keys.HIDDEN: False,
    }


def test_participant_left_alone_tells_of_joining_and_leaving() -> None:
    (who,) = fold(ROOM, told(EVENTS[4], ms(4100))).participants
    assert (who.time(Kind.PARTICIPANT_JOINING), who.time(Kind.PARTICIPANT_LEFT)) == (ms(2.5), ms(4100))
    assert (who.state, who.disconnect_reason) == ("DISCONNECTED", "CLIENT_INITIATED")


def test_an_aborted_connection_tells_of_joining_and_giving_up() -> None:
    aborted = event("participant_connection_aborted", 60, participant=ada(disconnectReason="JOIN_FAILURE"))
    moments = told(aborted, ms(60_010))
    assert own(moments, Kind.PARTICIPANT_ABORTED).subject == ADA
    assert own(moments, Kind.PARTICIPANT_JOINING).time == ms(2.5)


def test_a_track_is_told_of_by_references_alone() -> None:
    (published,) = told(EVENTS[2], ms(111))
    assert (published.room, published.kind, published.subject) == (ROOM, Kind.TRACK_PUBLISHED, MICROPHONE)
    assert (published.earliest, published.latest) == (ms(110), ms(111))
    assert dict(published.facts) == {
        keys.PARTICIPANT_ID: ADA,
        keys.PARTICIPANT_IDENTITY: "ada",
        keys.TRACK_SOURCE: "MICROPHONE",
        keys.TRACK_NAME: "mic",
    }


def test_the_room_says_why_it_ended() -> None:
    finished = own(told(event("room_finished", 6, roomEndReason="ROOM_END_API_DELETE"), ms(6500)), Kind.ROOM_FINISHED)
    assert fold(ROOM, [finished]).end_reason == "api_delete"


@pytest.mark.parametrize("late", [0, 1, 899 * 1_000_000, NS_PER_S, 30 * NS_PER_S, 40 * 24 * 3600 * NS_PER_S])
def test_a_webhook_is_never_later_than_a_second_after_it_was_made(late: int) -> None:
    for what, arrival in zip(EVENTS, ARRIVALS, strict=True):
        created_at = int(what["createdAt"]) * NS_PER_S
        for m in told(what, ms(arrival) + late):
            assert m.earliest <= m.time <= m.latest < created_at + NS_PER_S
            assert m.latest <= ms(arrival) + late or m.clock == "server"


@pytest.mark.parametrize("arrival", [START - 1, START - 5 * NS_PER_S, 0, -1])
def test_an_arrival_before_the_webhook_was_made_is_a_clock_that_is_off_and_is_not_asked(arrival: int) -> None:
    active = own(told(EVENTS[1], arrival), Kind.PARTICIPANT_ACTIVE)
    assert (active.earliest, active.latest, active.clock) == (ms(2), START + NS_PER_S - 1, "server")


def test_a_cause_later_than_the_arrival_is_a_clock_that_is_off_and_sets_no_floor() -> None:
    active = own(told(EVENTS[1], ms(1)), Kind.PARTICIPANT_ACTIVE)
    assert (active.earliest, active.latest) == (START - webhook.STAMPED_WITHIN, ms(1))


def steps(timeline: Timeline) -> dict[tuple[Kind, str], tuple[int, int, int]]:
    return {(step.kind, step.subject): (step.earliest, step.time, step.latest) for step in timeline.steps}


@pytest.mark.parametrize("late", [30 * NS_PER_S, 365 * 24 * 3600 * NS_PER_S])
def test_played_again_later_a_call_is_the_same_up_to_the_uncertainty_it_states(late: int) -> None:
    fresh, old = steps(fold(ROOM, all_told())), steps(fold(ROOM, all_told(late)))
    assert fresh.keys() == old.keys()
    for step, (earliest, time, latest) in fresh.items():
        assert old[step][0] == earliest
        assert old[step][0] <= time <= old[step][2]
        assert old[step][2] >= latest


def test_repeated_late_a_webhook_does_not_move_what_it_told_at_first() -> None:
    fresh, late = all_told(), all_told(30 * NS_PER_S)
    assert steps(fold(ROOM, [*late, *fresh])) == steps(fold(ROOM, fresh))


def test_the_turn_password_is_kept_nowhere(tmp_path: Path) -> None:
    moments = all_told() + all_told(40 * NS_PER_S)
    assert TURN_PASSWORD in json.dumps(EVENTS[0])
    assert TURN_PASSWORD not in repr(moments)
    store = SqliteStore(tmp_path / "tracer.db")
    store.add([Arrival(tuple(moments), event_id="EV_1")])
    files = sorted(tmp_path.iterdir())
    assert "tracer.db-wal" in {file.name for file in files}
    assert ROOM.encode() in b"".join(file.read_bytes() for file in files)
    assert TURN_PASSWORD.encode() not in b"".join(file.read_bytes() for file in files)
    store.close()


@pytest.mark.parametrize("name", ["egress_started", "ingress_ended", "yet_to_come", "", "Room_Started"])
def test_other_events_tell_nothing(name: str) -> None:
    assert told(event(name, participant=ada()), ms(3)) == []


@pytest.mark.parametrize(
    "what",
    [
        {"event": "room_started"},
        {"event": "room_started", "room": {"sid": ROOM}},
        {"event": "participant_left", "room": {"sid": ROOM}, "createdAt": str(CREATED_AT)},
        {"event": "participant_left", "room": {"sid": ROOM}, "participant": {"sid": ADA}},
        {"event": "room_finished", "room": {"sid": ROOM}, "createdAt": "-5"},
        {"event": "room_finished", "room": {"sid": ROOM}, "createdAt": str(2**62)},
        {"event": "room_started", "room": {"sid": ROOM, "creationTimeMs": str(2**62)}},
        {"event": "room_started", "room": {"sid": ROOM, "creationTimeMs": "-5"}},
    ],
    ids=lambda what: json.dumps(what)[:60],
)
def test_what_holds_no_time_or_no_subject_tells_nothing(what: dict[str, Any]) -> None:
    assert told(what, ms(3)) == []


def test_a_track_version_from_the_far_future_is_no_floor() -> None:
    track = {"sid": MICROPHONE, "version": {"unixMicro": str(2**62)}}
    (published,) = told(event("track_published", room={"sid": ROOM}, track=track), ms(111))
    assert (published.earliest, published.latest) == (START - webhook.STAMPED_WITHIN, ms(111))


def test_a_reason_and_a_kind_newer_than_our_protocol_are_kept_as_numbers() -> None:
    left = own(
        told(event("participant_left", 4, participant=ada(kind=99, disconnectReason=98)), ms(4100)),
        Kind.PARTICIPANT_LEFT,
    )
    assert dict(left.facts)[keys.PARTICIPANT_KIND] == "99"
    assert dict(left.facts)[keys.DISCONNECT_REASON] == "98"
