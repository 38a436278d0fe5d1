from __future__ import annotations

import tracemalloc

import pytest
from opentelemetry.sdk.trace.export import SpanExportResult

from tests.answers.endless import endless
from tests.instrumentation.receiver import ADDRESS, MEGABYTE, Receiver, sent_to, spans
from tracer.instrumentation.sender import LARGEST_REQUEST, Sender


def test_what_was_kept_for_a_receiver_goes_in_requests_that_it_takes(receiver: Receiver) -> None:
    sender = Sender(ADDRESS)
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
    assert Sender(ADDRESS).export([*spans(1, LARGEST_REQUEST), *spans(1)]) is SpanExportResult.SUCCESS
    assert len(receiver.got) == 1


def test_the_receiver_gets_no_secret_of_the_users_and_no_proxy_what_stays_on_this_machine(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=SECRET")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:3128")
    assert Sender(ADDRESS).export(spans(1)) is SpanExportResult.SUCCESS
    assert Sender("http://tracer:7890").export(spans(1)) is SpanExportResult.SUCCESS
    assert not any("x-key" in request.headers for request in receiver.got)
    assert [bool(proxies) for proxies in receiver.proxies] == [False, True]
    assert receiver.got[0].headers["Content-Encoding"] == "gzip"


def test_the_receivers_token_is_sent_and_a_wrong_one_is_said_without_showing_it(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TRACER_INGEST_TOKEN", " hush ")
    receiver.status = 401
    sender = Sender(ADDRESS)
    assert sender.export(spans(1, 1)) is SpanExportResult.FAILURE
    assert receiver.got[0].headers["Authorization"] == "Bearer hush"
    assert f"cannot report to {ADDRESS}, which asks for its TRACER_INGEST_TOKEN" in caplog.text
    assert "hush" not in caplog.text
    receiver.status = 200
    assert sender.export(spans(1, 1)) is SpanExportResult.SUCCESS
    assert len(sent_to(receiver)) >= 2


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirection_is_no_yes(receiver: Receiver, status: int) -> None:
    receiver.status, receiver.location = status, "https://elsewhere/v1/traces"
    assert Sender(ADDRESS).export(spans(1, 1)) is SpanExportResult.FAILURE


def test_a_span_that_cannot_be_encoded_is_lost_alone(receiver: Receiver) -> None:
    bad, good = spans(1, 1), spans(2, 1)
    bad[0]._name = "\udcff"
    assert Sender(ADDRESS).export([good[0], *bad, good[1]]) is SpanExportResult.SUCCESS
    assert len(sent_to(receiver)) == 2


def test_a_receiver_that_answers_without_end_is_one_that_answered() -> None:
    with endless() as (address, _):
        sender = Sender(address)
        tracemalloc.start()
        try:
            assert sender.export(spans(1, 1)) is SpanExportResult.SUCCESS
            assert tracemalloc.get_traced_memory()[1] < 8 * MEGABYTE
        finally:
            tracemalloc.stop()
            sender.shutdown()
