"""What `tracer why` answers is on the room's span when that goes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.proto.trace.v1.trace_pb2 import Status

from tests.moments import ADA, JOB, ROOM, ms
from tests.otlp_backend import OtlpBackend, facts_of, send
from tests.why.cases import IN_CALL, KILLED, found, healthy, lonely, registered, with_facts
from tracer import ids, keys
from tracer.export.answered import LONGEST, UNEXPLAINED, answered
from tracer.export.room_spans import QUIET
from tracer.export.span_names import SpanNames
from tracer.export.spans import LOST, Span, spans
from tracer.moment import Kind, Moment
from tracer.store import Arrival
from tracer.timeline.fold import fold
from tracer.why import explain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan

    from tracer.store.sqlite import SqliteStore

WHOLE = ids.span_id("room", ROOM)
LONG = "\x1b[2J" + "x" * 10_000


def whole(moments: Iterable[Moment], names: SpanNames = SpanNames.FEW) -> Span:
    timeline = fold(ROOM, moments, now=ms(3_600_000))
    (span,) = (span for span in spans(timeline, names) if span.span_id == WHOLE)
    return answered(span, timeline, names)


def told(span: Span) -> tuple[object, object]:
    facts = dict(span.attributes)
    return facts.get(keys.WELL, "absent"), facts.get(keys.CAUSE, "absent")


def test_a_call_that_went_well_is_no_error() -> None:
    span = whole(healthy())
    assert (told(span), span.error) == ((True, "absent"), None)
    assert dict(span.attributes)[keys.ANSWER] == "All went well."


def test_a_call_that_failed_is_an_error_with_its_cause() -> None:
    span = whole([*IN_CALL, KILLED])
    assert told(span) == (False, "process-killed")
    assert span.error
    assert "ada" not in span.error.split()


def test_where_it_is_not_known_nothing_is_claimed() -> None:
    span = whole(m for m in lonely() if m.witness == "agent" or m.subject == ROOM)
    assert (told(span), span.error) == (("absent", "absent"), None)


def test_the_sentence_that_can_name_people_is_marked_so_and_left_out_where_nothing_personal_is_kept() -> None:
    [*_, last] = explain(fold(ROOM, [*IN_CALL, KILLED], now=ms(3_600_000))).findings[:1]
    assert dict(whole([*IN_CALL, KILLED]).attributes)[keys.ANSWER] == last.sentence
    assert keys.is_personal(keys.ANSWER)
    redacted = whole(m.redacted() for m in [*IN_CALL, KILLED])
    assert told(redacted) == (False, "process-killed")
    assert not [key for key, _ in redacted.attributes if keys.is_personal(key)]


def test_with_full_names_the_error_is_the_sentence() -> None:
    span = whole([*IN_CALL, KILLED], SpanNames.FULL)
    assert span.error == dict(span.attributes)[keys.ANSWER]


def test_names_from_outside_in_a_sentence_are_bounded_and_harmless() -> None:
    moments = [m for m in healthy() if m.kind not in (Kind.TRACK_PUBLISHED, Kind.TRACK_SUBSCRIBED)]
    strange = with_facts(moments, Kind.PARTICIPANT_JOINING, ADA, {keys.PARTICIPANT_IDENTITY: LONG})
    sentence = str(dict(whole(strange).attributes)[keys.ANSWER])
    assert len(sentence) <= LONGEST + 1
    assert sentence.isprintable()


def test_a_lack_that_names_people_is_no_error_text() -> None:
    deaf = [m for m in healthy() if m.kind is not Kind.SESSION_AUDIO_PUBLISHED]
    span = whole(deaf)
    assert span.error in (None, UNEXPLAINED)


def exported(store: SqliteStore, backend: OtlpBackend, moments: Iterable[Moment]) -> dict[str, ProtoSpan]:
    """What a backend gets when these have been stored and nothing more comes, by name."""
    store.add([Arrival(tuple(moments))])
    exporter = backend.exporter(store)
    for now in (0.0, QUIET):
        exporter.fill(now)
        send(exporter)
    return {span.name: span for span in backend.got}


def test_the_backend_gets_what_is_known_with_the_workers(store: SqliteStore, backend: OtlpBackend) -> None:
    moments, workers = lonely("helper"), registered(name="other")
    room = exported(store, backend, [*moments, *workers])["room"]
    facts = facts_of(room.attributes)
    assert facts[keys.WELL] is False
    assert facts[keys.CAUSE] == found(moments, workers)[0]
    assert room.status.code == Status.STATUS_CODE_ERROR
    assert room.status.message


def test_the_span_of_a_lost_agent_shows_where_it_was_lost(store: SqliteStore, backend: OtlpBackend) -> None:
    agent = exported(store, backend, [*IN_CALL, KILLED])["participant AGENT"]
    [event] = [event for event in agent.events if event.name == LOST]
    assert event.time_unix_nano == ms(2000)
    assert facts_of(event.attributes) == {keys.SUBJECT: JOB, keys.EXIT_CODE: -9}
    assert agent.status.code == Status.STATUS_CODE_ERROR
    assert "lost" in agent.status.message
    assert [e.time_unix_nano for e in agent.events] == sorted(e.time_unix_nano for e in agent.events)


def test_what_waits_for_an_agents_end_is_the_room_and_the_agent() -> None:
    """What it reports last says how they went. It is waited for until it is taken for lost."""
    reported = [m for m in healthy() if m.kind not in (Kind.JOB_ENDED, Kind.JOB_SHUTDOWN)]
    waiting = [span.name for span in spans(fold(ROOM, reported, now=ms(7000))) if span.pending]
    assert waiting == ["room", "participant AGENT"]
    assert not [span for span in spans(fold(ROOM, reported, now=ms(3_600_000))) if span.pending]
    assert not [span for span in spans(fold(ROOM, healthy(), now=ms(7000))) if span.pending]
