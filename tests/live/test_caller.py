"""`tracer call` as its user runs it: an agent comes, nobody comes, the server ends it, Ctrl-C."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from livekit.api import DeleteRoomRequest, LiveKitAPI

from tests.live import calls
from tests.live.calls import wait_for
from tracer.demo.stage import Stage
from tracer.local_servers import child_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tracer.local_servers import LiveKitServer
    from tracer.settings import LiveKit

LIMIT = 240.0


class Caller:
    """`tracer call`, running; its output in a file."""

    def __init__(self, livekit: LiveKitServer, log: Path, *arguments: str, **more: str) -> None:
        server = livekit.settings
        keys = {"LIVEKIT_API_KEY": server.api_key, "LIVEKIT_API_SECRET": server.api_secret}
        environment = child_environment(**{"LIVEKIT_URL": server.url, "PYTHONUNBUFFERED": "1", **keys, **more})
        self.log = log
        with log.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tracer", "call", *arguments], env=environment, stdout=out, stderr=out
            )

    @property
    def said(self) -> str:
        return self.log.read_text()

    @property
    def sid(self) -> str:
        """The room's, as its last line has it."""
        [sid] = set(re.findall(r"tracer timeline (RM_\w+)", self.said))
        return str(sid)

    def wait_for(self, text: str) -> None:
        wait_for(lambda: text in self.said or self.process.poll() is not None, text, LIMIT)
        assert text in self.said, self.said

    def ends_with(self, code: int) -> None:
        assert self.process.wait(LIMIT) == code, self.said
        assert "Traceback" not in self.said


async def delete(server: LiveKit, room: str) -> None:
    async with LiveKitAPI(server.url, server.api_key, server.api_secret) as livekit:
        await livekit.room.delete_room(DeleteRoomRequest(room=room))


@pytest.fixture
def stage(livekit: LiveKitServer, webhook_port: int, tmp_path: Path) -> Iterator[Stage]:
    with Stage(tmp_path, tmp_path / "t.db", webhook_port) as stage:
        stage.serve(livekit.settings)
        yield stage


def test_who_calls_and_which_agent_is_requested_is_as_given(
    stage: Stage, livekit: LiveKitServer, tmp_path: Path
) -> None:
    stage.agent(livekit.settings, AGENT_NAME="helper")
    who = ["--identity", "ada", "--name", "Ada L.", "--attribute", "tier=gold", "--metadata", "a = b"]
    caller = Caller(livekit, tmp_path / "log", "made", *who, "--agent", "helper", "--seconds", "90")
    try:
        caller.wait_for(" is there, an agent")
        caller.wait_for(" is listening")
        caller.process.send_signal(signal.SIGINT)
        caller.ends_with(0)
    finally:
        caller.process.kill()
    for expected in ("calling 'made' as ada on", "joined made  RM_", "publishes a microphone", "hung up"):
        assert expected in caller.said
    assert "hears" not in caller.said, "the agent says nothing"

    wait_for(lambda: calls.is_over(stage, caller.sid, 0), "over", LIMIT)
    timeline = stage.timeline(caller.sid)
    [ada] = [who for who in timeline.participants if not who.is_agent]
    assert (ada.identity, ada.attributes, ada.disconnect_reason) == ("ada", {"tier": "gold"}, "CLIENT_INITIATED")
    [dispatch] = timeline.dispatches
    assert (dispatch.agent_name, dispatch.mode) == ("helper", "token")
    assert len(timeline.jobs) == 1
    assert [track.participant for track in timeline.tracks if track.participant == ada.sid], "it was heard"


def test_an_agent_that_was_requested_and_does_not_come_is_a_failure(livekit: LiveKitServer, tmp_path: Path) -> None:
    caller = Caller(livekit, tmp_path / "log", "vain", "--agent", "helper", "--seconds", "0.5", "--silent")
    caller.ends_with(1)
    assert "tracer: no agent came" in caller.said
    assert "microphone" not in caller.said
    assert caller.sid


def test_a_call_that_the_server_ends_is_a_failure(livekit: LiveKitServer, tmp_path: Path) -> None:
    caller = Caller(livekit, tmp_path / "log", "deleted")
    caller.wait_for("publishes")
    asyncio.run(delete(livekit.settings, "deleted"))
    caller.ends_with(1)
    assert "tracer: the server ended the call: ROOM_DELETED" in caller.said


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (
            {"LIVEKIT_URL": "ws://127.0.0.1:9"},
            "no LiveKit at ws://127.0.0.1:9: nothing listens there → start the server",
        ),
        (
            {"LIVEKIT_API_KEY": "devkey", "LIVEKIT_API_SECRET": "secret"},
            "does not know the key 'devkey' → set LIVEKIT_API_KEY",
        ),
        ({"LIVEKIT_API_SECRET": "x" * 40}, "→ set LIVEKIT_API_SECRET to the secret of the key"),
    ],
)
def test_a_room_that_cannot_be_joined_is_one_line(
    livekit: LiveKitServer, tmp_path: Path, more: dict[str, str], expected: str
) -> None:
    """With livekit-server's key pair for development, too: Python warns of its length."""
    caller = Caller(livekit, tmp_path / "log", "x", "--identity", "ada\n\x1b[31m", **more)
    caller.ends_with(1)
    assert expected in caller.said
    [calling, fault] = caller.said.splitlines()
    assert calling.startswith("calling 'x' as ada")
    assert "\x1b" not in calling
    assert fault.startswith("tracer: ")
