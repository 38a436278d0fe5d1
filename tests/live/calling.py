"""Workers and callers for tests of agents: any program of a user's, on a stage with a receiver."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tracer.demo.tokens import caller_token
from tracer.errors import UnknownRoomError
from tracer.local_servers import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tracer.demo.stage import Stage
    from tracer.local_servers import Process
    from tracer.settings import LiveKit
    from tracer.timeline.timeline import Timeline

LIMIT = 60.0


def worker(
    stage: Stage, server: LiveKit, arguments: list[str], *, called: str = "agent", **environment: str
) -> Process:
    """A worker from these arguments to Python, registered with the server."""
    process = stage.start(
        called,
        arguments,
        **{
            "LIVEKIT_URL": server.url,
            "LIVEKIT_API_KEY": server.api_key,
            "LIVEKIT_API_SECRET": server.api_secret,
            "AGENT_PORT": str(free_port()),
            **environment,
        },
    )
    process.wait_until(lambda: "registered worker" in process.log.read_text(), LIMIT, what="registered")
    return process


def token(server: LiveKit, room: str, metadata: str = "", attributes: Mapping[str, str] | None = None) -> str:
    """Ada's, for this room."""
    return caller_token(server, room, "ada", name="Ada", metadata=metadata, attributes=attributes)


def call(stage: Stage, server: LiveKit, room: str, seconds: float) -> None:
    """Ada calls for so many seconds."""
    arguments = ["-m", "tracer.demo.caller", str(seconds)]
    caller = stage.start("caller", arguments, LIVEKIT_URL=server.url, CALLER_TOKEN=token(server, room))
    assert caller.wait(seconds + LIMIT)
    assert caller.returncode == 0, caller.last_lines(5)


def timeline_when(stage: Stage, room: str, condition: Callable[[Timeline], object], limit: float = LIMIT) -> Timeline:
    """The room's timeline, once the room is closed and the condition holds."""
    end = time.monotonic() + limit
    while True:
        try:
            timeline = stage.timeline(room)
            if timeline.room.finished and condition(timeline):
                return timeline
        except UnknownRoomError:
            timeline = None
        assert time.monotonic() < end, [step.kind.value for step in timeline.steps] if timeline else "no such room"
        time.sleep(0.1)


def wait_for(condition: Callable[[], object], what: str) -> None:
    """Fails when it takes too long."""
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, f"not within {LIMIT} s: {what}"
        time.sleep(0.1)
