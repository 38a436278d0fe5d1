"""What an agent plays to a caller beside its sessions, as hold music: who hears it is not kept waiting in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.timeline.sessions import sessions_of
from tracer.why.call.limits import SOON

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job
    from tracer.why.call.call import Call
    from tracer.why.call.voices import Voice

__all__ = ["music", "silence"]


def music(call: Call, job: Job) -> Iterator[Voice]:
    """The tracks of a job's agent that can be heard, and were published while no session was open.

    A session's own track can outlive it, and is none of them; nor is one that a clock which is a little off puts before
    its session.
    """
    agent, sessions = call.agents.of(job), [one for other in call.timeline.jobs for one in sessions_of(other)]
    for voice in call.voices(agent.sid) if agent else ():
        if not any(one.since - SOON <= voice.since < one.until for one in sessions):
            yield voice


def silence(call: Call, job: Job, since: int, until: int) -> int:
    """How much of the time between, ns, the agent played nothing."""
    silent, at = 0, since
    for voice in music(call, job):
        silent += max(min(voice.since, until) - at, 0)
        at = max(at, voice.until)
    return silent + max(until - at, 0)
