"""Many rooms at once: is each dispatch that got no job explained, and none called lost that was served?

Which dispatches were lost, livekit-server's own log says.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby, product, starmap
from pathlib import Path
from typing import TYPE_CHECKING

from livekit.api import CreateRoomRequest, DeleteRoomRequest, LiveKitAPI, RoomAgentDispatch

from tests.soak.options import Report, say
from tests.soak.server_log import Placed, read
from tracer.demo.stage import Stage
from tracer.local_servers import LiveKitServer, find_livekit_server, free_port
from tracer.why import explain
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.soak.options import Options
    from tracer.local_servers.program import Program

__all__ = ["run"]

ROOMS = (5, 10, 20, 50)
WORKERS = (1, 2, 4)
IDLE = (1, 2, 4)
AGENT = Path(__file__).parent / "agents" / "joins.py"
LISTED_BY = 10.0
"""Seconds after which `why` says that a dispatch has no job."""
LOAD = "0.3"
"""What the workers report as theirs: below the limits of worker and server, 0.7, by as much as a few requests take."""
LIMIT = 240.0
"""Seconds for 50 processes to start, and to end."""
TRUE = {
    "worker-overbooked": ("no servers available", "no workers with sufficient capacity", "worker not available"),
    "worker-did-not-answer": ("timed out", "deadline exceeded"),
    "slow-request": ("timed out", "deadline exceeded"),
}
"""For a cause what the server's log says where it is true; the workers' load is low, so any other is not."""


@dataclass
class Cell:
    """One burst."""

    workers: int
    idle: int
    rooms: int
    lost: int = 0
    """Dispatches that got no job, by the server's log."""
    missing: int = 0
    """Rooms in which `why` names a cause for it that no agent came."""
    causes: Counter[str] = field(default_factory=Counter)
    """The first causes of those."""
    wrong: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.rooms} rooms, {self.workers} workers, {self.idle} idle"


def run(options: Options) -> Report:
    """One livekit-server for each number of workers and idle processes, and the bursts on it one after the other."""
    program = find_livekit_server(say)
    wanted = [cell for cell in starmap(Cell, product(WORKERS, IDLE, ROOMS)) if options.only in cell.name]
    for _, cells in groupby(wanted, lambda cell: (cell.workers, cell.idle)):
        _bursts(program, list(cells), options)
    return _report(wanted)


def _report(cells: list[Cell]) -> Report:
    lost, missing = sum(cell.lost for cell in cells), sum(cell.missing for cell in cells)
    wrong = [f"- {cell.name}: {said}" for cell in cells for said in cell.wrong]
    named = Counter(name for cell in cells for name in cell.causes.elements())
    summary = (
        f"{sum(cell.rooms for cell in cells)} dispatches in {len(cells)} bursts, {lost} of them lost by the server's"
        f" log; `why` calls {missing} agents missing{_listed(named)}. {len(wrong)} answers were wrong."
    )
    more = ["", "Wrong:", "", *wrong] if wrong else []
    return Report("\n".join([*_table(cells), "", summary, *more]), not wrong)


def _listed(named: Counter[str]) -> str:
    return f" ({', '.join(f'`{name}` {count}' for name, count in named.most_common())})" if named else ""


def _table(cells: list[Cell]) -> list[str]:
    rooms = sorted({cell.rooms for cell in cells})
    lines = [
        f"| workers | idle processes of each | {' | '.join(f'{count} rooms' for count in rooms)} |",
        f"|---|---|{'---|' * len(rooms)}",
    ]
    for workers, idle in sorted({(cell.workers, cell.idle) for cell in cells}):
        row = {cell.rooms: cell for cell in cells if (cell.workers, cell.idle) == (workers, idle)}
        told = (f"{row[count].lost} lost, {row[count].missing} missing" if count in row else "" for count in rooms)
        lines.append(f"| {workers} | {idle} | {' | '.join(told)} |")
    return lines


def _bursts(program: Program, cells: list[Cell], options: Options) -> None:
    """Given bursts on the same workers."""
    workers, idle = cells[0].workers, cells[0].idle
    folder = options.folder / f"{workers}-workers-{idle}-idle"
    folder.mkdir(exist_ok=True)
    port = free_port()
    webhooks = [f"http://127.0.0.1:{port}/webhook"]
    with (
        LiveKitServer(program, folder=folder, webhooks=webhooks, empty_timeout=600) as server,
        Stage(folder, folder / "t.db", port) as stage,
    ):
        stage.start_limit = LIMIT
        stage.serve(server.settings, "--record", str(folder / "calls.jsonl"))
        for number in range(workers):
            stage.agent(server.settings, AGENT, name=f"agent-{number}", AGENT_IDLE_PROCESSES=str(idle), AGENT_LOAD=LOAD)
        for cell in cells:
            asyncio.run(_burst(server, stage, cell))
            told = ", ".join(f"{name} {count}" for name, count in cell.causes.items())
            say(f"{cell.name}: {cell.lost} lost, {cell.missing} missing ({told}); {len(cell.wrong)} wrong")
            for wrong in cell.wrong:
                say(f"  {wrong}")


async def _burst(server: LiveKitServer, stage: Stage, cell: Cell) -> None:
    """All rooms at once; what `why` says of each is held against the server's log."""
    assert server.process
    log = server.process.log
    begin, names = log.stat().st_size, [f"burst-{cell.rooms}-{number}" for number in range(cell.rooms)]
    settings = server.settings

    def told() -> Placed:
        with log.open("rb") as file:
            file.seek(begin)
            return read(file.read().decode(errors="replace").splitlines())

    async with LiveKitAPI(settings.url, settings.api_key, settings.api_secret) as livekit:
        agents = [RoomAgentDispatch(agent_name="helper")]
        made = await asyncio.gather(
            *(livekit.room.create_room(CreateRoomRequest(name=name, agents=agents)) for name in names)
        )
        rooms = {room.sid: room.name for room in made}
        await _until(lambda: len((now := told()).assigned) + len(now.unsent) >= cell.rooms)
        await _until(lambda: (now := told()).assigned <= now.joined)
        await asyncio.sleep(LISTED_BY)
        _judge(stage, cell, rooms, told())
        await asyncio.gather(*(livekit.room.delete_room(DeleteRoomRequest(room=name)) for name in names))
        await _until(lambda: not any(stage.timeline(sid).open_jobs() for sid in rooms))


def _judge(stage: Stage, cell: Cell, rooms: dict[str, str], told: Placed) -> None:
    lost = rooms.keys() - told.assigned
    cell.lost = len(lost)
    if len(told.unsent) != len(lost):
        cell.wrong.append(f"the log has {len(told.unsent)} lost dispatches, and {len(lost)} rooms without a job")
    for sid, name in rooms.items():
        explained = explain(stage.timeline(sid))
        first = next(iter(explained.findings), None)
        missing = first if first and first.cause.symptom is Symptom.MISSING else None
        if missing:
            cell.missing += 1
            cell.causes[missing.cause.name] += 1
        reasons = told.reasons.get(sid) or sorted(set(told.unsent))
        said = f"{name} ({sid}): {f'`{first.cause.name}`, {first.sentence}' if first else explained.summary}"
        if sid in lost and not (missing and _is_true(missing.cause.name, reasons)):
            cell.wrong.append(f"{said} The server: {'; '.join(reasons)}.")
        elif missing and sid in told.joined:
            cell.wrong.append(f"{said} It was served.")


def _is_true(cause: str, reasons: list[str]) -> bool:
    return any(part in reason for part in TRUE.get(cause, ()) for reason in reasons)


async def _until(condition: Callable[[], bool]) -> None:
    """Wait for something as long as it can take; whether it came, the numbers show."""
    end = time.monotonic() + LIMIT
    while not condition() and time.monotonic() < end:  # noqa: ASYNC110  the log has no event
        await asyncio.sleep(0.5)
