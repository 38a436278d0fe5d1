from __future__ import annotations

import time

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from tests.otlp import as_json, job, request
from tracer.errors import MalformedError, TooLargeError
from tracer.witness.elements import MOST_ELEMENTS, SMALL, refuse_too_many

PROTOBUF, JSON = "application/x-protobuf", "application/json"
SIZE = 16 * 1024 * 1024


def field(number: int, body: bytes) -> bytes:
    """A message within another."""
    size, head = len(body), b""
    while size > 0x7F:
        head += bytes([size & 0x7F | 0x80])
        size >>= 7
    return bytes([number << 3 | 2]) + head + bytes([size]) + body


def nested(*path: int) -> bytes:
    """As many empty messages as fit, within messages of these numbers."""
    body = field(path[-1], b"") * (SIZE // 2)
    for number in reversed(path[:-1]):
        body = field(number, body)
    return body


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        (1,),
        (1, 2),
        (1, 2, 2),
        (1, 2, 2, 9),
        (1, 2, 2, 11),
        (1, 2, 2, 13),
        (1, 1, 1),
        (1, 2, 2, 9, 2, 5, 1),
        (1, 1, 3, 3),
    ],
    ids=str,
)
def test_millions_of_empty_elements_are_refused_unparsed(path: tuple[int, ...]) -> None:
    body = nested(*path)
    began = time.process_time()
    with pytest.raises(TooLargeError, match="smaller batches"):
        refuse_too_many(body, PROTOBUF)
    assert time.process_time() - began < 5


def test_millions_of_small_messages_of_empty_elements_are_refused_too() -> None:
    span = field(2, field(9, b"") * 20)
    with pytest.raises(TooLargeError):
        refuse_too_many(field(1, field(2, span * (SIZE // len(span)))), PROTOBUF)


@pytest.mark.parametrize("body", [b"[" * SIZE, b'{"resourceSpans":[' + b"{}," * 1_000_000 + b"{}]}", b"0," * SIZE])
def test_json_of_many_elements_is_refused(body: bytes) -> None:
    with pytest.raises(TooLargeError):
        refuse_too_many(body, JSON)


@pytest.mark.parametrize(
    "body",
    [bytes(SIZE), b"\xff" * SIZE, b"\x0b" * SIZE, field(1, b"x" * SMALL)[:-1], b"\x0a\xff" * SMALL],
    ids=["zeros", "ones", "groups", "cut", "too-long"],
)
def test_what_is_no_protobuf_is_refused_soon(body: bytes) -> None:
    with pytest.raises((MalformedError, TooLargeError)):
        refuse_too_many(body, PROTOBUF)


def test_values_within_values_have_an_end() -> None:
    value = b"\x0a" + b"\x05" + b"x" * 80
    for _ in range(200):
        value = field(5, field(1, value))
    body = field(1, field(1, field(1, field(2, value)))) + field(1, b"") * SMALL
    with pytest.raises((MalformedError, TooLargeError)):
        refuse_too_many(body, PROTOBUF)


@pytest.mark.slow
def test_large_requests_of_real_spans_pass() -> None:
    made = ExportTraceServiceRequest()
    while made.ByteSize() < 1024 * 1024:
        made.MergeFrom(request(*job()))
    made.resource_spans[0].resource.attributes.append(
        KeyValue(key="prompt", value=AnyValue(string_value="{[,]}" * 20_000))
    )
    refuse_too_many(made.SerializeToString(), PROTOBUF)
    refuse_too_many(as_json(made), JSON)
    assert made.ByteSize() // 20 < MOST_ELEMENTS
