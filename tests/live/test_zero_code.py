"""`opentelemetry-instrument python agent.py start`: an agent without a line of tracer, traced in worker and jobs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.live.calling import LIMIT, call, timeline_when, wait_for, worker
from tests.live.jaeger_query import trace_of
from tracer.demo.stage import Stage
from tracer.moment import Kind
from tracer.servers import child_environment, free_port
from tracer.store import open_reader

if TYPE_CHECKING:
    from tracer.servers import LiveKitServer
    from tracer.servers.jaeger import Jaeger

AGENTS = Path(__file__).parent / "agents"
AUTO = Path(sys.executable).parent / "opentelemetry-instrument"
QUIET = {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}
OF_A_JOB = {
    Kind.JOB_RECEIVED,
    Kind.JOB_ENTRYPOINT_STARTED,
    Kind.AGENT_CONNECTING,
    Kind.AGENT_CONNECTED,
    Kind.AGENT_PARTICIPANT_READY,
    Kind.SESSION_STARTED,
    Kind.AGENT_DISCONNECTED,
    Kind.JOB_ENDED,
}


def under_opentelemetry(agent: Path) -> list[str]:
    """Arguments to Python that run this agent as its user does with OpenTelemetry's command."""
    return [str(AUTO), sys.executable, str(agent), "start"]


def python_path(*folders: Path) -> str:
    return os.pathsep.join(map(str, folders))


@pytest.fixture
def configurator(tmp_path: Path) -> Path:
    """A folder for PYTHONPATH with what opentelemetry-distro registers: the SDK's own configurator."""
    info = tmp_path / "site" / "configures-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: configures\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[opentelemetry_configurator]\nconfigurator = opentelemetry.sdk._configuration:_OTelSDKConfigurator\n"
    )
    return info.parent


@pytest.mark.parametrize("file", ["plain.py", "with_line.py"])
def test_worker_and_jobs_are_instrumented_and_with_the_line_not_twice(
    livekit: LiveKitServer, webhook_port: int, jaeger: Jaeger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", jaeger.otlp_endpoint)
    agent = AGENTS / "plain.py"
    if file == "with_line.py":
        agent = tmp_path / file
        agent.write_text("import tracer\n" + (AGENTS / "plain.py").read_text().replace("\n@server", "\ntracer.instrument(server)\n\n@server"))
    with Stage(tmp_path, tmp_path / "t.db", webhook_port) as stage:
        stage.serve(livekit.settings)
        to = f"http://127.0.0.1:{webhook_port}"
        process = worker(stage, livekit.settings, under_opentelemetry(agent), TRACER_ENDPOINT=to, **QUIET)
        room = f"zero-{agent.stem}"
        call(stage, livekit.settings, room, 1.0)
        timeline = timeline_when(stage, room, lambda known: OF_A_JOB <= {step.kind for step in known.steps})
        [job] = timeline.jobs
        assert not [step for step in timeline.steps if step.contradicted]
        reader = open_reader(stage.store)
        registered = [m for m in reader.moments("") if m.kind is Kind.WORKER_REGISTERED]
        reader.close()
        assert [m.subject for m in registered] == [job.worker_id], "once"
        wait_for(lambda: "job_entrypoint" in [s["operationName"] for s in trace_of(jaeger, timeline.trace_id)], "there")
        names = [span["operationName"] for span in trace_of(jaeger, timeline.trace_id)]
        assert names.count("job_entrypoint") == 1
        assert "Traceback" not in process.log.read_text()
        assert "tracer is off" not in process.log.read_text()
