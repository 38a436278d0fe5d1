"""A span as the receiver gets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import ReadableSpan

from tracer import keys
from tracer.witness.agent import PENDING_SPANS

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext

__all__ = ["ReportedSpan"]


class ReportedSpan(ReadableSpan):
    """A span with its room and job as attributes and the parent that tracer knows; with no end when it is running."""

    def __init__(self, span: ReadableSpan, attributes: dict[str, str], parent: SpanContext | None) -> None:
        self.span = span
        self.added = attributes
        self.above = parent
        self.is_start = span.end_time is None
        """Whether it reports the span's start."""
        context = span.get_span_context()
        self.span_id = context.span_id if context else 0
        # With its resource: without one, ReadableSpan would look for it, in threads, for a millisecond.
        super().__init__(span.name, context=context, resource=span.resource)

    def snapshot(self) -> ReadableSpan:
        """The span as it is now. One that reports a start has no end, though the span may have ended meanwhile."""
        span = self.span
        # The words of a conversation are reported with the span's end, when the user's own filter has seen it. A tool's
        # name is the agent's own, and nothing that anybody said.
        known = span.attributes or {}
        whole = not self.is_start or span.name in PENDING_SPANS
        return ReadableSpan(
            span.name,
            context=span.get_span_context(),
            parent=self.above,
            resource=span.resource,
            attributes={**self.added, **{key: known[key] for key in known if whole or key == keys.TOOL_NAME}},
            events=span.events if whole else (),
            links=span.links,
            kind=span.kind,
            status=span.status,
            start_time=span.start_time,
            end_time=None if self.is_start else span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )
