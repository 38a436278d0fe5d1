"""Whether `tracer serve` answers, or `tracer observe` records."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from tracer.doctor.diagnosis import CheckName, Diagnosis, State
from tracer.doctor.visit import LIMIT
from tracer.reaching import UNREACHED, in_words
from tracer.settings import address
from tracer.units import milliseconds

if TYPE_CHECKING:
    from tracer.doctor.visit import Visit

__all__ = ["ACCEPTED", "REFUSED", "ReceiverCheck", "ask", "counters"]

ACCEPTED, REFUSED = "tracer_webhooks_total", "tracer_webhooks_refused_total"

OBSERVED_WITHIN = 3.0
"""Seconds from the scratch room's creation in which `tracer observe`, which polls twice a second, records it."""
POLL_EVERY = 0.05
"""Seconds between two looks into the store."""


async def counters(visit: Visit) -> dict[str, int]:
    """The webhooks that the receiver has counted since its start, by the names of `/metrics`.

    Empty when it is not a tracer, or does not let us read that: ``visit.not_admitted`` says so then. Raises one of
    UNREACHED.
    """
    token = visit.setup.read_token
    async with visit.session.get(
        f"{visit.setup.receiver.rstrip('/')}/metrics",
        params=[("name[]", ACCEPTED), ("name[]", REFUSED)],
        headers={"Authorization": f"Bearer {token}"} if token else {},
    ) as answer:
        visit.not_admitted = answer.status in (401, 403)
        lines = (await answer.text()).splitlines() if answer.status == 200 else []
    found = {}
    for line in lines:
        name, _, value = line.removesuffix(".0").partition(" ")
        if name in (ACCEPTED, REFUSED) and value.isdigit():
            found[name] = int(value)
    return found


async def ask(visit: Visit) -> None:
    """Request `/healthz`, as a load balancer does, and `/metrics`, which shows that it is a tracer.

    Before the scratch room is created; leaves ``visit.counters`` or ``visit.no_receiver``.
    """
    at = address(visit.setup.receiver)
    try:
        begun = time.monotonic()
        async with visit.session.get(f"{visit.setup.receiver.rstrip('/')}/healthz") as answer:
            status = answer.status
        visit.receiver_answers_in = time.monotonic() - begun
        visit.counters = await counters(visit)
    except UNREACHED as error:
        visit.no_receiver = f"no `tracer serve` at {at}: {in_words(error, LIMIT)}"
        return
    if status == 503 and visit.counters:
        visit.no_receiver = f"`tracer serve` at {at} cannot write to its store: its log says why"
    elif status == 200 and visit.not_admitted:
        visit.no_receiver = (
            f"{at} answers, and /metrics only to who has its TRACER_READ_TOKEN: set it here too, as for `tracer serve`"
        )
    elif status != 200 or not visit.counters:
        visit.no_receiver = f"{at} answers, but is not `tracer serve`"


class ReceiverCheck:
    """What ``ask`` found. Where nothing answers, `tracer observe` may record rooms all the same: see the store."""

    name = CheckName.RECEIVER

    async def examine(self, visit: Visit) -> list[Diagnosis]:
        """One finding."""
        at = address(visit.setup.receiver)
        if not visit.no_receiver:
            took = milliseconds(visit.receiver_answers_in * 1000)
            return [Diagnosis(self.name, State.OK, f"`tracer serve` at {at} answers in {took}")]
        while visit.room and not visit.counters and visit.reader and visit.room.age < OBSERVED_WITHIN:
            if visit.is_observed():
                text = f"a new room was recorded by polling within {milliseconds(visit.room.age * 1000)}"
                fix = "for what agents report themselves, run `tracer serve` in place of `tracer observe`"
                return [Diagnosis(self.name, State.OK, f"{text}; {visit.no_receiver}", fix)]
            await asyncio.sleep(POLL_EVERY)
        fix = "start `tracer serve`, or set TRACER_ENDPOINT to where it listens"
        return [Diagnosis(self.name, State.FAILED, visit.no_receiver, fix)]
