"""How long do commands take over 100, 10,000 and 100,000 rooms? And what waits while rooms are forgotten?

    python -m tests.bench.reading [ROOMS...]

Stores of so many calls, each a recorded one with ids, name and times of its own, over and summed up. Each command is a
process of its own, from its start to its end. Writes the table of docs/benchmarks.md when all sizes were measured.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.ingest import cpu, peak, served
from tests.bench.load import post, send, webhooks
from tests.otlp_backend import OtlpBackend
from tests.soak.options import Report
from tests.soak.page import write
from tracer import ids
from tracer.latency.summary import VERSION
from tracer.service.replay import opened
from tracer.service.retention import PAGES_AT_ONCE
from tracer.store import Arrival, Evidence, Form
from tracer.store.sqlite import SqliteStore
from tracer.store.sqlite.reader import COLUMNS
from tracer.store.summaries import summarize_room
from tracer.units import NS_PER_S
from tracer.witness import agent
from tracer.witness.evidence import VERSION as READERS
from tracer.witness.evidence import request

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
CALL = Path(__file__).parents[2] / "tracer" / "demo" / "call.jsonl"
SIZES = (100, 10_000, 100_000)
OWN_ID = re.compile(r"(?:RM|PA|AJ|AD|TR)_[A-Za-z0-9]{12}")
RUNS = 3
AT_ONCE = 200
COMMANDS: dict[str, list[str]] = {
    "timeline ROOM": ["timeline", "{middle}"],
    "why ROOM": ["why", "{middle}"],
    "rooms": ["rooms"],
    "rooms -n 10000": ["rooms", "-n", "10000"],
    "stats": ["stats"],
    "stats -n 10000": ["stats", "-n", "10000"],
}
WARM, WATCHED = 5.0, 60.0
"""Seconds after which a call begins beside a backend that was switched on, and for which it is watched then."""
FORGOTTEN = 200
"""Rooms that are forgotten while others write."""
BEFORE = 3.0
"""Seconds in which they write and none is."""


def rooms_of(number: int) -> Iterator[tuple[str, list[tuple[Any, ...]], list[Evidence], list[bytes], str]]:
    """So many rooms, each as its SID, its moments' rows, its evidence with its own bodies, and its summary."""
    with opened(CALL) as found:
        (sid,) = found.rooms
        rows: list[tuple[Any, ...]] = [moment.row() for moment in found.store.moments(sid)]
        pieces = found.store.evidence(sid)
        summary = summarize_room(found.store, sid)[0].to_json()
        began = min(int(row[6]) for row in rows)
    agents = [span for piece in pieces if piece.form is Form.OTLP for span in agent.spans(request(piece))]
    trace = next(one.trace_id for one in agents if one.name == "job_entrypoint")
    spans = {one.span_id for one in agents}
    named = {one for row in rows for text in row for one in OWN_ID.findall(str(text))}
    apart = 30 * 24 * 3600 * NS_PER_S // max(number, 1)
    for count in range(number):
        by = time.time_ns() - began - (number - count) * apart
        fresh = {one: f"{one[:9]}{count:06d}" for one in named}

        def own(text: Any, fresh: dict[str, str] = fresh, count: int = count) -> Any:
            for one, other in fresh.items():
                text = text.replace(one, other)
            return text.replace('"demo"', f'"room-{count}"')

        made = [
            (
                own(room),
                kind,
                own(subject),
                own(occurrence),
                earliest + by,
                latest + by,
                at + by,
                clock,
                who,
                own(known),
            )
            for room, kind, subject, occurrence, earliest, latest, at, clock, who, known in rows
        ]
        bodies = [piece.body for piece in pieces]
        for one, other in {**fresh, trace: os.urandom(16), **{span: os.urandom(8) for span in spans}}.items():
            old, new = (item.encode() if isinstance(item, str) else item for item in (one, other))
            bodies = [body.replace(old, new) for body in bodies]
        yield fresh[sid], made, pieces, bodies, summary


def fill(store: SqliteStore, number: int, *, evidence: bool) -> None:
    """Put so many rooms into a store, as they are there when they are over."""
    store.read_again(READERS)
    left = rooms_of(number)
    for _ in range(0, number, AT_ONCE):
        with store._transaction() as db:
            (seq,) = db.execute("SELECT coalesce(max(seq), 0) FROM moment").fetchone()
            for _, (sid, rows, pieces, bodies, summary) in zip(range(AT_ONCE), left, strict=False):
                db.executemany(
                    f"INSERT INTO moment (digest, {COLUMNS}) VALUES ({', '.join('?' * 11)})",
                    [(os.urandom(12), *row) for row in rows],
                )
                seq += len(rows)
                created, finished = (
                    min((row[6] for row in rows if row[1] == kind), default=None)
                    for kind in ("room.created", "room.finished")
                )
                db.execute(
                    "INSERT INTO room (sid, name, created, finished, first_seen, changed, exported, summarized)"
                    " VALUES (?, ?, ?, ?, ?, ?, 0, ?)",
                    (sid, f"room-{int(sid[9:])}", created, finished, created, seq, seq),
                )
                db.execute("INSERT INTO summary VALUES (?, ?, ?)", (sid, VERSION, summary))
                if evidence:
                    db.executemany(
                        "INSERT INTO evidence (room, form, at, body) VALUES (?, ?, ?, ?)",
                        [(sid, piece.form, created, body) for piece, body in zip(pieces, bodies, strict=True)],
                    )
    with store._using() as db:
        db.execute("INSERT INTO unsent SELECT seq, 0 FROM evidence WHERE form <> 'webhook'")


def took(path: Path, arguments: Sequence[str], middle: str) -> tuple[float, float]:
    """Seconds of the fastest of several runs, and of CPU in it."""
    found = []
    for _ in range(RUNS):
        began, before = time.perf_counter(), os.times()
        subprocess.run(
            [sys.executable, "-m", "tracer", *(one.format(middle=middle) for one in arguments), "--store", str(path)],
            check=False,
            stdout=subprocess.DEVNULL,
        )
        after = os.times()
        used = after.children_user + after.children_system - before.children_user - before.children_system
        found.append((time.perf_counter() - began, used))
    return min(found)


def pauses(path: Path) -> str:
    """How long one who writes waits while rooms are forgotten, and while none is."""
    waits: list[float] = []
    done = threading.Event()

    def told(some: list[float]) -> str:
        some = sorted(some)
        return f"{some[len(some) // 2]:.0f} ms in the median, {some[len(some) * 99 // 100]:.0f} ms at p99"

    with closing(SqliteStore(path)) as store:

        def write_on() -> None:
            number = 0
            while not done.is_set():
                number += 1
                piece = Evidence(Form.WEBHOOK, b"{}", time.time_ns(), f"RM_{number:012}")
                began = time.perf_counter()
                store.add([Arrival(evidence=piece)])
                waits.append(1000 * (time.perf_counter() - began))
                time.sleep(0.001)

        writing = threading.Thread(target=write_on)
        writing.start()
        time.sleep(BEFORE)
        before, forgotten, used = len(waits), 0, time.thread_time()
        while forgotten < FORGOTTEN and store.forget_oldest(time.time_ns()):
            forgotten += 1
        used = 1000 * (time.thread_time() - used) / max(forgotten, 1)
        store.forget_old(time.time_ns())
        while store.give_back(PAGES_AT_ONCE):
            time.sleep(0.002)
        done.set()
        writing.join()
    return (
        f"While {forgotten} of the 10,000 rooms are forgotten and their pages given back, who writes waits"
        f" {told(waits[before:])}; while none is, {told(waits[:before])}. To forget one takes {used:.1f} ms of CPU."
    )


def switched_on(folder: Path) -> str:
    """How soon the first span of a new call is at a backend that is switched on beside the rooms of a store."""
    with (
        OtlpBackend() as backend,
        served(folder, OTEL_EXPORTER_OTLP_ENDPOINT=backend.endpoint) as (process, port),
    ):
        began = time.perf_counter()
        time.sleep(WARM)  # it is in the midst of them

        def spans(of: int) -> int:
            return sum(int.from_bytes(one.trace_id) == of for one in list(backend.got))

        before = len(backend.got)
        bodies = list(islice(webhooks(), 5))
        trace = ids.trace_id(json.loads(bodies[0][0])["room"]["sid"])
        requests = [
            post("/webhook", body, Authorization=signed, Content_Type="application/webhook+json")
            for body, signed in bodies
        ]
        asyncio.run(send(port, requests, connections=1, seconds=10))
        sent = time.perf_counter()
        while not spans(trace):
            assert time.perf_counter() - sent < 300
            time.sleep(0.02)
        first = time.perf_counter() - sent
        while time.perf_counter() - sent < WATCHED:
            time.sleep(0.2)
        took = time.perf_counter() - began
        return (
            f"Beside them a backend is switched on: the first span of a new call is there {first:.1f} s after its"
            f" webhooks; by then, {sent - began:.0f} s after the start, {before:,} spans of the rooms of before are."
            f" After {took:.0f} s they are {len(backend.got):,}, for {cpu([process.pid]):.0f} s of CPU and"
            f" {peak(process)} MiB at most."
        )


def main(sizes: Sequence[int]) -> None:
    """Print a column for each size, and write the page where all were measured."""
    columns: dict[int, list[str]] = {}
    notes = []
    for number in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "t.db"
            began = time.perf_counter()
            with closing(SqliteStore(path)) as store:
                fill(store, number, evidence=number <= 10_000)
            size = path.stat().st_size / 1e6
            print(f"{number:,} rooms, {size:,.0f} MB, in {time.perf_counter() - began:.0f} s", flush=True)
            columns[number] = []
            for name, arguments in COMMANDS.items():
                seconds, used = took(path, arguments, f"room-{number // 2}")
                columns[number].append(f"{seconds:.2f} s ({used:.2f} s)")
                print(f"  {name:<16} {seconds:.2f} s, {used:.2f} s of CPU", flush=True)
            if number == 10_000:
                path.rename(Path(folder) / "tracer.db")
                path = Path(folder) / "tracer.db"
                notes.append(switched_on(Path(folder)))
                print(notes[-1], flush=True)
                notes.append(pauses(path))
                print(notes[-1], flush=True)
    if tuple(sizes) != SIZES:
        return
    table = [
        "| command | " + " | ".join(f"{number:,} rooms" for number in sizes) + " |",
        "|---|" + "---|" * len(sizes),
        *(
            f"| `{name}` | " + " | ".join(columns[number][place] for number in sizes) + " |"
            for place, name in enumerate(COMMANDS)
        ),
    ]
    write("reading", Report("\n".join([*table, "", *notes]), right=True), PAGE)


if __name__ == "__main__":
    main([int(one) for one in sys.argv[1:]] or SIZES)
