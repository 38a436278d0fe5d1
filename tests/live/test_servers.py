"""The servers the other tests stand on: they start on free ports, answer, and leave nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest
from livekit import api

from tracer.errors import DemoError
from tracer.local_servers import LiveKitServer, Process, answers, child_environment, find_livekit_server, free_ports

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracer.local_servers import Jaeger


def gone(pid: int) -> bool:
    """Whether it has ended; in a container, nobody may have asked for its exit code yet."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    if sys.platform != "linux":
        return False
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z"


def gone_soon(pid: int) -> bool:
    end = time.monotonic() + 10
    while not gone(pid) and time.monotonic() < end:
        time.sleep(0.05)
    return gone(pid)


def shell(script: str, folder: Path) -> Process:
    return Process("sh", ["sh", "-c", script], folder=folder, environment=child_environment())


def test_livekit_answers_with_its_own_keys(livekit: LiveKitServer) -> None:
    async def made_and_listed() -> tuple[str, list[str]]:
        mine = livekit.settings
        async with api.LiveKitAPI(mine.url, mine.api_key, mine.api_secret) as client:
            room = await client.room.create_room(api.CreateRoomRequest(name="servers"))
            rooms = await client.room.list_rooms(api.ListRoomsRequest(names=["servers"]))
            await client.room.delete_room(api.DeleteRoomRequest(room="servers"))
            return room.sid, [one.sid for one in rooms.rooms]

    made, listed = asyncio.run(made_and_listed())
    assert listed == [made]


def test_livekit_keeps_its_keys_to_itself(livekit: LiveKitServer) -> None:
    assert livekit.process is not None
    assert not any(livekit.api_secret in part for part in livekit.process.command)
    assert (livekit.folder / "livekit.yaml").stat().st_mode & 0o077 == 0
    assert livekit.api_secret not in repr(livekit.settings)


def test_a_second_livekit_runs_beside_the_first_and_leaves_nothing(
    livekit: LiveKitServer, progress: Callable[[str], None], tmp_path: Path
) -> None:
    with LiveKitServer(find_livekit_server(progress), folder=tmp_path) as second:
        assert second.port != livekit.port
        assert second.process is not None
        assert second.process.pid is not None
        assert answers(second.port)
        assert answers(livekit.port)
    assert gone(second.process.pid)
    assert not answers(second.port)


def test_jaeger_gives_back_what_it_got(jaeger: Jaeger) -> None:
    span = {
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": "b7ad6b7169203331",
        "name": "smoke",
        "startTimeUnixNano": "1763841066000000000",
        "endTimeUnixNano": "1763841067000000000",
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "smoke"}}]}
    spans = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}

    async def sent_and_read() -> list[str]:
        async with aiohttp.ClientSession(raise_for_status=True) as client:
            await client.post(f"{jaeger.otlp_endpoint}/v1/traces", json=spans)
            async with client.get(f"{jaeger.query_url}/api/traces/{span['traceId']}") as response:
                trace = (await response.json())["data"][0]
        return [found["operationName"] for found in trace["spans"]]

    assert asyncio.run(sent_and_read()) == ["smoke"]


def test_ports_are_different_and_free() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    for port in ports:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(socket.AF_INET, kind) as one:
                one.bind(("127.0.0.1", port))


def test_a_process_that_ends_early_says_why(tmp_path: Path) -> None:
    with (
        pytest.raises(DemoError, match="sh ended with code 3 before it was ready: no such key"),
        shell("echo starting; echo no such key >&2; exit 3", tmp_path) as process,
    ):
        process.wait_until(lambda: False)


def test_a_program_that_is_not_there_says_so(tmp_path: Path) -> None:
    with (
        pytest.raises(DemoError, match="cannot start it: no program 'nothing-like-that'"),
        Process("it", ["nothing-like-that"], folder=tmp_path, environment=child_environment()) as process,
    ):
        process.wait_until(lambda: False)


def test_who_waits_for_a_process_is_told_how_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracer.local_servers.process.REPORTED_EVERY", 0.0)
    told: list[str] = []
    with shell("exec sleep 100", tmp_path) as waited:
        waited.wait_until(lambda: len(told) > 1, 20, what="awake", report=told.append)
    assert told[0] == "sh is not awake after 0 s, waiting up to 20 s"


def test_a_process_that_will_not_end_is_ended_with_its_children(tmp_path: Path) -> None:
    with shell("trap '' TERM; sleep 100 & echo $!; wait; sleep 100", tmp_path) as process:
        process.wait_until(lambda: bool(process.last_lines()))
        child = int(process.last_lines()[0])
        process.stop(limit=0.4)
    assert process.returncode == -signal.SIGKILL
    assert gone_soon(child)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = (
        "import os, pathlib, signal; from tracer.local_servers import Process\n"
        f"child = Process('sleep', ['sleep', '100'], folder=pathlib.Path({str(tmp_path)!r}), environment=os.environ)\n"
        "child.start(); print(child.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=20)
    assert killed.returncode == -signal.SIGKILL
    assert gone_soon(int(killed.stdout))
