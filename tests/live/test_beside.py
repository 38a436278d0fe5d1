"""tracer beside its user's own telemetry: their backend gets what it gets without tracer, and the timeline is whole."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from platformdirs import user_cache_path

from tests.live.calling import timeline_when, wait_for, worker
from tests.live.otlp_backend import Backend
from tracer.demo.stage import Stage
from tracer.demo.tokens import caller_token
from tracer.moment import Kind
from tracer.why.explain import explain

if TYPE_CHECKING:
    from tracer.local_servers import LiveKitServer, Process
    from tracer.settings import LiveKit

AGENT = Path(__file__).parent / "agents" / "beside.py"
PACKAGES = {
    "logfire": ["logfire==5.4.0", "logfire-sdk==5.4.0", "executing==2.3.0"],
    "langfuse": ["langfuse==5.0.4", "backoff==2.2.1", "httpx==0.28.1", "httpcore==1.0.9"],
    "phoenix": [
        "arize-phoenix-otel==0.17.2",
        "openinference-instrumentation==0.1.72",
        "openinference-semantic-conventions==0.1.42",
    ],
}
"""What people send their spans with, beyond what is installed here anyway."""
OF_A_JOB = {
    Kind.JOB_ENTRYPOINT_STARTED,
    Kind.AGENT_CONNECTING,
    Kind.AGENT_CONNECTED,
    Kind.AGENT_PARTICIPANT_READY,
    Kind.SESSION_STARTED,
    Kind.AGENT_DISCONNECTED,
    Kind.JOB_ENDED,
}
AT_THE_END = {"job_entrypoint", "job_shutdown"}
"""Spans that end just before the process does: whether a batch with them still leaves is luck."""
IN_BATCHES = {*AT_THE_END, "room_disconnect", "session_end_upload", "shutdown_callback"}
"""Those that a provider loses which sends from a thread and is not flushed: without tracer always, with it seldom."""


def packages(name: str) -> str:
    """A folder for PYTHONPATH with this package, installed once into the user's cache."""
    wanted = PACKAGES.get(name)
    if wanted is None:
        return ""
    folder = user_cache_path("livekit-tracer") / "packages" / "+".join(wanted)
    if not folder.exists():
        partial = folder.with_name(f"{folder.name}.{os.getpid()}")
        pip = [sys.executable, "-m", "pip"] if importlib.util.find_spec("pip") else ["pip"]
        command = [*pip, "install", "--quiet", "--no-deps", "--disable-pip-version-check", "--target", str(partial)]
        done = subprocess.run([*command, *wanted], capture_output=True, text=True, check=False, timeout=300)
        if done.returncode:
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"cannot install {name}: {done.stderr}")
        partial.rename(folder)
    return str(folder)


def start(stage: Stage, server: LiveKit, how: str, backend: Backend, traced: bool, **more: str) -> Process:
    """A worker with telemetry of its user's own, and a caller in a room of its name; returns the worker."""
    name = f"{'traced' if traced else 'plain'}-{stage.folder.name}"
    process = worker(
        stage,
        server,
        [str(AGENT), "start"],
        called=name,
        **{
            "AGENT_NAME": name,
            "TELEMETRY": how,
            "USERS_BACKEND": backend.endpoint,
            "TRACER_ENDPOINT": f"http://127.0.0.1:{stage.webhook_port}",
            "TRACED": "1" if traced else "",
            "PYTHONPATH": packages(how),
            "LIVEKIT_AGENTS_LOOP_BLOCK_WARN_MS": "0",  # it reports the machine's load, and not the call
            **more,
        },
    )
    stage.caller(name, server.url, caller_token(server, name, "ada", agents=[name]), 120.0)
    return process


@pytest.mark.parametrize(
    "how",
    ["logfire", "phoenix", "langfuse", "set in the entrypoint", "a sampler that drops"],
)
def test_the_users_backend_gets_what_it_gets_without_tracer(
    livekit: LiveKitServer, webhook_port: int, tmp_path: Path, how: str
) -> None:
    with ExitStack() as stack:
        plain, traced = stack.enter_context(Backend()), stack.enter_context(Backend())
        stage = stack.enter_context(Stage(tmp_path, tmp_path / "t.db", webhook_port))
        stage.serve(livekit.settings)
        start(stage, livekit.settings, how, plain, traced=False)
        start(stage, livekit.settings, how, traced, traced=True)
        room = f"traced-{tmp_path.name}"
        timeline = timeline_when(stage, room, lambda known: {step.kind for step in known.steps} >= OF_A_JOB, 180)
        assert len(timeline.jobs) == 1
        timeline_when(stage, f"plain-{tmp_path.name}", lambda _: True, 180)
        late = IN_BATCHES if how == "langfuse" else set()
        if how != "a sampler that drops":
            exported = {"my_span", "room_connect", "session_close", "room_disconnect"} - late
            for one in (plain, traced):
                wait_for(lambda: exported <= one.names(), "exported")  # noqa: B023

        def seen(one: Backend) -> set[tuple[str, ...]]:
            return {path for path in one.shape(late) if path[0] not in AT_THE_END}

        wait_for(lambda: seen(plain) == seen(traced), f"the same: {seen(plain) ^ seen(traced)}")


def test_with_opentelemetry_turned_off_what_is_not_known_is_said(
    livekit: LiveKitServer, webhook_port: int, tmp_path: Path
) -> None:
    """One line in the worker's log; a timeline of what webhooks and the API know; and no "all went well"."""
    with ExitStack() as stack:
        backend = stack.enter_context(Backend())
        stage = stack.enter_context(Stage(tmp_path, tmp_path / "t.db", webhook_port))
        stage.serve(livekit.settings)
        agent = start(stage, livekit.settings, "nothing", backend, traced=True, OTEL_SDK_DISABLED="true")
        room = f"traced-{tmp_path.name}"
        timeline = timeline_when(stage, room, lambda known: known.agents)
        assert {moment.witness for step in timeline.steps for moment in step.moments} == {"webhook", "observer"}
        explanation = explain(timeline)
        assert explanation.well is None, explanation.summary
        assert "not" in explanation.summary
        assert explanation.doubts
        [line] = [line for line in agent.log.read_text().splitlines() if "OTEL_SDK_DISABLED is set" in line]
        assert "unset it to have them" in line
        assert backend.names() == set()
