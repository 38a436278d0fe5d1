"""The moments in livekit-agents' own spans.

Source of names, events and attributes: livekit-agents 1.8.9, telemetry/trace_types.py, ipc/job_proc_lazy_main.py,
voice/agent_session.py, voice/room_io and voice/generation.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from opentelemetry.proto.trace.v1.trace_pb2 import Status

from tracer import keys
from tracer.moment import BY_WORKER, Kind, Moment, facts
from tracer.timeline.trace_jobs import job_of_trace
from tracer.witness.fields import LATEST_TIME
from tracer.witness.values import as_time, attributes_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    from tracer.moment import Fact

__all__ = ["LONGEST_MESSAGE", "PENDING_SPANS", "ROUNDING", "TOLD_AT_ONCE", "interruption", "native_moments"]

WITNESS = "agent"

_FAILED = Status.STATUS_CODE_ERROR  # looked up once: of a class of protobuf that takes long
EXCEPTION_TYPE, EXCEPTION_MESSAGE = "exception.type", "exception.message"
LONGEST_MESSAGE = 500
"""Characters of an exception's text that are kept."""
ROUNDING = 512
"""livekit-agents keeps times as float seconds, which are this coarse, ns, in this century."""
BLOCKED_SERIOUSLY = 0.5
"""An event loop that stood still for this long, s, is worth a moment: livekit-agents calls it an error. It reports
0.1 s already, which every start of a session takes."""

_JOB_EVENTS = {
    "job_started_on_server": (Kind.JOB_OFFERED, "server"),
    "job_received": (Kind.JOB_RECEIVED, "agent"),
    "job_accepted": (Kind.JOB_ACCEPTED, "agent"),
    "job_assigned": (Kind.JOB_ASSIGNED, "agent"),
    "process_assigned": (Kind.JOB_PROCESS_ASSIGNED, "agent"),
    "entrypoint_started": (Kind.JOB_ENTRYPOINT_STARTED, "agent"),
    "entrypoint_returned": (Kind.JOB_ENTRYPOINT_RETURNED, "agent"),
}
"""Events on ``job_entrypoint``: the moment each is, and on whose clock."""

_SESSION_EVENTS = {
    "participant_linked": Kind.SESSION_LINKED,
    "participant_disconnected": Kind.SESSION_UNLINKED,
}
"""Events on ``agent_session`` that name the participant it listens to."""

_CONNECTION_STATES = {
    "CONN_RECONNECTING": Kind.AGENT_RECONNECTING,
    "CONN_CONNECTED": Kind.AGENT_RECONNECTED,
    "CONN_DISCONNECTED": Kind.AGENT_CONNECTION_LOST,
}
"""States of ``connection_state_changed`` on ``agent_session``. Without a CONN_RECONNECTING before it, CONN_CONNECTED is
the session's start and CONN_DISCONNECTED the end of the call."""

_ENDS: dict[str, tuple[Kind | None, Kind | None]] = {
    "job_entrypoint": (None, Kind.JOB_ENDED),
    "room_connect": (Kind.AGENT_CONNECTING, Kind.AGENT_CONNECTED),
    "session_start": (Kind.SESSION_STARTING, Kind.SESSION_STARTED),
    "session_close": (None, Kind.SESSION_CLOSED),
    "job_shutdown": (Kind.JOB_SHUTDOWN, None),
    "room_disconnect": (None, Kind.AGENT_DISCONNECTED),
    "publish_audio_output": (None, Kind.SESSION_AUDIO_PUBLISHED),
    "wait_for_audio_track": (Kind.SESSION_WAITING_FOR_AUDIO, None),
    "llm_node": (Kind.MODEL_ASKED, None),
    "update_agent": (None, Kind.SESSION_AGENT_CHANGED),
}
"""Spans whose start or end is a moment of the job."""

_NAME_THE_JOB = {"job_entrypoint", "agent_session"}
"""The spans in which livekit-agents itself names the job. A user who flushes in a shutdown callback never sends the
first, which ends later than that."""

_MODEL_SPANS = (
    "llm_node",
    "llm_request",
    "tts_node",
    "tts_request",
    "tts_stream",
    "tts_stream_adapter",
    "stt_node",
    "stt_request",
    "stt_stream",
    "realtime_session",
    "agent_turn",
    "on_enter",
    "on_user_turn_completed",
)
"""Spans whose ERROR means that the caller got no answer."""
_NO_FAILURE = ("CancelledError", "ToolError", "StopResponse")
"""Errors of these types end a span when a caller hangs up, an agent hands over, or a tool refuses: healthy."""

_CODE = frozenset({"function_tool", "on_user_turn_completed", "on_enter", "on_exit"})
"""Spans of the agent's own code, for which the conversation waits. The second is in livekit-agents 1.8.2 and newer."""

TOLD_AT_ONCE = frozenset({"llm_node", "agent_speaking", "user_speaking", *_CODE})
"""Spans that hold the conversation's words. An instrumented agent sends them when they end, and the user's own filter
has seen them; at their start it sends only that they began, and which tool it is: a model that hangs ends none."""

PENDING_SPANS = frozenset({*_ENDS, *_NAME_THE_JOB, "wait_for_participant"} - TOLD_AT_ONCE)
"""Spans of the lifecycle: an instrumented agent sends them at their start already, with no end."""

_ALWAYS_ENDS = {"job_entrypoint", "session_close"}
"""Spans whose end is the moment even when they failed: a job that raised has ended, one that could not connect is
not connected."""

_TRACK = {"lk.track_sid", "lk.track_id"}
"""The attribute that names the track which was published, by its name of now and of livekit/protocol 1.54.0, otel/."""

_COMMON = (keys.JOB_ID, keys.DISPATCH_ID, keys.AGENT_NAME, keys.WORKER_ID)
_KEPT = {
    "job_entrypoint": (*_COMMON, keys.ROOM_NAME),
    "agent_session": _COMMON,
    "room_connect": (keys.PARTICIPANT_ID, keys.PARTICIPANT_IDENTITY, keys.AUTO_SUBSCRIBE),
    "wait_for_participant": (keys.PARTICIPANT_ID, keys.PARTICIPANT_IDENTITY, keys.PARTICIPANT_FILTER),
    "session_start": (keys.INSTRUCTIONS, keys.LISTENS_BY, keys.SPEAKS_BY),
    "session_close": (keys.CLOSE_REASON,),
    "update_agent": (keys.AGENT_LABEL, keys.PREVIOUS_AGENT_LABEL),
    "job_shutdown": (keys.SHUTDOWN_REASON, keys.SHUTDOWN_BY_USER),
}
"""Attributes of a span that become facts of its moments."""


class _Reported(NamedTuple):
    """One moment of a span: when it was, on whose clock, and what is known of it."""

    kind: Kind
    at: int
    latest: int
    facts: Mapping[str, Fact | None]
    clock: str = "agent"
    occurrence: str = ""


def native_moments(span: Span, room: str, attributes: Mapping[str, Fact | None], host: Fact | None) -> Iterator[Moment]:
    """The moments that a span of livekit-agents' own reports; those of a span that is still open included."""
    job = attributes.get(keys.JOB_ID)
    subject = job if isinstance(job, str) and job else job_of_trace(span.trace_id)
    known = {key: attributes.get(key) for key in _KEPT.get(span.name, ())}
    if span.name == "wait_for_audio_track":
        known = {keys.LINKED_IDENTITY: attributes.get(keys.PARTICIPANT_IDENTITY)}
    if subject == job and span.name in _NAME_THE_JOB:
        known |= {keys.AGENT_TRACE: span.trace_id.hex(), keys.WORKER_HOST: host}
    for one in _moments(span, attributes):
        if 0 < one.at <= one.latest <= LATEST_TIME - ROUNDING:
            yield Moment(
                room,
                one.kind,
                subject,
                one.at - ROUNDING,
                one.latest + ROUNDING,
                one.at,
                one.clock,
                WITNESS,
                one.occurrence or _occurrence(span, one.kind, attributes),
                facts({**({} if one.occurrence else known), **one.facts}),
            )


def _moments(span: Span, attributes: Mapping[str, Fact | None]) -> Iterator[_Reported]:
    match span.name:
        case "job_entrypoint" if _is_entrypoint_only(span):
            yield from _entrypoint(span, attributes)
            return
        case "job_entrypoint":
            yield from _job(span, attributes)
        case "agent_session":
            yield from _session(span, attributes)
        case "wait_for_participant":
            yield from _wait(span, attributes)
        case "wait_for_audio_track":
            yield from _first_audio(span)
        case "llm_node":
            yield from _answer(span, attributes)
        case "agent_speaking":
            yield from _speech(span)
            return
        case "user_speaking":
            yield from _caller(span, attributes)
            return
        case "user_turn":
            yield from _turn(span, attributes)
            return
        case "agent_turn":
            yield from _interruption(span, attributes)
        case "event_loop_blocked":
            yield from _blocked(span, attributes)
        case name if name in _CODE:
            yield from _code(span, attributes)
        case _:
            pass
    yield from _both_ends(span, attributes)
    yield from _failure(span, attributes)


def _both_ends(span: Span, attributes: Mapping[str, Fact | None]) -> Iterator[_Reported]:
    """What begins and ends with the span."""
    began, ended = span.start_time_unix_nano, span.end_time_unix_nano
    start, end = _ENDS.get(span.name, (None, None))
    error = _error(span, attributes)
    if start:
        yield _Reported(start, began, began, error)
    if span.name == "publish_audio_output" and not _TRACK & attributes.keys():
        return  # cancelled: the span ends without an error all the same
    if end and (not error or span.name in _ALWAYS_ENDS):
        status = {keys.JOB_STATUS: "JS_FAILED" if error else "JS_SUCCESS"} if end is Kind.JOB_ENDED else {}
        yield _Reported(end, ended, ended, {**status, **error, **_cause_of_close(span, attributes)})


def _cause_of_close(span: Span, attributes: Mapping[str, Fact | None]) -> dict[str, Fact]:
    """A session that closes after a model's error ends well, and names the error all the same."""
    if span.name != "session_close" or span.status.code == _FAILED:
        return {}
    kind = attributes.get(EXCEPTION_TYPE)
    message = attributes.get(EXCEPTION_MESSAGE)
    return {
        **({keys.ERROR_TYPE: str(kind)} if kind else {}),
        **({keys.ERROR_MESSAGE: str(message)[:LONGEST_MESSAGE]} if message else {}),
    }


def _job(span: Span, attributes: Mapping[str, Fact | None]) -> Iterator[_Reported]:
    for event in span.events:
        if event.name in _JOB_EVENTS:
            kind, clock = _JOB_EVENTS[event.name]
            running: dict[str, Fact] = {keys.JOB_STATUS: "JS_RUNNING"} if kind is Kind.JOB_ENTRYPOINT_STARTED else {}
            yield _Reported(kind, event.time_unix_nano, event.time_unix_nano, running, clock)
    yield from _setup(attributes)


def _setup(attributes: Mapping[str, Fact | None]) -> Iterator[_Reported]:
    """When the process was set up, where the job waited for it."""
    for key, kind in ((keys.SETUP_BEGAN, Kind.PROCESS_STARTED), (keys.SETUP_ENDED, Kind.PROCESS_READY)):
        if at := as_time(attributes.get(key)):
            yield _Reported(kind, at, at, {})


def _is_entrypoint_only(span: Span) -> bool:
    """Whether it is of livekit-agents before 1.8.2, where it has no events and ends when the entrypoint returns.

    An open one may not have them yet.
    """
    return bool(span.end_time_unix_nano) and not any(event.name in _JOB_EVENTS for event in span.events)


def _entrypoint(span: Span, attributes: Mapping[str, Fact | None]) -> Iterator[_Reported]:
    """What an older agent's reports. One whose entrypoint raised ends its job; any other goes on."""
    began, ended, less = span.start_time_unix_nano, span.end_time_unix_nano, {keys.ENTRYPOINT_ONLY: True}
    yield _Reported(Kind.JOB_ENTRYPOINT_STARTED, began, began, {keys.JOB_STATUS: "JS_RUNNING", **less})
    if error := _error(span, attributes):
        yield _Reported(Kind.JOB_ENDED, ended, ended, {keys.JOB_STATUS: "JS_FAILED", **error, **less})
    else:
        yield _Reported(Kind.JOB_ENTRYPOINT_RETURNED, ended, ended, less)
    yield from _setup(attributes)


def _session(span: Span, attributes: Mapping[str, Fact | None]) -> Iterator[_Reported]:
    """A session: its start, whom it listened to, and its connection to the room.

    OpenTelemetry keeps the last 128 events of a span: of a long session the first are gone, which is kept too. Before
    livekit-agents 1.8.2 there are none, and no ``session_close``: it closed when its own span ended.
    """
    began, ended, session = span.start_time_unix_nano, span.end_time_unix_nano, span.span_id.hex()
    linked = [event for event in span.events if event.name == "participant_linked"]
    dropped = span.dropped_events_count or (len(span.events) if len(span.events) >= MOST_EVENTS else 0)
    first = _linked(linked[0].attributes) if linked and not dropped else {}
    older = bool(ended) and not attributes.get(keys.DISPATCH_ID) and not {e.name for e in span.events} & _OF_SESSION
    more: dict[str, Fact] = {keys.EVENTS_DROPPED: True} if dropped or older else {}
    if older:
        yield _Reported(Kind.SESSION_CLOSED, ended, ended, {})
    # Its child session_start begins within it, and reports more exactly when.
    yield _Reported(Kind.SESSION_STARTING, began, ended, {**first, **more})
    interrupted = bool(dropped)
    for event in span.events:
        at = event.time_unix_nano
        occurrence = f"{session}@{at}"
        if kind := _SESSION_EVENTS.get(event.name):
            who = _linked(event.attributes)
            reason = attributes_of(event.attributes).get(keys.DISCONNECT_REASON)
            yield _Reported(kind, at, at, {**who, keys.DISCONNECT_REASON: reason}, occurrence=occurrence)
        elif event.name == "connection_state_changed":
            state = _CONNECTION_STATES.get(str(attributes_of(event.attributes).get("lk.connection_state")))
            if state and (interrupted or state is Kind.AGENT_RECONNECTING):
                interrupted = state is Kind.AGENT_RECONNECTING
                yield _Reported(state, at, at, {}, occurrence=occurrence)


_OF_SESSION = {*_SESSION_EVENTS, "connection_state_changed", "agent_state_changed", "user_state_changed"}
"""Events on ``agent_session`` of livekit-agents 1.8.2 and newer, which names its dispatch too, once it is in a room."""
MOST_EVENTS = 128
"""OpenTelemetry's default for the events of a span; livekit-agents' spans do not report how many were dropped."""


def _linked(items: object) -> dict[str, Fact]:
    """The participant that an event names, under keys that are not the job's own."""
    known = attributes_of(items)
    names = {keys.PARTICIPANT_ID: keys.LINKED_ID, keys.PARTICIPANT_IDENTITY: keys.LINKED_IDENTITY}
    return {names[key]: value for key, value in known.items() if key in names and value is not None}


def _wait(span: Span, attributes: Mapping[str, Fact | None]) -> Iterator[_Reported]:
    """A wait for a participant: it ends with one, or without: it raised, or was cancelled when the room closed."""
    began, ended = span.start_time_unix_nano, span.end_time_unix_nano
    error = _error(span, attributes)
    yield _Reported(Kind.AGENT_WAITING_FOR_PARTICIPANT, began, began, {})
    if not ended:
        return
    found = attributes.get(keys.PARTICIPANT_ID) or attributes.get(keys.PARTICIPANT_IDENTITY)
    kind = Kind.AGENT_PARTICIPANT_READY if found and not error else Kind.AGENT_WAIT_ENDED
    yield _Reported(kind, ended, ended, error)


def _first_audio(span: Span) -> Iterator[_Reported]:
    """Whether the session heard the participant it is linked to."""
    for event in span.events:
        if event.name == "track_subscribed":
            source = str(attributes_of(event.attributes).get(keys.TRACK_SOURCE) or "").removeprefix("SOURCE_")
            known = {keys.TRACK_SOURCE: source or None}
            yield _Reported(Kind.SESSION_TRACK_SUBSCRIBED, event.time_unix_nano, event.time_unix_nano, known)
        elif event.name == "first_frame":
            yield _Reported(Kind.SESSION_AUDIO_RECEIVED, event.time_unix_nano, event.time_unix_nano, {})


_ANSWERS = (".response.text", ".response.function_calls")
_EMPTY = ("", "[]")
"""What an ``llm_node`` reports that ended and gave nothing; one that was interrupted reports neither."""


def _answer(span: Span, attributes: Mapping[str, Fact | None]) -> Iterator[_Reported]:
    """Whether the model answered, when it was asked: with its first token, or not before it was interrupted."""
    ended = span.end_time_unix_nano
    if not ended or _error(span, attributes):
        return
    first = attributes.get("lk.response.ttft")
    if isinstance(first, int | float) and first >= 0:
        at = min(span.start_time_unix_nano + round(first * 1e9), ended)
        yield _Reported(Kind.MODEL_ANSWERED, at, at, {})
    elif any(value not in (None, *_EMPTY) for key, value in attributes.items() if key.endswith(_ANSWERS)):
        # An older agent, or an llm_node that gives plain strings, does not report when the first token came.
        yield _Reported(Kind.MODEL_ANSWERED, ended, ended, {})
    else:
        yield _Reported(Kind.MODEL_GAVE_NO_ANSWER, ended, ended, {})


def _speech(span: Span) -> Iterator[_Reported]:
    """That the agent spoke, and for how long, when that is over."""
    began, ended = span.start_time_unix_nano, span.end_time_unix_nano
    lasted: dict[str, Fact] = {keys.SPOKE_FOR: (ended - began) / 1e9} if ended > began else {}
    yield _Reported(Kind.AGENT_SPEAKING, began, began, {**_error(span, {}), **lasted})


def _caller(span: Span, attributes: Mapping[str, Fact | None]) -> Iterator[_Reported]:
    """That the caller speaks, and for how long, when that is over."""
    began, ended = span.start_time_unix_nano, span.end_time_unix_nano
    lasted: dict[str, Fact] = {keys.SPOKE_FOR: max(ended - began, 0) / 1e9} if ended else {}
    who = attributes.get(keys.PARTICIPANT_IDENTITY)
    yield _Reported(Kind.SESSION_CALLER_SPOKE, began, began, {**lasted, keys.LINKED_IDENTITY: who})


def interruption(span: Span, attributes: Mapping[str, Fact | None]) -> dict[str, Fact | None] | None:
    """What is known of how a turn of the agent's was interrupted; None of one that was not."""
    if attributes.get("lk.interrupted") is not True:
        return None
    played = attributes.get(keys.PLAYED_FOR)
    return {
        keys.TURN_LASTED: max(span.end_time_unix_nano - span.start_time_unix_nano, 0) / 1e9,
        keys.INTERRUPTED_BY: attributes.get(keys.INTERRUPTED_BY),
        keys.PLAYED_FOR: float(played) if isinstance(played, int | float) and 0 <= played < 1e6 else None,
    }


def _interruption(span: Span, attributes: Mapping[str, Fact | None]) -> Iterator[_Reported]:
    """That a turn of the agent's was interrupted, when it was over."""
    known = interruption(span, attributes)
    if known is not None:
        ended = span.end_time_unix_nano
        yield _Reported(Kind.AGENT_INTERRUPTED, ended, ended, known)


_TRANSCRIPTS = ("lk.pii.user_transcript", "lk.user_transcript")
"""What the caller said in a turn, by its name of now and of before livekit-agents 1.6."""


def _turn(span: Span, attributes: Mapping[str, Fact | None]) -> Iterator[_Reported]:
    """A turn of the caller's of which words are known; where those are redacted, that there were some."""
    words = next((attributes[key] for key in _TRANSCRIPTS if key in attributes), None)
    redacted = words is None and "lk.transcript_confidence" in attributes
    began, ended = span.start_time_unix_nano, span.end_time_unix_nano
    if ended and (words or redacted):
        lasted: dict[str, Fact] = {keys.TURN_LASTED: max(ended - began, 0) / 1e9}
        yield _Reported(Kind.SESSION_TURN_TRANSCRIBED, ended, ended, lasted)


def _code(span: Span, attributes: Mapping[str, Fact | None]) -> Iterator[_Reported]:
    """From when until when the agent's own code ran, however it ended."""
    what = {keys.SPAN_NAME: span.name, keys.TOOL_NAME: attributes.get(keys.TOOL_NAME)}
    yield _Reported(Kind.AGENT_CODE_BEGAN, span.start_time_unix_nano, span.start_time_unix_nano, what)
    yield _Reported(Kind.AGENT_CODE_RETURNED, span.end_time_unix_nano, span.end_time_unix_nano, what)


def _blocked(span: Span, attributes: Mapping[str, Fact | None]) -> Iterator[_Reported]:
    lasted = attributes.get("lk.blocking.duration")
    if isinstance(lasted, int | float) and lasted >= BLOCKED_SERIOUSLY:
        at = span.start_time_unix_nano
        yield _Reported(Kind.AGENT_BLOCKED, at, at, {keys.BLOCKED_FOR: float(lasted)})


def _failure(span: Span, attributes: Mapping[str, Fact | None]) -> Iterator[_Reported]:
    """A model, or a method of the agent's own, that failed; and a voice that could not be published."""
    error = _error(span, attributes)
    if not error or not span.end_time_unix_nano:
        return
    name = str(error[keys.ERROR_TYPE]).rpartition(".")[2]
    if span.name == "publish_audio_output":
        kind = Kind.SESSION_AUDIO_FAILED
    elif span.name in _MODEL_SPANS and name not in _NO_FAILURE:
        kind = Kind.MODEL_FAILED
    else:
        return
    yield _Reported(kind, span.end_time_unix_nano, span.end_time_unix_nano, {**error, keys.SPAN_NAME: span.name})


def _error(span: Span, attributes: Mapping[str, Fact | None]) -> dict[str, Fact]:
    """Why a span failed; empty for one that did not."""
    if span.status.code != _FAILED:
        return {}
    return {
        keys.ERROR_TYPE: str(attributes.get(keys.ERROR_TYPE) or attributes.get(EXCEPTION_TYPE) or "error"),
        **({keys.ERROR_MESSAGE: span.status.message[:LONGEST_MESSAGE]} if span.status.message else {}),
    }


def _occurrence(span: Span, kind: Kind, attributes: Mapping[str, Fact | None]) -> str:
    """What there can be several of in a job: workers that were asked, participants waited for, sessions, answers."""
    if kind in BY_WORKER:
        return str(attributes.get(keys.WORKER_ID) or "")
    if span.name in ("session_start", "session_close"):  # both are children of their agent_session
        return span.parent_span_id.hex()
    if span.name in ("job_entrypoint", "room_connect", "job_shutdown", "room_disconnect"):
        return ""
    return span.span_id.hex()
