"""Every example in the help of each command does what it says, on a real server; those that last, until a signal."""

from __future__ import annotations

import gzip
import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from docs.website.commands import commands, examples
from tests.live.calls import wait_for
from tests.moments import ROOM, START, call
from tests.service.test_missing import waiting
from tests.why.cases import in_room, with_facts
from tracer import keys
from tracer.demo.stage import Stage
from tracer.local_servers import Process, child_environment
from tracer.moment import Kind
from tracer.store import Arrival, open_writer
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracer.local_servers import LiveKitServer
    from tracer.moment import Moment

LIMIT = 60.0
"""Seconds: a demo is a whole call, on a machine that may be busy."""
RECORDING = Path(__file__).parents[1] / "calls" / "ok_handoff.jsonl.gz"
SHOWN = {
    example: name
    for name, context in commands()
    if not isinstance(context.command, click.Group)
    for example in examples(context.command)
}
AT_ONCE = {
    "tracer bundle my-room -o call.bundle.gz": "with pseudonyms",
    "tracer why call.bundle.gz": "room room-",
    "tracer call demo --agent helper --identity ada --attribute tier=gold --seconds 5": "joined demo",
    "tracer check my-room": "rules pass",
    "tracer check my-room another-room --format junit -o check.xml": "",
    "tracer compare RM_ev5rQjUVknES RM_nFyAF2c9Lk31": "A - B",
    "tracer compare my-room --with stats": "p50 of B",
    "tracer completion bash > ~/.local/share/bash-completion/completions/tracer": "",
    "tracer completion zsh > ~/.zfunc/_tracer": "",
    "tracer completion fish > ~/.config/fish/completions/tracer.fish": "",
    "tracer demo": "So the agent is requested at",
    "tracer demo silent-caller": "subscriberUpdateInterval",
    "tracer demo wrong-name": "no-worker",
    "tracer doctor": "✓ workers",
    "tracer doctor --agent helper": "for agent 'helper'",
    "tracer explain": "job.offered",
    "tracer explain job offered": "LiveKit says so",
    "tracer explain no-worker": "LiveKit says so",
    'tracer explain "dispatch.created -> job.offered"': "LiveKit server",
    "tracer explain causes": "no-worker",
    "tracer explain 3": "job-start",
    "tracer forget RM_q4MG6HgEXo38": "1 room deleted",
    "tracer forget ada": "deleted",
    "tracer learn": "learn 1",
    "tracer learn 2 --answer 4,3,5,1,2": "your place",
    "tracer mcp": "",
    "tracer mcp call.jsonl --no-redact": "",
    "tracer replay call.jsonl --store calls.db": "are in calls.db",
    "tracer replay recordings/*.jsonl.gz": "57 records of 1 file",
    "tracer rooms -n 10": "my-room",
    "tracer rooms --format json": '"schema": "tracer.rooms/1"',
    "tracer skill": "## Ask in this order",
    "tracer skill -o .claude/skills/livekit-tracer/SKILL.md": "",
    "tracer stats": "measured",
    "tracer stats --hours 24 --agent helper": "",
    "tracer store --store calls.db": "1 room",
    "tracer timeline my-room": "session started",
    "tracer timeline my-room --summary": "agent ready after",
    "tracer timeline my-room --follow": "session started",
    "tracer timeline RM_ev5rQjUVknES --format json": '"schema": "tracer.timeline/1"',
    "tracer why my-room": "ghost",
    "tracer why RM_ev5rQjUVknES --format json": '"schema": "tracer.why/1"',
}
"""Examples that end by themselves, and what must be in what they print."""
FORGET = {"tracer forget RM_q4MG6HgEXo38", "tracer forget ada"}
AFTER = {
    "tracer store --store calls.db": "tracer replay call.jsonl --store calls.db",
    "tracer why call.bundle.gz": "tracer bundle my-room -o call.bundle.gz",
}
"""Examples that read what another wrote. Each test types both: it may run in another process than the other's test."""


@dataclass(frozen=True, slots=True)
class Lasts:
    """An example that runs until it is told to end."""

    says: str
    """When it is at work."""
    run: str = ""
    """The example with another port or server: what is shown is not there, or somebody else's."""
    number: signal.Signals = signal.SIGINT
    code: int = 0
    """What it ends with: what shows something until Ctrl-C was interrupted."""
    then: str = ""
    """What it says of a room that comes while it is at work."""
    """The signal that ends it: Ctrl-C, or what a service manager sends."""


UNTIL_STOPPED = {
    "tracer call demo": Lasts("joined demo"),
    "tracer mcp --http": Lasts("listening on http://127.0.0.1:", "tracer mcp --http --port 0", signal.SIGTERM),
    "LIVEKIT_URL=wss://my-project.livekit.cloud tracer observe": Lasts("observing", "tracer observe", signal.SIGTERM),
    "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 tracer serve": Lasts(
        "listening on",
        "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 tracer serve --port 0 --store other.db",
        signal.SIGTERM,
    ),
    "tracer watch": Lasts("created (UTC)", code=130, then="✗"),
    "tracer watch --lines | grep '✗'": Lasts("created (UTC)", "tracer watch --lines | tee seen | grep '✗'", then="✗"),
}
ELSEWHERE = {
    "tracer demo explicit --jaeger": "tests/live/test_demo.py",
    "tracer learn 1": "tests/live/test_learn.py",
}
"""Examples that are run by another test, and which."""


def test_every_example_is_run() -> None:
    assert set(SHOWN) == {*AT_ONCE, *UNTIL_STOPPED, *ELSEWHERE}


@dataclass(frozen=True, slots=True)
class Place:
    """A folder in which the examples are typed, and what they find there."""

    folder: Path
    environment: dict[str, str]

    @property
    def pids(self) -> list[int]:
        """Of every `tracer` that was called, the latest last."""
        file = self.folder / "pids"
        return [int(line) for line in file.read_text().split()] if file.exists() else []


def just_now(moments: Iterable[Moment]) -> Iterator[Moment]:
    """The same, of a call that began half a minute ago."""
    later = time.time_ns() - 30 * NS_PER_S - START
    for one in moments:
        yield replace(one, earliest=one.earliest + later, latest=one.latest + later, time=one.time + later)


@pytest.fixture(scope="module")
def place(livekit: LiveKitServer, webhook_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Server, receiver, two agents, a store with three rooms, recordings."""
    folder = tmp_path_factory.mktemp("examples")
    for below in (
        "bin",
        "recordings",
        ".local/share/bash-completion/completions",
        ".zfunc",
        ".config/fish/completions",
    ):
        (folder / below).mkdir(parents=True)
    (folder / "bin" / "livekit-server").symlink_to(livekit.program.path)
    tracer = folder / "bin" / "tracer"
    tracer.write_text(f'#!/bin/sh\necho $$ >> {folder}/pids\nexec {shlex.quote(sys.executable)} -m tracer "$@"\n')
    tracer.chmod(0o755)
    (folder / "call.jsonl").write_bytes(gzip.decompress(RECORDING.read_bytes()))
    (folder / "recordings" / RECORDING.name).write_bytes(RECORDING.read_bytes())
    server = livekit.settings
    with Stage(folder, folder / "t.db", webhook_port) as stage:
        stage.serve(server)
        for name in ("", "helper"):
            stage.agent(server, name=f"agent-{name}", AGENT_NAME=name)
        with closing(open_writer(stage.store)) as store:
            rooms = {ROOM: "my-room", "RM_nFyAF2c9Lk31": "another-room", "RM_q4MG6HgEXo38": "a-third"}
            for sid, name in rooms.items():
                moments = with_facts(call(), Kind.ROOM_CREATED, ROOM, {keys.ROOM_NAME: name})
                store.add([Arrival(tuple(just_now(in_room(sid, moments))))])
        environment = child_environment(
            PATH=os.pathsep.join([str(folder / "bin"), os.environ["PATH"]]),
            HOME=str(folder),
            XDG_STATE_HOME=str(folder / "state"),
            TMPDIR=str(folder),
            COLUMNS="120",
            LIVEKIT_URL=server.url,
            LIVEKIT_API_KEY=server.api_key,
            LIVEKIT_API_SECRET=server.api_secret,
            TRACER_STORE=stage.store,
            TRACER_ENDPOINT=f"http://127.0.0.1:{stage.port}",
        )
        yield Place(folder, environment)


@pytest.mark.parametrize("example", [*sorted(AT_ONCE.keys() - FORGET), *sorted(FORGET)])
def test_an_example_that_ends_by_itself(example: str, place: Place) -> None:
    """What forgets rooms comes last, and is asked whether it is meant."""
    if example in AFTER:
        typed(AFTER[example], place)
    ran = typed(example, place)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert AT_ONCE[example] in ran.stdout
    assert ran.stdout or ("mcp" in example) or written(place.folder, example)


def typed(example: str, place: Place) -> subprocess.CompletedProcess[str]:
    """What an example ended with, as typed in the folder."""
    return subprocess.run(
        ["bash", "-c", example],
        env=place.environment,
        cwd=place.folder,
        input="y\n" if example in FORGET else "",
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )


def written(folder: Path, example: str) -> bool:
    """Whether the file that an example names was written."""
    name = example.partition("> ~/")[2] or example.partition("-o ")[2]
    return bool((folder / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("example", UNTIL_STOPPED)
def test_an_example_that_runs_for_ever_ends_when_it_is_told(example: str, place: Place) -> None:
    lasts, before = UNTIL_STOPPED[example], len(place.pids)
    environment = place.environment | {"TERM": "xterm"}
    process = Process("example", ["bash", "-c", lasts.run or example], folder=place.folder, environment=environment)
    process.log.unlink(missing_ok=True)
    seen = place.folder / "seen"
    with process:
        shown = seen if "tee seen" in lasts.run else process.log
        process.wait_until(lambda: shown.exists() and lasts.says in shown.read_text(), LIMIT, what="at work")
        (pid,) = place.pids[before:]
        if lasts.then:
            with closing(open_writer(place.environment["TRACER_STORE"])) as store:
                store.add([Arrival(tuple(just_now(waiting(f"RM_{pid}", "nobody"))))])
            process.wait_until(lambda: lasts.then in shown.read_text(), LIMIT, what="told of a room")
        os.kill(pid, lasts.number)
        assert process.wait(LIMIT), process.last_lines(5)
        assert process.returncode == lasts.code, process.last_lines(5)
    assert "Traceback" not in process.log.read_text()
    if "grep" in example:
        assert "✗" in process.log.read_text()
    wait_for(lambda: not Path(f"/proc/{pid}").exists(), "its end")
