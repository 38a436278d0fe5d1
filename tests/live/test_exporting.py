"""An agent without a line of tracer, whose own provider exports to the receiver: one timeline and one trace a room."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.live.calling import LIMIT, call, timeline_when, wait_for, worker
from tests.live.jaeger_query import trace_of
from tracer import keys
from tracer.demo.stage import Stage
from tracer.moment import Kind
from tracer.view import json as view
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.local_servers import LiveKitServer
    from tracer.local_servers.jaeger import Jaeger

AGENT = Path(__file__).parent / "agents" / "exporting.py"
IN_THE_ROOM = {
    Kind.AGENT_CONNECTING,
    Kind.AGENT_CONNECTED,
    Kind.AGENT_WAITING_FOR_PARTICIPANT,
    Kind.AGENT_PARTICIPANT_READY,
    Kind.AGENT_DISCONNECTED,
}
OF_THE_SESSION = {Kind.SESSION_STARTING, Kind.SESSION_STARTED, Kind.SESSION_CLOSED}
OF_THE_JOB = {
    Kind.JOB_RECEIVED,
    Kind.JOB_ACCEPTED,
    Kind.JOB_ASSIGNED,
    Kind.JOB_PROCESS_ASSIGNED,
    Kind.JOB_ENTRYPOINT_STARTED,
    Kind.JOB_ENTRYPOINT_RETURNED,
    Kind.JOB_SHUTDOWN,
    Kind.JOB_ENDED,
}


@pytest.mark.parametrize(
    ("flush", "session", "seconds", "kinds"),
    [
        ("at exit", "yes", 1.0, IN_THE_ROOM | OF_THE_SESSION | OF_THE_JOB),
        # As in livekit-agents' examples: what ends later, job_entrypoint among it, is never sent.
        ("in a shutdown callback", "yes", 1.0, IN_THE_ROOM | OF_THE_SESSION),
        # Then no span names the job. The server lists it after 5 s.
        ("in a shutdown callback", "no", 6.5, IN_THE_ROOM),
    ],
)
def test_its_native_spans_are_joined_by_the_rooms_sid(
    livekit: LiveKitServer,
    webhook_port: int,
    jaeger: Jaeger,
    tmp_path: Path,
    flush: str,
    session: str,
    seconds: float,
    kinds: set[Kind],
) -> None:
    room = f"exporting-{flush}-{session}"
    with Stage(tmp_path, tmp_path / "t.db", webhook_port) as stage:
        stage.export = {"OTEL_EXPORTER_OTLP_ENDPOINT": jaeger.otlp_endpoint}
        stage.serve(livekit.settings, "--span-names", "full")
        export_to = f"http://127.0.0.1:{webhook_port}/v1/traces"
        worker(stage, livekit.settings, [str(AGENT), "start"], EXPORT_TO=export_to, FLUSH=flush, SESSION=session)
        call(stage, livekit.settings, room, seconds)
        timeline = timeline_when(stage, room, lambda known: kinds <= {step.kind for step in known.steps})

        [job] = timeline.jobs
        assert kinds <= {step.kind for step in job.steps}
        assert job.dispatch_id == timeline.dispatches[0].sid
        agent = timeline.agent_of(job)
        assert agent, "the participant that the webhooks told of is the one that the spans told of"
        assert not [step for step in timeline.steps if step.contradicted]
        subjects = {moment["subject"][:3] for moment in view.timeline(timeline)["moments"]}
        assert subjects <= {"RM_", "PA_", "AD_", "AJ_", "TR_"}

        def exported() -> set[str]:
            return {span["operationName"] for span in trace_of(jaeger, timeline.trace_id)}

        wanted = {f"room {room}", "participant STANDARD ada", "room_connect", "wait_for_participant"}
        wanted |= {"agent_session", "session_start"} if Kind.SESSION_STARTED in kinds else set()
        wanted |= {"job_entrypoint", "job"} if Kind.JOB_ENDED in kinds else set()
        wait_for(lambda: wanted <= exported(), f"{wanted} in the room's trace within {LIMIT} s")
        [whole] = [span for span in trace_of(jaeger, timeline.trace_id) if not span["references"]]
        assert whole["attributes"][keys.ANSWER]
        # What is claimed is what was found; where it is not known, nothing is.
        explained = explain(timeline)
        assert whole["attributes"].get(keys.WELL, None) in (explained.well, None)
        assert whole["attributes"].get("error", False) is (whole["attributes"].get(keys.WELL) is False)
