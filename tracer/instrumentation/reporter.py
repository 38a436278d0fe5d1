"""The span processor that reports livekit-agents' spans to the receiver."""

from __future__ import annotations

import atexit
import threading
import time
from dataclasses import dataclass, field
from multiprocessing import parent_process
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING

from livekit.agents.llm import RealtimeModel
from livekit.agents.utils import is_given
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from tracer import keys
from tracer.instrumentation.current_job import current_job
from tracer.instrumentation.guard import guarded
from tracer.instrumentation.reported_span import ReportedSpan
from tracer.instrumentation.sender import Sender
from tracer.instrumentation.speech import SPEECH
from tracer.instrumentation.unseen_span import unseen_above
from tracer.witness.agent import PENDING_SPANS, TOLD_AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from livekit.agents import JobContext
    from opentelemetry import trace
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span

    from tracer.instrumentation.speech import Speech

__all__ = ["Reporter"]

DELAY_MS = 200
"""Spans are sent at most this long after they began or ended."""
LAST_WAIT_S = 2.0
"""Seconds the end of a process may wait for the last spans when the receiver answered so far; else a tenth."""
LONGEST_INSTRUCTIONS = 4000
"""Characters of an agent's instructions that are reported."""


class Reporter(SpanProcessor):
    """Reports spans when they end; lifecycle spans, and spans that have children, also when they start.

    So a killed process leaves its last step behind, and every span that was reported has its parent. Each span gets its
    room and job as attributes, which few native spans carry.
    """

    def __init__(
        self,
        endpoint: str,
        job_attributes: Callable[[int], dict[str, str]] = lambda _: {},
        job_began: Sequence[Callable[[JobContext], None]] = (),
        speech: Speech | None = None,
    ) -> None:
        self._sender = Sender(endpoint)
        # With all parameters: their defaults come from the user's variables, which are for the user's backend.
        self._batch = BatchSpanProcessor(
            self._sender, max_queue_size=2048, schedule_delay_millis=DELAY_MS, max_export_batch_size=512
        )
        self._job_attributes = job_attributes
        """More attributes for the root span of a job that began at this time, ns since the epoch."""
        self._job_began = job_began
        """Called when a job's root span starts, before its entrypoint, where its event loop runs."""
        self._speech = speech
        self._running: dict[int, _Running] = {}
        """By span id."""
        self._instructed: set[str] = set()
        """Jobs whose instructions were reported."""
        self._providers: list[trace.TracerProvider] = []
        self._end = threading.Event()
        # Started now: Python 3.12 and later start no thread once the interpreter shuts down.
        self._last = threading.Thread(target=guarded, args=(self._shut_down_at_end,), name="tracer-end", daemon=True)
        self._last.start()
        # A job process ends by os._exit, which skips atexit; other processes do not run these finalizers.
        if parent_process():
            Finalize(None, self.close, exitpriority=100)
        else:
            atexit.register(self.close)

    def listen_to(self, provider: trace.TracerProvider, at_most: int = 1) -> bool:
        """Report every span of this provider; False when it takes no processor, or had this one so often."""
        add: Callable[[SpanProcessor], None] | None = getattr(provider, "add_span_processor", None)
        if add is None or sum(known is provider for known in self._providers) >= at_most:
            return False
        self._providers.append(provider)
        if isinstance(
            provider, TracerProvider
        ):  # past a subclass: Phoenix's throws out its own exporter for a second one
            TracerProvider.add_span_processor(provider, self)
        else:
            add(self)
        return True

    def has_heard(self, span: trace.Span) -> bool:
        """Whether this span, which has just started, is reported."""
        return span.get_span_context().span_id in self._running

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Report the start of a lifecycle span, and of a span when its first child starts."""
        guarded(self._started, span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        """Report the span."""
        guarded(self._ended, span)

    def _started(self, span: Span, where: Context | None) -> None:
        job = current_job()
        context = span.get_span_context()
        if context is None:
            return
        above = unseen_above(where)
        parent = above.own.get_span_context() if above else span.parent
        running = self._running[context.span_id] = _Running(span, parent)
        if job is None:
            return
        running.attributes |= {keys.ROOM_SID: job.job.room.sid, keys.JOB_ID: job.job.id}
        if span.name == "job_entrypoint":
            running.attributes |= self._job_attributes(span.start_time or 0)
            for began in self._job_began:
                guarded(began, job)
        if span.name in SPEECH and self._speech:
            running.spoken_in = job
            guarded(self._speech.span, job, span.name, span.start_time or time.time_ns(), began=True)
        if span.name in PENDING_SPANS or span.name in TOLD_AT_ONCE:
            self._report_start(running)
        if parent and (over := self._running.get(parent.span_id)):
            self._report_start(over)

    def _report_start(self, running: _Running) -> None:
        """Report a span's start, once: the span itself, not a copy, so that it is sent with its first events."""
        if not running.reported:
            running.reported = True
            self._batch.on_end(ReportedSpan(running.span, running.attributes, running.parent))

    def _ended(self, span: ReadableSpan) -> None:
        context = span.get_span_context()
        running = self._running.pop(context.span_id, None) if context else None
        attributes = running.attributes if running else {}
        if running and running.spoken_in and self._speech:
            guarded(self._speech.span, running.spoken_in, span.name, span.end_time or time.time_ns(), began=False)
        # A job's primary session is its first: the instructions of a later one cannot be read.
        if span.name == "session_start" and (job := attributes.get(keys.JOB_ID)) and job not in self._instructed:
            self._instructed.add(job)
            guarded(_add_instructions, attributes)
            guarded(_add_models, attributes)
        self._batch.on_end(ReportedSpan(span, attributes, running.parent if running else span.parent))

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Nothing: a user's flush must not wait for the receiver."""
        return True

    def shutdown(self) -> None:
        """The user's provider shuts down; what is left is sent at the end of the process."""

    def close(self) -> None:
        """Send what is left, within a bounded time."""
        guarded(self._close)

    def _close(self) -> None:
        self._end.set()
        self._last.join(LAST_WAIT_S if self._sender.answers else LAST_WAIT_S / 10)

    def _shut_down_at_end(self) -> None:
        self._end.wait()
        self._batch.shutdown()  # type: ignore[no-untyped-call]


def _add_instructions(attributes: dict[str, str]) -> None:
    """The agent's instructions when the session starts; livekit-agents itself reports them only when it speaks."""
    if job := current_job():
        instructions = str(job.primary_session.current_agent.instructions)
        attributes[keys.INSTRUCTIONS] = instructions[:LONGEST_INSTRUCTIONS]


def _add_models(attributes: dict[str, str]) -> None:
    """What the first agent of the session understands the caller by, and speaks by.

    Nothing, whatever models it has, where the session has no audio input, or no output: then it reads, or writes.
    """
    if job := current_job():
        session = job.primary_session
        agent = session.current_agent
        stt = agent.stt if is_given(agent.stt) else session.stt
        model = agent.llm if is_given(agent.llm) else session.llm
        realtime = "realtime" if isinstance(model, RealtimeModel) else "nothing"
        listens_by = "stt" if stt is not None and realtime == "nothing" else realtime
        attributes[keys.LISTENS_BY] = listens_by if session.input.audio else "nothing"
        tts = agent.tts if is_given(agent.tts) else session.tts
        speaks_by = realtime if tts is None else "tts"
        attributes[keys.SPEAKS_BY] = speaks_by if session.output.audio else "nothing"


@dataclass(slots=True)
class _Running:
    """A span that has not ended."""

    span: Span
    parent: trace.SpanContext | None
    """The span above it, also where only tracer sees that one."""
    attributes: dict[str, str] = field(default_factory=dict)
    reported: bool = False
    """Whether its start was reported."""
    spoken_in: JobContext | None = None
    """The job, where it shows that somebody speaks."""
