"""The moments in the spans of LiveKit's agents for Node.

Many have the names that livekit-agents gives its own in Python, and not the same meaning: ``job_entrypoint`` is the
agent's own function only, and ends when that returns or raises, which the span does not distinguish. There is none for
the connection, the start of the session, its close, the shutdown or the end of the job.
Source: @livekit/agents 1.9.0, ipc/job_proc_lazy_main.ts, voice/agent_session.ts, voice/agent_activity.ts,
voice/generation.ts and telemetry/loop_monitor.ts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.proto.trace.v1.trace_pb2 import Status

from tracer import keys
from tracer.moment import Kind, Moment, facts
from tracer.timeline.trace_jobs import job_of_trace
from tracer.units import NS_PER_MS
from tracer.witness.fields import LATEST_TIME
from tracer.witness.native import BLOCKED_SERIOUSLY, EXCEPTION_TYPE, interruption

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    from tracer.moment import Fact

__all__ = ["node_moments"]

ROUNDING = NS_PER_MS
"""OpenTelemetry for Node takes some times from ``Date.now()``, which has no more than milliseconds."""

_TOLD = tuple[Kind, int, str, dict[str, "Fact | None"]]
"""A moment's kind, time, occurrence and facts."""


def node_moments(span: Span, room: str, attributes: Mapping[str, Fact | None], host: Fact | None) -> Iterator[Moment]:
    """The moments that a span of the agent's reports."""
    job = attributes.get(keys.JOB_ID)
    named = isinstance(job, str) and bool(job)
    subject = str(job) if named else job_of_trace(span.trace_id)
    about: dict[str, Fact | None] = {}
    if span.name in ("job_entrypoint", "agent_session"):
        about = {key: attributes.get(key) for key in (keys.JOB_ID, keys.AGENT_NAME, keys.ROOM_NAME)}
        about |= {keys.SDK_LANGUAGE: "nodejs", keys.WORKER_HOST: host}
        about |= {keys.AGENT_TRACE: span.trace_id.hex()} if named else {}
    for kind, at, occurrence, known in _told(span, attributes):
        if ROUNDING < at <= LATEST_TIME - ROUNDING:
            known_then = facts({**about, **known})
            yield Moment(
                room, kind, subject, at - ROUNDING, at + ROUNDING, at, "agent", "agent", occurrence, known_then
            )


def _told(span: Span, attributes: Mapping[str, Fact | None]) -> Iterator[_TOLD]:
    began, ended, itself = span.start_time_unix_nano, span.end_time_unix_nano, span.span_id.hex()
    match span.name:
        case "job_entrypoint":
            yield Kind.JOB_ENTRYPOINT_STARTED, began, "", {}
            yield Kind.JOB_ENTRYPOINT_RETURNED, ended, "", {}
        case "agent_session":
            yield Kind.SESSION_STARTING, began, itself, {}
            yield Kind.SESSION_CLOSED, ended, itself, {}
        case "start_agent_activity":  # its first agent's; agents that it is handed over to have one of their own
            yield Kind.SESSION_STARTED, ended, span.parent_span_id.hex(), {}
        case "agent_speaking":
            yield Kind.AGENT_SPEAKING, began, itself, {}
        case "user_speaking":  # Python's session tells of the first audio; this one of the first words
            yield (
                Kind.SESSION_AUDIO_RECEIVED,
                began,
                itself,
                {keys.LINKED_IDENTITY: attributes.get(keys.PARTICIPANT_IDENTITY)},
            )
        case "agent_turn":
            known = interruption(span, attributes)
            if known is not None:
                yield Kind.AGENT_INTERRUPTED, ended, itself, known
        case "llm_node":
            yield Kind.MODEL_ASKED, began, itself, {}
            yield _answer(span, attributes)
        case "llm_request_run" if span.status.code == Status.STATUS_CODE_ERROR:  # ``llm_node`` itself is none then
            error = attributes.get(EXCEPTION_TYPE) or attributes.get(keys.ERROR_TYPE)
            yield Kind.MODEL_FAILED, ended, itself, {keys.ERROR_TYPE: error, keys.SPAN_NAME: span.name}
        case "event_loop_blocked":
            lasted = attributes.get("lk.blocking.duration")
            if isinstance(lasted, int | float) and lasted >= BLOCKED_SERIOUSLY:
                yield Kind.AGENT_BLOCKED, began, itself, {keys.BLOCKED_FOR: float(lasted)}
        case _:
            pass


def _answer(span: Span, attributes: Mapping[str, Fact | None]) -> _TOLD:
    """What became of a question to the model: its first token, its failure, or nothing before it was interrupted."""
    ended, itself, first = span.end_time_unix_nano, span.span_id.hex(), attributes.get("lk.response.ttft")
    if isinstance(first, int | float) and 0 <= first < 1e6:
        return Kind.MODEL_ANSWERED, min(span.start_time_unix_nano + round(first * 1e9), ended), itself, {}
    if error := attributes.get(keys.ERROR_TYPE):
        return Kind.MODEL_FAILED, ended, itself, {keys.ERROR_TYPE: str(error), keys.SPAN_NAME: span.name}
    return Kind.MODEL_GAVE_NO_ANSWER, ended, itself, {}
