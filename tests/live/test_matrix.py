"""A call with older versions of livekit-agents, each in an environment of its own with what it takes of OpenTelemetry.

Without ``MATRIX=all`` only the oldest, and the last that traces neither connection nor session: the newest is what all
the other tests run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from platformdirs import user_cache_path

from tests.live.calling import call, timeline_when, wait_for, worker
from tracer.check import check
from tracer.demo.stage import Stage
from tracer.instrumentation.versions import SINCE
from tracer.moment import Kind
from tracer.timeline.overdue import expected
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.local_servers import LiveKitServer

ROOT = Path(__file__).parents[2]
PLAIN = Path(__file__).parent / "agents" / "plain.py"
ENDS = ("1.3.12", "1.8.1")
ALL = ("1.3.12", "1.4.6", "1.5.17", "1.6.10", "1.7.1", "1.8.1", "1.8.2", "1.8.6", "1.8.9")
VERSIONS = ALL if os.environ.get("MATRIX") == "all" else ENDS
CALLED = "import os, sys; os.execv(sys.argv[1], sys.argv[1:])"
ALWAYS = {
    Kind.JOB_RECEIVED,
    Kind.JOB_ACCEPTED,
    Kind.JOB_ENTRYPOINT_STARTED,
    Kind.JOB_ENTRYPOINT_RETURNED,
    Kind.SESSION_STARTING,
}
SINCE_1_8_2 = {Kind.JOB_ASSIGNED, Kind.AGENT_CONNECTED, Kind.SESSION_STARTED, Kind.JOB_SHUTDOWN, Kind.JOB_ENDED}


def python_with(agents: str) -> Path:
    """An interpreter with this livekit-agents and what tracer needs, made once in the user's cache."""
    folder = user_cache_path("livekit-tracer") / "environments" / f"livekit-agents-{agents}"
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.exists():
        needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
        # Before 1.6, livekit-agents needs httpx, which openai brought until its version 3.
        wanted = [f"livekit-agents=={agents}", "httpx", "openai<3", *needed]
        run([sys.executable, "-m", "venv", "--clear", str(folder)])
        run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted])
        ready.touch()
    return python


def run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{' '.join(command)}: {done.stderr}")


@pytest.mark.parametrize("agents", VERSIONS)
def test_a_call_is_traced_and_nothing_is_said_that_is_not_known(
    livekit: LiveKitServer, webhook_port: int, tmp_path: Path, agents: str
) -> None:
    number = tuple(map(int, agents.split(".")))
    program = tmp_path / "agent.py"
    program.write_text(PLAIN.read_text().replace("@server", "import tracer; tracer.instrument(server)\n\n@server"))
    python = python_with(agents)
    with Stage(tmp_path, tmp_path / "t.db", webhook_port) as stage:
        stage.serve(livekit.settings)
        to = {"TRACER_ENDPOINT": f"http://127.0.0.1:{webhook_port}", "PYTHONPATH": str(ROOT)}
        process = worker(stage, livekit.settings, ["-c", CALLED, str(python), str(program), "start"], **to)
        kinds = ALWAYS | (SINCE_1_8_2 if number >= (1, 8, 2) else set())
        call(stage, livekit.settings, "matrix", 2.0)
        timeline = timeline_when(stage, "matrix", lambda known: {step.kind for step in known.steps} >= kinds)
        process.stop(30)
        wait_for(lambda: stage.worker_reported(Kind.WORKER_CLOSED, process), "its report of that")
        log = process.log.read_text()
    assert len(timeline.jobs) == 1
    assert not [step for step in timeline.steps if step.contradicted]
    assert expected(timeline) == []
    explanation = explain(timeline)
    assert explanation.findings == (), explanation.summary
    assert explanation.well is not False, explanation.summary
    assert check(timeline).violated == []
    for since in SINCE:
        assert (since.reports in log) is (number < since.version), since
    assert "Traceback" not in log
