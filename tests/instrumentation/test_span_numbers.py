from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult

from tests.instrumentation.receiver import ADDRESS, Receiver, bodies
from tests.moments import JOB, ROOM
from tracer import keys
from tracer.instrumentation.sender import BACKLOG, LARGEST_REQUEST, Sender
from tracer.instrumentation.span_numbers import MOST_JOBS, SpanNumbers
from tracer.moment import Kind
from tracer.witness import agent
from tracer.witness.passed_on import PassedOn

if TYPE_CHECKING:
    import pytest

    from tracer.moment import Moment

OTHER = "AJ_other"


def spans(count: int, job: str | None = JOB, size: int = 1) -> list[ReadableSpan]:
    provider = TracerProvider(shutdown_on_exit=False).get_tracer("livekit-agents")
    about = {keys.ROOM_SID: ROOM, "chat": "x" * size} | ({keys.JOB_ID: job} if job else {})
    made = [provider.start_span("llm_node", attributes=about) for _ in range(count)]
    for span in made:
        span.end()
    return [span for span in made if isinstance(span, ReadableSpan)]


def told(receiver: Receiver) -> list[Moment]:
    """What each request said of the numbers of its spans."""
    moments = [m for body in bodies(receiver) for m in agent.arrival(body).moments]
    return [m for m in moments if m.kind is Kind.JOB_SPANS_REPORTED and m.occurrence]


def numbers(receiver: Receiver) -> list[tuple[str, int, int]]:
    known = [(one.subject, dict(one.facts)) for one in told(receiver)]
    return [(job, int(facts[keys.SPANS_FIRST]), int(facts[keys.SPANS_LAST])) for job, facts in known]


def test_the_spans_of_each_job_are_counted(receiver: Receiver) -> None:
    sender = Sender(ADDRESS)
    sender.export([*spans(2), *spans(1, OTHER), *spans(1), *spans(1, None)])
    assert numbers(receiver) == [(JOB, 1, 3), (OTHER, 1, 1)]
    sender.export(spans(4))
    assert numbers(receiver)[2:] == [(JOB, 4, 7)]
    assert {one.room for one in told(receiver)} == {ROOM}
    assert len({one.occurrence for one in told(receiver)}) == 1
    Sender(ADDRESS).export(spans(1))
    assert len({one.occurrence for one in told(receiver)}) == 2, "another process counts for itself"


def test_a_span_that_is_sent_again_has_the_number_it_had(receiver: Receiver) -> None:
    sender = Sender(ADDRESS)
    receiver.status = 400
    sender.export(spans(2))
    receiver.status = 200
    sender.export(spans(1))
    assert numbers(receiver) == [(JOB, 1, 2), (JOB, 1, 3)]


def test_spans_that_are_dropped_leave_a_gap(receiver: Receiver) -> None:
    sender = Sender(ADDRESS)
    receiver.status = 400
    sender.export(spans(BACKLOG))
    sender.export(spans(5))
    receiver.status = 200
    receiver.got.clear()
    sender.export(spans(1))
    assert numbers(receiver) == [(JOB, 7, BACKLOG + 6)]


def test_a_span_that_cannot_be_sent_leaves_a_gap(receiver: Receiver) -> None:
    (unreadable,) = spans(1)
    unreadable._name = "\udcff"
    Sender(ADDRESS).export([*spans(1), unreadable, *spans(2), *spans(1, size=LARGEST_REQUEST), *spans(1)])
    assert numbers(receiver) == [(JOB, 1, 1), (JOB, 3, 4), (JOB, 6, 6)]


def test_a_number_that_cannot_be_told_holds_up_no_span(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SpanNumbers, "spans", lambda *_: 1 / 0)
    assert Sender(ADDRESS).export(spans(3)) is SpanExportResult.SUCCESS
    (body,) = bodies(receiver)
    assert len(list(agent.spans(body))) == 3


def test_so_many_jobs_are_remembered_and_no_more() -> None:
    counting = SpanNumbers()
    (first,) = spans(1)
    counting.next(first)
    for number in range(MOST_JOBS):
        counting.next(*spans(1, f"AJ_{number}"))
    again = counting.next(first)
    assert again
    assert again.number == 1


def test_the_numbers_go_to_no_backend(receiver: Receiver) -> None:
    Sender(ADDRESS).export(spans(3))
    (body,) = bodies(receiver)
    whole = ExportTraceServiceRequest.FromString(body.SerializeToString())
    assert len(agent.arrival(whole).outgoing) == 3
    passed = PassedOn(body, redacted=False)
    passed.leave_out({})
    sent = list(agent.spans(passed.request))
    assert [span.name for span in sent] == ["llm_node"] * 3
    assert not [item.key for span in sent for item in span.attributes if item.key.startswith("tracer.spans")]
