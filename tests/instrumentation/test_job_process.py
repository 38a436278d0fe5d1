from __future__ import annotations

import gzip
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import requests
from livekit.agents import AgentServer, WorkerOptions
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult

import tracer
from tracer import keys
from tracer.instrumentation.job_process import LARGEST_REQUEST, _our_provider, _Reporter, _Sender

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

RECEIVER = "http://127.0.0.1:7890"
MEGABYTE = 1_000_000


class Receiver:
    """Takes the place of the network: what was sent to it, and the status that it answers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.status = 200
        self.location = ""
        self.got: list[requests.PreparedRequest] = []
        self.proxies: list[object] = []

        def send(_: object, request: requests.PreparedRequest, **how: object) -> requests.Response:
            self.got.append(request)
            self.proxies.append(how.get("proxies"))
            answer = requests.Response()
            answer.status_code = self.status
            if self.location:
                answer.headers["location"] = self.location
            return answer

        monkeypatch.setattr(requests.Session, "send", send)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Receiver:
    return Receiver(monkeypatch)


def spans(count: int, size: int = MEGABYTE) -> list[ReadableSpan]:
    spoken = TracerProvider(shutdown_on_exit=False).get_tracer("t")
    found: list[ReadableSpan] = []
    for _ in range(count):
        span = spoken.start_span("llm_node", attributes={"chat": "x" * size})
        span.end()
        assert isinstance(span, ReadableSpan)
        found.append(span)
    return found


def sent_to(receiver: Receiver) -> list[Span]:
    return [
        span
        for request in receiver.got
        for group in ExportTraceServiceRequest.FromString(gzip.decompress(bytes(request.body or b""))).resource_spans  # type: ignore[arg-type]
        for scope in group.scope_spans
        for span in scope.spans
    ]


def test_what_was_kept_for_a_receiver_goes_in_requests_that_it_takes(receiver: Receiver) -> None:
    sender = _Sender(RECEIVER)
    receiver.status = 400
    assert sender.export(spans(20)) is SpanExportResult.FAILURE
    receiver.got.clear()
    receiver.status = 200
    assert sender.export(spans(1, 1)) is SpanExportResult.SUCCESS
    assert len(receiver.got) == 3
    receiver.got.clear()
    assert sender.export(spans(1, 1)) is SpanExportResult.SUCCESS
    assert len(receiver.got) == 1  # and none of it again


def test_a_span_that_no_receiver_takes_holds_up_no_other(receiver: Receiver) -> None:
    assert _Sender(RECEIVER).export([*spans(1, LARGEST_REQUEST), *spans(1)]) is SpanExportResult.SUCCESS
    assert len(receiver.got) == 1


def test_the_receiver_gets_no_secret_of_the_users_and_no_proxy_what_stays_on_this_machine(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=SECRET")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:3128")
    assert _Sender(RECEIVER).export(spans(1)) is SpanExportResult.SUCCESS
    assert _Sender("http://tracer:7890").export(spans(1)) is SpanExportResult.SUCCESS
    assert not any("x-key" in request.headers for request in receiver.got)
    assert [bool(proxies) for proxies in receiver.proxies] == [False, True]
    assert receiver.got[0].headers["Content-Encoding"] == "gzip"


def test_what_has_others_in_it_is_told_before_it_ends(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    # A process that is killed would otherwise leave the others without what they belong to.
    job = SimpleNamespace(id="AJ_1", room=SimpleNamespace(sid="RM_1"))
    monkeypatch.setattr("tracer.instrumentation.job_process.get_job_context", lambda **_: SimpleNamespace(job=job))
    reporter = _Reporter(RECEIVER)
    provider = TracerProvider(shutdown_on_exit=False)
    reporter.listen_to(provider)
    spoken = provider.get_tracer("livekit-agents")
    turn = spoken.start_span("user_turn", attributes={"lk.pii.user_transcript": "my number is 5"})
    spoken.start_span("alone")  # nothing is lost with it but itself
    for name in ("user_speaking", "eou_detection"):
        spoken.start_span(name, trace.set_span_in_context(turn)).end()
    reporter.close()
    sent = sent_to(receiver)
    assert sorted(span.name for span in sent) == ["eou_detection", "user_speaking", "user_turn"]
    assert [span.name for span in sent if not span.end_time_unix_nano] == ["user_turn"]
    assert all({item.key for item in span.attributes} == {keys.ROOM_SID, keys.JOB_ID} for span in sent)


@pytest.mark.parametrize("late", [False, True])
def test_what_ends_at_once_is_told_once_and_else_its_beginning_too(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    # The end may never leave: then what was told in between needs the beginning.
    provider = TracerProvider(shutdown_on_exit=False)
    told: list[ReadableSpan] = []
    monkeypatch.setattr(
        "tracer.instrumentation.job_process.BatchSpanProcessor.on_end", lambda _, span: told.append(span)
    )
    job = SimpleNamespace(id="AJ_1", room=SimpleNamespace(sid="RM_1"))
    monkeypatch.setattr("tracer.instrumentation.job_process.get_job_context", lambda **_: SimpleNamespace(job=job))
    reporter = _Reporter(RECEIVER)
    reporter.listen_to(provider)
    provider.get_tracer("livekit-agents").start_span("room_connect").end()
    reporter.close()
    began, ended = told
    sender = _Sender(RECEIVER)
    for batch in [[began], [ended]] if late else [[began, ended]]:
        sender.export(batch)
    assert [bool(span.end_time_unix_nano) for span in sent_to(receiver)] == ([False, True] if late else [True])


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirection_is_no_yes(receiver: Receiver, status: int) -> None:
    receiver.status, receiver.location = status, "https://elsewhere/v1/traces"
    assert _Sender(RECEIVER).export(spans(1, 1)) is SpanExportResult.FAILURE


def test_a_span_that_cannot_be_encoded_is_lost_alone(receiver: Receiver) -> None:
    bad, good = spans(1, 1), spans(2, 1)
    bad[0]._name = "\udcff"
    assert _Sender(RECEIVER).export([good[0], *bad, good[1]]) is SpanExportResult.SUCCESS
    assert len(sent_to(receiver)) == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_TRACES_SAMPLER", "always_off"),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "3"),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "1"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "5000"),
    ],
)
def test_what_the_user_sets_for_their_own_backend_is_not_for_us(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    provider = _our_provider()
    reporter = _Reporter(RECEIVER)
    provider.add_span_processor(reporter)
    provider.get_tracer("t").start_span("s", attributes={"one": "12345", "two": "2"}).end()
    reporter.close()
    [span] = sent_to(receiver)
    assert {item.key: item.value.string_value for item in span.attributes} == {"one": "12345", "two": "2"}


async def _entrypoint(_: object) -> None: ...


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: tracer.instrument(WorkerOptions(entrypoint_fnc=_entrypoint)),  # type: ignore[arg-type]
        lambda: tracer.instrument(AgentServer(), endpoint=7890),  # type: ignore[arg-type]
        lambda: tracer.instrument(AgentServer(), endpoint="localhost:7890"),
    ],
    ids=["no server", "no text", "no scheme"],
)
def test_what_is_wrong_is_a_warning_and_no_more(wrong: Callable[[], Any], caplog: pytest.LogCaptureFixture) -> None:
    wrong()
    assert [record.levelname for record in caplog.records if record.name.startswith("tracer")] == ["WARNING"]
