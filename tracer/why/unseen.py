"""The record itself has holes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.timeline.lost_webhooks import untold_by_webhooks
from tracer.why.cause import Cause, Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["UNSEEN"]


class LostWebhooks(Cause):
    """Webhooks get lost: a receiver that is away for longer than the retries, a full queue."""

    name = "lost-webhooks"
    symptom = Symptom.UNSEEN
    about = "webhooks were lost; what they would have told is known from the API only"
    advice = (
        "See that the receiver can be reached from the server and answers at once: the server tries for about a minute,"
        " and drops what waits longer or queues deeper than 200."
    )

    def find(self, case: Call) -> Iterator[Finding]:
        untold = untold_by_webhooks(case.timeline)
        if not untold:
            return
        kinds = ", ".join(sorted({step.kind.value for step in untold}))
        number = f"{len(untold)} webhook{'s' if len(untold) > 1 else ''}"
        yield self.found(f"{number} did not arrive: only the API showed {kinds}.", *untold[:10])


UNSEEN = (LostWebhooks(),)
"""Its causes."""
