"""Which spans of a job a request brought, so that it shows later whether others are missing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tracer import keys
from tracer.moment import Kind, Moment, facts
from tracer.timeline.trace_jobs import job_of_trace
from tracer.witness.fields import LATEST_TIME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    from tracer.moment import Facts
    from tracer.witness.outgoing import ReceivedSpan

__all__ = ["span_reports"]

DIGITS = 8
"""Of a span's id so many hexadecimal digits are kept: a job has some thousand spans at the most."""
MOST = 1000
"""Spans in one moment."""
ROOT = "job_entrypoint"
UNDER_ITS_OWN = frozenset({
    "agent_speaking", "agent_turn", "drain_agent_activity", "eou_detection", "eou_wait", "function_tool", "llm_node",
    "llm_request_run", "on_enter", "on_exit", "on_user_turn_completed", "publish_audio_output", "session_start",
    "setup_toolsets", "start_agent_activity", "tts_node", "tts_request_run", "user_turn",
})  # fmt: skip
"""Spans whose parent is livekit-agents' own. That of any other can be a span of the user's that never comes here."""
AT_THE_END = frozenset({"job_shutdown", "room_disconnect", "session_end_upload"})
"""The same, of an instrumented agent, which reports their parents when they begin; others may have to flush before."""
ENDS = frozenset({
    "agent_speaking", "llm_node", "room_connect", "session_close", "session_start", "start_agent_activity",
    "wait_for_participant",
})  # fmt: skip
"""Spans that end before their job does, whatever happens; of others some are left open, as a tool is by a crash.
Source: livekit-agents 1.8.9, voice/agent_session.py, voice/agent_activity.py, voice/generation.py and job.py."""


def span_reports(spans: Iterable[ReceivedSpan]) -> Iterator[Moment]:
    """A moment for each job in a request: the ids of its spans, and of the parents that they must have."""
    reports: defaultdict[tuple[str, str, int], _Report] = defaultdict(_Report)
    counted: defaultdict[tuple[str, str], int] = defaultdict(int)
    for one in spans:
        span, room = one.span, one.room or one.unplaced
        if one.is_moment or not room or not 0 < span.start_time_unix_nano <= LATEST_TIME:
            continue
        named = one.attributes.get(keys.JOB_ID)
        subject = named if isinstance(named, str) and named else job_of_trace(span.trace_id)
        report = reports[room, subject, counted[room, subject] // MOST]
        counted[room, subject] += 1
        report.add(span, is_named=subject == named)
    for (room, subject, _), report in reports.items():
        yield Moment(
            room,
            Kind.JOB_SPANS_REPORTED,
            subject,
            report.since,
            report.until,
            report.until,
            "agent",
            "agent",
            facts=report.facts(),
        )


@dataclass(slots=True)
class _Report:
    """What a request brought of one job."""

    since: int = LATEST_TIME
    until: int = 0
    """When the first and the last of its spans began, ns."""
    ids: defaultdict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    """By key, each once and in the order in which they came."""

    def add(self, span: Span, *, is_named: bool) -> None:
        self.since = min(self.since, span.start_time_unix_nano)
        self.until = max(self.until, span.start_time_unix_nano)
        key = keys.SPANS_ENDED if span.end_time_unix_nano else keys.SPANS_DUE if span.name in ENDS else keys.SPANS_BEGUN
        self.ids[key][_short(span.span_id)] = None
        if span.name == ROOT:
            self.ids[keys.SPANS_ROOT][_short(span.span_id)] = None
        if span.parent_span_id and (span.name in UNDER_ITS_OWN or (is_named and span.name in AT_THE_END)):
            self.ids[keys.SPANS_ABOVE][_short(span.parent_span_id)] = None

    def facts(self) -> Facts:
        return facts({key: " ".join(ids) for key, ids in self.ids.items()})


def _short(span_id: bytes) -> str:
    return span_id.hex()[:DIGITS]
