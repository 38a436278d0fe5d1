"""Whether the LiveKit server answers, and accepts the key."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tracer.doctor.diagnosis import CheckName, Diagnosis, State, quoted
from tracer.doctor.visit import LIMIT
from tracer.server_fault import find_fault
from tracer.settings import address
from tracer.units import milliseconds

if TYPE_CHECKING:
    from tracer.doctor.visit import Visit

__all__ = ["ServerCheck"]


class ServerCheck:
    """Asks for the list of rooms, and how long that takes."""

    name = CheckName.SERVER

    async def examine(self, visit: Visit) -> list[Diagnosis]:
        """One finding; sets ``visit.server_works``."""
        server = visit.setup.server
        # The first question also pays for the connection.
        fault = await find_fault(server, visit.session, limit=LIMIT)
        begun = time.monotonic()
        fault = fault or await find_fault(server, visit.session, limit=LIMIT)
        if fault:
            return [Diagnosis(self.name, State.FAILED, fault.text, fault.fix)]
        took = milliseconds((time.monotonic() - begun) * 1000)
        visit.server_works = True
        text = f"LiveKit at {address(server.url)} answers in {took} and accepts the key {quoted(server.api_key)}"
        return [Diagnosis(self.name, State.OK, text)]
