from __future__ import annotations

from livekit.protocol.models import ParticipantInfo, ParticipantPermission, TrackInfo, TrackSource

from tests.moments import ADA, MICROPHONE, ms
from tests.witness.test_observer import look, watched
from tracer import keys
from tracer.moment import Kind
from tracer.witness.changes import changes


def ada(*, muted: bool = False, **attributes: str) -> ParticipantInfo:
    track = TrackInfo(sid=MICROPHONE, source=TrackSource.MICROPHONE, muted=muted)
    return ParticipantInfo(sid=ADA, identity="ada", state=ParticipantInfo.ACTIVE, attributes=attributes, tracks=[track])


def speaking(state: str) -> ParticipantInfo:
    return ParticipantInfo(sid=ADA, attributes={"lk.agent.state": state})


LANGUAGE = keys.PARTICIPANT_ATTRIBUTE + "language"


def test_only_what_changed_is_reported_and_what_is_gone_is_empty() -> None:
    assert list(changes(ada(language="en", tier="gold"), ada(language="en", tier="gold"))) == []
    (change,) = changes(ada(language="en", tier="gold"), ada(language="de", tier="gold"))
    assert change == (Kind.PARTICIPANT_ATTRIBUTES_CHANGED, ADA, {LANGUAGE: "de"})
    (gone,) = changes(ada(language="en"), ada())
    assert gone.facts == {LANGUAGE: ""}


def test_the_state_that_an_agent_sets_with_each_turn_is_no_change() -> None:
    assert list(changes(speaking("listening"), speaking("speaking"))) == []


def test_a_track_is_muted_and_unmuted() -> None:
    (muted,) = changes(ada(), ada(muted=True))
    (unmuted,) = changes(ada(muted=True), ada())
    assert (muted.kind, unmuted.kind) == (Kind.TRACK_MUTED, Kind.TRACK_UNMUTED)
    assert muted.subject == MICROPHONE
    assert muted.facts[keys.TRACK_SOURCE] == "MICROPHONE"
    assert list(changes(ParticipantInfo(sid=ADA), ada(muted=True))) == [], "published muted is not muted then"


def test_each_value_of_an_attribute_has_a_time_of_its_own() -> None:
    room = watched()
    look(room, 100, 101, ada(language="en"))
    first = look(room, 200, 201, ada(language="de"))
    second = look(room, 300, 301, ada(language="en"))
    assert [(m.kind, dict(m.facts)[LANGUAGE], m.earliest, m.latest) for m in first + second] == [
        (Kind.PARTICIPANT_ATTRIBUTES_CHANGED, "de", ms(100), ms(201)),
        (Kind.PARTICIPANT_ATTRIBUTES_CHANGED, "en", ms(200), ms(301)),
    ]
    assert len({m.occurrence for m in first + second}) == 2


def may(**granted: object) -> ParticipantInfo:
    permission = ParticipantPermission(can_subscribe=True, can_publish_data=True, **granted)  # type: ignore[arg-type]
    return ParticipantInfo(sid=ADA, permission=permission)


def test_what_a_participant_may_do_is_a_change_in_full() -> None:
    microphone = [TrackSource.MICROPHONE]
    assert list(changes(may(can_publish=True), may(can_publish=True, can_update_metadata=True))) == []
    (taken,) = changes(may(can_publish=True, can_publish_sources=microphone), may())
    assert taken.kind is Kind.PARTICIPANT_PERMISSIONS_CHANGED
    assert taken.facts == {
        keys.CAN_PUBLISH: False,
        keys.CAN_SUBSCRIBE: True,
        keys.CAN_PUBLISH_SOURCES: "",
        keys.HIDDEN: False,
    }
    (given,) = changes(may(), may(can_publish=True, can_publish_sources=microphone))
    assert given.facts[keys.CAN_PUBLISH_SOURCES] == "MICROPHONE"
    assert list(changes(ParticipantInfo(sid=ADA), may())) == [], "an older server does not say"
