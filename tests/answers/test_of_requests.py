from __future__ import annotations

import http.server
import threading
import time
import tracemalloc
from typing import TYPE_CHECKING

import pytest
import requests

from tests.answers.endless import CONTINUE, HEAD, MIB, endless
from tracer.answers import of_requests
from tracer.answers.of_requests import LARGEST_ANSWER, BoundedSession

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "block"),
    [
        pytest.param(b"\r\n", MIB, id="until it is closed"),
        pytest.param(b"Content-Length: 9999999999\r\n\r\n", MIB, id="of a length"),
        pytest.param(CHUNKED, b"100000\r\n" + MIB + b"\r\n", id="in chunks"),
        pytest.param(CHUNKED, MIB, id="in no chunks"),
        pytest.param(b"Content-Encoding: gzip\r\n\r\n", MIB, id="packed"),
    ],
)
def test_an_answer_without_end_takes_no_memory(head: bytes, block: bytes) -> None:
    with endless(head, block) as (address, _), BoundedSession() as session:
        tracemalloc.start()
        try:
            answer = session.post(address, data=b"spans", timeout=10)
            assert len(answer.content) <= LARGEST_ANSWER
            assert answer.status_code == 200
            assert tracemalloc.get_traced_memory()[1] < 8 * len(MIB)
        finally:
            tracemalloc.stop()


def test_an_answer_that_drips_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_requests, "LONGEST_READ_S", 0.3)
    with endless(block=b".", pause=0.05) as (address, _), BoundedSession() as session:
        began = time.monotonic()
        assert 0 < len(session.post(address, timeout=10).content) < 100
        assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("status", "block", "pause"),
    [
        pytest.param(CONTINUE, 1000 * CONTINUE, 0.0, id="that is always about to come"),
        pytest.param(CONTINUE, CONTINUE, 0.05, id="that is about to come now and then"),
        pytest.param(b"HTTP/1.1 200 OK\r\nMany: ", b"x", 0.05, id="whose header drips"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"A: " + 60_000 * b"x" + b"\r\n", 0.0, id="of headers"),
    ],
)
def test_a_head_without_end_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, status: bytes, block: bytes, pause: float
) -> None:
    monkeypatch.setattr(of_requests, "LONGEST_READ_S", 0.3)
    with endless(b"", block, pause, status=status) as (address, sent), BoundedSession() as session:
        began = time.monotonic()
        with pytest.raises((requests.ConnectionError, requests.ReadTimeout)):
            session.post(address, data=b"spans", timeout=10)
        assert time.monotonic() - began < 5
        assert len(sent) == 1


def test_an_answer_may_be_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    with endless(block=b".", pause=0.05, status=3 * CONTINUE + HEAD) as (address, _), BoundedSession() as session:
        monkeypatch.setattr(of_requests, "LONGEST_READ_S", 0.3)
        assert session.post(address, data=b"spans", timeout=10).status_code == 200


@pytest.fixture
def usual() -> Iterator[tuple[str, list[int]]]:
    """A server that answers as one does, and the ports that it was asked from."""
    ports: list[int] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            ports.append(self.client_address[1])
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(400)
            self.send_header("Content-Length", "3")
            self.end_headers()
            self.wfile.write(b"why")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", ports
        server.shutdown()
        thread.join()


def test_an_answer_that_ends_is_read_whole_and_its_connection_used_again(usual: tuple[str, list[int]]) -> None:
    address, ports = usual
    with BoundedSession() as session:
        answers = [session.post(address, data=b"spans", timeout=10) for _ in range(3)]
    assert [(answer.status_code, answer.text) for answer in answers] == [(400, "why")] * 3
    assert len(ports) == 3
    assert len(set(ports)) == 1
