"""`tracer serve` as a process: how it starts, ends, and what outlives it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.live import calls
from tests.live.calls import wait_for
from tracer.demo.stage import Stage
from tracer.demo.tokens import caller_token
from tracer.errors import UnknownRoomError
from tracer.local_servers import Process, child_environment, free_port
from tracer.settings import LiveKit
from tracer.store.sqlite import SqliteStore
from tracer.timeline import listened
from tracer.units import NS_PER_S
from tracer.why.explain import explain

if TYPE_CHECKING:
    from tracer.local_servers import Jaeger, LiveKitServer

LIMIT = 60.0
NOWHERE = LiveKit("", "key", "s" * 32)
KEYS = {"LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "s" * 32}


def refused(*options: str, **environment: str) -> tuple[int, str]:
    """The exit code and the one line of a `tracer serve` that does not start."""
    done = subprocess.run(
        [sys.executable, "-m", "tracer", "serve", *options],
        env=child_environment(**environment),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    [line] = done.stderr.splitlines()
    return done.returncode, line


def test_a_port_in_use_is_one_line(livekit: LiveKitServer, tmp_path: Path) -> None:
    code, line = refused("--port", str(livekit.port), "--store", str(tmp_path / "t.db"), **KEYS)
    assert code == 1
    assert f"127.0.0.1:{livekit.port} is in use" in line


def test_a_store_that_is_none_is_one_line(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.db"
    foreign.write_text("not a database, but longer than the sixteen bytes that are looked at first")
    code, line = refused("--store", str(foreign), **KEYS)
    assert code == 1
    assert str(foreign) in line
    code, line = refused("--store", str(tmp_path), **KEYS)
    assert code == 1


def test_missing_keys_and_a_wrong_url_are_one_line(tmp_path: Path) -> None:
    store = str(tmp_path / "t.db")
    assert refused("--store", store, LIVEKIT_API_KEY="key") == (
        2,
        "tracer: LIVEKIT_API_SECRET not set: export the key pair of your LiveKit server, or put it into .env",
    )
    code, line = refused("--store", store, **KEYS, LIVEKIT_URL="localhost:7880")
    assert (code, "localhost:7880" in line) == (2, True)


def test_it_does_not_export_to_itself(tmp_path: Path) -> None:
    port = str(free_port())
    code, line = refused(
        "--port",
        port,
        "--store",
        str(tmp_path / "t.db"),
        **KEYS,
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://localhost:{port}",
    )
    assert (code, "itself" in line) == (2, True)


def test_an_unreachable_server_is_said_once_and_tried_again(tmp_path: Path) -> None:
    with Stage(tmp_path, tmp_path / "t.db", free_port()) as stage:
        receiver = stage.start(
            "serve",
            ["-m", "tracer", "serve", "--port", str(stage.port), "--store", stage.store],
            **KEYS,
            LIVEKIT_URL=f"ws://127.0.0.1:{free_port()}",
        )
        wait_for(lambda: "cannot observe" in receiver.log.read_text(), "said")
        time.sleep(3.5)  # three tries
        assert receiver.running
        log = receiver.log.read_text()
        assert log.count("cannot observe") == 1
        assert "nothing listens there → start the server, or set LIVEKIT_URL" in log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_ends_with_zero(tmp_path: Path, number: signal.Signals) -> None:
    with Stage(tmp_path, tmp_path / "t.db", free_port()) as stage:
        arguments = ["-m", "tracer", "serve", "--port", str(stage.port), "--store", stage.store]
        process = subprocess.Popen(
            [sys.executable, *arguments], env=child_environment(**KEYS), stderr=subprocess.PIPE, text=True
        )
        assert process.stderr
        assert "listening on" in process.stderr.readline()
        process.send_signal(number)
        _, rest = process.communicate(timeout=20)
        assert process.returncode == 0
        assert "Traceback" not in rest


def test_its_log_says_what_comes_in_and_how_each_room_went(
    livekit: LiveKitServer, webhook_port: int, tmp_path: Path
) -> None:
    with Stage(tmp_path, tmp_path / "t.db", webhook_port) as stage:
        receiver = stage.serve(livekit.settings, "--log-format", "json")
        stage.agent(livekit.settings)
        calls.call(stage, livekit.settings, "heard", 1.0)
        wait_for(lambda: '"room_over"' in receiver.log.read_text(), "said how the room went")
        lines = [json.loads(line) for line in receiver.log.read_text().splitlines()]
        events = [line["event"] for line in lines if line["event"]]
        assert sorted(events[:4]) == ["first_agent", "first_room", "first_webhook", "room_over"]  # polling may be first
        over = next(line for line in lines if line["event"] == "room_over")
        explanation = explain(stage.timeline("heard"))
        assert (over["room"]["name"], over["summary"], over["well"]) == ("heard", explanation.summary, explanation.well)
        assert 1 < over["seconds"] < LIMIT


def test_quiet_says_nothing_while_all_is_well(tmp_path: Path) -> None:
    with Stage(tmp_path, tmp_path / "t.db", free_port()) as stage:
        receiver = stage.serve(NOWHERE, "--quiet")
        receiver.stop()
        assert (receiver.returncode, receiver.log.read_text()) == (0, "")


def test_spans_outlive_jaegers_absence_and_the_receivers_restart(
    livekit: LiveKitServer, webhook_port: int, jaeger: Jaeger, tmp_path: Path
) -> None:
    """A call while the backend is away; the receiver ends; a new one with the backend sends everything, once."""
    with ExitStack() as stack:
        stage = stack.enter_context(Stage(tmp_path, tmp_path / "t.db", webhook_port))
        stage.export["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://127.0.0.1:{free_port()}"
        receiver: Process = stage.serve(livekit.settings)
        stage.agent(livekit.settings)
        began = time.time_ns()
        calls.call(stage, livekit.settings, "absent", 1.0)
        receiver.wait_until(lambda: calls.is_over(stage, "absent", began), LIMIT, what="told of the end")
        receiver.stop()
        assert receiver.returncode == 0
        with closing(SqliteStore(Path(stage.store))) as store:
            assert store.count_unsent() > 10
        trace_id = stage.timeline("absent").trace_id

        stage.export["OTEL_EXPORTER_OTLP_ENDPOINT"] = jaeger.otlp_endpoint
        stage.serve(livekit.settings)

        def names() -> list[str]:
            try:
                with urllib.request.urlopen(f"{jaeger.query_url}/api/traces/{trace_id}", timeout=10) as answer:  # noqa: S310
                    return [span["operationName"] for span in json.load(answer)["data"][0]["spans"]]
            except OSError:
                return []

        wait_for(lambda: {"room", "job", "dispatch", "job_entrypoint"} <= set(names()), "in Jaeger")

        def waiting() -> int:
            with closing(SqliteStore(Path(stage.store))) as store:
                return store.count_unsent()

        wait_for(lambda: waiting() == 0, "sent")
        assert names().count("room") == 1
        assert names().count("job_entrypoint") == 1


def test_what_comes_when_it_was_killed_in_a_call_is_not_known(
    livekit: LiveKitServer, webhook_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that goes well is not said to have gone on, with or without its agent."""
    with Stage(tmp_path, tmp_path / "t.db", webhook_port) as stage:
        receiver = stage.serve(livekit.settings)
        stage.agent(livekit.settings)
        caller = stage.caller("ada", livekit.settings.url, caller_token(livekit.settings, "cut", "ada"), 8.0)

        def is_well() -> bool:
            with suppress(UnknownRoomError):
                return explain(stage.timeline("cut")).well is True
            return False

        wait_for(is_well, "well so far")
        assert receiver.pid
        os.kill(receiver.pid, signal.SIGKILL)
        at = time.time_ns()
        assert caller.wait(LIMIT)
        monkeypatch.setattr(listened, "STOPPED", NS_PER_S)
        wait_for(lambda: stage.timeline("cut").cut_off is not None, "known to have stopped")
        timeline = stage.timeline("cut")
        assert timeline.cut_off is not None
        assert abs(timeline.cut_off - at) < 3 * NS_PER_S
        explanation = explain(timeline)
        assert (explanation.findings, explanation.well) == ((), None)
        assert explanation.summary.startswith("Nothing wrong was recorded; tracer stopped listening at ")
        # It is started again when the room has closed, and what the agent still has may come: the gap remains.
        stage.serve(livekit.settings)
        later = stage.timeline("cut")
        assert later.cut_off == timeline.cut_off or later.unheard
        assert (explain(later).findings, explain(later).well) == ((), None)
