"""What a session, its model and its connection report, from spans as livekit-agents 1.8.9 makes them."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.moments import JOB, SESSION, ms
from tests.otlp import CONNECT, IN_JOB, ROOT, attributes, request, span, without_reports
from tracer import keys
from tracer.moment import Kind, Moment
from tracer.witness import agent

SESSION_ID = bytes.fromhex(SESSION)


def moments(*spans: Span) -> list[Moment]:
    told = without_reports(agent.arrival(request(*spans)).moments)
    return sorted(told, key=lambda m: (m.time, m.kind))


def kinds(*spans: Span) -> list[Kind]:
    return [moment.kind for moment in moments(*spans)]


def session(*events: tuple[str, float, dict[str, Any]]) -> Span:
    made = span("agent_session", SESSION_ID, 363, 90_000, ROOT, **IN_JOB)
    for name, at, known in events:
        attributes(made.events.add(name=name, time_unix_nano=ms(at)), known)
    return made


def state(at: float, word: str) -> tuple[str, float, dict[str, Any]]:
    return "connection_state_changed", at, {"lk.connection_state": word}


def linked(at: float, sid: str) -> tuple[str, float, dict[str, Any]]:
    return "participant_linked", at, {"lk.participant_id": sid, "lk.pii.participant_identity": sid.lower()}


def failed(name: str, error: str, message: str = "no") -> Span:
    made = span(name, b"failing!", 400, 500, SESSION_ID, **IN_JOB, **{"error.type": error})
    made.status.code, made.status.message = Status.STATUS_CODE_ERROR, message
    return made


def test_every_link_is_a_moment_that_names_whom_the_session_listens_to() -> None:
    found = [
        m for m in moments(session(linked(400, "PA_ada"), linked(9000, "PA_bob"))) if m.kind is Kind.SESSION_LINKED
    ]
    assert [(m.time, dict(m.facts)[keys.LINKED_ID]) for m in found] == [(ms(400), "PA_ada"), (ms(9000), "PA_bob")]
    assert {m.subject for m in found} == {JOB}


def test_an_older_session_closed_when_its_span_ended() -> None:
    older = span("agent_session", SESSION_ID, 363, 90_000, ROOT, **IN_JOB)
    attributes(older.events.add(name="event_loop_blocked", time_unix_nano=ms(500)), {})
    starting, closed = moments(older)
    assert (starting.kind, dict(starting.facts)[keys.EVENTS_DROPPED]) == (Kind.SESSION_STARTING, True)
    assert (closed.kind, closed.time, closed.occurrence) == (Kind.SESSION_CLOSED, ms(90_000), starting.occurrence)
    assert Kind.SESSION_CLOSED not in kinds(session(state(400, "CONN_CONNECTED")))
    assert Kind.SESSION_CLOSED not in kinds(
        span("agent_session", SESSION_ID, 363, 90_000, **IN_JOB, lk__dispatch_id="AD_1")
    )


def test_a_session_whose_first_events_are_gone_does_not_say_whom_it_was_linked_to_first() -> None:
    chatter: list[tuple[str, float, dict[str, Any]]] = [("user_state_changed", 1000.0 + n, {}) for n in range(127)]
    [starting] = [m for m in moments(session(*chatter, linked(80_000, "PA_ada"))) if m.kind is Kind.SESSION_STARTING]
    known = dict(starting.facts)
    assert known[keys.EVENTS_DROPPED] is True
    assert keys.LINKED_ID not in known


def test_a_connection_that_is_lost_and_back_or_given_up() -> None:
    healthy = session(state(364, "CONN_CONNECTED"), state(380, "CONN_CONNECTED"), state(89_000, "CONN_DISCONNECTED"))
    assert {kind for kind in kinds(healthy) if kind.startswith("agent.")} == set()
    back = session(state(364, "CONN_CONNECTED"), state(5000, "CONN_RECONNECTING"), state(9000, "CONN_CONNECTED"))
    assert [k for k in kinds(back) if k.startswith("agent.")] == [Kind.AGENT_RECONNECTING, Kind.AGENT_RECONNECTED]
    lost = session(state(5000, "CONN_RECONNECTING"), state(20_000, "CONN_DISCONNECTED"))
    assert [k for k in kinds(lost) if k.startswith("agent.")] == [Kind.AGENT_RECONNECTING, Kind.AGENT_CONNECTION_LOST]


def test_a_wait_without_a_participant_is_not_ready() -> None:
    cancelled = span("wait_for_participant", CONNECT, 570, 14_050, ROOT, **IN_JOB)
    assert kinds(cancelled) == [Kind.AGENT_WAITING_FOR_PARTICIPANT, Kind.AGENT_WAIT_ENDED]
    raised = failed("wait_for_participant", "RuntimeError", "room disconnected while waiting for participant")
    [_, ended] = moments(raised)
    assert (ended.kind, dict(ended.facts)[keys.ERROR_TYPE]) == (Kind.AGENT_WAIT_ENDED, "RuntimeError")


def test_the_wait_for_one_identity_says_so() -> None:
    waiting = span("wait_for_participant", CONNECT, 570, 600, ROOT, **IN_JOB, **{"lk.room_io.participant_filter": True})
    assert {dict(m.facts)[keys.PARTICIPANT_FILTER] for m in moments(waiting)} == {True}


def test_first_frame_is_when_the_session_hears_somebody() -> None:
    waiting = span("wait_for_audio_track", CONNECT, 676, 808, SESSION_ID, **IN_JOB)
    subscribed = waiting.events.add(name="track_subscribed", time_unix_nano=ms(765))
    attributes(subscribed, {"lk.track_source": "SOURCE_MICROPHONE"})
    waiting.events.add(name="first_frame", time_unix_nano=ms(808))
    found = moments(waiting)
    assert [m.kind for m in found] == [
        Kind.SESSION_WAITING_FOR_AUDIO,
        Kind.SESSION_TRACK_SUBSCRIBED,
        Kind.SESSION_AUDIO_RECEIVED,
    ]
    assert dict(found[1].facts)[keys.TRACK_SOURCE] == "MICROPHONE"
    in_vain = span("wait_for_audio_track", CONNECT, 676, 28_000, SESSION_ID, **IN_JOB)
    assert kinds(in_vain) == [Kind.SESSION_WAITING_FOR_AUDIO]


@pytest.mark.parametrize(
    ("known", "kind", "at"),
    [
        ({"lk.response.ttft": 0.02}, Kind.MODEL_ANSWERED, 420),
        ({"lk.pii.response.text": "hello"}, Kind.MODEL_ANSWERED, 1900),  # an older agent, without a time to first token
        ({"lk.pii.response.text": "", "lk.pii.response.function_calls": "['{}']"}, Kind.MODEL_ANSWERED, 1900),
        ({"lk.pii.response.text": "", "lk.pii.response.function_calls": "[]"}, Kind.MODEL_GAVE_NO_ANSWER, 1900),
        ({"gen_ai.response.finish_reasons": "error"}, Kind.MODEL_GAVE_NO_ANSWER, 1900),  # it was interrupted
        ({}, Kind.MODEL_GAVE_NO_ANSWER, 1900),
    ],
)
def test_an_answer_came_or_it_did_not(known: dict[str, Any], kind: Kind, at: float) -> None:
    found = moments(span("llm_node", b"llm_node", 400, 1900, SESSION_ID, **IN_JOB, **known))
    assert [(m.kind, m.time) for m in found] == [(Kind.MODEL_ASKED, ms(400)), (kind, ms(at))]


def test_a_turn_of_the_agents_was_interrupted_or_it_was_not() -> None:
    by = {"lk.interruption.source": "user_turn", "lk.playout.position": 1.5}
    [told] = moments(span("agent_turn", b"turn", 400, 1900, SESSION_ID, **IN_JOB, **{"lk.interrupted": True}, **by))
    assert (told.kind, told.time) == (Kind.AGENT_INTERRUPTED, ms(1900))
    known = {keys.TURN_LASTED: 1.5, keys.INTERRUPTED_BY: "user_turn", keys.PLAYED_FOR: 1.5}
    assert known.items() <= dict(told.facts).items()
    [older] = moments(span("agent_turn", b"turn", 400, 1900, SESSION_ID, **IN_JOB, **{"lk.interrupted": True}))
    assert not {keys.INTERRUPTED_BY, keys.PLAYED_FOR} & dict(older.facts).keys()
    for more in ({}, {"lk.interrupted": False}, {"lk.interrupted": "yes"}):
        assert moments(span("agent_turn", b"turn", 400, 1900, SESSION_ID, **IN_JOB, **more)) == []


def test_a_model_that_failed_names_the_span_and_the_error() -> None:
    for name in ("llm_node", "tts_node", "stt_node", "agent_turn", "on_enter", "on_user_turn_completed"):
        found = [m for m in moments(failed(name, "APIConnectionError")) if m.kind is Kind.MODEL_FAILED]
        assert [dict(m.facts)[keys.SPAN_NAME] for m in found] == [name]
        assert dict(found[0].facts)[keys.ERROR_TYPE] == "APIConnectionError"


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"lk.pii.user_transcript": "when are you open", "lk.transcript_confidence": 0.9}, True),
        ({"lk.user_transcript": "when are you open"}, True),  # livekit-agents before 1.6
        ({"lk.transcript_confidence": 0.9}, True),  # redacted
        ({"lk.pii.user_transcript": "", "lk.transcript_confidence": 0.0}, False),  # nothing was committed by hand
        ({}, False),  # the session closed before the STT gave anything
    ],
)
def test_a_turn_of_the_callers_was_transcribed_or_it_was_not(known: dict[str, Any], expected: bool) -> None:
    found = moments(span("user_turn", b"userturn", 400, 1900, SESSION_ID, **IN_JOB, **known))
    told = [(m.kind, m.time, dict(m.facts)[keys.TURN_LASTED]) for m in found]
    assert told == [(Kind.SESSION_TURN_TRANSCRIBED, ms(1900), 1.5)] * expected


def test_what_a_caller_says_lasts_until_they_are_silent() -> None:
    ada = {keys.PARTICIPANT_IDENTITY: "ada"}
    speaking = span("user_speaking", b"speaking", 400, 1900, SESSION_ID, **IN_JOB, **ada)
    [told] = moments(speaking)
    assert (told.kind, told.time, dict(told.facts)) == (
        Kind.SESSION_CALLER_SPOKE,
        ms(400),
        {keys.SPOKE_FOR: 1.5, keys.LINKED_IDENTITY: "ada"},
    )
    speaking.end_time_unix_nano = 0
    [begun] = moments(speaking)
    assert (begun.kind, dict(begun.facts)) == (Kind.SESSION_CALLER_SPOKE, {keys.LINKED_IDENTITY: "ada"})


@pytest.mark.parametrize("error", ["asyncio.CancelledError", "CancelledError", "ToolError", "StopResponse"])
def test_what_ends_at_a_hang_up_is_no_failure(error: str) -> None:
    assert Kind.MODEL_FAILED not in kinds(failed("on_enter", error))


def test_a_voice_that_could_not_be_published() -> None:
    published = {**IN_JOB, "lk.track_sid": "TR_voice"}
    assert kinds(span("publish_audio_output", CONNECT, 400, 500, SESSION_ID, **published)) == [
        Kind.SESSION_AUDIO_PUBLISHED
    ]
    # Cancelled, it ends without an error, and without a track.
    assert kinds(span("publish_audio_output", CONNECT, 400, 500, SESSION_ID, **IN_JOB)) == []
    assert kinds(failed("publish_audio_output", "PublishTrackError")) == [Kind.SESSION_AUDIO_FAILED]


def test_only_a_long_stand_of_the_event_loop_is_a_moment() -> None:
    short = span("event_loop_blocked", CONNECT, 400, 520, ROOT, **IN_JOB, **{"lk.blocking.duration": 0.12})
    long = span("event_loop_blocked", CONNECT, 400, 2673, ROOT, **IN_JOB, **{"lk.blocking.duration": 2.273})
    assert kinds(short) == []
    [blocked] = moments(long)
    assert (blocked.kind, dict(blocked.facts)[keys.BLOCKED_FOR]) == (Kind.AGENT_BLOCKED, 2.273)


def test_a_session_that_closed_says_why() -> None:
    closing = span("session_close", b"closings", 9150, 9160, SESSION_ID, **IN_JOB)
    attributes(closing, {"lk.close_reason": "error", "exception.type": "llm_error"})
    [closed] = moments(closing)
    known = dict(closed.facts)
    assert (known[keys.CLOSE_REASON], known[keys.ERROR_TYPE]) == ("error", "llm_error")


def test_an_older_agents_entrypoint_is_not_its_job() -> None:
    returned = span("job_entrypoint", ROOT, 200, 400, **IN_JOB)
    assert kinds(returned) == [Kind.JOB_ENTRYPOINT_STARTED, Kind.JOB_ENTRYPOINT_RETURNED]
    raised = failed("job_entrypoint", "KeyError", "PRICE_LIST")
    assert kinds(raised) == [Kind.JOB_ENTRYPOINT_STARTED, Kind.JOB_ENDED]
    assert dict(moments(raised)[-1].facts)[keys.JOB_STATUS] == "JS_FAILED"
    returned.end_time_unix_nano = 0
    assert kinds(returned) == [], "it is open, and may be of a newer one"
