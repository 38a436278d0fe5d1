"""How fast is the page? A room of a thousand participants: made, drawn, panned; and how soon a webhook is seen.

    python -m tests.bench.page

In a real Chromium without a GPU, beside a real receiver in one process. Measure where nothing else runs.
"""

from __future__ import annotations

import asyncio
import gc
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING

from tests.moments import call
from tests.service.test_page_in_browser import crowd, in_browser
from tests.signed import EVENTS, ada
from tracer.store import Arrival
from tracer.store.load import timeline_in
from tracer.store.sqlite import SqliteStore
from tracer.view.page.room import as_json

if TYPE_CHECKING:
    from tests.browser import Tab
    from tests.receiving import Client
    from tracer.moment import Moment

MANY = 1000
"""Participants."""
ROOM = "RM_crowd"
TIMES = 7
UPDATES = 60
PANNING = 3000
"""ms."""
NOTED = """
window.seen = {}; window.work = [];
const draw = Tracer.Chart.prototype.draw;
Tracer.Chart.prototype.draw = function () {
  const began = performance.now();
  draw.call(this);
  if (!this.room) return;
  window.chart = this;
  work.push(performance.now() - began);
  seen[this.room.lanes.length] ??= Date.now();
};0"""
"""Notes each time that a chart is drawn, how long that took, ms, and when it first had so many lanes."""
PAN = f"""
new Promise((done) => {{
  const at = [], first = work.at(-1);
  chart.zoomBy(8);
  work.length = 0;
  const step = (now) => {{
    at.push(now);
    chart.panBy(at.length % 60 < 30 ? -12 : 12);
    if (now - at[0] < {PANNING}) requestAnimationFrame(step);
    else done([first, at, work]);
  }};
  requestAnimationFrame(step);
}})"""
"""As it is dragged: the axis moves with each frame, back and forth. The first drawing, the frames, and
each drawing, ms."""


def p95(values: list[float]) -> float:
    """The 95th percentile."""
    return sorted(values)[min(int(len(values) * 0.95), len(values) - 1)]


def full_room() -> list[Moment]:
    """A thousand participants, and one whole call with its agent among them."""
    guests = crowd(ROOM, MANY)
    first = call()[0]
    late = guests[0].time - first.time
    own = [
        replace(
            moment,
            room=ROOM,
            subject=ROOM if moment.subject == first.room else moment.subject,
            **{name: getattr(moment, name) + late for name in ("earliest", "latest", "time")},
        )
        for moment in call()
        if moment.kind.value != "room.finished"
    ]
    return [*own, *guests[1:]]


def made(path: Path) -> None:
    """How long the receiver takes for the room."""
    took, ours = [], []
    with closing(SqliteStore(path)) as store:
        store.add([Arrival(tuple(full_room()))])
        for _ in range(TIMES):
            began, own = time.perf_counter(), time.process_time()
            as_json(timeline_in(store, ROOM))
            took.append(time.perf_counter() - began)
            ours.append(time.process_time() - own)
    print(f"made: {median(took):.2f} s, the best {min(took):.2f} s (of a processor {min(ours):.2f} s)")


async def drawn_and_panned(tab: Tab, _: Client, page: str) -> None:
    """How long until it is drawn, and the frames while it is panned."""
    await tab.open(page)
    await tab.until("document.querySelector('.rooms .name a') !== null")
    await tab.run(NOTED)
    began = time.perf_counter()
    await tab.run(f"location.hash = 'room={ROOM}'")
    await tab.until("window.chart?.room.lanes.length > 1000 && document.querySelectorAll('.bar').length > 10")
    print(f"opened: asked for, made, sent and drawn in {time.perf_counter() - began:.2f} s")
    first, at, work = await tab.run(PAN)
    apart = [b - a for a, b in pairwise(at)]
    print(f"drawn: in {first:.0f} ms")
    print(
        f"panned: {1000 / fmean(apart):.0f} frames a second, p95 {p95(apart):.1f} ms from one to the next;"
        f" drawing takes {median(work):.1f} ms, p95 {p95(work):.1f} ms, the best {min(work):.1f} ms"
    )


async def seen(tab: Tab, client: Client, page: str) -> None:
    """How long after the receiver's answer, by when it is committed, a webhook is on the page."""
    assert await client.webhook(EVENTS[0]) == 200
    await tab.open(page)
    await tab.until("document.querySelector('.rooms .name a') !== null")
    await tab.run(NOTED)
    await tab.run(f"location.hash = 'room={EVENTS[0]['room']['sid']}'")
    await tab.until("document.querySelector('#live').className === 'live' && 'chart' in window")
    before = await tab.run("window.chart.room.lanes.length")
    delays = []
    for number in range(UPDATES):
        guest = ada(sid=f"PA_guest{number}", identity=f"guest {number}")
        assert await client.webhook({**EVENTS[1], "id": f"EV_guest{number}", "participant": guest}) == 200
        committed = time.time() * 1000
        delays.append(await tab.until(f"window.seen[{before + number + 1}]") - committed)
        await asyncio.sleep(0.013 * (number % 20))  # at any moment between two looks
    print(f"an update is seen {median(delays):.0f} ms after the commit, p95 {p95(delays):.0f} ms, of {UPDATES}")


def main() -> None:
    """All of it."""
    gc.set_threshold(100_000, 50, 50)  # as `tracer` has it
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        made(path / "made.db")
        in_browser(path / "drawn.db", drawn_and_panned, full_room())
        in_browser(path / "seen.db", seen, [replace(moment, room="RM_other") for moment in call()])


if __name__ == "__main__":
    main()
