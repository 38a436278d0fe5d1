"""`tracer serve` stops soon, whatever is under way: Docker kills after 10 s what was asked to stop."""

from __future__ import annotations

import signal
import socket
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from functools import partial
from http.client import HTTPConnection, HTTPException
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from tests.postgresql import Postgres
from tests.receiving import LIMIT
from tests.signed import EVENTS, KEY, SECRET, body, token
from tracer.local_servers import child_environment
from tracer.local_servers.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def webhook(port: int, event: dict[str, object]) -> int:
    raw = body(event)
    with closing(HTTPConnection("127.0.0.1", port, timeout=LIMIT)) as connection:
        connection.request("POST", "/webhook", raw, {"Authorization": token(raw)})
        return connection.getresponse().status


def status_of(port: int, path: str) -> int:
    with closing(HTTPConnection("127.0.0.1", port, timeout=LIMIT)) as connection:
        connection.request("GET", path)
        return connection.getresponse().status


@contextmanager
def served(port: int, store: object, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """`tracer serve` as a process, from when it listens."""
    serving = subprocess.Popen(
        [sys.executable, "-m", "tracer", "serve", "--port", str(port), "--store", str(store)],
        env=child_environment(LIVEKIT_API_KEY=KEY, LIVEKIT_API_SECRET=SECRET, **environment),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert serving.stderr
        while "listening" not in serving.stderr.readline():
            assert serving.poll() is None
        yield serving
    finally:
        serving.kill()
        serving.wait()


@pytest.mark.slow
def test_it_stops_soon_though_backend_server_store_and_client_all_hang(tmp_path: Path) -> None:
    port, store = free_port(), tmp_path / "t.db"
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts and never answers: LiveKit's API, and the backend
        at = f"127.0.0.1:{silent.getsockname()[1]}"
        with served(port, store, LIVEKIT_URL=f"ws://{at}", OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{at}") as serving:
            assert [webhook(port, event) for event in EVENTS] == [200] * len(EVENTS)
            silent.accept()[0].close()  # it has begun to ask, or to export
            with closing(sqlite3.connect(store, isolation_level=None)) as locked:
                locked.execute("BEGIN IMMEDIATE")
                half = socket.create_connection(("127.0.0.1", port))
                half.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: t\r\nContent-Type: application/x-protobuf\r\n")
                half.sendall(b"Content-Length: 1000\r\n\r\nabc")
                answers: list[int] = []

                def send_late() -> None:
                    with suppress(OSError, HTTPException):  # it may be cut off instead
                        answers.append(webhook(port, {**EVENTS[0], "id": "EV_late"}))

                late = Thread(target=send_late)
                late.start()
                serving.send_signal(signal.SIGTERM)
                rest = serving.communicate(timeout=10)[1]
                late.join(LIMIT)
                half.close()
            assert serving.returncode == 0, rest
            assert answers in ([503], []), "nothing is acknowledged that is not stored"
            assert "Traceback" not in rest


@pytest.mark.slow
def test_where_the_database_is_frozen_everybody_is_told_and_it_stops_soon() -> None:
    port = free_port()
    with Postgres() as database, served(port, database.location) as serving:
        assert webhook(port, EVENTS[0]) == 200
        with database.frozen():
            assert webhook(port, EVENTS[1]) == 503
            with ThreadPoolExecutor(12) as asking:  # more than there are threads to read with
                assert set(asking.map(partial(status_of, port), ["/healthz", "/api/rooms", "/api/rooms/any"] * 3)) == {
                    503
                }
                counted = asking.map(partial(status_of, port), ["/metrics"] * 3)
                assert set(counted) <= {200, 503}, "what it counts itself it may tell"
            serving.send_signal(signal.SIGTERM)
            rest = serving.communicate(timeout=LIMIT)[1]
        assert serving.returncode == 0, rest
        assert "what was acknowledged is stored" in rest
        assert "Traceback" not in rest
