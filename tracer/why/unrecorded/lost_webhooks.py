"""Webhooks that did not arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.livekit_sources import Page, protocol
from tracer.timeline.lost_webhooks import without_webhook
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["LostWebhooks"]

MOST_STEPS = 10
"""So many are evidence enough."""


class LostWebhooks(Cause):
    """Webhooks get lost: a receiver that is away for longer than the server retries, a full queue.

    Known from what the observer saw in the API and no webhook carried, in a room of which other webhooks arrived.
    """

    name = "lost-webhooks"
    symptom = Symptom.UNRECORDED
    about = "some webhooks were lost; what they carried is known from the API only"
    advice = (
        "Check that the server can reach the receiver, and that it answers at once: the server retries for about a"
        " minute, and drops what waits longer or queues deeper than 200."
    )
    said = (
        Page.WEBHOOKS,
        protocol("webhook/resource_url_notifier.go"),
        protocol("webhook/resource_queue.go"),
    )

    def find(self, call: Call) -> Iterator[Finding]:
        lost = without_webhook(call.timeline)
        if lost and not (call.outage or call.taken_over):  # a server that dies sends none
            kinds = ", ".join(sorted({step.kind.value for step in lost}))
            number = "1 webhook" if len(lost) == 1 else f"{len(lost)} webhooks"
            yield self.found(f"{number} did not arrive: only the API showed {kinds}.", *lost[:MOST_STEPS])
