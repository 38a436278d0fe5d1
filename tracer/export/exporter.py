"""From the outbox to an OpenTelemetry backend, by OpenTelemetry's own OTLP exporter.

A span is put into the store's outbox before it is sent and struck off after the backend took it. So
it outlives the backend's absence and the receiver's restart. A retry after an answer that got lost sends the same
span under the same ids, which Jaeger folds into one.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Status
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode, TraceFlags, TraceState
from opentelemetry.trace import Status as SpanStatus

from tracer import ids
from tracer.errors import StoreError, UnreadableError
from tracer.export.spans import spans
from tracer.settings import address, checked_url
from tracer.store import Outgoing
from tracer.timeline.fold import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan
    from opentelemetry.sdk.trace.export import SpanExporter

    from tracer.export.spans import Span
    from tracer.store.sqlite import SqliteStore

__all__ = ["Exporter", "endpoint", "readable"]

log = logging.getLogger("tracer")
T = TypeVar("T")

QUIET = 1.0
"""Seconds without news of a span before it goes out: what is learnt later stays in the store."""
INTERVAL = 0.25
"""Seconds between looks for spans that are ready."""
BATCH = 512
"""Spans in one request."""
LARGEST_BATCH = 4 * 1024 * 1024
"""Bytes of spans in one request, unless it is one span: the collector refuses 20 MiB, and more slowly than is told
from its being away."""
REFUSED_WITHIN = 0.5
"""Seconds in which a backend refuses; OpenTelemetry's exporter tries longer where none answers."""
FEW = 3
"""Spans refused one after another that show a backend which takes none."""
LAST_TRY = 3.0
"""Seconds that the end of the process may wait for the backend; what is not sent waits in the store."""
MOST_ROOMS = 2000
"""Rooms of which is remembered what went out; beyond that the store's own memory serves, more slowly."""
LONGEST_PAUSE = 30.0
"""Seconds between tries while the backend is away."""


def endpoint() -> str | None:
    """Where spans go, by OpenTelemetry's own variables; None when nobody asked for it.

    Raises ConfigurationError when that is no address: OpenTelemetry's exporter would try it for ever.
    """
    for name in ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"):
        if url := os.environ.get(name):
            return checked_url(name, url, "http", "https")
    return None


class Exporter:
    """Fills the outbox with spans that are ready and empties it into the backend, until cancelled."""

    def __init__(self, store: SqliteStore, exporter: SpanExporter | None = None) -> None:
        self.store = store
        self.exporter = exporter or OTLPSpanExporter()
        self.sent = 0
        self.failed = 0
        self._sending = threading.Lock()
        self._unreadable: dict[str, int] = {}
        """Rooms that cannot be exported, each with the newest moment with which that was tried."""
        self._known: dict[str, dict[int, tuple[Span | None, float]]] = {}
        """For each room that is not settled: each span as last seen and since when (s, monotonic); None once it was
        queued, and so out of our hands."""

    async def run(self) -> None:
        """Until cancelled. A backend that is away is tried again for ever, ever more seldom, and named once."""
        pause = INTERVAL
        while True:
            try:
                if not self.store.may_export():
                    await asyncio.sleep(1)
                    continue
                await _apart(self.fill, time.monotonic())
                if await _apart(self.send):
                    if pause > INTERVAL:
                        log.info("the backend takes spans again")
                    pause = INTERVAL
                else:
                    if pause == INTERVAL:
                        log.warning("%s takes no spans: they wait in the store", address(endpoint() or ""))
                    pause = min(max(pause * 2, 1.0), LONGEST_PAUSE)
            except Exception as error:
                log.error("export: %s", error, exc_info=not isinstance(error, StoreError))
                pause = LONGEST_PAUSE
            await asyncio.sleep(pause)

    async def finish(self) -> None:
        """Hand over what is ready now, without waiting for news; one try, and not for long."""
        trying = asyncio.ensure_future(_apart(self._finish))
        await asyncio.wait([trying], timeout=LAST_TRY)
        if trying.done() and (error := trying.exception()):
            log.error("export: %s", error)

    def _finish(self) -> None:
        if not self.store.may_export():
            return
        self.fill(float("inf"))
        self.send()

    def fill(self, now: float) -> None:
        """Queue the spans of changed rooms of which nothing new was learnt for a while; ``now`` in s, monotonic."""
        ready: list[Outgoing] = []
        done: list[tuple[str, int]] = []
        learnt: dict[str, dict[int, tuple[Span | None, float]]] = {}
        for room, newest in self.store.rooms_to_export():
            if self._unreadable.get(room) == newest:
                continue
            try:
                outgoing, known, settled = self._of_room(room, now)
            except StoreError as error:
                if not isinstance(error, UnreadableError):
                    raise
                log.error("room %s cannot be exported: %s", room, error)
                self._unreadable[room] = newest
                continue
            except Exception:
                log.exception("room %s cannot be exported", room)
                self._unreadable[room] = newest
                continue
            ready += outgoing
            learnt[room] = known
            if settled:
                done.append((room, newest))
        if ready or done:
            self.store.queue(ready, done)
        # Only what is safely in the outbox counts as queued.
        self._known = {room: known for room, known in (self._known | learnt).items() if known}
        while len(self._known) > MOST_ROOMS:
            del self._known[next(iter(self._known))]  # if it was not settled, its spans wait a little longer

    def _of_room(self, room: str, now: float) -> tuple[list[Outgoing], dict[int, tuple[Span | None, float]], bool]:
        """What of a room goes out now, what is then known of its spans, and whether nothing more is to come."""
        ready: list[Outgoing] = []
        known = dict(self._known.get(room, {}))
        timeline = fold(room, self.store.moments(room), now=time.time_ns())
        for span in spans(timeline):
            seen, since = known.get(span.span_id, (span, now))
            if seen is None:
                continue
            if seen != span:
                since = now
            if now - since >= QUIET or now == float("inf"):
                ready.append(_outgoing(span))
                if span.closes:
                    ready += [_closed(begun, span) for begun in self.store.open_spans(span.closes)]
                known[span.span_id] = (None, since)
            else:
                known[span.span_id] = (span, since)
        waiting = timeline.room.finished and timeline.open_jobs()  # for an end, or until they are lost
        settled = all(seen is None for seen, _ in known.values()) and not waiting
        if settled and _root(room) in known:  # the room is over
            known = {}
        return ready, known, settled

    def send(self) -> bool:
        """Send all that waits; False as soon as the backend does not take it."""
        with self._sending:  # at the end, the last try waits for the one that is under way
            while batch := _within(self.store.unsent(BATCH)):
                begun = time.monotonic()
                if self._export(batch):
                    continue
                # A backend that is away is found out after some tries; one that answers at once refuses a span.
                if time.monotonic() - begun > REFUSED_WITHIN or not self._one_by_one(batch):
                    self.failed += 1
                    return False
            return True

    def _export(self, batch: list[tuple[int, bytes]]) -> bool:
        if self.exporter.export([readable(body) for _, body in batch]) is not SpanExportResult.SUCCESS:
            return False
        self.store.sent(number for number, _ in batch)
        self.sent += len(batch)
        return True

    def _one_by_one(self, batch: list[tuple[int, bytes]]) -> bool:
        """Find the spans that a backend refuses and set them aside; False when it takes none of the first few."""
        refused: list[tuple[int, bytes]] = []
        for tried, item in enumerate(batch, 1):
            if not self._export([item]):
                refused.append(item)
            if len(refused) == tried and tried in (FEW, len(batch)):
                return False
        for number, body in refused:
            log.error("the backend refuses span %r for good: it is dropped", readable(body).name)
            self.store.sent([number])
        return True


async def _apart(function: Callable[..., T], *arguments: object) -> T:
    """Run it in a thread of its own that the end of the process does not wait for, as it would for a pool's."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # there is one, where there is no error

    def run() -> None:
        result, error = None, None
        try:
            result = function(*arguments)
        except BaseException as raised:  # noqa: BLE001  it is raised where it is waited for
            error = raised
        with suppress(RuntimeError):  # the loop has ended, and with it whoever waited
            loop.call_soon_threadsafe(tell, result, error)

    threading.Thread(target=run, name="export", daemon=True).start()
    return await done


def _within(batch: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """The first of these, as many as one request may hold."""
    size = 0
    for count, (_, body) in enumerate(batch):
        size += len(body)
        if count and size > LARGEST_BATCH:
            return batch[:count]
    return batch


def _root(room: str) -> int:
    return ids.span_id("room", room)


def _outgoing(span: Span) -> Outgoing:
    """One of our own spans as it waits in the outbox."""
    request = encode_spans([_readable_own(span)])
    return Outgoing(span.trace_id.to_bytes(16), span.span_id.to_bytes(8), request.resource_spans[0].SerializeToString())


def _closed(begun: Outgoing, job: Span) -> Outgoing:
    """A span that a lost job had begun, ended with the job."""
    group = ResourceSpans.FromString(begun.body)
    span = group.scope_spans[0].spans[0]
    span.end_time_unix_nano = max(job.end, span.start_time_unix_nano + 1)
    span.status.code, span.status.message = Status.STATUS_CODE_ERROR, job.error or ""
    return Outgoing(begun.trace_id, begun.span_id, group.SerializeToString())


def _readable_own(span: Span) -> ReadableSpan:
    def context(span_id: int) -> SpanContext:
        return SpanContext(span.trace_id, span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))

    return ReadableSpan(
        span.name,
        context=context(span.span_id),
        parent=None if span.parent_id is None else context(span.parent_id),
        resource=Resource({"service.name": span.service}),
        attributes=dict(span.attributes),
        events=[Event(event.name, dict(event.attributes), event.time) for event in span.events],
        kind=SpanKind.INTERNAL,
        status=SpanStatus(StatusCode.ERROR, span.error) if span.error else SpanStatus(StatusCode.UNSET),
        start_time=span.start,
        end_time=span.end,
        instrumentation_scope=InstrumentationScope("livekit-tracer"),
    )


_TRACE_ID_BYTES, _SPAN_ID_BYTES = 16, 8

_KINDS = {kind.value + 1: kind for kind in SpanKind}
"""By OTLP's number; one that is not set, or not known yet, counts as INTERNAL."""


def readable(body: bytes) -> ReadableSpan:
    """A span from the outbox as OpenTelemetry's exporters take it."""
    group = ResourceSpans.FromString(body)
    scope = group.scope_spans[0]
    span = scope.spans[0]
    return ReadableSpan(
        span.name,
        context=_context(span.trace_id, span.span_id, span.trace_state),
        parent=_context(span.trace_id, span.parent_span_id) if len(span.parent_span_id) == _SPAN_ID_BYTES else None,
        resource=Resource(_attributes(group.resource.attributes), group.schema_url),
        attributes=_attributes(span.attributes),
        events=[Event(event.name, _attributes(event.attributes), event.time_unix_nano) for event in span.events],
        links=[
            Link(_context(link.trace_id, link.span_id, link.trace_state), _attributes(link.attributes))
            for link in span.links
            if (len(link.trace_id), len(link.span_id)) == (_TRACE_ID_BYTES, _SPAN_ID_BYTES)
        ],
        kind=_KINDS.get(span.kind, SpanKind.INTERNAL),
        status=_status(span),
        start_time=span.start_time_unix_nano,
        end_time=span.end_time_unix_nano,
        instrumentation_scope=InstrumentationScope(
            scope.scope.name, scope.scope.version, scope.schema_url, _attributes(scope.scope.attributes)
        ),
    )


def _context(trace_id: bytes, span_id: bytes, state: str = "") -> SpanContext:
    return SpanContext(
        int.from_bytes(trace_id),
        int.from_bytes(span_id),
        is_remote=False,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
        trace_state=TraceState.from_header([state]) if state else None,
    )


def _status(span: ProtoSpan) -> SpanStatus:
    codes = {Status.STATUS_CODE_ERROR: StatusCode.ERROR, Status.STATUS_CODE_OK: StatusCode.OK}
    code = codes.get(span.status.code, StatusCode.UNSET)
    return SpanStatus(code, span.status.message if code is StatusCode.ERROR else None)


def _attributes(items: Iterable[KeyValue]) -> dict[str, Any]:
    return {item.key: _value(item.value) for item in items if item.value.WhichOneof("value")}


def _value(value: AnyValue) -> Any:
    """An attribute's value, as OpenTelemetry's encoder takes it back."""
    which = value.WhichOneof("value")
    if which == "array_value":
        return [_value(item) for item in value.array_value.values]
    if which == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    return getattr(value, which) if which else None
