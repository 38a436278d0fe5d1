"""A call with other versions than those of all the other tests: of livekit-agents, livekit-server and Python, and the
lowest of what tracer depends on. Receiver and worker run in an environment of their own.

``MATRIX`` chooses the rows (tests/matrix/rows.py). Those that it chose are written down in docs/versions.md.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from platformdirs import user_cache_path

from tests.live.calling import LIMIT, timeline_when, token, wait_for, worker
from tests.live.conftest import had
from tests.matrix import page
from tests.matrix.rows import Row, chosen, numbers
from tracer import keys
from tracer.check import check
from tracer.demo.stage import Stage
from tracer.errors import UnknownRoomError
from tracer.instrumentation.versions import SINCE
from tracer.local_servers import LiveKitServer, find_livekit_server
from tracer.moment import Kind
from tracer.timeline.overdue import expected
from tracer.why import explain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tracer.local_servers import Process

ROOT = Path(__file__).parents[2]
PLAIN = Path(__file__).parent / "agents" / "plain.py"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
BY_CODE = "import tracer; tracer.instrument(server)"
BY_INSTRUMENTOR = "import livekit_tracer; livekit_tracer.LiveKitAgentsInstrumentor().instrument()"
CALLED = "import os, sys; os.execv(sys.argv[1], sys.argv[1:])"
ALWAYS = {
    Kind.ROOM_CREATED,
    Kind.ROOM_FINISHED,
    Kind.DISPATCH_CREATED,
    Kind.PARTICIPANT_JOINED,
    Kind.PARTICIPANT_LEFT,
    Kind.TRACK_PUBLISHED,
    Kind.JOB_RECEIVED,
    Kind.JOB_ACCEPTED,
    Kind.JOB_ENTRYPOINT_STARTED,
    Kind.JOB_ENTRYPOINT_RETURNED,
    Kind.SESSION_STARTING,
}
SINCE_1_8_2 = {Kind.JOB_ASSIGNED, Kind.AGENT_CONNECTED, Kind.SESSION_STARTED, Kind.JOB_SHUTDOWN, Kind.JOB_ENDED}
END_IS_TOLD = (1, 13, 7)
"""The livekit-server that says why a room ended, and those after it."""


CHOSEN = os.environ.get("MATRIX", "")


class Elsewhere(Stage):
    """Receiver and worker run in another environment. The caller does not: it needs a newer livekit than some have."""

    python = sys.executable

    def start(self, name: str, arguments: list[str], **environment: str) -> Process:
        if name.startswith("caller"):
            return super().start(name, arguments, **environment)
        return super().start(name, ["-c", CALLED, self.python, *arguments], PYTHONPATH=str(ROOT), **environment)


def python_of(row: Row) -> str:
    """An interpreter with what this row needs, made once in the user's cache."""
    if row.server:
        return sys.executable
    folder = user_cache_path("livekit-tracer") / "environments" / str(row)
    ready = folder / "ready"
    wanted = requirements(row)
    if not (ready.exists() and ready.read_text().splitlines() == wanted):
        run([interpreter(row.python), "-m", "venv", "--clear", str(folder)])
        run([str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", *wanted])
        ready.write_text("\n".join(wanted))
    return str(folder / "bin" / "python")


def requirements(row: Row) -> list[str]:
    needed = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["agent"]]
    if row.lowest:
        needed = [re.sub(r">=([^,]+).*", r"==\1", requirement) for requirement in needed]
    # Before 1.6, livekit-agents needs httpx, which openai brought until its version 3.
    return [f"livekit-agents=={row.agents}", *(["httpx", "openai<3"] if numbers(row.agents) < (1, 6) else []), *needed]


def interpreter(python: str) -> str:
    """Python of this version: on the PATH, or pyenv's."""
    if not python:
        return sys.executable
    name = f"python{python}"
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for found in (shutil.which(name), *map(str, pyenv.glob(f"{python}.*/bin/{name}"))):
        # A shim of pyenv is on the PATH also where it leads to nothing.
        if found and not subprocess.run([found, "-c", "import venv"], capture_output=True, check=False).returncode:
            return found
    pytest.skip(f"no {name} here")


def run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{' '.join(command)}: {done.stderr}")


@pytest.fixture(params=chosen(CHOSEN), ids=str)
def row(request: pytest.FixtureRequest) -> Row:
    made: Row = request.param
    return made


@pytest.fixture
def server(
    row: Row, progress: Callable[[str], None], webhook_port: int, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[LiveKitServer]:
    """The one of all the other tests, or the row's own."""
    if not row.server:
        yield request.getfixturevalue("livekit")
        return
    program = had(lambda progress: find_livekit_server(progress, f"v{row.server}"), progress)
    folder = tmp_path / "livekit"
    folder.mkdir()
    with LiveKitServer(program, folder=folder, webhooks=[f"http://127.0.0.1:{webhook_port}/webhook"]) as own:
        yield own


def test_a_call_is_traced_and_nothing_is_said_that_is_not_known(
    row: Row, server: LiveKitServer, webhook_port: int, tmp_path: Path
) -> None:
    python = python_of(row)
    with written_down(row, python, server):
        call_is_traced(row, python, server, webhook_port, tmp_path)


@contextmanager
def written_down(row: Row, python: str, server: LiveKitServer) -> Iterator[None]:
    """Writes how it went into docs/versions.md, where rows were chosen."""
    right = False
    try:
        yield
        right = True
    finally:
        if CHOSEN:
            page.write(row, versions(python, server), right=right)


def versions(python: str, server: LiveKitServer) -> tuple[str, str, str, str]:
    """Of livekit-agents, OpenTelemetry's SDK, Python and livekit-server: those that ran."""
    asked = "import platform; from importlib.metadata import version as of; "
    asked += "print(of('livekit-agents'), of('opentelemetry-sdk'), platform.python_version())"
    done = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True)
    agents, sdk, its_own = done.stdout.split()
    assert server.process
    started = re.search(r'starting LiveKit server.*?"version": "([^"]+)"', server.process.log.read_text(), re.DOTALL)
    assert started
    return agents, sdk, its_own, started[1]


def call_is_traced(row: Row, python: str, server: LiveKitServer, webhook_port: int, tmp_path: Path) -> None:
    agents = numbers(row.agents)
    program = tmp_path / "agent.py"
    instrument = BY_INSTRUMENTOR if row.lowest else BY_CODE
    program.write_text(PLAIN.read_text().replace("@server", f"{instrument}\n\n@server"))
    with Elsewhere(tmp_path, tmp_path / "t.db", webhook_port) as stage:
        stage.python = python
        receiver = stage.serve(server.settings)
        to = {"TRACER_ENDPOINT": f"http://127.0.0.1:{webhook_port}"}
        process = worker(stage, server.settings, [str(program), "start"], **to)
        kinds = ALWAYS | (SINCE_1_8_2 if agents >= (1, 8, 2) else set())
        call_until(stage, server, Kind.SESSION_AUDIO_RECEIVED if agents >= (1, 8, 2) else Kind.JOB_ENTRYPOINT_RETURNED)
        timeline = timeline_when(stage, "matrix", lambda known: {step.kind for step in known.steps} >= kinds)
        # livekit-agents before 1.6 does not end in order while a process of its pool is still starting.
        process.wait_until(lambda: none_starts(process.log.read_text()), LIMIT, what="done with starting processes")
        process.stop(30)
        wait_for(lambda: stage.worker_reported(Kind.WORKER_CLOSED, process), "its report of that")
        log = process.log.read_text()
        received = receiver.log.read_text()
    assert len(timeline.jobs) == 1
    assert not [step for step in timeline.steps if step.contradicted]
    assert expected(timeline) == []
    explanation = explain(timeline)
    assert explanation.findings == (), explanation.summary
    assert explanation.well is (True if agents >= (1, 8, 2) else None), explanation.summary
    assert check(timeline).violated == []
    assert (timeline.room.text(keys.ROOM_END_REASON) is not None) is (numbers(row.server) >= END_IS_TOLD)
    assert timeline.end_reason == ("idle_timeout" if numbers(row.server) >= END_IS_TOLD else "departure_timeout")
    for since in SINCE:
        assert (since.reports in log) is (agents < since.version), since
    # livekit-agents logs tracebacks of its own, as of a process that is still starting when its worker ends.
    for trouble in ("the agent is not affected", "can't create new thread"):
        assert trouble not in log
    assert "Traceback" not in received


def none_starts(log: str) -> bool:
    """Whether each process that the worker has begun to start is there."""
    return log.count('"initializing process"') == log.count('"process initialized"')


def call_until(stage: Stage, server: LiveKitServer, kind: Kind) -> None:
    """Ada calls until this is known: on a busy machine an agent comes late."""
    caller = stage.caller("ada", server.settings.url, token(server.settings, "matrix"), 2 * LIMIT)

    def known() -> bool:
        try:
            return any(step.kind is kind for step in stage.timeline("matrix").steps)
        except UnknownRoomError:
            return False

    wait_for(known, kind.value)
    caller.stop(10)
    assert caller.returncode == 0, caller.last_lines(5)
