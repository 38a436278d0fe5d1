"""An agent in Node, with LiveKit's own telemetry and not a line of tracer: its moments, and one trace a room."""

from __future__ import annotations

import json
import shutil
from base64 import b64decode
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.live.calling import LIMIT, timeline_when, wait_for
from tests.live.conftest import had
from tests.live.jaeger_query import trace_of
from tests.live.node_programs import FOLDER, find_node, find_packages
from tracer.demo.stage import Stage
from tracer.demo.tokens import caller_token
from tracer.errors import UnknownRoomError
from tracer.local_servers import Process, child_environment, find_jaeger, free_port, free_ports
from tracer.local_servers.process import answers
from tracer.moment import Kind
from tracer.why import explain
from tracer.witness import agent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tracer.local_servers import LiveKitServer
    from tracer.local_servers.jaeger import Jaeger
    from tracer.why import Explanation

OF_THE_CALL = {
    Kind.JOB_ENTRYPOINT_STARTED,
    Kind.JOB_ENTRYPOINT_RETURNED,
    Kind.SESSION_STARTING,
    Kind.SESSION_STARTED,
    Kind.MODEL_ASKED,
    Kind.MODEL_ANSWERED,
    Kind.SESSION_CLOSED,
}
SPANS = {"job_entrypoint", "agent_session", "start_agent_activity", "on_enter", "agent_turn", "llm_node", "llm_request"}
ONLY_IN_PYTHON = ("tracer.instrument", "asyncio", "_fnc", "num_idle_processes", "close_on_disconnect", "setup_fnc")
STARTS_WITHIN = 180.0
"""Seconds: a worker and its process each load for seconds, and a busy machine has other things to do."""


@pytest.fixture(scope="module")
def packages(progress: Callable[[str], None]) -> Path:
    return had(find_packages, progress)


@pytest.fixture
def collector(progress: Callable[[str], None], tmp_path: Path, webhook_port: int) -> Iterator[str]:
    """An OpenTelemetry Collector before the receiver: Jaeger is one, with Collector's own receiver and exporter."""
    program = had(find_jaeger, progress)
    port, health = free_ports(2)
    config = tmp_path / "collector.yaml"
    pipeline = {"receivers": ["otlp"], "processors": ["batch"], "exporters": ["otlphttp"]}
    described = {
        "service": {
            "extensions": ["healthcheckv2"],
            "pipelines": {"traces": pipeline},
            "telemetry": {"metrics": {"level": "none"}},
        },
        "extensions": {"healthcheckv2": {"use_v2": True, "http": {"endpoint": f"127.0.0.1:{health}"}}},
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}},
        "processors": {"batch": {"timeout": "200ms"}},
        "exporters": {"otlphttp": {"endpoint": f"http://127.0.0.1:{webhook_port}"}},
    }
    config.write_text(json.dumps(described))
    command = program.command(config, "collector")
    with Process("collector", command, folder=tmp_path, environment=child_environment()) as process:
        process.wait_until(lambda: answers(health, "/status"), LIMIT)
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def worker(
    livekit: LiveKitServer, packages: Path, tmp_path: Path, progress: Callable[[str], None]
) -> Callable[[str, str], AbstractContextManager[Process]]:
    """A worker in Node with a process that waits for a job: where its spans go, and by which of npm's exporters."""

    @contextmanager
    def started(to: str, exporter: str = "otlp-proto") -> Iterator[Process]:
        folder = tmp_path / "agent"
        folder.mkdir()
        (folder / "node_modules").symlink_to(packages)
        shutil.copy(FOLDER / "package.json", folder)
        (folder / "agent.mjs").write_text((FOLDER / "agent.mjs").read_text().replace("otlp-proto", exporter))
        environment = child_environment(
            LIVEKIT_URL=livekit.settings.url,
            LIVEKIT_API_KEY=livekit.settings.api_key,
            LIVEKIT_API_SECRET=livekit.settings.api_secret,
            AGENT_PORT=str(free_port()),
            OTEL_SERVICE_NAME="in-node",
            OTEL_EXPORTER_OTLP_ENDPOINT=to,
            OTEL_BSP_SCHEDULE_DELAY="200",
        )
        command = [had(find_node, progress), str(folder / "agent.mjs"), "start", "--log-level", "debug"]
        with Process("node", command, folder=folder, environment=environment) as process:
            for line in ("registered worker", "job runner initialized"):
                process.wait_until(lambda line=line: line in process.log.read_text(), STARTS_WITHIN, what=line)  # type: ignore[misc]
            yield process

    return started


@pytest.mark.parametrize("way", ["protobuf through a collector", "JSON"])
def test_its_call_is_one_timeline_and_one_trace(
    livekit: LiveKitServer,
    webhook_port: int,
    jaeger: Jaeger,
    worker: Callable[[str, str], AbstractContextManager[Process]],
    tmp_path: Path,
    request: pytest.FixtureRequest,
    way: str,
) -> None:
    server, room, recording = livekit.settings, f"node-{way[:4]}", tmp_path / "call.jsonl"
    with Stage(tmp_path, tmp_path / "t.db", webhook_port) as stage:
        stage.export = {"OTEL_EXPORTER_OTLP_ENDPOINT": jaeger.otlp_endpoint}
        stage.serve(server, "--record", str(recording))
        to = f"http://127.0.0.1:{webhook_port}" if way == "JSON" else request.getfixturevalue("collector")
        with worker(to, "otlp-http" if way == "JSON" else "otlp-proto"):
            caller = stage.caller("ada", server.url, caller_token(server, room, "ada"), STARTS_WITHIN)
            # Who the agent is in the room only the API shows, where the server lists a job up to 5 s late.
            there = {Kind.MODEL_ANSWERED, Kind.JOB_OFFERED}
            caller.wait_until(lambda: kinds(stage, room) >= there, STARTS_WITHIN, what="answered, and its job listed")
            caller.stop()
            timeline = timeline_when(stage, room, lambda known: {step.kind for step in known.steps} >= OF_THE_CALL)

    [job] = timeline.jobs
    assert job.is_node
    assert timeline.agent_of(job)
    assert {step.subject for step in timeline.steps if step.kind in OF_THE_CALL} == {job.sid}
    assert not [step for step in timeline.steps if step.contradicted]
    ours = of_the_job(recording)
    assert len(ours) > len(SPANS)
    wait_for(
        lambda: {span["spanID"] for span in trace_of(jaeger, timeline.trace_id)} >= ours, "all in the room's trace"
    )
    assert {span["operationName"] for span in trace_of(jaeger, timeline.trace_id)} >= SPANS

    assert_in_its_own_words(explain(timeline))


def test_what_fails_in_it_is_named(
    livekit: LiveKitServer,
    webhook_port: int,
    worker: Callable[[str], AbstractContextManager[Process]],
    tmp_path: Path,
) -> None:
    """Its entry throws before it connects; in another room a model refuses its key."""
    fails = {
        "node-throws": ("never-connected", "it threw an error"),
        "node-refused": ("model-failed", "APIStatusError"),
    }
    with Stage(tmp_path, tmp_path / "t.db", webhook_port) as stage:
        stage.serve(livekit.settings)
        with worker(f"http://127.0.0.1:{webhook_port}"):
            callers = {}
            for room in fails:
                jwt = caller_token(livekit.settings, room, f"of-{room}")
                callers[room] = stage.caller(f"of-{room}", livekit.settings.url, jwt, STARTS_WITHIN)
            for room, (cause, says) in fails.items():
                # A caller who hangs up at once has not waited in vain.
                found = partial(lambda room, cause: cause in causes(stage, room), room, cause)
                callers[room].wait_until(found, STARTS_WITHIN, what=cause)
                callers[room].stop()
                explanation = explain(timeline_when(stage, room, lambda known: known.jobs))
                first = explanation.findings[0]
                assert first.cause.name == cause, explanation.summary
                assert says in first.sentence
                assert_in_its_own_words(explanation)


def assert_in_its_own_words(explanation: Explanation) -> None:
    said = repr([(one.sentence, one.advice) for one in explanation.findings] + [one.how for one in explanation.doubts])
    assert not [word for word in ONLY_IN_PYTHON if word in said], said


def kinds(stage: Stage, room: str) -> set[Kind]:
    try:
        return {step.kind for step in stage.timeline(room).steps}
    except UnknownRoomError:
        return set()


def causes(stage: Stage, room: str) -> list[str]:
    """What is wrong by now."""
    try:
        return [finding.cause.name for finding in explain(stage.timeline(room)).findings]
    except UnknownRoomError:
        return []


def of_the_job(recording: Path) -> set[str]:
    """Ids of all spans that came of the job's own trace."""
    lines = [json.loads(line) for line in recording.read_text().splitlines()]
    came = [
        span
        for line in lines
        if "traces" in line
        for group in agent.read(b64decode(line["traces"]), line["type"]).resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    ]
    [trace] = {span.trace_id for span in came if span.name == "job_entrypoint"}
    return {span.span_id.hex() for span in came if span.trace_id == trace}
