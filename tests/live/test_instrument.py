"""tracer.instrument() in real workers: what is the user's goes on, and no receiver is needed for it."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import tracer
from tests.live import calls
from tests.live.calls import wait_for
from tracer.demo.stage import Stage
from tracer.local_servers import free_port
from tracer.moment import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from livekit.agents import AgentServer

    from tracer.local_servers import Jaeger, LiveKitServer, Process

AGENT = Path(__file__).parent / "agents" / "users_own.py"
WORKER = Path(tracer.__file__).parent / "demo" / "worker.py"
LIMIT = 60.0


def notes(folder: Path) -> list[str]:
    path = folder / "notes"
    return path.read_text().splitlines() if path.exists() else []


def spans_of_the_users_exporter(folder: Path) -> list[dict[str, Any]]:
    decoder, found = json.JSONDecoder(), []
    for path in folder.glob("spans-*"):
        rest = path.read_text().lstrip()
        while rest:
            span, end = decoder.raw_decode(rest)
            found.append(span)
            rest = rest[end:].lstrip()
    return found


def worker(stage: Stage, livekit: LiveKitServer, endpoint: str, **environment: str) -> Process:
    server = livekit.settings
    process = stage.start(
        "agent",
        [str(WORKER), str(AGENT), "start"],
        LIVEKIT_URL=server.url,
        LIVEKIT_API_KEY=server.api_key,
        LIVEKIT_API_SECRET=server.api_secret,
        TRACER_ENDPOINT=endpoint,
        AGENT_PORT=str(free_port()),
        AGENT_OUT=str(stage.folder),
        **environment,
    )
    process.wait_until(lambda: "registered worker" in process.log.read_text(), LIMIT, what="registered")
    return process


def test_the_users_setup_request_handler_and_provider_go_on_as_before(
    livekit: LiveKitServer, webhook_port: int, jaeger: Jaeger, tmp_path: Path
) -> None:
    with Stage(tmp_path, tmp_path / "t.db", webhook_port) as stage:
        stage.export = {"OTEL_EXPORTER_OTLP_ENDPOINT": jaeger.otlp_endpoint}
        receiver = stage.serve(livekit.settings)
        worker(stage, livekit, f"http://127.0.0.1:{webhook_port}", OWN_PROVIDER="1")
        began = time.time_ns()
        calls.call(stage, livekit.settings, "own", 1.0)
        receiver.wait_until(lambda: calls.is_over(stage, "own", began), LIMIT, what="told of the end")
        timeline = stage.timeline("own")
        assert [line.split()[0] for line in notes(tmp_path)] == ["requested", "entrypoint", "started", "over"]
        [job] = timeline.jobs
        for kind in (Kind.JOB_ACCEPTED, Kind.JOB_ENTRYPOINT_STARTED, Kind.AGENT_CONNECTED, Kind.SESSION_STARTED):
            assert job.at(kind), kind

        mine = {span["name"]: span for span in spans_of_the_users_exporter(tmp_path)}
        assert {"job_entrypoint", "room_connect", "session_start", "my_span"} <= mine.keys()
        # Its trace and its parents are those it would have had.
        assert mine["job_entrypoint"]["parent_id"] is None
        assert mine["job_entrypoint"]["context"]["trace_id"] != f"0x{timeline.trace_id}"
        assert "lk.job_id" not in mine["room_connect"]["attributes"]

        def names() -> set[str]:
            url = f"{jaeger.query_url}/api/traces/{timeline.trace_id}"
            try:
                with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  loopback
                    return {span["operationName"] for span in json.load(answer)["data"][0]["spans"]}
            except OSError:
                return set()

        wait_for(lambda: {"job_entrypoint", "room_connect", "my_span", "room"} <= names(), "under the room's trace")


@contextmanager
def nobody() -> Iterator[str]:
    yield f"http://127.0.0.1:{free_port()}"


@contextmanager
def one_who_never_answers() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextmanager
def one_who_answers_nonsense() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(b"HTTP/1.1 500 no\r\nContent-Length: 3\r\n\r\n\x00\xff\x00")

        threading.Thread(target=answer, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize("receiver", [nobody, one_who_never_answers, one_who_answers_nonsense])
def test_a_receiver_that_fails_does_not_reach_the_agent(livekit: LiveKitServer, tmp_path: Path, receiver: Any) -> None:
    with ExitStack() as stack:
        endpoint = stack.enter_context(receiver())
        stage = stack.enter_context(Stage(tmp_path, tmp_path / "t.db", free_port()))
        process = worker(stage, livekit, endpoint)
        room = f"alone-{receiver.__name__}"
        calls.call(stage, livekit.settings, room, 1.0)
        wait_for(lambda: "over" in notes(tmp_path), "over")
        _, late, pid, _ = notes(tmp_path)[1].split()
        assert int(late) < 1_000_000_000, "ns from the offer to the entrypoint, which takes a few ms"
        over = time.monotonic()
        wait_for(lambda: not Path(f"/proc/{pid}").exists() or not Path("/proc").exists(), "gone")
        assert time.monotonic() - over < 5, "the end of the process waited for the receiver"
        assert process.running
        log = process.log.read_text()
        assert log.count("cannot report to") <= 2, "once for the worker, once for the job"
        assert "Traceback" not in log


@pytest.mark.parametrize("address", ["localhost:7890", "http://[::1", "http://host:port", "ftp://host"])
def test_an_address_that_is_none_is_a_warning_and_no_more(address: str, caplog: pytest.LogCaptureFixture) -> None:
    from livekit.agents import AgentServer

    server: AgentServer = AgentServer()
    run = server.run
    assert tracer.instrument(server, address) is server
    assert server.run == run
    assert repr(address) in caplog.text


def test_instrumenting_twice_is_instrumenting_once() -> None:
    from livekit.agents import AgentServer

    server: AgentServer = AgentServer()
    first = tracer.instrument(server).run
    assert tracer.instrument(server).run is first
