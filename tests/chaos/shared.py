"""Several receivers share a PostgreSQL: a load balancer gives each request to another; all are killed in turn.

One receiver with a SQLite file, in a calm run, shows what each call should leave.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from tests.chaos.balance import left, twice
from tests.chaos.kills import DRAINS_WITHIN, LONGEST, PAUSE, SETTLED, calm
from tests.chaos.ledger import Acknowledged, Arrived
from tests.chaos.load import Load
from tests.chaos.options import Row
from tests.chaos.recorded import HEALTHY
from tests.chaos.running import START, BackendProcess, Receiver, all_sent, until
from tests.postgresql import Postgres

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from random import Random

    from tests.chaos.options import Options

__all__ = ["run"]

RECEIVERS = 3
DATABASE_EVERY = 10
"""In each round of so many the database is killed too."""


class Site:
    """Receivers that share a database, and the backend they export to."""

    def __init__(self, folder: Path, database: Postgres) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.database = database
        self.kills: list[int] = []
        """When a process was killed, ns since the epoch."""
        self.killed: dict[str, int] = {}
        """How often each kind of process was."""
        self.acknowledged = Acknowledged(folder / "acknowledged.txt")
        self.arrived = Arrived(folder / "arrived.jsonl")
        self.backend = BackendProcess(folder, self.arrived.path)
        self.receivers = []
        for number in range(RECEIVERS):
            own = folder / f"receiver-{number}"
            own.mkdir()
            self.receivers.append(Receiver(own, database.location, export_to=self.backend.address))

    async def start(self) -> None:
        for process in (self.backend, *self.receivers):
            process.start()
        for process in (self.backend, *self.receivers):
            await process.ready()

    def kill(self, what: str, process: BackendProcess | Receiver | Postgres) -> None:
        self.kills.append(time.time_ns())
        self.killed[what] = self.killed.get(what, 0) + 1
        process.kill()
        self.kills.append(time.time_ns())

    async def round(self, number: int, chance: Random) -> None:
        """One kill of a receiver and, now and then, of the backend or the database."""
        receiver = chance.choice(self.receivers)
        await asyncio.sleep(chance.uniform(0, LONGEST))
        self.kill("receiver", receiver)
        if number % 2:
            self.kill("backend", self.backend)
        if number % DATABASE_EVERY == DATABASE_EVERY - 1:
            self.kill("database", self.database)
            await asyncio.to_thread(self.database.start)
        await asyncio.sleep(chance.uniform(0, LONGEST))
        if not self.backend.running:
            self.backend.start()
        receiver.start()
        self.start_ended()

    def start_ended(self) -> None:
        """Start those anew that found no database when they began, as whoever looks after them does."""
        for receiver in self.receivers:
            if not receiver.running:
                receiver.start()

    async def ready(self) -> None:
        """Wait until all receivers answer."""
        await until(self._is_ready, START, "all receivers ready")

    def _is_ready(self) -> bool:
        self.start_ended()
        return all(receiver.is_ready() for receiver in self.receivers)

    def drained(self) -> bool:
        path = self.arrived.path
        return path.exists() and time.time() - path.stat().st_mtime > SETTLED and all_sent(self.database.location)

    def close(self) -> None:
        """Leave no process."""
        for process in (*self.receivers, self.backend):
            process.kill()


async def run(options: Options, names: Sequence[str] = HEALTHY) -> list[Row]:
    """Kill, then compare database and backend with the ledger, and with a calm run of one receiver."""
    known = await calm(options.folder / "calm", names)
    with Postgres(durable=True) as database:
        site = Site(options.folder / "shared", database)
        try:
            await site.start()
            addresses = [receiver.address for receiver in site.receivers]
            async with Load(addresses, site.acknowledged, names).connected() as load:
                over = asyncio.Event()
                sending = asyncio.create_task(load.run(options.senders, PAUSE, over))
                for number in range(options.rounds):
                    await site.round(number, options.chance)
                    print(f"round {number + 1} of {options.rounds}, {len(load.calls)} calls", flush=True)
                over.set()
                await sending
                await site.ready()
                await until(site.drained, DRAINS_WITHIN, "all sent to the backend")
            stops = [await asyncio.to_thread(receiver.terminate) for receiver in site.receivers]
            entries = list(site.arrived.entries())
            found = left(load.calls, database.location, entries)
        finally:
            site.close()
    noted = site.acknowledged.entries()
    assert len(noted) == sum(len(call.requests) for call in load.calls), "each is sent until it is acknowledged"
    lacks = {call.number: lack for call in load.calls if (lack := found[call.number].lacks(known[call.recording]))}
    more = {call.number: lack for call in load.calls if (lack := known[call.recording].lacks(found[call.number]))}
    doubled = twice(entries, site.kills)
    for number, lack in [*lacks.items(), *more.items()][:5]:
        print(f"call {number} ({load.calls[number].recording}): {lack}", flush=True)
    for text in doubled.wrong[:5]:
        print(f"twice: {text}", flush=True)
    tracebacks = sum(receiver.tracebacks() for receiver in site.receivers)
    often = ", ".join(f"{what} {times} times" for what, times in site.killed.items())
    return [
        Row(
            f"{RECEIVERS} receivers share a PostgreSQL, each request comes to another; killed with -9 under load",
            often,
            f"{len(load.calls):,} calls, each compared with what one receiver makes of it: {len(lacks) or 'none'} lacks"
            f" anything, {len(more) or 'none'} has more; {tracebacks or 'no'} traceback in their logs",
            not (lacks or more or tracebacks),
        ),
        Row(
            "What they export together",
            f"{len(entries):,} spans",
            f"{len(doubled.wrong) or 'none'} twice, but for {doubled.excused} in requests whose answer a kill cut off;"
            f" stopped within {max(stops)}",
            not doubled.wrong,
        ),
    ]
