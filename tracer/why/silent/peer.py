"""The agent waits for somebody whose media connection does not come up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.livekit_sources import agents, server
from tracer.units import NS_PER_S
from tracer.why.call.jobs import is_for, waits
from tracer.why.call.limits import STUCK_BY
from tracer.why.call.participants import name_of
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job, Participant
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["PeerNeverActive"]

MEDIA_BY = 3 * NS_PER_S
"""Who gives up sooner than this, ns, did not wait for media to come up: that can take a second or two."""


class PeerNeverActive(Cause):
    """``wait_for_participant()`` returns for those who are ACTIVE, and a caller stays JOINING.

    Known from the job's open wait, and from a caller who joined and never became ACTIVE. Certain where the server
    aborted the connection (``participant_connection_aborted``).
    """

    name = "peer-never-active"
    symptom = Symptom.SILENT
    about = "the agent waited for a participant whose media connection never came up"
    advice = (
        "Find out why the caller's media connection fails: UDP or TURN blocked by their network, a wrong node_ip or"
        " external IP at the server. The server gives up after 60 s; give wait_for_participant() a limit of your own."
    )
    said = (
        agents("utils/participant.py"),
        server("pkg/rtc/room.go"),
    )

    def find(self, call: Call) -> Iterator[Finding]:
        if any(caller.at(Kind.PARTICIPANT_ACTIVE) for caller in call.callers.all):
            return
        open_waits = [(job, start) for job in call.timeline.jobs for start, ready in waits(job) if ready is None]
        for caller in call.callers.all:
            findings = (self._judge(call, caller, job, wait) for job, wait in open_waits if is_for(job, caller))
            if first := next((finding for finding in findings if finding), None):
                yield first  # of a hundred agents that wait, one is enough

    def _judge(self, call: Call, caller: Participant, job: Job, waiting: Step) -> Finding | None:
        joining = caller.at(Kind.PARTICIPANT_JOINING)
        gone = caller.at(Kind.PARTICIPANT_ABORTED) or caller.gone  # the API shows only that they left
        if gone and gone.kind is Kind.PARTICIPANT_LEFT and "webhook" in gone.witnesses:
            return None  # the server sends that only of one who had been ACTIVE
        if joining is None:
            return None
        lasted = (gone.time if gone else call.end) - joining.time
        if lasted < (MEDIA_BY if gone else STUCK_BY):
            return None
        after = "gave up" if gone else "is there still"
        return self.found(
            f"The agent of job {job.sid} waited for a participant; {name_of(caller)} was JOINING and never became"
            f" ACTIVE, and {after} after {lasted / NS_PER_S:.1f} s.",
            waiting,
            joining,
            gone,
            certain=gone is not None and gone.kind is Kind.PARTICIPANT_ABORTED,
        )
