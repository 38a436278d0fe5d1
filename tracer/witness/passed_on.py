"""A request of an agent on its way to the backend: as it came, but each span in its room's trace.

What cannot go yet, or at all, is left out: see ``tracer.witness.outgoing``. A request is changed in place, by
protobuf's own C code, and is taken apart only where the backend refuses it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.store import Outgoing
from tracer.witness import agent
from tracer.witness.outgoing import alone, is_exported, leave_out_wrong_ids, move_to_room, packed
from tracer.witness.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

__all__ = ["PassedOn"]


class PassedOn:
    """What of a request goes on."""

    def __init__(self, request: ExportTraceServiceRequest, *, redacted: bool) -> None:
        """Changes the request."""
        self.request = request
        self.unplaced: list[Outgoing] = []
        """Spans that wait for the room of their trace; they are not in the request any more."""
        self.keys: dict[bytes, list[bytes]] = {}
        """Ids of the spans in it, by their trace."""
        goes: list[Span] = []
        for one in list(agent.received(request, agent.PLACES_IT)):
            if not is_exported(one) or one.open_job:
                one.span.ClearField("span_id")
            elif one.unplaced:
                self.unplaced.append(packed(one, redacted=redacted))
                one.span.ClearField("span_id")
            else:
                goes.append(one.span)
                if one.room:
                    move_to_room(one.span, one.room, one.attributes)
                if redacted:
                    redact(one.span)
                leave_out_wrong_ids(one.span)
        self.traces = {span.trace_id for span in goes}
        """The traces that its spans are of."""

    def leave_out(self, sent: dict[bytes, set[bytes]]) -> None:
        """Leave out the spans that were sent, by their traces, and whatever else does not go; add those that do."""
        for group in self.request.resource_spans:
            for scope in group.scope_spans:
                for place in range(len(scope.spans) - 1, -1, -1):
                    span = scope.spans[place]
                    trace, key = span.trace_id, span.span_id
                    of_trace = sent.setdefault(trace, set())
                    if key and key not in of_trace:
                        of_trace.add(key)
                        self.keys.setdefault(trace, []).append(key)
                    else:
                        del scope.spans[place]
            for place in range(len(group.scope_spans) - 1, -1, -1):
                if not group.scope_spans[place].spans:
                    del group.scope_spans[place]
        for place in range(len(self.request.resource_spans) - 1, -1, -1):
            if not self.request.resource_spans[place].scope_spans:
                del self.request.resource_spans[place]

    def apart(self) -> Iterator[Outgoing]:
        """Each of its spans alone."""
        for group in self.request.resource_spans:
            for scope in group.scope_spans:
                for span in scope.spans:
                    yield Outgoing(span.trace_id, span.span_id, alone(span, scope, group).SerializeToString())
