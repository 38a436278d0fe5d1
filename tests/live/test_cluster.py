"""LiveKit as a cluster of two servers: a call on either is one room, and when one dies that is named."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.live import calls
from tests.live.calls import wait_for
from tests.live.cluster import balanced, cluster
from tests.live.conftest import had
from tracer.demo.stage import Stage
from tracer.demo.tokens import caller_token
from tracer.errors import UnknownRoomError
from tracer.local_servers import find_livekit_server, free_port
from tracer.moment import Kind
from tracer.why.explain import explain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CALL = 30.0


def has(stage: Stage, room: str, kind: Kind) -> bool:
    try:
        return any(step.kind is kind for step in stage.timeline(room).steps)
    except UnknownRoomError:
        return False


def causes(stage: Stage, room: str) -> list[str]:
    return [finding.cause.name for finding in explain(stage.timeline(room)).findings]


def test_a_call_is_one_room_on_whichever_server_and_the_death_of_one_is_named(
    progress: Callable[[str], None], tmp_path: Path
) -> None:
    program, port = had(find_livekit_server, progress), free_port()
    webhooks = [f"http://127.0.0.1:{port}/webhook"]
    with (
        cluster(program, tmp_path, webhooks) as nodes,
        balanced(nodes) as before_them,
        Stage(tmp_path, tmp_path / "t.db", port) as stage,
    ):
        server = replace(nodes[0].settings, url=f"ws://127.0.0.1:{before_them}")
        stage.serve(server)
        stage.agent(server)
        began = time.time_ns()
        for number in range(len(nodes)):
            calls.call(stage, server, f"calm-{number}", 1.0)
        for number in range(len(nodes)):
            wait_for(lambda room=f"calm-{number}": calls.is_over(stage, room, began), "over")  # type: ignore[misc]
            explanation = explain(stage.timeline(f"calm-{number}"))
            assert explanation.well, explanation.summary

        stage.caller("ada", server.url, caller_token(server, "cut", "ada", attributes={}), CALL)
        wait_for(lambda: has(stage, "cut", Kind.SESSION_STARTED), "in a session")
        nodes_of_room = [node for node in nodes if node.process and '"room": "cut"' in node.process.log.read_text()]
        max(nodes_of_room, key=lambda node: node.process.log.read_text().count('"cut"') if node.process else 0).kill()
        wait_for(lambda: has(stage, "cut", Kind.AGENT_RECONNECTED), "reconnected")
        wait_for(lambda: "server-lost" in causes(stage, "cut"), "named")
        assert "dispatched-twice" not in causes(stage, "cut")
