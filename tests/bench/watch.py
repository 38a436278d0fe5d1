"""What `tracer watch` takes with 500 rooms, and how soon it shows what comes.

    python -m tests.bench.watch [SECONDS]

On a terminal of its own, beside a process that stores the moments of calls that go on: each room is a call with an
agent that joins, talks and leaves, and another begins where one ends. The time of a processor is robust against what
else runs; how soon is not.
"""

from __future__ import annotations

import os
import pty
import random
import select
import subprocess
import sys
import tempfile
import termios
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from tests.bench.ingest import cpu
from tests.moments import ROOM, call
from tests.watch.test_rooms import created
from tracer import keys
from tracer.local_servers import child_environment
from tracer.moment import Kind, facts
from tracer.store import Arrival
from tracer.store.sqlite import SqliteStore
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.moment import Moment

ROOMS = 500
LASTS = 300.0
"""Seconds of a call: with 500 rooms one ends, and another begins, every 0.6 s."""
EVERY = 1.0
"""Seconds between two rooms by which it is measured how soon they are shown."""
LATEST = 3.0
"""Seconds after which it is no longer waited for."""
SECONDS = 60.0
_RANDOM = random.Random(15)  # noqa: S311  no secret
SIZE = (40, 120)
"""Lines and columns."""


def moments_of(number: int, began: int) -> list[Moment]:
    """A call's moments, the end of it after ``LASTS``."""
    sid, first = f"RM_{number:012}", call()[0].time
    made = []
    for one in call():
        at = one.time - first
        late = began - first + (round(LASTS * NS_PER_S) if at > 5 * NS_PER_S else 0)
        subject = sid if one.subject == ROOM else f"{one.subject[:9]}{number:06}"
        times = {name: getattr(one, name) + late for name in ("earliest", "latest", "time")}
        known = {key: f"call-{number}" if key == keys.ROOM_NAME else value for key, value in one.facts}
        made.append(replace(one, room=sid, subject=subject, facts=facts(known), **times))
    return sorted(made, key=lambda one: one.time)


class Calls:
    """Calls that go on: what is due is stored."""

    def __init__(self, store: SqliteStore, now: int) -> None:
        self.store = store
        self.number = 0
        self.waiting: list[Moment] = []
        self.stored = self.seen = 0
        for _ in range(ROOMS):
            self.begin(now - round(_RANDOM.uniform(0, LASTS) * NS_PER_S))
        self.step(now)
        self.stored = 0

    def begin(self, began: int) -> None:
        """Another call, of which all but what is due is still to come."""
        self.number += 1
        self.waiting += moments_of(self.number, began)

    def step(self, now: int) -> None:
        """Store what is due by now; where a room closed, another is made."""
        due = [one for one in self.waiting if one.time <= now]
        self.waiting = [one for one in self.waiting if one.time > now]
        if due:
            self.store.add([Arrival((one,)) for one in due])
            self.stored += len(due)
        for one in due:
            if one.kind is Kind.ROOM_FINISHED:
                self.begin(now)


class Screen:
    """`tracer watch` on a terminal of its own."""

    def __init__(self, path: Path) -> None:
        self.fd, inner = pty.openpty()
        termios.tcsetwinsize(inner, SIZE)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tracer", "watch", "--store", str(path)],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            env=child_environment(TERM="xterm-256color"),
        )
        os.close(inner)
        self.wrote = b""

    def reads(self, seconds: float) -> bytes:
        """What it wrote since ``forget``, when it has written more, or after so long."""
        if select.select([self.fd], [], [], seconds)[0]:
            self.wrote += os.read(self.fd, 65536)
        return self.wrote

    def forget(self) -> None:
        """What is read from here on counts."""
        self.wrote = b""

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait()
        os.close(self.fd)


def ticks(screen: Screen, calls: Calls, seconds: float) -> Iterator[float]:
    """Calls go on for so long; how soon each of the rooms by which it is measured was on the screen, ms."""
    end, marked = time.monotonic() + seconds, 0.0
    mark: tuple[bytes, float] | None = None
    while (now := time.monotonic()) < end:
        calls.step(time.time_ns())
        if mark is None and now - marked >= EVERY + _RANDOM.uniform(0, 0.2):
            calls.seen += 1
            name = f"new{calls.seen:04}"
            calls.store.add([Arrival((created(f"RM_seen{calls.seen:08}", time.time_ns(), name),))])
            mark, marked = (name.encode(), time.monotonic()), now
            screen.forget()
        if mark and (mark[0] in screen.reads(0.005) or time.monotonic() - mark[1] > LATEST):
            yield (time.monotonic() - mark[1]) * 1000
            mark = None
        elif not mark:
            screen.reads(0.05)


def main() -> None:
    """All of it."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with tempfile.TemporaryDirectory() as folder, closing(SqliteStore(Path(folder) / "t.db")) as store:
        calls = Calls(store, time.time_ns())
        with closing(Screen(Path(folder) / "t.db")) as screen:
            while b"rooms," not in screen.reads(0.1):
                calls.step(time.time_ns())
            first = list(ticks(screen, calls, 30))
            print(f"started: {cpu([screen.process.pid]):.2f} s of a processor in the first 30 s")
            before, began, stored = cpu([screen.process.pid]), time.monotonic(), calls.stored
            soon = list(ticks(screen, calls, seconds))
            took, whole = cpu([screen.process.pid]) - before, time.monotonic() - began
            print(
                f"{ROOMS} rooms, {(calls.stored - stored) / whole:.1f} moments/s: {100 * took / whole:.2f} % of a core"
            )
            print(
                f"a room is shown {median(soon):.0f} ms after it was committed, p95"
                f" {sorted(soon)[int(len(soon) * 0.95)]:.0f} ms, of {len(soon)} ({len(first)} before)"
            )


if __name__ == "__main__":
    main()
