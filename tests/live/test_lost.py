"""A job whose process is killed with -9: in the timeline while the room is open, and in Jaeger when it has closed."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tests.live.calls import wait_for
from tests.live.jaeger_query import trace_of
from tests.live.test_failures import played
from tracer.demo.failures import FAILURES
from tracer.demo.stage import Stage
from tracer.timeline.overdue import expected

if TYPE_CHECKING:
    from pathlib import Path

    from tracer.local_servers import Jaeger, LiveKitServer


def orphans(trace: list[dict[str, Any]]) -> list[str]:
    """Names of spans whose parent is not there."""
    known = {span["spanID"] for span in trace}
    return [span["operationName"] for span in trace if any(r["spanID"] not in known for r in span["references"])]


def test_a_killed_job_is_lost_and_goes_to_jaeger_once_with_what_it_had_begun(
    livekit: LiveKitServer, webhook_port: int, jaeger: Jaeger, tmp_path: Path
) -> None:
    with Stage(tmp_path, tmp_path / "t.db", webhook_port) as stage:
        stage.export = {"OTEL_EXPORTER_OTLP_ENDPOINT": jaeger.otlp_endpoint}
        stage.serve(livekit.settings)
        timeline = asyncio.run(played(stage, FAILURES["killed"], livekit.settings, "lost"))
        [job] = timeline.jobs
        assert timeline.lost(job) is not None
        assert [missing.lost for missing in expected(timeline)] == [True]
        wait_for(lambda: "room" in {s["operationName"] for s in trace_of(jaeger, timeline.trace_id)}, "in Jaeger")
        with suppress(AssertionError):  # what is missing then is named below
            wait_for(lambda: not orphans(trace_of(jaeger, timeline.trace_id)), "without orphans", 5)
        trace = trace_of(jaeger, timeline.trace_id)
    names = Counter(span["operationName"] for span in trace)
    by_name = {span["operationName"]: span for span in trace}
    parent = {span["operationName"]: next((r["spanID"] for r in span["references"]), None) for span in trace}
    for name in ("job", "job_entrypoint", "agent_session"):
        assert names[name] == 1
        assert by_name[name]["attributes"]["otel.status_code"] == "ERROR"
        assert "lost" in by_name[name]["attributes"]["otel.status_description"]
    assert parent["job_entrypoint"] == by_name["job"]["spanID"]
    for name in ("room_connect", "agent_session"):
        assert parent[name] == by_name["job_entrypoint"]["spanID"]
    assert parent["session_start"] == by_name["agent_session"]["spanID"]
    assert orphans(trace) == []
