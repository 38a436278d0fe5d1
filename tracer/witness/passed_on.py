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
    from collections.abc import Iterable, Iterator, Sequence

    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans

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
        self._ids: dict[bytes, list[bytes]] = {}
        """The same before those that were sent are left out."""
        stays: list[tuple[ScopeSpans, int]] = []
        scope, place = None, 0
        for one in list(agent.received(request, agent.PLACES_IT)):
            place = place + 1 if one.scope is scope else 0
            scope, span = one.scope, one.span
            if not is_exported(one) or one.open_job:
                stays.append((scope, place))
            elif one.unplaced:
                self.unplaced.append(packed(one, redacted=redacted))
                stays.append((scope, place))
            else:
                if one.room:
                    move_to_room(span, one.room, one.attributes)
                if redacted:
                    redact(span)
                leave_out_wrong_ids(span)
                self._ids.setdefault(span.trace_id, []).append(span.span_id)
        self._delete(stays)

    @property
    def traces(self) -> Iterable[bytes]:
        """The traces that its spans are of."""
        return self._ids

    def leave_out(self, sent: dict[bytes, set[bytes]]) -> None:
        """Leave out the spans that were sent, by their traces; add those that are here."""
        for trace, ids in self._ids.items():
            if len(ids) != len(set(ids)) or not sent.get(trace, set()).isdisjoint(ids):
                self._delete(list(self._that_were(sent)))
                return
        self.keys = self._ids
        for trace, ids in self._ids.items():  # nearly always
            sent.setdefault(trace, set()).update(ids)

    def _that_were(self, sent: dict[bytes, set[bytes]]) -> Iterator[tuple[ScopeSpans, int]]:
        """The spans that were sent, or stand here before; add the others."""
        for group in self.request.resource_spans:
            for scope in group.scope_spans:
                for place, span in enumerate(scope.spans):
                    trace, key = span.trace_id, span.span_id
                    of_trace = sent.setdefault(trace, set())
                    if key in of_trace:
                        yield scope, place
                    else:
                        of_trace.add(key)
                        self.keys.setdefault(trace, []).append(key)

    def _delete(self, spans: Sequence[tuple[ScopeSpans, int]]) -> None:
        """Spans by their places, in order, and what holds none."""
        for scope, place in reversed(spans):
            del scope.spans[place]
        for group in self.request.resource_spans:
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
