"""The timeline for programs: schema ``tracer.timeline/1``. A value that is not known is null, never left out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tracer.latency.gaps import Paths
from tracer.moment import Kind
from tracer.units import NS_PER_MS, rfc3339

if TYPE_CHECKING:
    from tracer.moment import Fact
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["timeline"]


def timeline(timeline: Timeline) -> dict[str, Any]:
    """The timeline as JSON types."""
    room = timeline.room
    return {
        "schema": "tracer.timeline/1",
        "room": {
            "sid": room.sid,
            "name": room.name,
            "created": rfc3339(room.time(Kind.ROOM_CREATED)),
            "finished": rfc3339(room.time(Kind.ROOM_FINISHED)),
            "created_by": timeline.created_by,
            "creator": timeline.creator.sid if timeline.creator else None,
            "end_reason": timeline.end_reason,
            "listened_until": rfc3339(timeline.stopped),
            "trace_id": timeline.trace_id,
        },
        "participants": [
            {
                "sid": p.sid,
                "identity": p.identity,
                "kind": p.kind,
                "state": p.state,
                "joining": rfc3339(p.time(Kind.PARTICIPANT_JOINING)),
                "joined": rfc3339(p.time(Kind.PARTICIPANT_JOINED)),
                "active": rfc3339(p.time(Kind.PARTICIPANT_ACTIVE)),
                "left": rfc3339(p.gone.time if p.gone else None),
                "disconnect_reason": p.disconnect_reason,
                "attributes": p.attributes,
            }
            for p in timeline.participants
        ],
        "dispatches": [
            {
                "id": d.sid,
                "agent_name": d.agent_name,
                "mode": d.mode,
                "created": rfc3339(d.time(Kind.DISPATCH_CREATED)),
                "jobs": list(d.jobs),
            }
            for d in timeline.dispatches
        ],
        "jobs": [
            {
                "id": j.sid,
                "dispatch_id": j.dispatch_id,
                "agent_name": j.agent_name,
                "worker_id": j.worker_id,
                "participant_identity": j.participant_identity,
                "status": j.status,
                "offered": rfc3339(j.time(Kind.JOB_OFFERED)),
                "received": rfc3339(j.time(Kind.JOB_RECEIVED)),
                "accepted": rfc3339(j.time(Kind.JOB_ACCEPTED)),
                "assigned": rfc3339(j.time(Kind.JOB_ASSIGNED)),
                "entrypoint_started": rfc3339(j.time(Kind.JOB_ENTRYPOINT_STARTED)),
                "ended": rfc3339(j.time(Kind.JOB_ENDED)),
            }
            for j in timeline.jobs
        ],
        "moments": [_moment(step, timeline.room.time(Kind.ROOM_CREATED)) for step in timeline.steps],
        "gaps": [
            {
                "from": gap.start.kind,
                "to": gap.end.kind,
                "ms": None if gap.doubtful else gap.ns / NS_PER_MS,
                "owner": gap.owner,
            }
            for gap in Paths(timeline).first
        ],
    }


def _moment(step: Step, created: int | None) -> dict[str, Any]:
    return {
        "kind": step.kind,
        "subject": step.subject,
        "time": rfc3339(step.time),
        "earliest": rfc3339(step.earliest),
        "latest": rfc3339(step.latest),
        "offset_ms": None if created is None else (step.time - created) / NS_PER_MS,
        "occurrence": step.occurrence or None,
        "witnesses": list(step.witnesses),
        "clock": step.clock,
        "facts": {key: _value(fact) for key, fact in sorted(step.facts.items())},
    }


def _value(fact: Fact) -> Fact | None:
    """A fact as JSON has it: there are no infinite numbers."""
    return None if isinstance(fact, float) and not math.isfinite(fact) else fact
