"""The sample agent with models: a real call, in which it greets, hears the caller, uses its tool and answers."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.live.calling import LIMIT, call, timeline_when, token, wait_for
from tests.live.jaeger_query import trace_of
from tests.live.openai_server import OpenAIServer
from tracer.demo.stage import Stage
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.local_servers import LiveKitServer
    from tracer.local_servers.jaeger import Jaeger

VOICE = Path(__file__).parent / "voice.py"
KEY = "sk-for-this-test-only"
SPANS = {"llm_node", "tts_node", "function_tool", "agent_turn", "user_turn"}


def test_it_hears_its_caller_uses_its_tool_and_answers(
    livekit: LiveKitServer, webhook_port: int, jaeger: Jaeger, tmp_path: Path
) -> None:
    server = livekit.settings
    with (
        OpenAIServer("opening_hours", {"day": "Monday"}) as openai,
        Stage(tmp_path, tmp_path / "t.db", webhook_port) as stage,
    ):
        stage.export["OTEL_EXPORTER_OTLP_ENDPOINT"] = jaeger.otlp_endpoint
        stage.serve(server)
        worker = stage.agent(server, OPENAI_API_KEY=KEY, OPENAI_BASE_URL=openai.url)
        credentials = token(server, "sample", "a blue bicycle", {"tier": "gold", "language": "German"})
        caller = stage.start("caller", [str(VOICE)], LIVEKIT_URL=server.url, CALLER_TOKEN=credentials)
        caller.wait_until(lambda: used_the_tool(openai) and len(openai.spoken) >= 2, LIMIT, what="answered")
        caller.stop()
        timeline = timeline_when(stage, "sample", lambda known: known.jobs and known.jobs[0].at(Kind.JOB_ENDED))

        assert openai.keys == {f"Bearer {KEY}"}
        first = text_of(openai.chats[0])
        for brought in ("ada", "Ada", "a blue bicycle", "tier is gold", "language is German", "Greet the caller"):
            assert brought in first
        assert openai.heard[0] > 20_000, "bytes of about a second of speech"
        [result] = [m for m in openai.chats[-1]["messages"] if m["role"] == "tool"]
        assert "from nine to six" in str(result["content"])
        assert openai.HEARD in text_of(openai.chats[-1])

        def exported() -> list[dict[str, Any]]:
            return trace_of(jaeger, timeline.trace_id)

        wait_for(lambda: SPANS | {"job_entrypoint"} <= {span["operationName"] for span in exported()}, f"{SPANS}")
        spans = {span["spanID"]: span for span in exported()}
        for span in spans.values():
            if span["operationName"] in SPANS:
                above = [spans[ref["spanID"]]["operationName"] for ref in span["references"]]
                assert above, f"{span['operationName']} is under another span of the same trace"
        assert KEY not in json.dumps(list(spans.values()))
        log = worker.log.read_text()
        assert "no OPENAI_API_KEY" not in log
        assert "Traceback" not in log

        [job] = timeline.jobs
        entered, started = job.at(Kind.JOB_PROCESS_ASSIGNED), job.at(Kind.JOB_ENTRYPOINT_STARTED)
        assert entered
        assert started
        assert (started.time - entered.time) / 1e6 < 300, "ms: the plugin was loaded before the job came"


def used_the_tool(openai: OpenAIServer) -> bool:
    return any(message["role"] == "tool" for chat in openai.chats for message in chat["messages"])


def text_of(chat: dict[str, Any]) -> str:
    return " ".join(str(message.get("content")) for message in chat["messages"])


def test_without_a_key_it_says_nothing_and_says_so_in_the_log(
    livekit: LiveKitServer, webhook_port: int, tmp_path: Path
) -> None:
    with Stage(tmp_path, tmp_path / "t.db", webhook_port) as stage:
        stage.serve(livekit.settings)
        worker = stage.agent(livekit.settings)
        call(stage, livekit.settings, "silent", 1.0)
        timeline = timeline_when(stage, "silent", lambda known: known.jobs and known.jobs[0].at(Kind.JOB_ENDED))
        assert timeline.jobs[0].at(Kind.SESSION_STARTED)
        log = worker.log.read_text()
        assert "no OPENAI_API_KEY" in log
        assert "Traceback" not in log
        assert "livekit.plugins" not in log


def test_with_a_name_it_is_only_sent_where_it_is_asked_for(
    livekit: LiveKitServer, webhook_port: int, tmp_path: Path
) -> None:
    with Stage(tmp_path, tmp_path / "t.db", webhook_port) as stage:
        stage.serve(livekit.settings)
        began = time.time_ns()
        stage.agent(livekit.settings, AGENT_NAME="helper")
        call(stage, livekit.settings, "named", 1.0)
        timeline = timeline_when(stage, "named", lambda known: known.dispatches)
        assert timeline.zero > began
        assert [(d.agent_name, d.jobs) for d in timeline.dispatches] == [("", ())]
