"""Run by test_job_tracer: the spans of a job, and those of its user, for each way to set up a provider.

Each runs in a process of its own, forked, with tracer and without. What the user's backend and tracer's receiver got is
printed as JSON: name, name of the parent, number of the trace and keys of the attributes of each span.
"""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import logging
import os
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import requests
from livekit.agents import telemetry
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, Decision, ParentBased, Sampler, SamplingResult

from tracer.instrumentation import current_job, job_process, reporter

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOM = "RM_1"
users = InMemorySpanExporter()
reported: list[requests.PreparedRequest] = []
seen: list[bool] = []


class _Thing(SimpleNamespace):
    """As an object of livekit-agents, it can be referred to weakly."""

    __hash__ = object.__hash__  # type: ignore[assignment]


class Unwilling(Sampler):
    """Drops one span by its name, and no child of it."""

    def should_sample(self, parent_context: Any, trace_id: int, name: str, *_: Any, **__: Any) -> SamplingResult:
        return SamplingResult(Decision.DROP if name == "agent_session" else Decision.RECORD_AND_SAMPLE)

    def get_description(self) -> str:
        return "unwilling"


class Proxy(trace.TracerProvider):
    """A provider that is none of the SDK's, as logfire's is none."""

    def __init__(self) -> None:
        self.inner = sdk()

    def get_tracer(self, *args: Any, **kwargs: Any) -> trace.Tracer:
        return self.inner.get_tracer(*args, **kwargs)

    def add_span_processor(self, processor: SpanProcessor) -> None:
        self.inner.add_span_processor(processor)


class WithoutProcessors(Proxy):
    """A provider that nobody can listen to, as Datadog's."""

    add_span_processor = None  # type: ignore[assignment]


class OfOneProcessor(TracerProvider):
    """A provider that throws out its own exporter for another, as Phoenix's does."""

    def add_span_processor(self, span_processor: SpanProcessor) -> None:
        self._active_span_processor._span_processors = ()
        super().add_span_processor(span_processor)


def sdk(sampler: Sampler | None = None, made: type[TracerProvider] = TracerProvider) -> TracerProvider:
    provider = made(sampler=sampler, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(users))
    return provider


SET_UP: dict[str, Any] = {
    "nothing": lambda: None,
    "set": lambda: telemetry.set_tracer_provider(sdk(), metadata={"mine": "yes"}),
    "global": lambda: trace.set_tracer_provider(sdk()),
    "another class": lambda: trace.set_tracer_provider(Proxy()),
    "no processors": lambda: trace.set_tracer_provider(WithoutProcessors()),
    "of one processor": lambda: trace.set_tracer_provider(sdk(made=OfOneProcessor)),
    "drops all": lambda: telemetry.set_tracer_provider(sdk(ParentBased(ALWAYS_OFF))),
    "drops one": lambda: telemetry.set_tracer_provider(sdk(Unwilling())),
}


def send(_: object, request: requests.PreparedRequest, **__: object) -> requests.Response:
    reported.append(request)
    answer = requests.Response()
    answer.status_code, answer.raw = 200, io.BytesIO()
    return answer


def job(late: str) -> None:
    """The spans of a job, as livekit-agents makes them; its user does this late."""
    tracer = telemetry.tracer
    root = tracer.start_span("job_entrypoint", attributes={"lk.job_id": "AJ_1"})
    above = trace.set_span_in_context(root)
    with tracer.use_span(root, end_on_exit=False):
        seen.append(trace.get_current_span() is trace.INVALID_SPAN)
        SET_UP[late]()
        seen.append(trace.get_current_span() is trace.INVALID_SPAN)
        with trace.get_tracer("mine").start_as_current_span("before"):
            seen.append(trace.get_current_span().get_span_context().is_valid)
        with tracer.detached_span("room_connect"):
            pass
        with tracer.start_as_current_span("agent_session", attributes={"lk.pii.chat": "words"}) as session:
            session.set_attribute("lk.pii.participant_identity", "ada")
            session.add_event("participant_linked", {"lk.pii.participant_identity": "ada"})
            seen.append(trace.get_current_span().get_span_context().is_valid)
            users_tracer = telemetry.tracer._tracer_provider.get_tracer("mine")
            with users_tracer.start_as_current_span("my_span"), tracer.start_as_current_span("llm_node"):
                pass
    with (
        tracer.start_as_current_span("job_shutdown", context=above),
        tracer.start_as_current_span("room_disconnect"),
    ):
        pass
    root.end()


def shape(spans: Sequence[tuple[str, int, int, int, Any]]) -> list[Any]:
    names = {span_id: name for name, span_id, *_ in spans}
    traces: list[int] = []
    found = []
    for name, _, parent, trace_id, more in sorted(spans, key=lambda span: span[0]):
        if trace_id not in traces:
            traces.append(trace_id)
        found.append([name, names.get(parent, "missing") if parent else None, traces.index(trace_id), more])
    return found


def of_user() -> list[Any]:
    return shape(
        [
            (
                s.name,
                s.context.span_id if s.context else 0,
                s.parent.span_id if s.parent else 0,
                s.context.trace_id if s.context else 0,
                sorted(s.attributes or {}),
            )
            for s in users.get_finished_spans()
        ]
    )


def of_tracer() -> list[Any]:
    over: set[bytes] = set()
    known: dict[bytes, tuple[str, int, int, int, Any]] = {}
    for request in reported:
        for group in ExportTraceServiceRequest.FromString(gzip.decompress(request.body)).resource_spans:  # type: ignore[arg-type]
            for scope in group.scope_spans:
                for s in scope.spans:
                    assert not (s.end_time_unix_nano and s.span_id in over), f"{s.name} was reported twice"
                    if s.end_time_unix_nano:
                        over.add(s.span_id)
                    keys = sorted(a.key for a in s.attributes)
                    known[s.span_id] = s.name, int.from_bytes(s.span_id), int.from_bytes(s.parent_span_id), 0, keys
    return shape(list(known.values()))


async def run_job(late: str) -> None:
    """In an event loop, as livekit-agents runs each."""
    job(late)


def run(how: str, traced: bool) -> None:
    early, _, late = how.partition(", then ")
    reporter.LAST_WAIT_S = 60.0  # a busy machine is no fault
    requests.Session.send = send  # type: ignore[assignment, method-assign]
    SET_UP[early]()
    if traced:
        about = _Thing(
            room=_Thing(on=lambda *_: None),
            job=_Thing(id="AJ_1", room=_Thing(sid=ROOM)),
        )
        current_job.get_job_context = lambda **_: about  # type: ignore[assignment, attr-defined]
        logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
        job_process.JobSetup(None, "http://127.0.0.1:7890")(None)  # type: ignore[arg-type]
    asyncio.run(run_job(late or "nothing"))
    for one in job_process._reporters:
        one.close()
    print(json.dumps([how, traced, {"user": of_user(), "seen": seen, "tracer": of_tracer()}]), flush=True)


for how in sys.argv[1:]:
    for traced in (False, True):
        if not os.fork():
            run(how, traced)
            os._exit(0)
        os.wait()
