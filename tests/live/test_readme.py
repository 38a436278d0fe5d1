"""Every command that the documentation shows does what it says. A command nobody has thought of here fails the test."""

from __future__ import annotations

import gzip
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.live.calls import wait_for
from tracer.local_servers import Process, answers, child_environment, free_ports

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracer.local_servers import LiveKitServer

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SHOWN = [
    line.removeprefix("$ ").partition("  #")[0].strip()
    for page in PAGES
    for block in re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    for line in block.splitlines()
    if line.startswith("$ ")
]
CLONE = "git clone https://github.com/livekit-tracer/livekit-tracer"
SERVER = "livekit-server --config livekit-tracer/docs/livekit.yaml"
DOTENV = "cp livekit-tracer/deploy/.env.example .env"
AGENT = "python agent.py start"
CALL = "tracer call demo"
FIVE_STEPS = [
    CLONE,
    "pip install ./livekit-tracer",
    SERVER,
    DOTENV,
    "tracer serve",
    AGENT,
    CALL,
    "tracer timeline demo",
]
"""The README's."""
BEFORE = [
    "mkdir first-call && cd first-call",
    "python3 -m venv .venv && . .venv/bin/activate",
    CLONE,
    "pip install './livekit-tracer[demo]'",
]
"""How the tests came here."""
WELL = [SERVER, DOTENV, "tracer serve", AGENT, CALL, "tracer timeline demo", "tracer why demo"]
NOT_WELL = [AGENT, "tracer call second", "tracer why second"]
MENDED = ["tracer call third --agent receptionist", "tracer why third"]
"""The tutorial's."""
ELSEWHERE = {
    "make demo": "tests/live/test_demo.py runs what it runs",
    "cp deploy/.env.example .env": "the tutorial's, of another folder",
    "make install && . .venv/bin/activate": "it is how the tests came here",
    "tracer demo explicit --jaeger": "tests/live/test_demo.py",
    "tracer call demo --agent helper --identity ada --attribute tier=gold --seconds 5": "tests/live/test_caller.py",
    "pip install '.[agent]'": "the extra is in requirements.lock, from which the tests were installed",
    "pip install 'livekit-tracer[postgres]'": "the extra is in requirements.lock too",
    "export TRACER_STORE=postgresql://tracer@db.example.com:5432/tracer": "tests/live/test_shared.py, with its own",
    "docker compose -f docker-compose.yml -f deploy/shared.yml up --build": (
        "tests/test_compose.py reads it, and tests/live/test_shared.py runs receivers that share a database"
    ),
    "opentelemetry-instrument python agent.py start": "tests/live/test_zero_code.py",
    "tracer learn": "tests/live/test_learn.py",
    "tracer learn 1": "tests/live/test_learn.py",
    "tracer learn 2 --answer 4,3,5,1,2": "tests/live/test_scenarios.py plays its call, tests/learn has the rest",
    "tracer doctor": "tests/live/test_doctor.py",
    "pip install '.[mcp]'": "the extra is in requirements.lock too",
    "tracer mcp call.jsonl": "tests/assistant/test_clients.py",
    "tracer skill -o SKILL.md": "tests/cli/test_mcp.py",
    "tracer watch": "tests/watch/test_terminal.py, and tests/watch/test_app.py with its keys",
    "tracer watch --lines": "tests/watch/test_terminal.py",
    "tracer store": "tests/cli/test_cli.py",
    "tracer forget RM_q4MG6HgEXo38": "tests/cli/test_cli.py",
    "tracer forget ada": "tests/cli/test_cli.py",
    "npm install @opentelemetry/sdk-trace-node @opentelemetry/exporter-trace-otlp-proto": "tests/live/test_node.py",
    "OTEL_SERVICE_NAME=my-agent OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:7890 node agent.mjs start": (
        "tests/live/test_node.py, with the same lines"
    ),
    'eval "$(tracer completion bash)"': "tests/cli/test_completion.py",
    "docker compose up --build": "tests/live/test_compose.py runs its commands as processes",
}
"""Commands that are run by another test, and which."""
UNTIL_STOPPED = {
    "tracer observe": "observing",
    "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 tracer serve": "exporting to http://127.0.0.1:4318",
}
"""Commands that run until they are stopped, and what they log before they are ready."""
AT_ONCE = {
    "tracer demo --list": "silent-caller",
    "tracer demo wrong-name": "no-worker",
    "tracer demo silent-caller": "subscriberUpdateInterval",
    "tracer completion bash": "_TRACER_COMPLETE=bash_complete",
    "tracer rooms": "demo",
    "tracer rooms -n 10": "demo",
    "tracer timeline demo": "session started",
    "tracer why demo": "silent-caller",
    "tracer explain": "job.offered",
    "tracer explain job offered": "LiveKit says so",
    "tracer explain no-worker": "LiveKit says so",
    "tracer explain causes": "no-worker",
    "tracer explain 3": "job-start",
    "tracer check demo": "rules pass",
    "tracer check demo --format junit -o check.xml": "",
    "tracer stats": "measured",
    "tracer compare demo --with stats": "p50 of B",
    "tracer timeline demo --summary": "agent ready after",
    "tracer timeline demo --follow": "session started",
    "tracer timeline demo --format json": '"schema": "tracer.timeline/1"',
    "tracer timeline demo --format svg -o call.svg": "",
    "tracer timeline demo --format html -o call.html": "",
    "tracer timeline demo --format mermaid": "sequenceDiagram",
    "tracer timeline demo --format csv -o call.csv": "",
    "tracer timeline demo --format perfetto -o call.pftrace": "",
    "tracer timeline demo --format otlp -o trace.json": "",
    "tracer bundle demo -o call.bundle.gz": "with pseudonyms",
    "tracer why call.bundle.gz": "room room-1",
    "tracer replay call.jsonl --store calls.db": "are in calls.db",
    "tracer why call.jsonl": "All went well.",
    "tracer timeline demo --jaeger-url http://127.0.0.1:16686": "in Jaeger: http://127.0.0.1:16686/trace/",
}
"""Commands that end by themselves, and what must be in what they print."""
HEARS = "session hears the participant"
LIMIT = 120.0
"""Seconds: a busy machine has other things to do."""
EXPORTED = "export LIVEKIT_URL=ws://localhost:7880 LIVEKIT_API_KEY=devkey LIVEKIT_API_SECRET=…"


def test_every_command_shown_is_run() -> None:
    walked = {*FIVE_STEPS, *BEFORE, *WELL, *NOT_WELL, *MENDED}
    known = {*walked, *ELSEWHERE, *UNTIL_STOPPED, *AT_ONCE, EXPORTED}
    assert set(SHOWN) == known


def environment(tmp_path: Path, livekit: LiveKitServer, **more: str) -> dict[str, str]:
    """`tracer` and `python` are those of the tests, and so is the server."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "livekit-server").symlink_to(livekit.program.path)
    for tool, called in (("tracer", "-m tracer"), ("python", "")):
        script = tools / tool
        script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {called} "$@"\n')
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
    assert "Content-Security-Policy" in (tmp_path / "call.html").read_text(encoding="utf-8")
    assert "<svg" in (tmp_path / "call.svg").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """What stands in a page's blocks of code."""
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def commands(text: str) -> list[str]:
    """The commands that a text shows, in order."""
    shown = re.findall(r"^\$ (.*)", "\n".join(blocks(text, "console")), re.MULTILINE)
    return [line.partition("  #")[0].strip() for line in shown]


def test_the_five_steps_of_the_readme_are_those_of_the_tutorial() -> None:
    """Which the next test walks."""
    readme = PAGES[0].read_text(encoding="utf-8")
    section = readme.partition("## Trace your own agent\n")[2].partition("Something missing?")[0]
    assert commands(section) == FIVE_STEPS
    assert FIVE_STEPS[2:] == WELL[:-1]
    [lines] = blocks(section, "python")
    agent = blocks(TUTORIAL.read_text(encoding="utf-8"), "python")[0].splitlines()
    added = [line.partition("  #")[0].strip() for line in lines.splitlines() if line]
    assert len(added) == 3
    assert set(added) <= set(agent)


def clone(folder: Path, ports: dict[str, int]) -> None:
    """What the commands take of a clone, with these ports for those that are shown."""
    for file in ("docs/livekit.yaml", "deploy/.env.example"):
        text = (ROOT / file).read_text(encoding="utf-8")
        for port, free in ports.items():
            text = text.replace(port, str(free))
        (folder / file).parent.mkdir(parents=True)
        (folder / file).write_text(text, encoding="utf-8")


def test_the_tutorial_ends_at_the_first_why(tmp_path: Path, livekit: LiveKitServer) -> None:
    """As shown, with other ports: those may be taken on this machine."""
    text = TUTORIAL.read_text(encoding="utf-8")
    assert commands(text) == [*BEFORE, *WELL, *NOT_WELL, *MENDED]
    agent, named = blocks(text, "python")
    signalling, media, receiving, health = free_ports(4)
    env = environment(tmp_path, livekit, TRACER_ENDPOINT=f"http://127.0.0.1:{receiving}", PYTHONUNBUFFERED="1")
    clone(tmp_path / "livekit-tracer", {"7880": signalling, "7882": media, "7890": receiving})
    assert "AgentServer()" in agent
    agent = agent.replace("AgentServer()", f"AgentServer(port={health}, load_fnc=lambda: 0.0)")
    (tmp_path / "agent.py").write_text(agent, encoding="utf-8")

    with ExitStack() as stack:

        def start(command: str, name: str, ready: Callable[[str], bool]) -> Process:
            """Returns when its log, or another's, shows that it is ready."""
            process = Process(name, ["sh", "-c", f"exec {command}"], folder=tmp_path, environment=env)
            stack.enter_context(process)
            process.wait_until(lambda: ready(process.log.read_text()), LIMIT, what=f"ready: {command}")
            return process

        def printed(command: str) -> str:
            """Nothing while there is no such room yet."""
            shell = ["sh", "-c", command]
            return subprocess.run(shell, env=env, cwd=tmp_path, capture_output=True, text=True, check=False).stdout

        def end(call: Process) -> None:
            assert call.pid
            os.kill(call.pid, signal.SIGINT)  # Ctrl-C
            assert call.wait(LIMIT)
            assert call.returncode == 0, call.last_lines(5)

        server = start(SERVER, "server", lambda _: answers(signalling))
        subprocess.run(["sh", "-c", DOTENV], cwd=tmp_path, check=True)
        serve = start(f"tracer serve --port {receiving}", "serve", lambda log: "listening on" in log)
        worker = start(AGENT, "agent", lambda _: "first agent reports" in serve.log.read_text())
        end(start(CALL, "call", lambda _: HEARS in printed("tracer timeline demo")))
        steps = ("JOINED", "session started", "CLIENT_INITIATED")
        wait_for(lambda: all(step in printed("tracer timeline demo") for step in steps), "all in the timeline", LIMIT)
        assert "no webhooks received" not in printed("tracer timeline demo")
        assert "✓ All " in printed("tracer why demo")  # "is well so far" until the room closes, 20 s later

        end(worker)
        before = "@server.rtc_session()\n"
        assert before in agent
        (tmp_path / "agent.py").write_text(agent.replace(before, named), encoding="utf-8")
        start(AGENT, "named", lambda log: "registered worker" in log)
        unanswered = start("tracer call second", "second", lambda log: "joined second" in log)
        # The third meanwhile: nobody has to come to the second for a while before that is a fault.
        third = start("tracer call third --agent receptionist", "third", lambda log: "joined third" in log)
        wait_for(lambda: HEARS in printed("tracer timeline third"), "the agent in the third", LIMIT)
        end(third)
        wait_for(lambda: "✓ All " in printed("tracer why third"), "another that went well", LIMIT)
        wait_for(lambda: "no-worker" in printed("tracer why second"), "the cause", LIMIT)
        assert "what registered since is 'receptionist'" in " ".join(printed("tracer why second").split())
        end(unanswered)

        log = server.log.read_text()
        assert "too short" not in log
        levels = {json.loads(line).get("level") for line in log.splitlines() if line.startswith("{")}
        assert not levels & {"error", "fatal"}


def test_what_the_documentation_quotes_of_the_yaml_is_what_the_server_takes(livekit: LiveKitServer) -> None:
    """The block for livekit.yaml has the keys that the server of the tests was started with."""
    block = re.search(r"```yaml\n(.*?)```", (ROOT / "docs" / "setup.md").read_text(encoding="utf-8"), re.DOTALL)
    assert block
    keys = set(re.findall(r"^\s*([a-z_]+):", block[1], re.MULTILINE))
    configured = livekit._configuration(1)["webhook"]
    assert isinstance(configured, dict)
    assert keys == {"webhook", *configured}
