"""Whether the server's webhooks reach the receiver."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tracer.doctor.diagnosis import Diagnosis, State, quoted
from tracer.doctor.receiver import counters
from tracer.settings import address
from tracer.units import milliseconds

if TYPE_CHECKING:
    from tracer.doctor.scratch import ScratchRoom
    from tracer.doctor.visit import Visit

__all__ = ["WebhookCheck"]

TAKEN, REFUSED = "tracer_webhooks_total", "tracer_webhooks_refused_total"
WAIT = 4.0
"""Seconds after the room's making; a webhook that failed is tried again after one."""
LOOK_EVERY = 0.02


class WebhookCheck:
    """The server tells of the scratch room within milliseconds, or not at all.

    The store shows that it did. Where that cannot be read, or is another, the receiver's counters show that some
    webhook came in that time; and only they show one that was refused.
    """

    name = "webhooks"

    async def examine(self, visit: Visit) -> list[Diagnosis]:
        """One finding."""
        room = visit.room
        if room is None:
            return [Diagnosis(self.name, State.SKIPPED, f"not looked at: {visit.why_no_room}")]
        if not visit.counters:
            return [Diagnosis(self.name, State.SKIPPED, "not looked at: there is no receiver to ask")]
        now = visit.counters
        while room.age < WAIT:
            if visit.reader and any(moment.witness == "webhook" for moment in visit.reader.moments(room.sid)):
                text = f"the server's webhook of a scratch room was kept within {milliseconds(room.age * 1000)}"
                return [Diagnosis(self.name, State.OK, text)]
            now = await counters(visit)
            if now.get(REFUSED, 0) > visit.counters.get(REFUSED, 0):
                return [self._refused(visit)]
            if visit.reader is None and now.get(TAKEN, 0) > visit.counters.get(TAKEN, 0):
                return [self._counted(visit, room)]
            await asyncio.sleep(LOOK_EVERY)
        if now.get(TAKEN, 0) > visit.counters.get(TAKEN, 0):
            text = "the receiver takes webhooks, and that of the scratch room is not in this store"
            fix = f"name the store that `tracer serve` at {address(visit.setup.receiver)} keeps, with --store"
            return [Diagnosis(self.name, State.WARNING, text, fix)]
        return [self._none_came(visit)]

    def _counted(self, visit: Visit, room: ScratchRoom) -> Diagnosis:
        took = milliseconds(room.age * 1000)
        text = f"the receiver took a webhook within {took} of a scratch room's making; whose cannot be told"
        return Diagnosis(self.name, State.OK, f"{text}: {visit.why_no_store}")

    def _refused(self, visit: Visit) -> Diagnosis:
        key = quoted(visit.setup.server.api_key)
        text = "a webhook came and was refused: it is not signed with the key that `tracer serve` was started with"
        fix = f"set webhook.api_key in livekit.yaml to {key}, and start `tracer serve` with that key and its secret"
        return Diagnosis(self.name, State.FAILED, text, fix)

    def _none_came(self, visit: Visit) -> Diagnosis:
        key, url = quoted(visit.setup.server.api_key), f"{address(visit.setup.receiver)}/webhook"
        text = f"no webhook came within {WAIT:g} s of a room's making"
        fix = f'in livekit.yaml: webhook: {{api_key: {key}, urls: ["{url}"]}}'
        return Diagnosis(self.name, State.FAILED, text, fix)
