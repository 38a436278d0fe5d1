"""Whether the server's webhooks reach the receiver."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tracer.doctor.diagnosis import CheckName, Diagnosis, State, quoted
from tracer.doctor.receiver import ACCEPTED, REFUSED, counters
from tracer.settings import address
from tracer.units import milliseconds

if TYPE_CHECKING:
    from tracer.doctor.scratch import ScratchRoom
    from tracer.doctor.visit import Visit

__all__ = ["WebhookCheck"]

ADDED = (
    "webhooks would add exact times of becoming ACTIVE, leaving and the room's end, and what is over between two polls"
)
"""What a set-up without webhooks does not have."""
WAIT = 4.0
"""Seconds after the room's creation; a webhook that failed is sent again after one."""
POLL_EVERY = 0.02
"""Seconds between two polls."""


class WebhookCheck:
    """The server sends a webhook for the scratch room within milliseconds, or not at all.

    The store shows it. Where that cannot be read, or is not the receiver's, the receiver's counters show that some
    webhook arrived in that time; and only they show one that was rejected.
    """

    name = CheckName.WEBHOOKS

    async def examine(self, visit: Visit) -> list[Diagnosis]:
        """One finding."""
        room = visit.room
        if room is None:
            return [Diagnosis(self.name, State.SKIPPED, f"not checked: {visit.why_no_room}")]
        if not visit.counters and visit.is_observed():
            text, fix = f"not used: rooms are recorded by polling; {ADDED}", "to have them, run `tracer serve`"
            return [Diagnosis(self.name, State.SKIPPED, text, fix)]
        if not visit.counters:
            return [Diagnosis(self.name, State.SKIPPED, "not checked: there is no receiver")]
        now = visit.counters
        while room.age < WAIT:
            if visit.is_told_by_webhook():
                text = f"the webhook of a new room was recorded within {milliseconds(room.age * 1000)}"
                return [Diagnosis(self.name, State.OK, text)]
            now = await counters(visit)
            if now.get(REFUSED, 0) > visit.counters.get(REFUSED, 0):
                return [self._refused(visit)]
            if visit.reader is None and now.get(ACCEPTED, 0) > visit.counters.get(ACCEPTED, 0):
                return [self._counted(visit, room)]
            await asyncio.sleep(POLL_EVERY)
        if now.get(ACCEPTED, 0) > visit.counters.get(ACCEPTED, 0):
            text = "the receiver accepts webhooks, but that of the new room is not in this store"
            fix = f"pass the store of `tracer serve` at {address(visit.setup.receiver)} with --store"
            return [Diagnosis(self.name, State.WARNING, text, fix)]
        return [self._none_came(visit)]

    def _counted(self, visit: Visit, room: ScratchRoom) -> Diagnosis:
        took = milliseconds(room.age * 1000)
        text = f"the receiver accepted a webhook within {took} of creating a room; it may be of another one"
        return Diagnosis(self.name, State.OK, f"{text}: {visit.why_no_store}")

    def _refused(self, visit: Visit) -> Diagnosis:
        key = quoted(visit.setup.server.api_key)
        text = "a webhook arrived and was rejected: it is not signed with the key that `tracer serve` uses"
        fix = f"set webhook.api_key in livekit.yaml to {key}, and start `tracer serve` with that key and its secret"
        return Diagnosis(self.name, State.FAILED, text, fix)

    def _none_came(self, visit: Visit) -> Diagnosis:
        key, url = quoted(visit.setup.server.api_key), f"{address(visit.setup.receiver)}/webhook"
        text = f"no webhook arrived within {WAIT:g} s of creating a room"
        fix = f'in livekit.yaml: webhook: {{api_key: {key}, urls: ["{url}"]}}'
        if visit.is_observed():
            text += f"; `tracer serve` recorded it by polling, which is enough; {ADDED}"
            return Diagnosis(self.name, State.WARNING, text, fix)
        return Diagnosis(self.name, State.FAILED, text, fix)
