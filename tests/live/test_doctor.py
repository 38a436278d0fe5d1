"""`tracer doctor` on a sound set-up, and on one for each thing it claims to find."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from livekit.api import ListRoomsRequest, LiveKitAPI

from tests.assistant.asking import over_socket, said, told
from tests.live.calling import worker
from tests.live.calls import wait_for
from tracer.assistant.doctor import Doctor
from tracer.assistant.outside import Outside
from tracer.assistant.pseudonyms import Pseudonyms
from tracer.assistant.reading import Rooms, Source
from tracer.demo.stage import Stage
from tracer.local_servers import child_environment, free_port
from tracer.moment import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.local_servers import Jaeger, LiveKitServer
    from tracer.settings import LiveKit

LIMIT = 60.0
SLOWEST = 15.0
"""Seconds on the worst set-up, the start of Python included."""
UNWELL = Path(__file__).parent / "agents" / "unwell.py"
PLAIN = Path(__file__).parent / "agents" / "plain.py"
CHECKS = ["server", "receiver", "webhooks", "workers", "backend", "clocks"]
COMMAND = ["-W", "error", "-m", "tracer", "doctor"]


@dataclass(frozen=True)
class Told:
    """What the doctor said."""

    code: int
    findings: list[tuple[str, str, str, str]]
    """Check, state, text and fix of each."""

    def of(self, check: str) -> tuple[str, str, str]:
        """State, text and fix of the only finding of a check."""
        [found] = [rest for name, *rest in self.findings if name == check]
        state, text, fix = found
        return state, text, fix

    @property
    def states(self) -> dict[str, str]:
        """The state of each check; of several findings, that of the last."""
        return {check: state for check, state, _, _ in self.findings}


def keys(server: LiveKit) -> dict[str, str]:
    return {
        "LIVEKIT_URL": server.url,
        "LIVEKIT_API_KEY": server.api_key,
        "LIVEKIT_API_SECRET": server.api_secret,
    }


def environment(stage: Stage, server: LiveKit, **more: str) -> dict[str, str]:
    return child_environment(
        **{
            **keys(server),
            "TRACER_ENDPOINT": f"http://127.0.0.1:{stage.port}",
            "TRACER_STORE": stage.store,
            **more,
        }
    )


def run(stage: Stage, server: LiveKit, arguments: list[str], **more: str) -> subprocess.CompletedProcess[str]:
    """Whatever it says: soon, nothing on stderr, no secret and no token."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, *arguments],
        env=environment(stage, server, **more),
        cwd=stage.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
    )
    assert time.monotonic() - began < SLOWEST
    assert done.stderr == ""
    assert server.api_secret not in done.stdout
    assert "eyJ" not in done.stdout
    return done


def doctor(stage: Stage, server: LiveKit, *options: str, **more: str) -> Told:
    done = run(stage, server, [*COMMAND, "--format", "json", *options], **more)
    told = json.loads(done.stdout)
    assert told["schema"] == "tracer.doctor/1"
    assert told["sound"] is (done.returncode == 0)
    findings = [(one["check"], one["state"], one["text"], one["fix"] or "") for one in told["findings"]]
    assert list(dict.fromkeys(check for check, *_ in findings)) == CHECKS
    assert all(fix for _, state, _, fix in findings if state in ("warning", "failed"))
    return Told(done.returncode, findings)


def scratch_rooms(server: LiveKit) -> list[str]:
    async def ask() -> list[str]:
        async with LiveKitAPI(server.url, server.api_key, server.api_secret) as livekit:
            return [room.name for room in (await livekit.room.list_rooms(ListRoomsRequest())).rooms]

    return [name for name in asyncio.run(ask()) if name.startswith("tracer-doctor-")]


@pytest.fixture(autouse=True)
def _no_room_is_left(livekit: LiveKitServer) -> Iterator[None]:
    yield
    assert scratch_rooms(livekit.settings) == []


@pytest.fixture
def stage(tmp_path: Path, webhook_port: int) -> Iterator[Stage]:
    """The receiver that the server's webhooks go to is started by the test."""
    with Stage(tmp_path, tmp_path / "t.db", webhook_port) as opened:
        yield opened


def test_a_sound_set_up(stage: Stage, livekit: LiveKitServer, jaeger: Jaeger) -> None:
    server = livekit.settings
    stage.serve(server)
    stage.agent(server)
    stage.agent(server, name="helper", AGENT_NAME="helper")
    backend = {"OTEL_EXPORTER_OTLP_ENDPOINT": jaeger.otlp_endpoint, "TRACER_JAEGER_URL": jaeger.query_url}
    shown = run(stage, server, COMMAND, **backend, COLUMNS="120")
    assert shown.returncode == 0
    lines = shown.stdout.splitlines()
    assert [line.split()[1] for line in lines] == [*CHECKS[:3], "workers", "workers", "backend", *["clocks"] * 3]
    assert all(line.startswith("✓ ") for line in lines), shown.stdout
    assert f"LiveKit at {server.url} answers in" in lines[0]
    assert repr(server.api_key) in lines[0]
    assert "for the unnamed agent" in lines[3]
    assert "for agent 'helper'" in lines[4]
    assert f"came back from Jaeger at {jaeger.query_url}" in lines[5]

    told = doctor(stage, server, "--agent", "helper", **backend)
    assert (told.code, set(told.states.values())) == (0, {"ok"})
    assert "for agent 'helper'" in told.of("workers")[1]
    assert len(told.findings) == 7


def test_an_assistant_asks_for_it(stage: Stage, livekit: LiveKitServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `tracer mcp` answers: first of a setup where something is missing, then of the same with that."""
    for name, value in environment(stage, livekit.settings).items():
        monkeypatch.setenv(name, value)
    rooms = Rooms((Source(stage.store),), Outside(Pseudonyms(b"k" * 32)))

    async def asked(**arguments: object) -> tuple[str, dict[str, dict[str, str]]]:
        async with over_socket(rooms, Doctor(stage.store)) as client:
            text, content = said(await client.call_tool("doctor", arguments))
            assert livekit.api_secret not in text
            assert "eyJ" not in text
            latest, _ = told(await client.call_tool("why", {}))
            assert "No rooms yet" in latest, "the doctor's own room is no call"
            return text, {one["check"]: one for one in content["findings"]}

    stage.serve(livekit.settings)
    text, found = asyncio.run(asked(agents=["helper"]))
    assert text.startswith("1 of ")
    assert next(iter(found)) == "workers", "what failed comes first"
    assert found["workers"]["state"] == "failed"
    assert "no worker answered for agent 'helper'" in found["workers"]["text"]
    assert (
        found["workers"]["do"]
        == "start one with @server.rtc_session(agent_name=«helper») (in Node, agentName in ServerOptions)"
    )
    assert {found[check]["state"] for check in ("server", "receiver", "webhooks")} == {"ok"}

    stage.agent(livekit.settings, name="helper", AGENT_NAME="helper")
    text, found = asyncio.run(asked(agents=["helper"]))
    assert text.startswith("none of ")
    assert {found[check]["state"] for check in ("server", "receiver", "webhooks", "workers", "clocks")} == {"ok"}


def test_a_secret_of_another_key(stage: Stage, livekit: LiveKitServer) -> None:
    told = doctor(stage, replace(livekit.settings, api_secret="x" * 40))
    state, text, fix = told.of("server")
    assert (told.code, state) == (1, "failed")
    assert f"the secret is not that of the key {livekit.api_key!r}" in text
    assert "LIVEKIT_API_SECRET" in fix
    assert told.of("webhooks") == ("skipped", "not checked: it needs the server", "")
    assert {told.states[check] for check in ("webhooks", "workers", "clocks")} == {"skipped"}


def test_a_key_the_server_does_not_know(stage: Stage, livekit: LiveKitServer) -> None:
    state, text, fix = doctor(stage, replace(livekit.settings, api_key="APIother")).of("server")
    assert state == "failed"
    assert "does not know the key 'APIother'" in text
    assert "LIVEKIT_API_KEY" in fix


def test_a_url_where_nothing_listens(stage: Stage, livekit: LiveKitServer) -> None:
    url = f"ws://127.0.0.1:{free_port()}"
    told = doctor(stage, replace(livekit.settings, url=url))
    assert told.code == 1
    assert told.of("server")[:2] == ("failed", f"no LiveKit at {url}: nothing listens there")


def test_a_url_of_something_else(stage: Stage, livekit: LiveKitServer, jaeger: Jaeger) -> None:
    told = doctor(stage, replace(livekit.settings, url=jaeger.query_url))
    assert told.code == 1
    assert f"{jaeger.query_url} is not a LiveKit server" in told.of("server")[1]


def test_a_url_with_tls_where_there_is_none(stage: Stage, livekit: LiveKitServer) -> None:
    url = livekit.settings.url
    state, text, fix = doctor(stage, replace(livekit.settings, url=url.replace("ws:", "wss:"))).of("server")
    assert (state, fix) == ("failed", f"set LIVEKIT_URL to {url}")
    assert "it does not speak TLS" in text


def test_no_receiver(stage: Stage, livekit: LiveKitServer) -> None:
    told = doctor(stage, livekit.settings)
    state, text, fix = told.of("receiver")
    assert (told.code, state) == (1, "failed")
    assert f"http://127.0.0.1:{stage.port}: nothing listens there" in text
    assert "tracer serve" in fix
    assert told.of("webhooks")[0] == "skipped"


def test_a_receiver_that_is_something_else(stage: Stage, livekit: LiveKitServer) -> None:
    told = doctor(stage, replace(livekit.settings, api_key="x"), TRACER_ENDPOINT=f"http://127.0.0.1:{livekit.port}")
    assert told.of("receiver")[0] == "failed"
    assert "is not `tracer serve`" in told.of("receiver")[1]


def test_webhooks_to_another_port_and_no_worker(livekit: LiveKitServer, tmp_path: Path) -> None:
    with Stage(tmp_path, tmp_path / "t.db", free_port()) as stage:
        stage.serve(livekit.settings)
        told = doctor(stage, livekit.settings)
        assert (told.code, told.states["server"], told.states["receiver"]) == (1, "ok", "ok")
        state, text, fix = told.of("webhooks")
        assert state == "warning"
        assert text.startswith(
            "no webhook arrived within 4 s of creating a room; `tracer serve` recorded it by polling"
        )
        assert "webhooks would add" in text
        assert f'urls: ["http://127.0.0.1:{stage.port}/webhook"]' in fix
        assert livekit.api_key in fix
        state, text, fix = told.of("workers")
        assert (state, text) == ("failed", "no worker answered for the unnamed agent within 6 s")
        assert "LIVEKIT_URL" in fix


def test_webhooks_to_another_port_and_no_polling(livekit: LiveKitServer, tmp_path: Path) -> None:
    with Stage(tmp_path, tmp_path / "t.db", free_port()) as stage:
        stage.serve(livekit.settings, "--no-observe")
        state, text, fix = doctor(stage, livekit.settings, "--agent", "nobody").of("webhooks")
        assert (state, text) == ("failed", "no webhook arrived within 4 s of creating a room")
        assert "livekit.yaml" in fix


def test_a_set_up_that_only_observes_is_sound(livekit: LiveKitServer, tmp_path: Path) -> None:
    with Stage(tmp_path, tmp_path / "t.db", free_port()) as stage:
        server = livekit.settings
        observer = stage.start("observe", ["-m", "tracer", "observe", "--store", stage.store], **keys(server))
        wait_for(lambda: "observing" in observer.log.read_text(), "observing")
        stage.stranger(server, PLAIN, name="plain")
        told = doctor(stage, server)
        assert (told.code, {state for _, state, *_ in told.findings}) == (0, {"ok", "skipped"})
        state, text, fix = told.of("receiver")
        assert (state, text.startswith("a new room was recorded by polling within")) == ("ok", True)
        assert "tracer serve" in fix
        state, text, _ = told.of("webhooks")
        assert (state, "webhooks would add" in text) == ("skipped", True)

        told = doctor(stage, server, "--store", str(tmp_path / "other.db"))
        assert (told.code, told.of("receiver")[0]) == (1, "failed")


def test_webhooks_that_are_signed_with_another_key(stage: Stage, livekit: LiveKitServer) -> None:
    stage.serve(replace(livekit.settings, api_secret="y" * 40))
    state, text, fix = doctor(stage, livekit.settings, "--agent", "nobody").of("webhooks")
    assert state == "failed"
    assert "rejected" in text
    assert "webhook.api_key" in fix


def test_webhooks_into_another_store(stage: Stage, livekit: LiveKitServer, tmp_path: Path) -> None:
    stage.serve(livekit.settings)
    other = tmp_path / "other.db"
    state, text, _ = doctor(stage, livekit.settings, "--store", str(other)).of("webhooks")
    assert (state, str(other) in text) == ("ok", True)
    with Stage(tmp_path, other, free_port()) as elsewhere:
        elsewhere.serve(livekit.settings)
        state, text, fix = doctor(stage, livekit.settings, "--store", str(other)).of("webhooks")
        assert (state, "--store" in fix) == ("warning", True)


def test_a_worker_under_another_name(stage: Stage, livekit: LiveKitServer) -> None:
    stage.serve(livekit.settings)
    stage.agent(livekit.settings, AGENT_NAME="Helper")
    told = doctor(stage, livekit.settings, "--agent", "helper")
    state, text, fix = told.of("workers")
    assert (told.code, state) == (1, "failed")
    assert text == "no worker answered for agent 'helper' within 6 s; known: 'Helper'"
    assert fix.startswith("request 'Helper'")

    told = doctor(stage, livekit.settings)
    assert told.code == 0
    unnamed, named = [rest for check, *rest in told.findings if check == "workers"]
    assert unnamed[0] == "warning"
    assert "request 'Helper'" in unnamed[2]
    assert named[0] == "ok"


def test_a_worker_that_wants_no_job(stage: Stage, livekit: LiveKitServer) -> None:
    stage.serve(livekit.settings)
    endpoint = f"http://127.0.0.1:{stage.port}"
    worker(stage, livekit.settings, [str(UNWELL), "start"], TRACER_ENDPOINT=endpoint, REJECT="1")
    state, text, fix = doctor(stage, livekit.settings).of("workers")
    assert state == "failed"
    assert "rejected the job for the unnamed agent" in text
    assert "on_request" in fix


def test_a_worker_that_is_full(stage: Stage, livekit: LiveKitServer) -> None:
    stage.serve(livekit.settings)
    endpoint = f"http://127.0.0.1:{stage.port}"
    full = worker(stage, livekit.settings, [str(UNWELL), "start"], TRACER_ENDPOINT=endpoint, LOAD="0.9")
    wait_for(lambda: stage.worker_reported(Kind.WORKER_FULL, full), "full", LIMIT)
    state, text, fix = doctor(stage, livekit.settings).of("workers")
    assert (state, text.endswith(" was full"), fix) == ("failed", True, "start more workers, or raise load_threshold")


def test_a_worker_that_is_not_instrumented(stage: Stage, livekit: LiveKitServer) -> None:
    stage.serve(livekit.settings)
    worker(stage, livekit.settings, [str(PLAIN), "start"])
    told = doctor(stage, livekit.settings)
    assert told.code == 0
    assert told.of("workers")[0] == "ok"
    [_, (_, state, text, fix)] = [one for one in told.findings if one[0] == "clocks"]
    assert (state, "is unknown" in text) == ("skipped", True)
    assert "tracer.instrument(server)" in fix


def test_a_backend_that_is_off(stage: Stage, livekit: LiveKitServer, jaeger: Jaeger) -> None:
    nowhere = replace(livekit.settings, url=f"ws://127.0.0.1:{free_port()}")  # the other checks have their tests
    off = f"http://127.0.0.1:{free_port()}"
    state, text, fix = doctor(stage, nowhere, OTEL_EXPORTER_OTLP_ENDPOINT=off).of("backend")
    assert (state, text) == ("failed", f"no OpenTelemetry backend at {off}: nothing listens there")
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in fix

    other = f"http://127.0.0.1:{livekit.port}"
    state, text, _ = doctor(stage, nowhere, OTEL_EXPORTER_OTLP_ENDPOINT=other).of("backend")
    assert (state, text.startswith(f"{other} accepts no spans: HTTP 404")) == ("failed", True)

    backend = {"OTEL_EXPORTER_OTLP_ENDPOINT": jaeger.otlp_endpoint}
    state, text, _ = doctor(stage, nowhere, **backend).of("backend")
    assert (state, f"{jaeger.otlp_endpoint} accepted a span" in text) == ("ok", True)
    for url, why in ((off, "nothing listens there"), (other, "trace not found")):
        state, text, fix = doctor(stage, nowhere, "--jaeger-url", url, **backend).of("backend")
        assert (state, text.endswith(why), "TRACER_JAEGER_URL" in fix) == ("failed", True, True), text


def test_a_backend_that_is_the_receiver_itself(stage: Stage, livekit: LiveKitServer) -> None:
    nowhere = replace(livekit.settings, url=f"ws://127.0.0.1:{free_port()}")
    endpoint = f"http://127.0.0.1:{stage.port}"
    state, text, _ = doctor(stage, nowhere, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint).of("backend")
    assert (state, "itself" in text) == ("failed", True)


@pytest.mark.parametrize(
    ("shift", "state", "said"),
    [("3", "failed", "ahead of"), ("-3", "failed", "behind"), ("0.9", "warning", "ahead of")],
)
def test_an_agents_clock_that_is_off(stage: Stage, livekit: LiveKitServer, shift: str, state: str, said: str) -> None:
    stage.serve(livekit.settings)
    endpoint = f"http://127.0.0.1:{stage.port}"
    worker(stage, livekit.settings, [str(UNWELL), "start"], TRACER_ENDPOINT=endpoint, SHIFT=shift)
    told = doctor(stage, livekit.settings)
    assert told.code == (state == "failed")
    mine, agents = [rest for check, *rest in told.findings if check == "clocks"]
    assert mine[0] == "ok"
    assert (agents[0], f"{said} the server's" in agents[1], "NTP" in agents[2]) == (state, True, True), agents


@pytest.mark.parametrize("shift", [3, -3])
def test_this_machines_clock_that_is_off(stage: Stage, livekit: LiveKitServer, shift: int) -> None:
    program = f"""
import sys, time
real = time.time_ns
time.time_ns = lambda: real() + {shift * 10**9}
from tracer.cli import main
main(["doctor", "--agent", "nobody"])
"""
    done = run(stage, livekit.settings, ["-W", "error", "-c", program], COLUMNS="200")
    line = done.stdout.splitlines()[-1]
    side = "ahead of" if shift > 0 else "behind"
    assert line.startswith("✗ clocks    this machine's clock is 3.0 s (±"), line
    assert f"{side} the server's → synchronize" in line


def test_interrupted_it_takes_its_room_with_it(stage: Stage, livekit: LiveKitServer) -> None:
    stage.serve(livekit.settings)
    with subprocess.Popen(
        [sys.executable, *COMMAND],
        env=environment(stage, livekit.settings),
        cwd=stage.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        wait_for(lambda: bool(scratch_rooms(livekit.settings)), "in its room", LIMIT)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=LIMIT)
    assert (process.returncode, errors.strip()) == (130, b"")
