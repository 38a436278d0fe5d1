"""How many lines does the observer make in the server's log, and does it still see JOINED?

python tests/bench/observer.py [serve|observe]…

Counts the server's log lines about API requests for one call with the sample agent, for ten calls at once, for a
minute without rooms and for a minute with 20 in which nothing happens; then, of twenty joins one after the other, those
whose JOINED was seen. ``serve`` has webhooks, ``observe`` has the API alone.

The latest change, dispatches polled shortly before a leave can close the room and rooms listed every 5 s: with nine
other programs on two cores (load 14), ten calls at once made 51, 62 and 72 lines, before it 98, 78 and 82, and of
JOINED 39 of 62 were seen, before it 44 of 68. A machine that has time makes fewer: calls are shorter.

Measured before that on two busy cores, with livekit-server 1.13.5; in brackets with the observer as it was before it
looked into a room as its webhook came, before it took from webhooks what they show and shared its polls among rooms,
and as it was when it polled around the clock (the busier the machine, the fewer polls it managed). Of observe, the last
two alone:

    lines in the log                 serve                            observe
    one call                          10 to 13 (16, 28, 404 to 492)    23 to 31 (24 to 35, 481)
      of these ListParticipants        7 to 9 (9, 16 to 30)             3 to 10 (4 to 14)
    ten calls at once                 55 to 57 (102 to 125, 285, 300 to 546)  153 (322, 759)
      of these ListParticipants       29 to 32 (65 to 76, 218)        106 (267)
    60 s without rooms                 6 (24, 233)                    118 (118, about 230)
    60 s with 20 settled rooms        65 (65, 671)                    219 (219, 692)
    JOINED seen, ten at once          33/44 (41/50, 17/17)             11/18 (15/17)
    JOINED seen, call after call      12/20 (16/21, 23/26)             12/22 (20/25, 17/28)
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from livekit import rtc
from livekit.api import AccessToken, CreateRoomRequest, ListRoomsRequest, LiveKitAPI, VideoGrants

from tracer.demo.call import publish
from tracer.demo.stage import Stage
from tracer.local_servers import LiveKitServer, find_livekit_server, free_port
from tracer.moment import Kind
from tracer.store import open_reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.local_servers import Process
    from tracer.settings import LiveKit

IDLE = 60
"""Seconds without a call."""
SETTLED_ROOMS = 20
SETTLING = 15
"""Seconds until a new room counts as settled."""
CALL = 3.0
"""Seconds that a caller stays."""
CLOSED_WITHIN = 6
"""Seconds after the last leave until a room is closed and has been seen closed."""
CALLS = 10
"""Calls one after the other; caller and agent make 20 joins."""


def cpu_seconds(process: Process) -> float:
    """Seconds of a core that a process has used (Linux)."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def counted(what: str, server: LiveKitServer, observer: Process) -> Iterator[None]:
    """Print how many requests the server logged meanwhile, by method, and the share of a core that asking took."""
    assert server.process
    log = server.process.log
    begin, began, used = log.stat().st_size, time.monotonic(), cpu_seconds(observer)
    yield
    seconds = time.monotonic() - began
    with log.open("rb") as file:
        file.seek(begin)
        lines = file.read().decode(errors="replace").splitlines()
    methods = Counter(method for line in lines if (method := _method(line)))
    share = (cpu_seconds(observer) - used) / seconds * 100
    each = ", ".join(f"{name} {count}" for name, count in methods.most_common()) or "none"
    print(f"  {what}: {methods.total()} of {len(lines)} lines ({each}); {seconds:.0f} s, {share:.1f} % of a core")


def _method(line: str) -> str:
    _, _, told = line.partition("{")
    try:
        return str(json.loads("{" + told).get("method", ""))
    except ValueError:
        return ""


async def call(server: LiveKit, name: str) -> None:
    """Someone calls, speaks, and leaves."""
    grants = VideoGrants(room_join=True, room=name)
    token = AccessToken(server.api_key, server.api_secret).with_identity("ada").with_grants(grants).to_jwt()
    room = rtc.Room()
    await room.connect(server.url, token)
    speaking = asyncio.create_task(publish(room))
    await asyncio.sleep(CALL)
    speaking.cancel()
    await room.disconnect()


async def at_once(server: LiveKit, name: str, count: int) -> None:
    await asyncio.gather(*(call(server, f"{name}-{number}") for number in range(count)))
    await asyncio.sleep(CLOSED_WITHIN)


async def make_rooms(server: LiveKit, count: int) -> None:
    async with LiveKitAPI(server.url, server.api_key, server.api_secret) as livekit:
        for number in range(count):
            await livekit.room.create_room(CreateRoomRequest(name=f"settled-{number}", empty_timeout=600))


async def all_closed(server: LiveKit) -> None:
    async with LiveKitAPI(server.url, server.api_key, server.api_secret) as livekit:
        while (await livekit.room.list_rooms(ListRoomsRequest())).rooms:  # noqa: ASYNC110  # only the server knows
            await asyncio.sleep(1)
    await asyncio.sleep(CLOSED_WITHIN)


def joined(store: str) -> tuple[int, int, list[float]]:
    """Of those who joined, how many were seen JOINED; and how exactly each leave and close is known, ms."""
    with closing(open_reader(store)) as reader:
        moments = [moment for room in reader.rooms(1000) for moment in reader.moments(room.sid)]
    active = {m.subject for m in moments if m.kind is Kind.PARTICIPANT_ACTIVE}
    seen = {m.subject for m in moments if m.kind is Kind.PARTICIPANT_JOINED}
    ends = (Kind.PARTICIPANT_LEFT, Kind.ROOM_FINISHED)
    widths = sorted(m.width / 1e6 for m in moments if m.kind in ends and m.witness == "observer")
    return len(active & seen), len(active), widths


def measure(command: str, folder: Path) -> None:
    """Everything, with the observer in ``tracer serve`` or in ``tracer observe``."""
    port = free_port()
    webhooks = [f"http://127.0.0.1:{port}/webhook"] if command == "serve" else []
    program = find_livekit_server(print)
    with (
        LiveKitServer(program, folder=folder, webhooks=webhooks) as running,
        Stage(folder, folder / "b.db", port) as stage,
    ):
        server = running.settings
        print(f"tracer {command}")
        if command == "serve":
            observer = stage.serve(server)
        else:
            keys = {"LIVEKIT_API_KEY": server.api_key, "LIVEKIT_API_SECRET": server.api_secret}
            options = ["-m", "tracer", "observe", "--store", stage.store]
            observer = stage.start("observe", options, LIVEKIT_URL=server.url, **keys)
            observer.wait_until(lambda: "observing" in observer.log.read_text(), 30)
        agent = stage.stranger(server, None, name="agent")
        asyncio.run(at_once(server, "warm", 1))
        with counted("one call", running, observer):
            asyncio.run(at_once(server, "one", 1))
        with counted("ten calls at once", running, observer):
            asyncio.run(at_once(server, "ten", 10))
        seen, all_of_them, widths = joined(stage.store)
        ends = widths[len(widths) // 2]
        print(f"  so far JOINED of {seen} of {all_of_them} joins; ends known to {ends:.0f} ms (median)")
        for number in range(CALLS):
            asyncio.run(call(server, f"join-{number}"))
        time.sleep(CLOSED_WITHIN)
        seen_now, all_now, _ = joined(stage.store)
        print(f"  one after the other: JOINED of {seen_now - seen} of {all_now - all_of_them} joins")
        agent.stop()
        asyncio.run(all_closed(server))
        with counted(f"{IDLE} s without rooms", running, observer):
            time.sleep(IDLE)
        asyncio.run(make_rooms(server, SETTLED_ROOMS))
        time.sleep(SETTLING)
        with counted(f"{IDLE} s with {SETTLED_ROOMS} settled rooms", running, observer):
            time.sleep(IDLE)


def main() -> None:
    for command in sys.argv[1:] or ["serve", "observe"]:
        with tempfile.TemporaryDirectory() as name:
            measure(command, Path(name))


if __name__ == "__main__":
    main()
