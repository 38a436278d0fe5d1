"""What a caller said, by the session's VAD, and whether any of it was transcribed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.units import FOREVER, NS_PER_S
from tracer.why.call.limits import NOTICED
from tracer.why.call.speech import spoken_until, turn_began

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job

__all__ = ["SPOKEN", "transcribed_after", "untranscribed"]

SPOKEN = 2 * NS_PER_S
"""Who spoke for so long, ns, said something: a cough or a door is shorter."""


def transcribed_after(job: Job, at: int) -> int:
    """When a turn of the caller's that began after a time, ns, was transcribed; FOREVER where none was.

    What was transcribed before can be over later: the agent was interrupted, or waited for more.
    """
    turns = ((step.time, turn_began(step)) for step in job.steps if step.kind is Kind.SESSION_TURN_TRANSCRIBED)
    return min((over for over, began in turns if began > at), default=FOREVER)


def untranscribed(job: Job, since: int, until: int) -> int:
    """For how long the caller spoke between two times, ns; 0 where a turn was transcribed between them.

    Without what they began to say while the agent spoke: a session can be made to ignore that. What they said for long
    after it, it does not ignore.
    """
    if transcribed_after(job, since) <= until:
        return 0
    agent = list(_speech(job, Kind.AGENT_SPEAKING))
    spoken, reached = 0, since
    # An STT that tells no words when speech begins has it begin at the same time again and again.
    for began, ended in sorted(_speech(job, Kind.SESSION_CALLER_SPOKE)):
        over = [end for start, end in agent if began < end and ended > start]
        alone = max([began, *over])
        if since <= began and ended <= until and (not over or ended - alone > NOTICED):
            spoken += max(ended - max(alone, reached), 0)
            reached = max(reached, ended)
    return spoken


def _speech(job: Job, kind: Kind) -> Iterator[tuple[int, int]]:
    """From when until when the agent or the caller spoke, ns, each time."""
    for step in job.steps:
        if step.kind is kind:
            until = spoken_until(step)
            yield step.time, step.time if until == FOREVER else until
