"""`opentelemetry-instrument python agent.py start`: an agent without a line of tracer, traced in worker and jobs."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.live.calling import call, timeline_when, wait_for, worker
from tests.live.jaeger_query import trace_of
from tracer import keys
from tracer.demo.stage import Stage
from tracer.local_servers import child_environment, free_port
from tracer.moment import Kind
from tracer.store import open_reader

if TYPE_CHECKING:
    from tracer.local_servers import LiveKitServer
    from tracer.local_servers.jaeger import Jaeger

PLAIN = Path(__file__).parent / "agents" / "plain.py"
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


def by_opentelemetry(agent: Path) -> list[str]:
    """Arguments to Python that run this agent as its user does."""
    return [str(AUTO), sys.executable, str(agent), "start"]


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


@pytest.mark.parametrize("line", ["", "import tracer; tracer.instrument(server)\n\n"], ids=["no line", "and the line"])
def test_worker_and_jobs_are_instrumented_once(
    livekit: LiveKitServer,
    webhook_port: int,
    jaeger: Jaeger,
    tmp_path: Path,
    line: str,
) -> None:
    agent = tmp_path / "agent.py"
    agent.write_text(PLAIN.read_text().replace("@server", line + "@server"))
    with Stage(tmp_path, tmp_path / "t.db", webhook_port) as stage:
        stage.export = {"OTEL_EXPORTER_OTLP_ENDPOINT": jaeger.otlp_endpoint}
        stage.serve(livekit.settings)
        to = f"http://127.0.0.1:{webhook_port}"
        process = worker(stage, livekit.settings, by_opentelemetry(agent), TRACER_ENDPOINT=to, **QUIET)
        room = f"zero-{len(line)}"
        call(stage, livekit.settings, room, 1.0)
        timeline = timeline_when(stage, room, lambda known: {step.kind for step in known.steps} >= OF_A_JOB)
        [job] = timeline.jobs
        assert not [step for step in timeline.steps if step.contradicted]
        with closing(open_reader(stage.store)) as reader:
            registered = [m.subject for m in reader.moments("") if m.kind is Kind.WORKER_REGISTERED]
        assert registered == [job.worker_id]

        def names() -> list[str]:
            return [span["operationName"] for span in trace_of(jaeger, timeline.trace_id)]

        wait_for(lambda: "job_entrypoint" in names(), "the job in the room's trace")
        assert names().count("job_entrypoint") == 1
        log = process.log.read_text()
        assert "Traceback" not in log
        assert "tracer is off" not in log


def test_the_provider_that_opentelemetry_sets_up_goes_on_as_before(
    livekit: LiveKitServer,
    webhook_port: int,
    jaeger: Jaeger,
    tmp_path: Path,
    configurator: Path,
) -> None:
    to_jaeger = {"OTEL_EXPORTER_OTLP_ENDPOINT": jaeger.otlp_endpoint}
    own = {
        **to_jaeger,
        "OTEL_TRACES_EXPORTER": "otlp_proto_http",
        "OTEL_SERVICE_NAME": "mine",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    with Stage(tmp_path, tmp_path / "t.db", webhook_port) as stage:
        stage.export = to_jaeger
        stage.serve(livekit.settings)
        to = f"http://127.0.0.1:{webhook_port}"
        environment = {**QUIET, **own, "TRACER_ENDPOINT": to, "PYTHONPATH": str(configurator)}
        process = worker(stage, livekit.settings, by_opentelemetry(PLAIN), **environment)
        call(stage, livekit.settings, "zero-own", 1.0)
        timeline = timeline_when(stage, "zero-own", lambda known: {step.kind for step in known.steps} >= OF_A_JOB)
        [job] = timeline.jobs
        [agents_own] = {
            str(value) for step in job.steps for key, value in step.facts.items() if key == keys.AGENT_TRACE
        }
        assert agents_own != timeline.trace_id

        for trace_id in (agents_own, timeline.trace_id):
            found = partial(trace_of, jaeger, trace_id)
            wait_for(lambda: "room_connect" in {span["operationName"] for span in found()}, f"in trace {trace_id}")  # noqa: B023
            assert "mine" in {span["service"] for span in found()}
        assert "Traceback" not in process.log.read_text()


def test_an_address_that_is_none_turns_tracer_off_and_the_agent_runs(livekit: LiveKitServer, tmp_path: Path) -> None:
    with Stage(tmp_path, tmp_path / "t.db", free_port()) as stage:
        process = worker(stage, livekit.settings, by_opentelemetry(PLAIN), TRACER_ENDPOINT="localhost:7890", **QUIET)
        assert (
            "tracer is off: the address of `tracer serve` (TRACER_ENDPOINT) is 'localhost:7890'"
            in process.log.read_text()
        )
        assert "Traceback" not in process.log.read_text()


def test_a_program_that_has_nothing_to_do_with_livekit_does_not_import_it() -> None:
    livekit = "[name for name in sys.modules if name.split('.')[0] == 'livekit']"
    loaded = f"import sys; print('tracer.zero_code' in sys.modules, {livekit})"
    command = [str(AUTO), sys.executable, "-c", loaded]
    done = subprocess.run(
        command, env=child_environment(**QUIET), capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("True []\n", "")
