from __future__ import annotations

from threading import Thread
from types import SimpleNamespace

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

from tests.instrumentation.receiver import ADDRESS, Receiver, sent_to
from tracer import keys
from tracer.instrumentation.provider import own_provider
from tracer.instrumentation.reporter import Reporter
from tracer.instrumentation.sender import Sender


@pytest.mark.parametrize(
    ("audio", "known"),
    [(object(), ("stt", "tts")), (None, ("nothing", "nothing"))],
    ids=["by audio", "text only, whatever models it has"],
)
def test_a_session_tells_what_it_listens_and_speaks_by(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, audio: object, known: tuple[str, str]
) -> None:
    agent = SimpleNamespace(instructions="be brief", stt=object(), llm=object(), tts=object())
    side = SimpleNamespace(audio=audio)
    session = SimpleNamespace(current_agent=agent, input=side, output=side)
    job = SimpleNamespace(id="AJ_1", room=SimpleNamespace(sid="RM_1"))
    context = SimpleNamespace(job=job, primary_session=session)
    monkeypatch.setattr("tracer.instrumentation.current_job.get_job_context", lambda: context)
    reporter = Reporter(ADDRESS)
    provider = TracerProvider(shutdown_on_exit=False)
    reporter.listen_to(provider)
    provider.get_tracer("livekit-agents").start_span("session_start").end()
    reporter.close()
    told = [{one.key: one.value.string_value for one in span.attributes} for span in sent_to(receiver)]
    assert (told[-1][keys.LISTENS_BY], told[-1][keys.SPEAKS_BY]) == known


def test_what_has_others_in_it_is_told_before_it_ends(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    # A process that is killed would otherwise leave the others without what they belong to.
    job = SimpleNamespace(id="AJ_1", room=SimpleNamespace(sid="RM_1"))
    monkeypatch.setattr("tracer.instrumentation.current_job.get_job_context", lambda: SimpleNamespace(job=job))
    reporter = Reporter(ADDRESS)
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
    monkeypatch.setattr("tracer.instrumentation.reporter.BatchSpanProcessor.on_end", lambda _, span: told.append(span))
    job = SimpleNamespace(id="AJ_1", room=SimpleNamespace(sid="RM_1"))
    monkeypatch.setattr("tracer.instrumentation.current_job.get_job_context", lambda: SimpleNamespace(job=job))
    reporter = Reporter(ADDRESS)
    reporter.listen_to(provider)
    provider.get_tracer("livekit-agents").start_span("room_connect").end()
    reporter.close()
    began, ended = told
    sender = Sender(ADDRESS)
    for batch in [[began], [ended]] if late else [[began, ended]]:
        sender.export(batch)
    assert [bool(span.end_time_unix_nano) for span in sent_to(receiver)] == ([False, True] if late else [True])


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
    provider = own_provider()
    reporter = Reporter(ADDRESS)
    provider.add_span_processor(reporter)
    provider.get_tracer("t").start_span("s", attributes={"one": "12345", "two": "2"}).end()
    reporter.close()
    [span] = sent_to(receiver)
    assert {item.key: item.value.string_value for item in span.attributes} == {"one": "12345", "two": "2"}


def test_the_last_spans_are_sent_where_no_thread_can_be_started_any_more(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in Python 3.12 and later, once the interpreter shuts down.
    reporter = Reporter(ADDRESS)
    provider = TracerProvider(shutdown_on_exit=False)
    reporter.listen_to(provider)
    provider.get_tracer("t").start_span("last").end()

    def start(_: Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(Thread, "start", start)
    reporter.close()
    assert [span.name for span in sent_to(receiver)] == ["last"]
