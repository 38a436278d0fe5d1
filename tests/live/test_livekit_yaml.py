"""The livekit.yaml of the documentation, as a real server reads it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

from dotenv import dotenv_values
from livekit.api import CreateRoomRequest, DeleteRoomRequest, LiveKitAPI

from tests.live.calls import wait_for
from tracer.demo.stage import Stage
from tracer.local_servers import Process, answers, child_environment, free_port
from tracer.settings import LiveKit

if TYPE_CHECKING:
    from tracer.local_servers import LiveKitServer

ROOT = Path(__file__).parents[2]
YAML = (ROOT / "docs" / "livekit.yaml").read_text(encoding="utf-8")
PAIR = dotenv_values(ROOT / "deploy" / ".env.example")


def test_a_server_starts_with_it_and_its_webhooks_are_accepted(tmp_path: Path, livekit: LiveKitServer) -> None:
    ports = {shown: free_port() for shown in (7880, 7882, 7890)}
    config = YAML
    for shown, free in ports.items():  # the ports that are shown may be taken on this machine
        assert str(shown) in config
        config = config.replace(str(shown), str(free))
    (tmp_path / "livekit.yaml").write_text(config, encoding="utf-8")
    key, secret = PAIR["LIVEKIT_API_KEY"] or "", PAIR["LIVEKIT_API_SECRET"] or ""
    server = LiveKit(f"ws://127.0.0.1:{ports[7880]}", key, secret)

    async def create_and_delete() -> None:
        async with LiveKitAPI(server.url, server.api_key, server.api_secret) as api:
            await api.room.create_room(CreateRoomRequest(name="yaml"))
            await api.room.delete_room(DeleteRoomRequest(room="yaml"))

    command = [str(livekit.program.path), "--config", str(tmp_path / "livekit.yaml")]
    with Stage(tmp_path, tmp_path / "t.db", ports[7890]) as stage:
        receiver = stage.serve(LiveKit("", key, secret), "--log-format", "json")
        with Process("livekit-server", command, folder=tmp_path, environment=child_environment()) as process:
            process.wait_until(lambda: answers(ports[7880]), 60)
            asyncio.run(create_and_delete())
            wait_for(lambda: stage.timeline("yaml").room.finished is not None, "told of the room's end by webhooks")
            log = process.log.read_text()
        assert '"first_webhook"' in receiver.log.read_text()
        assert "LIVEKIT_URL is not set, so the server's API is not polled" in receiver.log.read_text()
        assert "too short" not in log
        levels = {json.loads(line).get("level") for line in log.splitlines() if line.startswith("{")}
        assert not levels & {"error", "fatal"}
