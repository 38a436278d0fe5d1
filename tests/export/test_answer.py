from __future__ import annotations

import pytest
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # it has types, and no mark that says so
from hypothesis import given
from hypothesis import strategies as st

from tracer.export.answer import LONGEST_REASON, LONGEST_RETRY_AFTER, Verdict, read

URL = "http://backend.example/v1/traces"
PROTOBUF, JSON, TEXT = "application/x-protobuf", "application/json; charset=utf-8", "text/plain"


def test_only_what_otlp_calls_retryable_is_asked_again() -> None:
    verdicts = {status: read(URL, status, {}, b"").verdict for status in range(200, 600)}
    assert [status for status in verdicts if verdicts[status] is Verdict.LATER] == [429, 502, 503, 504]
    assert [status for status in verdicts if verdicts[status] is Verdict.ACCEPTED] == list(range(200, 300))


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        (PROTOBUF, Status(code=3, message="bad trace id").SerializeToString(), "bad trace id"),
        (PROTOBUF, b"not protobuf", ""),
        (JSON, b'{"code": 3, "message": "bad trace id"}', "bad trace id"),
        (JSON, b'{"status": "error", "error": "bad trace id"}', "bad trace id"),
        (JSON, b'{"error": {"message": "bad trace id"}}', "bad trace id"),
        (JSON, b'{"errors": [1]}', '{"errors": [1]}'),
        (JSON, b"not JSON", "not JSON"),
        (JSON, b"[" * 100_000, "[" * LONGEST_REASON + "…"),
        (TEXT, b"  bad\r\n trace\x1b[31m id\xff ", "bad trace [31m id\ufffd"),
        ("", b"bad trace id", "bad trace id"),
        ("text/html", b"<h1>nginx", ""),
        (TEXT, b"x" * 100_000, "x" * LONGEST_REASON + "…"),
    ],
)
def test_the_backends_own_reason_is_found(kind: str, body: bytes, reason: str) -> None:
    assert read(URL, 400, {"Content-Type": kind}, body).text == (f"HTTP 400: {reason}" if reason else "HTTP 400")


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("https://ada:s3cret@other.example/in?key=SECRET", "https://other.example/in"),
        ("/login", "http://backend.example/login"),
        ("http://[", "an address that is not valid"),
        ("http://x/\x1b[31m\u202e", "http://x/ [31m"),
    ],
)
def test_where_a_redirect_leads_is_said_without_secrets(location: str, said: str) -> None:
    answer = read(URL, 302, {"Location": location}, b"")
    assert (answer.verdict, answer.text) == (Verdict.NOT_HERE, f"HTTP 302: it redirects to {said}")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        ("99999999999999999999", LONGEST_RETRY_AFTER),
        ("-1", None),
        ("soon", None),
        ("", None),
        ("1e400", None),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_RETRY_AFTER),
    ],
)
def test_retry_after_is_a_number_of_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert read(URL, 503, {"Retry-After": value}, b"").retry_after == seconds
    assert read(URL, 400, {"Retry-After": value}, b"").retry_after is None


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (JSON, b'{"partialSuccess": {"rejectedSpans": "2", "errorMessage": "too old"}}'),
        (JSON, b'{"partialSuccess": {"rejectedSpans": 2, "errorMessage": "too old"}}'),
        (PROTOBUF, b"\x0a\x0b\x08\x02\x12\x07too old"),
    ],
)
def test_a_partial_success_is_read(kind: str, body: bytes) -> None:
    answer = read(URL, 200, {"Content-Type": kind}, body)
    assert (answer.verdict, answer.rejected, answer.text) == (Verdict.ACCEPTED, 2, "too old")


@given(
    st.integers(100, 999),
    st.sampled_from([PROTOBUF, JSON, TEXT, "", "text/html"]),
    st.one_of(st.none(), st.binary(), st.text().map(str.encode), st.just(b'{"partialSuccess": []}')),
    st.text(),
)
def test_no_answer_is_too_strange(status: int, kind: str, body: bytes | None, header: str) -> None:
    answer = read(URL, status, {"Content-Type": kind, "Location": header, "Retry-After": header}, body)
    assert answer.text.isprintable()
    assert len(answer.text) < LONGEST_REASON + 50
    assert answer.rejected >= 0
