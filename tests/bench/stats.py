"""How long does `tracer stats` take over 10,000 rooms, and does it grow with the rooms asked for only?

    python -m tests.bench.stats [ROOMS]

A store of so many calls, each with all its moments, most of them summed up as the receiver does it. Printed: how long a
summary takes to make, and the command as a process, from its start to its end, for fewer and fewer rooms of that store.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tests.moments import ROOM, call
from tracer.latency.summary import VERSION, summarize
from tracer.moment import Kind
from tracer.service.summarizer import ROOMS_PER_PASS, Summarizer
from tracer.store import Arrival
from tracer.store.sqlite import SqliteStore
from tracer.timeline.fold import fold
from tracer.units import NS_PER_MS, NS_PER_S

if TYPE_CHECKING:
    from tracer.moment import Moment

RUNS = 5
ONE_BY_ONE = 200
"""Rooms that are summed up by the summarizer, to see how long that takes; the others get these rooms' summaries."""
BATCH = 100


def varied(number: int, chance: random.Random) -> list[Moment]:
    """A call in a room of its own, each of whose steps takes longer by chance, or is not seen."""
    room, late, moments = f"RM_{number}", 0, []
    for m in sorted(call(), key=lambda m: (m.time, m.kind.rank)):
        if m.subject != ROOM:
            late += round(chance.expovariate(1) * 20 * NS_PER_MS)
        if chance.random() < 0.002 and m.kind is not Kind.ROOM_FINISHED:
            continue
        by = late + number * NS_PER_S
        subject = m.subject.replace(ROOM, room) if m.subject == ROOM else f"{m.subject}_{number}"
        facts = tuple((k, f"{v}_{number}" if str(v).startswith(("PA_", "AJ_", "AD_")) else v) for k, v in m.facts)
        moved = replace(m, earliest=m.earliest + by, latest=m.latest + by, time=m.time + by)
        moments.append(replace(moved, room=room, subject=subject, facts=facts))
    return moments


def fill(store: SqliteStore, rooms: int) -> None:
    chance = random.Random(1)  # noqa: S311  the same store every time
    for first in range(0, rooms, BATCH):
        numbers = range(first, min(first + BATCH, rooms))
        store.add([Arrival(tuple(varied(number, chance))) for number in numbers])


def sum_up(store: SqliteStore, rooms: int) -> float:
    """Seconds that the summarizer takes for a room."""
    summarizer, made = Summarizer(store), 0
    summarizer.run_once()
    began = time.perf_counter()
    while made < min(ONE_BY_ONE, rooms - ROOMS_PER_PASS):
        made += summarizer.run_once()
    took = (time.perf_counter() - began) / made
    known = [summarize(fold(f"RM_{n}", store.moments(f"RM_{n}"))).to_json() for n in range(min(ONE_BY_ONE, rooms))]
    waiting = store.to_summarize(0, store.newest(), rooms)
    store.summarized([(room, newest, known[n % len(known)]) for n, (room, newest) in enumerate(waiting)], VERSION)
    return took


def command(path: Path, limit: int) -> float:
    """Seconds of the fastest of several runs."""
    took = []
    for _ in range(RUNS):
        began = time.perf_counter()
        arguments = ["stats", "--store", str(path), "-n", str(limit)]
        subprocess.run([sys.executable, "-m", "tracer", *arguments], check=True, stdout=subprocess.DEVNULL)
        took.append(time.perf_counter() - began)
    return min(took)


def made(path: Path, rooms: int) -> None:
    """A store of so many rooms."""
    with closing(SqliteStore(path)) as store:
        began = time.perf_counter()
        fill(store, rooms)
        took = time.perf_counter() - began
        once = sum_up(store, rooms)
    size = path.stat().st_size / 1e6
    print(f"store of {rooms:,} rooms, {size:.0f} MB, in {took:.1f} s; a summary: {once * 1000:.1f} ms")


def main(rooms: int) -> None:
    few = max(rooms // 100, ROOMS_PER_PASS + 1)
    with tempfile.TemporaryDirectory() as folder:
        large, small = Path(folder) / "large.db", Path(folder) / "small.db"
        made(large, rooms)
        made(small, few)
        print(f"tracer --version: {version():.2f} s")
        took = {limit: command(large, limit) for limit in (rooms, rooms // 10, few)}
        for limit, seconds in took.items():
            print(f"tracer stats -n {limit:6}: {seconds:.2f} s   {seconds / took[rooms]:.2f} of that for all")
        print(f"-n {few}, of {rooms:,} rooms / of {few}: {took[few] / command(small, few):.2f}")


def version() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "tracer", "--version"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
