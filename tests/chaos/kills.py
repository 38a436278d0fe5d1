"""Receiver and backend are killed with -9 under load, and the receiver asked to stop under load."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.chaos.balance import left, twice
from tests.chaos.ledger import Acknowledged, Arrived
from tests.chaos.load import Load
from tests.chaos.options import Row
from tests.chaos.recorded import HEALTHY
from tests.chaos.running import BackendProcess, Receiver, all_sent, until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from random import Random

    from tests.chaos.balance import Left
    from tests.chaos.options import Options
    from tests.chaos.running import Stop

__all__ = ["Field", "run"]

PAUSE = 0.01
"""Seconds between two requests of a call: the backend's part keeps up, so that what is sent and what is stored are both
under way when a process is killed."""
STARTING = 0.15
"""In this part of the rounds the receiver is killed while it starts."""
LONGEST = 0.8
"""Seconds of load until a kill, at most."""
STOPS = 5
"""Of so many rounds one ends with SIGTERM too."""
STOPS_WITHIN = 5.0
"""Seconds, those apart in which others had the cores. Docker kills after 10."""
SETTLED = 2.0
"""Seconds for which nothing more arrives at a backend: all has."""
DRAINS_WITHIN = 1800.0
"""Seconds in which what waits in the store must have been sent."""


@dataclass
class Field:
    """A store, its receiver and the backend it exports to, with their ledgers."""

    folder: Path
    kills: list[int] = field(default_factory=list)
    """When a process was killed, ns since the epoch."""
    stops: list[Stop] = field(default_factory=list)
    """From SIGTERM to the receiver's end, each."""

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.store = self.folder / "tracer.db"
        self.acknowledged = Acknowledged(self.folder / "acknowledged.txt")
        self.arrived = Arrived(self.folder / "arrived.jsonl")
        self.backend = BackendProcess(self.folder, self.arrived.path)
        self.receiver = Receiver(self.folder, self.store, export_to=self.backend.address)

    async def start(self) -> None:
        """Both of them."""
        for process in (self.backend, self.receiver):
            process.start()
            await process.ready()

    def kill(self, process: BackendProcess | Receiver) -> None:
        self.kills.append(time.time_ns())
        process.kill()

    async def stop(self) -> None:
        """Wait until all is sent, then end both. Raises DemoError where it never is."""
        await until(self._drained, DRAINS_WITHIN, "all sent to the backend")
        self.stops.append(self.receiver.terminate())
        self.backend.kill()

    def close(self) -> None:
        """Leave no process."""
        self.receiver.kill()
        self.backend.kill()

    def _drained(self) -> bool:
        path = self.arrived.path
        return path.exists() and time.time() - path.stat().st_mtime > SETTLED and all_sent(self.store)


async def calm(folder: Path, names: Sequence[str]) -> dict[str, Left]:
    """What each of these calls leaves when nothing goes wrong."""
    there = Field(folder)
    try:
        await there.start()
        async with Load(there.receiver.address, there.acknowledged, names).connected() as load:
            for _ in names:
                await load.send(load.call())
            await there.stop()
    finally:
        there.close()
    found = left(load.calls, there.store, there.arrived.entries())
    return {call.recording: found[call.number] for call in load.calls}


async def _round(there: Field, number: int, chance: Random) -> None:
    """One kill of the receiver, and what else falls into this round."""
    if number % 2 and there.backend.running:
        there.kill(there.backend)
    if chance.random() < STARTING:
        await asyncio.sleep(chance.uniform(0, LONGEST))
    else:
        await there.receiver.ready()
        await asyncio.sleep(chance.uniform(0, LONGEST))
        if number % STOPS == STOPS - 1:
            there.stops.append(await asyncio.to_thread(there.receiver.terminate))
            there.receiver.start()
            await there.receiver.ready()
            await asyncio.sleep(chance.uniform(0, LONGEST))
    if not there.backend.running:
        there.backend.start()
    there.kill(there.receiver)
    there.receiver.start()


async def run(options: Options, names: Sequence[str] = HEALTHY) -> list[Row]:
    """Kill, then compare store and backend with the ledger, and with a calm run."""
    known = await calm(options.folder / "calm", names)
    there = Field(options.folder / "killed")
    try:
        await there.start()
        async with Load(there.receiver.address, there.acknowledged, names).connected() as load:
            over = asyncio.Event()
            sending = asyncio.create_task(load.run(options.senders, PAUSE, over))
            for number in range(options.rounds):
                await _round(there, number, options.chance)
                print(f"kill {number + 1} of {options.rounds}, {len(load.calls)} calls", flush=True)
            over.set()
            if not there.backend.running:
                there.backend.start()
            await sending
            known_before, again = there.receiver.gauge("webhooks_repeated"), 0
            for call in load.calls:
                for request in call.requests:
                    if request.event:
                        again += await load.post(request) == 200
            taken_twice = again - there.receiver.gauge("webhooks_repeated") + known_before
            await there.stop()
    finally:
        there.close()
    return _rows(options, there, load, known, taken_twice)


def _rows(options: Options, there: Field, load: Load, known: dict[str, Left], taken_twice: int) -> list[Row]:
    entries = list(there.arrived.entries())
    found = left(load.calls, there.store, entries)
    lacks = {call.number: lack for call in load.calls if (lack := found[call.number].lacks(known[call.recording]))}
    noted = there.acknowledged.entries()
    requests = [call.requests[place] for call in load.calls for place in range(len(call.requests))]
    assert len(noted) == len(requests), "each request is sent until it is acknowledged"
    doubled = twice(entries, there.kills)
    webhooks = sum(bool(request.event) for request in requests)
    spans = sum(len(request.spans) for request in requests)
    slowest, clean = max(there.stops, key=lambda stop: stop.own), there.receiver.returncode == 0
    for number, lack in list(lacks.items())[:5]:
        print(f"call {number} ({load.calls[number].recording}) lacks {lack}", flush=True)
    for text in doubled.wrong[:5]:
        print(f"twice: {text}", flush=True)
    kept = (
        f"{webhooks:,} webhooks and {spans:,} spans of {len(load.calls):,} calls acknowledged, each call compared with"
        f" what a calm run leaves of it: {len(lacks) or 'none'} lacks anything; {taken_twice or 'no'} webhook is taken"
        " twice"
    )
    sent = (
        f"{len(entries):,} spans arrived: {len(doubled.wrong) or 'none'} twice, but for {doubled.excused} in requests"
        " whose answer a kill cut off"
    )
    killed = len(there.kills) - options.rounds
    return [
        Row("Receiver killed with -9 under load", f"{options.rounds} times", kept, not lacks and not taken_twice),
        Row("Backend killed with -9 under load", f"{killed} times", sent, not doubled.wrong),
        Row(
            "Receiver stopped with SIGTERM under load",
            f"{len(there.stops)} times",
            f"stopped within {max(there.stops)}, exit code 0;"
            f" {there.receiver.tracebacks() or 'no'} traceback in its log",
            clean and slowest.own <= STOPS_WITHIN and not there.receiver.tracebacks(),
        ),
    ]
