"""Whether `tracer serve` answers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tracer.doctor.diagnosis import CheckName, Diagnosis, State
from tracer.doctor.visit import LIMIT
from tracer.reaching import UNREACHED, in_words
from tracer.settings import address
from tracer.units import milliseconds

if TYPE_CHECKING:
    from tracer.doctor.visit import Visit

__all__ = ["ReceiverCheck", "counters"]


async def counters(visit: Visit) -> dict[str, int]:
    """What the receiver has counted since its start, by the names of `/metrics`; empty when it is not a tracer.

    Raises one of UNREACHED.
    """
    async with visit.session.get(f"{visit.setup.receiver.rstrip('/')}/metrics") as answer:
        lines = (await answer.text()).splitlines() if answer.status == 200 else []
    found = {}
    for line in lines:
        name, _, value = line.partition(" ")
        if name.startswith("tracer_") and value.isdigit():
            found[name] = int(value)
    return found


class ReceiverCheck:
    """Requests `/healthz`, as a load balancer does, and for `/metrics`, which shows that it is a tracer."""

    name = CheckName.RECEIVER

    async def examine(self, visit: Visit) -> list[Diagnosis]:
        """One finding; leaves ``visit.counters``."""
        at = address(visit.setup.receiver)
        fix = "start `tracer serve`, or set TRACER_ENDPOINT to where it listens"
        try:
            begun = time.monotonic()
            async with visit.session.get(f"{visit.setup.receiver.rstrip('/')}/healthz") as answer:
                status = answer.status
            took = milliseconds((time.monotonic() - begun) * 1000)
            visit.counters = await counters(visit)
        except UNREACHED as error:
            return [Diagnosis(self.name, State.FAILED, f"no `tracer serve` at {at}: {in_words(error, LIMIT)}", fix)]
        if status != 200 or not visit.counters:
            return [Diagnosis(self.name, State.FAILED, f"{at} answers, but is not `tracer serve`", fix)]
        return [Diagnosis(self.name, State.OK, f"`tracer serve` at {at} answers in {took}")]
