"""What runs inside the user's worker and its job processes.

Two rules above all: no failure of ours reaches the user's code, and nothing of ours is waited for while a
job runs. So every hook is wrapped, spans leave through a thread of OpenTelemetry's own, and at the end of a process the
wait for the receiver is bounded.
"""

from __future__ import annotations

import atexit
import logging
import os
import socket
import threading
import time
from collections import deque
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from multiprocessing import parent_process
from multiprocessing.util import Finalize
from types import MethodType
from typing import TYPE_CHECKING, Any, TypeVar

import requests
from livekit.agents import AgentServer, get_job_context, telemetry
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from tracer import ids, keys
from tracer.errors import ConfigurationError
from tracer.instrumentation.worker_process import WorkerProcess
from tracer.settings import HERE, address, checked_url, where
from tracer.witness.agent import PENDING_SPANS, SCOPE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from livekit.agents import JobProcess
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import Span

__all__ = ["DEFAULT_ENDPOINT", "instrument", "instrument_every_server", "leave_every_server"]

log = logging.getLogger("tracer")
T = TypeVar("T")

DEFAULT_ENDPOINT = "http://127.0.0.1:7890"
"""Where `tracer serve` listens."""
DELAY_MS = 200
"""Spans leave at most this long after they began or ended."""
TIMEOUT_S = 5.0
"""One request to the receiver, its retries included."""
LAST_WAIT_S = 2.0
"""Seconds the end of a process may wait for the last spans when the receiver answered so far; else a tenth."""
LONGEST_INSTRUCTIONS = 4000
"""Characters of an agent's instructions that are told."""
BACKLOG = 4096
"""Spans kept for a receiver that is away; then the oldest go."""
LARGEST_REQUEST = 8 * 1024 * 1024
"""Bytes of spans in one request: the receiver takes twice as many, and would refuse more again and again."""


def instrument(server: AgentServer, endpoint: str | None = None) -> AgentServer:
    """Have this worker and its jobs report to `tracer serve`; one line, anywhere before the server runs.

    ``endpoint`` is the receiver's address; without it ``TRACER_ENDPOINT``, and without that
    ``http://127.0.0.1:7890``. The server's own ``setup_fnc`` and tracer provider go on as before.
    Returns the server. Never raises: what is wrong, with the address as with anything else, is a warning in the log.
    """
    _guarded(_instrument, server, endpoint)
    return server


def _instrument(server: AgentServer, endpoint: str | None) -> None:
    endpoint = _address(endpoint)
    if not _is_traced(vars(server).get("run")):
        server.run = MethodType(_traced(type(server).run, endpoint), server)  # type: ignore[method-assign]


def instrument_every_server() -> None:
    """As ``instrument`` for each server of this process that is not instrumented by itself: for `tracer.zero_code`."""
    if not _is_traced(AgentServer.run):
        AgentServer.run = _traced(AgentServer.run, None)  # type: ignore[method-assign]


def leave_every_server() -> None:
    """Undo ``instrument_every_server``, for servers that do not run yet."""
    if _is_traced(AgentServer.run):
        AgentServer.run = AgentServer.run.__wrapped__  # type: ignore[method-assign, attr-defined]


def _is_traced(run: Callable[..., Any] | None) -> bool:
    return getattr(run, "_tracer", False)


def _traced(run: Callable[..., Any], endpoint: str | None) -> Callable[..., Any]:
    """The method ``AgentServer.run`` with our preparations before it."""

    # What the user sets after this line must count too, so nothing is wrapped before the server runs.
    @wraps(run)
    async def run_traced(server: AgentServer, *args: Any, **kwargs: Any) -> None:
        worker = _guarded(_prepare_worker, server, endpoint)
        try:
            await run(server, *args, **kwargs)
        finally:
            if worker:
                _guarded(worker.closed)

    run_traced._tracer = True  # type: ignore[attr-defined]  # noqa: SLF001  our own mark
    return run_traced


def _address(endpoint: str | None) -> str:
    endpoint = endpoint or os.environ.get("TRACER_ENDPOINT") or DEFAULT_ENDPOINT
    return checked_url("the address of `tracer serve` (TRACER_ENDPOINT)", endpoint, "http", "https")


def _guarded(function: Callable[..., T], *args: Any) -> T | None:
    """Call it; what it raises is logged and goes no further."""
    try:
        return function(*args)
    except ConfigurationError as error:
        log.warning("tracer is off: %s", error)
    except Exception:
        log.warning("tracer is off for %s", function.__name__, exc_info=True)
    return None


def _prepare_worker(server: AgentServer, endpoint: str | None) -> WorkerProcess | None:
    if isinstance(server.setup_fnc, _JobSetup):  # its own line came before what is done for every server
        return None
    endpoint = _address(endpoint)
    server.setup_fnc = _JobSetup(server.setup_fnc, endpoint)
    provider = _our_provider()
    provider.add_span_processor(_Reporter(endpoint))
    worker = WorkerProcess(server, provider.get_tracer(SCOPE))
    worker.listen()
    return worker


_LIMITS = SpanLimits(
    max_span_attributes=128,
    max_span_attribute_length=SpanLimits.UNSET,
    max_attribute_length=SpanLimits.UNSET,
    max_events=128,
    max_event_attributes=128,
    max_links=128,
    max_link_attributes=128,
)
"""OpenTelemetry's defaults, whatever ``OTEL_…_LIMIT`` says: an id that is cut is another one."""


class _JobSetup:
    """The worker's ``setup_fnc`` with ours after it. Sent to each job process by pickle."""

    def __init__(self, users: Callable[[JobProcess], Any] | None, endpoint: str) -> None:
        self.users = users
        self.endpoint = endpoint

    def __call__(self, process: JobProcess) -> Any:
        began = time.time_ns()
        result = self.users(process) if self.users else None
        ended = time.time_ns()
        _guarded(_prepare_job_process, self.endpoint)
        _setup.told = {keys.SETUP_BEGAN: str(began), keys.SETUP_ENDED: str(ended)}
        return result


_prepared = threading.Lock()
_reporters: list[_Reporter] = []
_setup = threading.local()
"""``told``: when the user's ``setup_fnc`` ran here. With the thread executor each job has a thread and a set-up."""


def _prepare_job_process(endpoint: str) -> None:
    """Listen to livekit-agents' tracer, whoever's provider it has now or is given later."""
    with _prepared:  # with the thread executor, all jobs share one process
        if _reporters:
            return
        reporter = _Reporter(endpoint)
        _reporters.append(reporter)
    _warm_up()
    tracer = telemetry.tracer
    set_provider = tracer.set_provider

    @wraps(set_provider)
    def set_provider_traced(provider: trace.TracerProvider) -> None:
        _guarded(reporter.listen_to, provider)
        set_provider(provider)

    tracer.set_provider = set_provider_traced  # type: ignore[method-assign, assignment]
    current = tracer._tracer_provider  # noqa: SLF001  there is no other way to ask it
    if isinstance(current, trace.ProxyTracerProvider):
        current = trace.get_tracer_provider()
    if isinstance(current, TracerProvider):
        reporter.listen_to(current)
    else:
        telemetry.set_tracer_provider(_our_provider(_RoomIds()))


def _warm_up() -> None:
    """The first span of a process takes three times as long as the next: not in the job's time."""
    span = TracerProvider(resource=Resource({}), shutdown_on_exit=False).get_tracer(SCOPE).start_span("warm-up")
    span.add_event("warm-up", timestamp=1)
    span.set_attribute("warm-up", 0.0)
    span.end()


def _resource() -> Resource:
    name = os.environ.get("OTEL_SERVICE_NAME", "livekit-agent")
    return Resource.create({"service.name": name, "host.name": socket.gethostname()})


def _our_provider(ids_of: IdGenerator | None = None) -> TracerProvider:
    """A provider of our own. What the user's variables say, of samples and limits, is for the user's own backend."""
    return TracerProvider(ALWAYS_ON, _resource(), False, id_generator=ids_of, span_limits=_LIMITS)


class _RoomIds(RandomIdGenerator):
    """Starts the traces of a job in its room's trace, so that what the agent calls, and its logs, name that one."""

    def generate_trace_id(self) -> int:
        job = get_job_context(required=False)
        return ids.trace_id(job.job.room.sid) if job else super().generate_trace_id()


class _Reporter(SpanProcessor):
    """Sends spans to the receiver when they end; those of the lifecycle, and those that have others in them, before.

    So a killed process leaves its last step behind, and nothing that it told hangs in the air. Each is stamped with its
    job, which few native spans carry.
    """

    def __init__(self, endpoint: str) -> None:
        self._exporter = _Sender(endpoint)
        # All of it said: what the user's variables say is for the user's own backend.
        self._batch = BatchSpanProcessor(
            self._exporter, max_queue_size=2048, schedule_delay_millis=DELAY_MS, max_export_batch_size=512
        )
        self._running: dict[int, _Running] = {}
        """By span id."""
        self._instructed: set[str] = set()
        self._providers: list[TracerProvider] = []
        # A job process ends by os._exit, which skips atexit; other processes do not run these finalizers.
        if parent_process():
            Finalize(None, self.close, exitpriority=100)
        else:
            atexit.register(self.close)

    def listen_to(self, provider: trace.TracerProvider) -> None:
        """Hear of every span of this provider, once."""
        if isinstance(provider, TracerProvider) and not any(known is provider for known in self._providers):
            self._providers.append(provider)
            provider.add_span_processor(self)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        _guarded(self._started, span)

    def on_end(self, span: ReadableSpan) -> None:
        _guarded(self._ended, span)

    def _started(self, span: Span) -> None:
        job = get_job_context(required=False)
        context = span.get_span_context()
        if job is None or context is None:
            return
        stamp = {keys.ROOM_SID: job.job.room.sid, keys.JOB_ID: job.job.id}
        setup = getattr(_setup, "told", None)
        if span.name == "job_entrypoint" and setup and int(setup[keys.SETUP_ENDED]) > (span.start_time or 0):
            stamp |= setup  # the job was there before its process
        running = self._running[context.span_id] = _Running(span, stamp)
        if span.name in PENDING_SPANS:
            self._tell(running)
        if span.parent and (above := self._running.get(span.parent.span_id)):
            self._tell(above)

    def _tell(self, running: _Running) -> None:
        """Send a span for its beginning, once: itself, not a copy, so that it goes with its first events."""
        if not running.told:
            running.told = True
            self._batch.on_end(_Stamped(running.span, running.stamp))

    def _ended(self, span: ReadableSpan) -> None:
        context = span.get_span_context()
        running = self._running.pop(context.span_id, None) if context else None
        stamp = running.stamp if running else {}
        # A job's primary session is its first: a later one's instructions are not to be had.
        if span.name == "session_start" and (job := stamp.get(keys.JOB_ID)) and job not in self._instructed:
            self._instructed.add(job)
            _guarded(_add_instructions, stamp)
        self._batch.on_end(_Stamped(span, stamp))

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        return True  # a user's flush must not wait for us

    def shutdown(self) -> None:
        """The user's provider shuts down; what it still holds goes out at the end of the process."""

    def close(self) -> None:
        """Send what is left, within a bounded time."""
        last = threading.Thread(target=self._batch.shutdown, daemon=True)
        last.start()
        last.join(LAST_WAIT_S if self._exporter.answers else LAST_WAIT_S / 10)


def _add_instructions(stamp: dict[str, str]) -> None:
    """What the agent was told before it first spoke; livekit-agents itself says it only when it speaks."""
    if job := get_job_context(required=False):
        stamp[keys.INSTRUCTIONS] = str(job.primary_session.current_agent.instructions)[:LONGEST_INSTRUCTIONS]


@dataclass(slots=True)
class _Running:
    """A span that has not ended."""

    span: Span
    stamp: dict[str, str]
    told: bool = False
    """Whether it was sent for its beginning."""


class _Stamped(ReadableSpan):
    """A span as the receiver gets it: with its room and job, and with no end while it is running."""

    def __init__(self, span: ReadableSpan, stamp: dict[str, str]) -> None:
        self.span = span
        self.stamp = stamp
        self.began = span.end_time is None
        context = span.get_span_context()
        self.span_id = context.span_id if context else 0
        # With its resource: without one, ReadableSpan would look for it, in threads, for a millisecond.
        super().__init__(span.name, context=context, resource=span.resource)

    def now(self) -> ReadableSpan:
        """The span as it stands; one that is sent for its beginning without an end, which may never leave."""
        span = self.span
        # What was said in a conversation comes with its end, when the user's own filter has seen it.
        whole = not self.began or span.name in PENDING_SPANS
        return ReadableSpan(
            span.name,
            context=span.get_span_context(),
            parent=span.parent,
            resource=span.resource,
            attributes={**self.stamp, **((whole and span.attributes) or {})},
            events=span.events if whole else (),
            links=span.links,
            kind=span.kind,
            status=span.status,
            start_time=span.start_time,
            end_time=None if self.began else span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )


class _Session(requests.Session):
    """Sends nothing that is meant for the user's backend, as the key in ``OTEL_EXPORTER_OTLP_HEADERS``."""

    ours = ("content-type", "content-encoding", "user-agent")

    def __init__(self, endpoint: str) -> None:
        super().__init__()
        self.trust_env = where(endpoint)[0] != HERE  # to a proxy, this machine is another

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        answer = super().send(request, **{**how, "allow_redirects": False})
        if answer.is_redirect:  # OpenTelemetry would take it for a yes
            answer.status_code = HTTPStatus.BAD_REQUEST
        return answer

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        request.headers = {name: value for name, value in request.headers.items() if name.lower() in self.ours}
        return super().prepare_request(request)


class _Sender(SpanExporter):
    """OpenTelemetry's OTLP exporter, and a bounded memory for a receiver that is away."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._exporter = OTLPSpanExporter(
            endpoint=endpoint.rstrip("/") + "/v1/traces",
            timeout=TIMEOUT_S,
            compression=Compression.Gzip,
            session=_Session(endpoint),
        )
        self._backlog: deque[tuple[ReadableSpan, int]] = deque(maxlen=BACKLOG)
        """Each span with its bytes: what is more than the receiver takes in one request goes in several."""
        self._thread: int | None = None
        self.answers = True
        logging.getLogger(OTLPSpanExporter.__module__).addFilter(self._is_the_users)

    def _is_the_users(self, record: logging.LogRecord) -> bool:
        """Each try that fails is worth a line to OpenTelemetry; of our receiver, one in all is enough."""
        return record.thread != self._thread

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send these and what could not be sent before."""
        # What began and ended in one batch is told once. If the end is in the next, that may never leave.
        ended = {span.span_id for span in spans if isinstance(span, _Stamped) and not span.began}
        for span in spans:
            if not (isinstance(span, _Stamped) and span.began and span.span_id in ended):
                _guarded(self._keep, span)
        while piece := self._piece():
            self._thread = threading.get_ident()
            try:
                result = self._exporter.export(piece)
            finally:
                self._thread = None
            if result is not SpanExportResult.SUCCESS:
                if self.answers:
                    log.warning("tracer: no receiver at %s; the agent goes on without it", address(self._endpoint))
                self.answers = False
                return result
            for _ in piece:
                self._backlog.popleft()
            self.answers = True
        return SpanExportResult.SUCCESS

    def _keep(self, span: ReadableSpan) -> None:
        """Put it behind what waits; one that cannot be encoded is lost alone."""
        now = span.now() if isinstance(span, _Stamped) else span
        size = encode_spans([now]).ByteSize()
        if size <= LARGEST_REQUEST:
            self._backlog.append((now, size))

    def _piece(self) -> list[ReadableSpan]:
        """The oldest spans, as many as one request may hold."""
        size, piece = 0, []
        for span, length in self._backlog:
            size += length
            if size > LARGEST_REQUEST:
                break
            piece.append(span)
        return piece

    def shutdown(self) -> None:
        self._exporter.shutdown()  # type: ignore[no-untyped-call]
