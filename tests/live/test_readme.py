"""Every command that the documentation shows does what it says. A command nobody has thought of here fails the test."""

from __future__ import annotations

import gzip
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.live.calls import wait_for
from tracer.local_servers import Process, child_environment

if TYPE_CHECKING:
    from tracer.local_servers import LiveKitServer

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SHOWN = [
    line.removeprefix("$ ").partition("  #")[0].strip()
    for page in PAGES
    for block in re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    for line in block.splitlines()
    if line.startswith("$ ")
]
ELSEWHERE = {
    "make demo": "tests/live/test_demo.py runs what it runs",
    "make install && . .venv/bin/activate": "it is how the tests came here",
    "tracer demo explicit --jaeger": "tests/live/test_demo.py",
    "tracer call demo --agent helper --identity ada --attribute tier=gold --seconds 5": "tests/live/test_caller.py",
    "pip install '.[agent]'": "the extra is in requirements.lock, from which the tests were installed",
    "opentelemetry-instrument python agent.py start": "tests/live/test_zero_code.py",
    "cp deploy/.env.example .env": "tests/test_compose.py",
    "tracer doctor": "tests/live/test_doctor.py",
    "npm install @opentelemetry/sdk-trace-node @opentelemetry/exporter-trace-otlp-proto": "tests/live/test_node.py",
    "OTEL_SERVICE_NAME=my-agent OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:7890 node agent.mjs start": (
        "tests/live/test_node.py, with the same lines"
    ),
    "docker compose up --build": "tests/live/test_compose.py runs its commands as processes",
}
"""Commands that are run by another test, and which."""
UNTIL_STOPPED = {
    "tracer serve": "listening on",
    "tracer observe": "observing",
    "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 tracer serve": "exporting to http://127.0.0.1:4318",
}
"""Commands that run until they are stopped, and what they log before they are ready."""
AT_ONCE = {
    "tracer demo --list": "silent-caller",
    "tracer demo wrong-name": "no-worker",
    "tracer demo silent-caller": "subscriberUpdateInterval",
    "tracer rooms": "demo",
    "tracer rooms -n 10": "demo",
    "tracer timeline demo": "session started",
    "tracer why demo": "silent-caller",
    "tracer check demo": "rules pass",
    "tracer check demo --format junit -o check.xml": "",
    "tracer stats": "measured",
    "tracer compare demo --with stats": "p50 of B",
    "tracer timeline demo --format json": '"schema": "tracer.timeline/1"',
    "tracer timeline demo --format svg -o call.svg": "",
    "tracer replay call.jsonl --store calls.db": "are in calls.db",
    "tracer why call.jsonl": "All went well.",
    "tracer timeline demo --jaeger-url http://127.0.0.1:16686": "in Jaeger: http://127.0.0.1:16686/trace/",
}
"""Commands that end by themselves, and what must be in what they print."""
EXPORTED = "export LIVEKIT_URL=ws://localhost:7880 LIVEKIT_API_KEY=devkey LIVEKIT_API_SECRET=…"


def test_every_command_shown_is_run() -> None:
    known = {*ELSEWHERE, *UNTIL_STOPPED, *AT_ONCE, EXPORTED}
    assert set(SHOWN) == known


def environment(tmp_path: Path, livekit: LiveKitServer, **more: str) -> dict[str, str]:
    """`tracer` is that of this Python, and the server that of the tests."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "livekit-server").symlink_to(livekit.program.path)
    script = tools / "tracer"
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m tracer "$@"\n')
    script.chmod(0o755)
    path = os.pathsep.join([str(tools), os.environ["PATH"]])
    return child_environment(PATH=path, TRACER_STORE=str(tmp_path / "t.db"), **more)


@pytest.mark.parametrize("command", UNTIL_STOPPED)
def test_commands_that_run_until_they_are_stopped(command: str, tmp_path: Path, livekit: LiveKitServer) -> None:
    server = livekit.settings
    keys = {"LIVEKIT_API_KEY": server.api_key, "LIVEKIT_API_SECRET": server.api_secret}
    env = environment(tmp_path, livekit, LIVEKIT_URL=server.url, **keys)
    # The port that is shown may be taken on this machine; everything else is as shown.
    shown = f"{command} --port 0" if command.endswith("tracer serve") else command
    assignments, _, rest = shown.rpartition("tracer ")
    process = Process("readme", ["sh", "-c", f"{assignments} exec tracer {rest}"], folder=tmp_path, environment=env)
    with process:
        ready = (UNTIL_STOPPED[command], "observing" if command == "tracer observe" else "listening on")
        wait_for(lambda: all(text in process.log.read_text() for text in ready), "ready")
        process.stop()
        assert process.returncode == 0, process.last_lines(5)


def test_commands_that_end_by_themselves(tmp_path: Path, livekit: LiveKitServer) -> None:
    env = environment(tmp_path, livekit)
    recorded = gzip.decompress((ROOT / "tests" / "calls" / "ok_handoff.jsonl.gz").read_bytes())
    (tmp_path / "call.jsonl").write_bytes(recorded)
    # The demos first: the others look at their room, as if it were the user's.
    for shown, expected in sorted(AT_ONCE.items(), key=lambda item: not item[0].startswith("tracer demo")):
        calls = shown.startswith("tracer demo") and not shown.endswith("--list")
        command = f'{shown} --store "$TRACER_STORE"' if calls else shown
        done = subprocess.run(
            ["sh", "-c", command], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        assert done.stderr == ""
        assert expected in done.stdout, command
    assert "<svg" in (tmp_path / "call.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["README.md", "docs/setup.md"])
def test_what_a_page_quotes_of_the_yaml_is_what_the_server_takes(page: str, livekit: LiveKitServer) -> None:
    """The block for livekit.yaml has the keys that the server of the tests was started with."""
    block = re.search(r"```yaml\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    assert block
    keys = set(re.findall(r"^\s*([a-z_]+):", block[1], re.MULTILINE))
    configured = livekit._configuration(1)["webhook"]
    assert isinstance(configured, dict)
    assert keys == {"webhook", *configured}
