"""What receivers that share a PostgreSQL take together, what a call costs there, and who waits while it forgets.

    python -m tests.bench.shared [SECONDS]

All of it on one machine: receivers, database, which commits to disk, and load. Writes the tables of docs/deployment.md.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.bench.ingest import CONNECTIONS, DRAINED, MOST, SHAPES, cpu
from tests.bench.load import Figures, post, send, spans_of, webhooks
from tests.bench.reading import rooms_of
from tests.bench.sink import Sink
from tests.postgresql import Postgres
from tests.signed import KEY, SECRET
from tests.soak.options import Report
from tests.soak.page import write
from tracer.local_servers import free_port
from tracer.local_servers.process import Process, answers, child_environment
from tracer.moment import Kind, Moment
from tracer.store import Arrival, Evidence, Form, open_reader, open_writer
from tracer.store.postgres.days import DAY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tracer.store import Writer

PAGE = Path(__file__).parents[2] / "docs" / "deployment.md"
RECEIVERS = (1, 3)
LONGEST = 600.0
"""Seconds in which all that was acknowledged has to be read."""
ROOMS = 3000
"""Of a day that is forgotten, and of the day after."""
GOING = 60
"""Of them go on after it, and keep what they have of that day."""
CALM = 3.0
"""Seconds in which somebody writes and nothing is forgotten."""


class Row(NamedTuple):
    """What so many receivers made of one load."""

    body: str
    receivers: int
    a_second: float
    """Spans or webhooks acknowledged a second."""
    p99: float
    """ms."""
    read: float
    """Spans or webhooks a second until all of them were read into moments."""
    ours: float
    """ms of CPU that receivers took for a request, until it was read."""
    theirs: float
    """And the database."""
    size: float
    """Bytes in the database for a request."""

    def cells(self) -> str:
        """A row of the table."""
        return (
            f"| {self.body} | {self.receivers} | {self.a_second:,.0f} | {self.p99:.0f} ms | {self.read:,.0f} |"
            f" {self.ours:.2f} ms | {self.theirs:.2f} ms | {self.size / 1000:.1f} kB |"
        )


@contextmanager
def site(receivers: int, **env: str) -> Iterator[tuple[Postgres, list[int], list[int | None]]]:
    """A database and so many receivers: with their ports and processes."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = stack.enter_context(Postgres(durable=True))
        ports, processes = [], []
        for number in range(receivers):
            port, place = free_port(), folder / str(number)
            place.mkdir()
            command = [sys.executable, "-m", "tracer", "serve", "--port", str(port), "--store", database.location]
            keys = {"LIVEKIT_API_KEY": KEY, "LIVEKIT_API_SECRET": SECRET}
            process = Process("tracer", command, folder=place, environment=child_environment() | keys | env)
            stack.enter_context(process)
            process.wait_until(lambda port=port: answers(port, "/healthz"))  # type: ignore[misc]
            ports.append(port)
            processes.append(process.pid)
        yield database, ports, processes


async def together(ports: Sequence[int], requests: list[bytes], seconds: float) -> list[Figures]:
    """Each receiver gets its part of the requests and of the connections."""
    each = len(ports)
    return await asyncio.gather(
        *(
            send(port, requests[number::each], connections=CONNECTIONS // each, seconds=seconds)
            for number, port in enumerate(ports)
        )
    )


def measured(body: str, requests: list[bytes], each: int, receivers: int, seconds: float) -> Row:
    """So many receivers under one load; ``each``: spans in a request."""
    with site(receivers) as (database, ports, pids), closing(open_reader(database.location)) as reader:
        before, used, began = cpu(pids), reader.used(), cpu([database.pid])
        start = time.monotonic()
        figures = asyncio.run(together(ports, requests, seconds))
        done = sum(one.requests for one in figures)
        while reader.unread():
            assert time.monotonic() - start < LONGEST
            time.sleep(0.2)
        row = Row(
            body,
            receivers,
            each * sum(one.requests / one.seconds for one in figures),
            max(one.p99 for one in figures),
            each * done / (time.monotonic() - start),
            1000 * (cpu(pids) - before) / done,
            1000 * (cpu([database.pid]) - began) / done,
            (reader.used() - used) / done,
        )
    refused = sum(one.refused for one in figures)
    print(row.cells() + (f" {refused} refused" if refused else ""), flush=True)
    return row


def through(requests: list[bytes], seconds: float) -> str:
    """How many spans a second reach a backend behind one receiver."""
    with (
        Sink() as sink,
        site(1, OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint) as (database, ports, pids),
        closing(open_reader(database.location)) as reader,
    ):
        began, before, theirs = time.perf_counter(), cpu(pids), cpu([database.pid])
        (figures,) = asyncio.run(together(ports, requests, seconds))
        early = arrived = sink.spans
        last = time.perf_counter()
        while time.perf_counter() < last + DRAINED or reader.unread():
            time.sleep(0.2)
            if sink.spans > arrived:
                arrived, last = sink.spans, time.perf_counter()
        spans = 17 * figures.requests
        ours, of_database = cpu(pids) - before, cpu([database.pid]) - theirs
    return (
        f"With a backend behind it one receiver acknowledged {spans / figures.seconds:,.0f} spans/s for {seconds:g} s"
        f" (p99 {figures.p99:.0f} ms). {early:,} spans were at the backend by then, and {arrived:,} after"
        f" {last - began:.0f} s: {arrived / (last - began):,.0f} a second; of each 17 one has not ended, and"
        f" waits for that. Acknowledged, sent on, and read into moments,"
        f" a span takes {1e6 * ours / spans:.0f} µs of CPU, and of the database's"
        f" {1e6 * of_database / spans:.0f} µs."
    )


def fill(store: Writer, day: int, number: int) -> list[str]:
    """Put so many rooms into a day, at its noon; their SIDs."""
    found = []
    arrivals = []
    for sid, rows, pieces, bodies, _ in rooms_of(number):
        own = f"{sid}_{day}"
        moments = [Moment.from_row(row) for row in rows]
        by = day * DAY + DAY // 2 - moments[0].time
        moved = [
            replace(one, room=own, earliest=one.earliest + by, latest=one.latest + by, time=one.time + by)
            for one in moments
        ]
        arrivals.append(Arrival(tuple(moved)))
        arrivals += [
            Arrival(evidence=piece._replace(room=own, body=body, at=moved[0].time, number=0, event_id=""))
            for piece, body in zip(pieces, bodies, strict=True)
        ]
        found.append(own)
        if len(arrivals) > 1000:
            store.add(arrivals)
            arrivals = []
    store.add(arrivals)
    return found


def go_on(store: Writer, rooms: Sequence[str]) -> None:
    """Let something come of these rooms two days later."""
    for room in rooms:
        last = store.moments(room)[-1]
        later = replace(last, earliest=last.time + 2 * DAY, latest=last.time + 2 * DAY, time=last.time + 2 * DAY)
        store.add([Arrival((replace(later, occurrence="later"),))])


def waits(store: Writer, doing: Callable[[], object]) -> tuple[str, float]:
    """How long one who writes waits while something is done, in words, and the seconds that this took."""
    times: list[float] = []
    done = threading.Event()

    def write_on() -> None:
        while not done.is_set():
            began = time.perf_counter()
            room, now = f"RM_{len(times):012}", time.time_ns()
            told = Moment(room, Kind.ROOM_CREATED, room, now, now, now, "server", "webhook")
            store.add([Arrival((told,), evidence=Evidence(Form.WEBHOOK, b"{}", now, room))])
            times.append(1000 * (time.perf_counter() - began))
            time.sleep(0.001)

    writing = threading.Thread(target=write_on)
    writing.start()
    began = time.perf_counter()
    doing()
    took = time.perf_counter() - began
    done.set()
    writing.join()
    times.sort()
    last = times[len(times) * 99 // 100]
    return f"{times[len(times) // 2]:.0f} ms in the median, {last:.0f} ms at p99 and {times[-1]:.0f} ms at most", took


def pauses() -> str:
    """How long who writes waits while a day is dropped and while a room is forgotten."""
    today = time.time_ns() // DAY
    with (
        Postgres(durable=True) as database,
        closing(open_writer(database.location)) as store,
        closing(open_writer(database.location)) as other,
    ):
        first, *rest = fill(other, today - 5, ROOMS)
        go_on(other, rest[:GOING])
        known = [other.moments(room) for room in rest[:GOING]]
        (one, *_) = fill(other, today - 3, ROOMS)
        size = other.used() / 2e9
        calm, _ = waits(store, lambda: time.sleep(CALM))
        dropped, took = waits(store, lambda: other.forget_oldest((today - 4) * DAY))
        assert not other.changed(first)
        assert [other.moments(room) for room in rest[:GOING]] == known
        assert other.changed(one)
        forgotten, _ = waits(store, lambda: other.forget(one))
        cleaned, cleaning = waits(store, other.clean)
    return (
        f"While a day of {ROOMS:,} rooms is dropped, {GOING} of which go on ({size * 1000:,.0f} MB, {took:.1f} s),"
        f" who writes waits {dropped}; while a room is forgotten, {forgotten};"
        f" while its day, which is not today's, is written anew ({cleaning:.1f} s, {cleaning / size:.0f} s a GB),"
        f" {cleaned}; while none of this is done, {calm}."
    )


def main(seconds: float) -> None:
    """Measure, print, and write the page."""
    rows = []
    print(f"{os.cpu_count()} cores, {CONNECTIONS} connections, {seconds:g} s each; {time.strftime('%Y-%m-%d')}")
    requests: dict[int, list[bytes]] = {}
    for count in SHAPES:
        requests[count] = [
            post("/v1/traces", body, Content_Type="application/x-protobuf")
            for body in islice(spans_of(count), int(MOST[count] * seconds / 2))
        ]
        body = f"{count} span{'s' * (count > 1)}, {len(requests[count][0]) / 1000:.0f} kB"
        rows += [measured(body, requests[count], count, receivers, seconds) for receivers in RECEIVERS]
    passed_on = through(requests[17], seconds)
    print(passed_on, flush=True)
    hooks = [
        post("/webhook", body, Authorization=signed, Content_Type="application/webhook+json")
        for body, signed in islice(webhooks(), int(MOST[0] * seconds / 2))
    ]
    body = f"a signed webhook, {len(hooks[0]) / 1000:.1f} kB"
    rows += [measured(body, hooks, 1, receivers, seconds) for receivers in RECEIVERS]
    waited = pauses()
    print(waited)
    table = [
        "| a request | receivers | a second | p99 | all read | CPU of receivers | of the database | size |",
        "|---|---|---|---|---|---|---|---|",
    ]
    text = "\n".join([*table, *(row.cells() for row in rows), "", passed_on, "", waited])
    write("shared", Report(text, right=True), PAGE)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 8.0)
