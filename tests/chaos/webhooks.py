"""Webhooks that come in another order, twice, or not at all."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from typing import TYPE_CHECKING

from tests.chaos.balance import left
from tests.chaos.ledger import Acknowledged
from tests.chaos.load import Load
from tests.chaos.options import Row
from tests.chaos.recorded import HEALTHY
from tests.chaos.running import Receiver
from tracer.store import open_reader
from tracer.store.load import timeline_in
from tracer.units import NS_PER_S, plural
from tracer.why import explain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from random import Random

    from tests.chaos.options import Options
    from tests.chaos.recorded import Call
    from tracer.store import Reader

__all__ = ["run"]

REORDERED = 3
"""Orders of each call that are tried."""
LATER = 600 * NS_PER_S
"""After a call's end, ns: nothing is on its way any more."""
TRUE = "lost-webhooks"
"""The cause that is right wherever a webhook was dropped."""


async def run(options: Options, names: Sequence[str] = HEALTHY) -> list[Row]:
    """All healthy calls, through a receiver of their own."""
    store = options.folder / "tracer.db"
    receiver = Receiver(options.folder, store)
    try:
        receiver.start()
        await receiver.ready()
        async with Load(receiver.address, Acknowledged(options.folder / "acknowledged.txt"), names).connected() as load:
            calm = await _sent(load, names, lambda call: [range(len(call.requests))])
            mixed = [_mixed(options.chance) for _ in range(REORDERED)]
            reordered = [call for order in mixed for call in await _sent(load, names, order)]
            doubled = await _sent(load, names, lambda call: [range(len(call.requests))] * 2)
            cut = await _cut(load, names)
        await asyncio.to_thread(receiver.terminate)
    finally:
        receiver.kill()
    known = {call.recording: found for call, found in zip(calm, left(calm, store, ()).values(), strict=True)}
    rows = []
    for what, often, calls in (
        ("Requests of a call in any order", REORDERED, reordered),
        ("Each request of a call twice at one time", 1, doubled),
    ):
        there = left(calls, store, ())
        lack = [call for call in calls if there[call.number].moments != known[call.recording].moments]
        outcome = f"{len(lack) or 'none'} of {len(calls)} calls differs from the one that came in order, each once"
        rows.append(Row(what, f"{len(names)} calls, {often} {plural(often, 'time')}", outcome, not lack))
    with closing(open_reader(str(store))) as reader:
        return [*rows, _row_of_cut(reader, calm, cut)]


async def _sent(load: Load, names: Sequence[str], orders: Callable[[Call], Iterable[Iterable[int]]]) -> list[Call]:
    """One call of each recording, its requests in these orders, all orders at one time."""
    calls = [load.call() for _ in names]
    for call in calls:
        await asyncio.gather(*(load.send(call, places) for places in orders(call)))
    return calls


def _mixed(chance: Random) -> Callable[[Call], list[list[int]]]:
    return lambda call: [chance.sample(range(len(call.requests)), len(call.requests))]


async def _cut(load: Load, names: Sequence[str]) -> list[Call]:
    """Each call without one of its webhooks, for each webhook; and without its last ones, for each number of them."""
    calls: list[Call] = []
    for name in names:
        requests = load.recordings[name].copy(0).requests
        webhooks = [place for place, request in enumerate(requests) if request.event]
        alone, last = ((one,) for one in webhooks), (tuple(webhooks[-count:]) for count in range(2, len(webhooks)))
        sending = []
        for dropped in (*alone, *last):
            call = load.call(name)
            calls.append(call)
            sending.append(load.send(call, [place for place in range(len(requests)) if place not in dropped]))
        await asyncio.gather(*sending)
    return calls


def _row_of_cut(reader: Reader, calm: Sequence[Call], cut: Sequence[Call]) -> Row:
    named = {call.recording: _certain(reader, call) for call in calm}
    wrong = [(call, more) for call in cut if (more := _certain(reader, call) - named[call.recording] - {TRUE})]
    for call, more in wrong[:10]:
        print(f"wrong: {call.recording} {call.rooms[0]}: {sorted(more)}", flush=True)
    outcome = f"in {len(wrong) or 'none'} of them is `why` certain of a cause that was none"
    return Row("Webhooks dropped: each alone, and the last ones", f"{len(cut)} calls", outcome, not wrong)


def _certain(reader: Reader, call: Call) -> set[str]:
    """Causes that `why` is certain of, long after the call."""
    rooms = [timeline_in(reader, room, now=time.time_ns() + LATER) for room in call.rooms]
    return {found.cause.name for room in rooms for found in explain(room).findings if found.certain}
