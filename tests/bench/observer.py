"""What share of a core does `tracer observe` take: with no rooms, and with 100 in which nothing happens?

python tests/bench/observer.py
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from livekit.api import CreateRoomRequest, LiveKitAPI

from tracer.local_servers import LiveKitServer, Process, child_environment, find_livekit_server

SECONDS = 20
ROOMS = 100
SETTLING = 15
"""Seconds until a new room counts as settled."""


def cpu_seconds(pid: int) -> float:
    """Seconds of a core that a process has used (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def share(process: Process) -> float:
    """Percent of a core over some seconds."""
    assert process.pid
    before = cpu_seconds(process.pid)
    time.sleep(SECONDS)
    return (cpu_seconds(process.pid) - before) / SECONDS * 100


async def make_rooms(url: str, key: str, secret: str) -> None:
    async with LiveKitAPI(url, key, secret) as livekit:
        for number in range(ROOMS):
            await livekit.room.create_room(CreateRoomRequest(name=f"room-{number}", empty_timeout=600))


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with LiveKitServer(find_livekit_server(print), folder=folder) as running:
            server = running.settings
            environment = child_environment(
                LIVEKIT_URL=server.url, LIVEKIT_API_KEY=server.api_key, LIVEKIT_API_SECRET=server.api_secret
            )
            observe = [sys.executable, "-m", "tracer", "observe", "--store", str(folder / "bench.db")]
            with Process("observe", observe, folder=folder, environment=environment) as process:
                process.wait_until(lambda: "observing" in process.log.read_text(), 30)
                print(f"no rooms: {share(process):.1f} % of a core")
                asyncio.run(make_rooms(server.url, server.api_key, server.api_secret))
                time.sleep(SETTLING)
                print(f"{ROOMS} settled rooms: {share(process):.1f} % of a core")


if __name__ == "__main__":
    main()
