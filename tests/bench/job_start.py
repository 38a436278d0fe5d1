"""Does a job start later with tracer.instrument() than without? Side by side on a real server.

    python tests/bench/job_start.py [RUNS]

Two workers, one instrumented, are given jobs in turn. For each job: ms from the server's offer to the
entrypoint, and from there to the end of connect(). Printed: medians, and their ratio with/without.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from livekit import api

from tracer.local_servers import LiveKitServer, Process, answers, child_environment, find_livekit_server, free_port

LIMIT = 60.0
VARIANTS = ("plain", "traced")


def lines(path: Path) -> list[list[float]]:
    if not path.exists():
        return []
    return [[float(value) for value in line.split()] for line in path.read_text().splitlines()]


async def one_job(livekit: api.LiveKitAPI, name: str, number: int, out: Path) -> None:
    before = len(lines(out))
    room = f"bench-{name}-{number}"
    await livekit.agent_dispatch.create_dispatch(api.CreateAgentDispatchRequest(agent_name=name, room=room))
    deadline = time.monotonic() + LIMIT
    while len(lines(out)) == before:
        if time.monotonic() > deadline:
            raise SystemExit(f"{name}: no job within {LIMIT:.0f} s")
        await asyncio.sleep(0.02)
    await livekit.room.delete_room(api.DeleteRoomRequest(room=room))
    # The next job finds a warm process again, as in a worker that is not at its limit.
    await asyncio.sleep(2.0)


async def measure(runs: int) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        program = find_livekit_server(print)
        server = stack.enter_context(LiveKitServer(program, folder=folder, departure_timeout=1)).settings
        keys = {"LIVEKIT_URL": server.url, "LIVEKIT_API_KEY": server.api_key, "LIVEKIT_API_SECRET": server.api_secret}
        port = free_port()
        serve = ["-m", "tracer", "serve", "--no-observe", "--port", str(port), "--store", str(folder / "bench.db")]
        receiver = Process("serve", [sys.executable, *serve], folder=folder, environment=child_environment(**keys))
        stack.enter_context(receiver).wait_until(lambda: answers(port, "/healthz"), LIMIT)
        for name in VARIANTS:
            environment = child_environment(
                **keys,
                TRACED="1" if name == "traced" else "0",
                TRACER_ENDPOINT=f"http://127.0.0.1:{port}",
                BENCH_NAME=name,
                BENCH_OUT=str(folder / name),
                AGENT_PORT=str(free_port()),
            )
            command = [sys.executable, str(Path(__file__).parent / "worker.py"), "start"]
            worker = stack.enter_context(Process(name, command, folder=folder, environment=environment))
            log = worker.log
            worker.wait_until(lambda log=log: "registered worker" in log.read_text(), LIMIT)  # type: ignore[misc]
        async with api.LiveKitAPI(server.url.replace("ws", "http", 1), server.api_key, server.api_secret) as livekit:
            for number in range(runs + 1):
                for name in VARIANTS:
                    await one_job(livekit, name, number, folder / name)
        report({name: lines(folder / name)[1:] for name in VARIANTS})


def report(told: dict[str, list[list[float]]]) -> None:
    for column, what in enumerate(("offer → entrypoint", "connect()")):
        medians = {}
        for name, rows in told.items():
            values = sorted(row[column] for row in rows)
            medians[name] = statistics.median(values)
            spread = f"min {values[0]:7.2f} median {medians[name]:7.2f} max {values[-1]:7.2f} ms"
            print(f"{what:20} {name:7} n={len(values)} {spread}")
        print(f"{what:20} traced / plain, medians: {medians['traced'] / medians['plain']:.3f}")


if __name__ == "__main__":
    asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 15))
