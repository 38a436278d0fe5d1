"""A room's whole trace in one request: the spans that the exporter makes of it, and those that its agents made."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tracer.errors import MalformedError, TooLargeError
from tracer.export.answered import answered
from tracer.export.otlp import closed_with_job, request, to_otlp
from tracer.export.spans import spans
from tracer.witness import evidence
from tracer.witness.outgoing import in_room

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    from tracer.store import Outgoing, Reader
    from tracer.timeline.timeline import Timeline

__all__ = ["whole_trace"]


def whole_trace(reader: Reader, timeline: Timeline) -> ExportTraceServiceRequest:
    """Every span of the room that has ended; what a lost job had begun ends with it. Raises StoreError.

    The room's own says how the call went, as far as the timeline, with its workers, knows.
    Agents' own are there as far as the store keeps what came in: not where it is redacted.
    """
    own = [span if span.parent_id else answered(span, timeline) for span in spans(timeline)]
    lost = {span.closes: span for span in own if span.closes}
    found = {(one.trace_id, one.span_id): one.body for one in map(to_otlp, own)}
    open_spans: list[Outgoing] = []
    for one in _of_agents(reader, timeline.room.sid):
        if one.open_job:
            open_spans.append(one)
        else:
            found[one.trace_id, one.span_id] = one.body
    for one in open_spans:
        if one.open_job in lost and (one.trace_id, one.span_id) not in found:
            found[one.trace_id, one.span_id] = closed_with_job(one, lost[one.open_job]).body
    return request(found.values())


def _of_agents(reader: Reader, room: str) -> Iterator[Outgoing]:
    """As they came; what cannot be read was said to be so when it was stored."""
    for piece in reader.evidence(room):
        with suppress(MalformedError, TooLargeError):
            for one in evidence.outgoing(piece):
                yield in_room(one.body, room) if one.unplaced else one
