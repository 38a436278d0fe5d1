"""An agent that comes to no end of what it says: each reply is interrupted, or one goes on for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.units import FOREVER, NS_PER_S
from tracer.why.call.limits import AT_ONCE, NOTICED, SOON, STUCK_BY
from tracer.why.call.replies import replies_of
from tracer.why.call.speech import spoken_until, turn_began
from tracer.why.lack import Lack, in_seconds
from tracer.why.silent.transcripts import SPOKEN

if TYPE_CHECKING:
    from tracer.timeline.step import Step
    from tracer.why.served.stay import CallerStay

__all__ = ["always_interrupted", "never_ended"]

OFTEN = 3
"""So many replies, and none of them whole, are no accident: a caller cuts one or two short."""
ENDLESS = 30 * NS_PER_S
"""Whom the agent talked to for so long at one go, ns, when they left, left because of it, or it reads to them."""
BY_ITSELF = (
    "Find what interrupts it: session.interrupt(), a tool or an agent that takes over (lk.interruption.source is"
    " programmatic)."
)
BY_CALLER = (
    "Listen to whether the agent hears itself (echo at the caller: a client without echo cancellation), or noise; make"
    " it less eager (min_interruption_duration, min_interruption_words), or its answers shorter."
)
STOP = (
    "See what the agent is saying: an answer of the model without an end (max_tokens), a sound that is played in a"
    " loop; and that it can be interrupted (allow_interruptions)."
)


def always_interrupted(stay: CallerStay) -> Lack | None:
    """Each of the agent's replies was interrupted; one that the end of the call cut short does not count."""
    ends = [stay.ended, *(session.until for session in stay.sessions)]
    replies = [
        reply for job in stay.jobs for reply in replies_of(job) if reply.until < FOREVER and reply.since >= stay.began
    ]
    cut = [
        (reply, by)
        for reply in replies
        if (by := reply.cut) and not any(reply.since <= end <= by.time + AT_ONCE for end in ends)
    ]
    # That one was interrupted is reported when its turn is over, a little later than that it was spoken.
    told_by = stay.ended - NOTICED if stay.goes_on else stay.ended
    if len(cut) < OFTEN or any(reply.cut is None and reply.until < told_by for reply in replies):
        return None
    heard = [reply.lasted if reply.played is None else reply.played for reply, _ in cut]
    longest = max((ns for ns in heard if ns is not None), default=0)
    itself = {by.facts.get(keys.INTERRUPTED_BY) for _, by in cut} == {"programmatic"}
    return Lack(
        f"each of the agent's {len(cut)} replies was interrupted{' by its own code' if itself else ''}, the longest"
        f" after {in_seconds(longest)}",
        certain=False,
        ns=stay.ended - min(reply.since for reply, _ in cut),
        advice=BY_ITSELF if itself else BY_CALLER,
    )


def never_ended(stay: CallerStay) -> Lack | None:
    """The agent spoke on until the caller left, though they spoke to it meanwhile, or for very long.

    While the call goes on, a long answer has twice the time to end. Of one without an end in a call that is over it is
    not known whether the end was lost; an agent in Node reports none.
    """
    for job in stay.jobs:
        last = max(replies_of(job), key=lambda reply: reply.since if reply.since < stay.ended else 0, default=None)
        if last is None or not last.since < stay.ended <= last.until + SOON:
            continue
        since = max(last.since, stay.began)
        lasted = stay.ended - since
        if last.until == FOREVER:
            too_long, spoken_to = stay.goes_on and not job.is_node and lasted > ENDLESS * 2, False
        else:
            words = sum(_overlap(step, since, stay.ended) for step in job.steps)
            turns = sum(_began_within(step, since, stay.ended) for step in job.steps)
            too_long, spoken_to = lasted > ENDLESS, words > SPOKEN or turns > 1
        if too_long or (spoken_to and lasted > STUCK_BY):
            meanwhile = f", also while {stay.name} spoke to it" if spoken_to else ""
            sentence = f"the agent spoke without an end for {in_seconds(lasted)}{meanwhile}"
            return Lack(sentence, certain=False, ns=lasted, advice=STOP)
    return None


def _overlap(step: Step, since: int, until: int) -> int:
    """For how long the caller spoke between two times, ns, as a step tells."""
    if step.kind is not Kind.SESSION_CALLER_SPOKE:
        return 0
    return max(min(spoken_until(step), until) - max(step.time, since), 0)


def _began_within(turn: Step, since: int, until: int) -> bool:
    """Whether a step is of a turn of the caller's that began and was over between two times, ns."""
    if turn.kind is not Kind.SESSION_TURN_TRANSCRIBED or turn.time > until:
        return False
    return isinstance(turn.facts.get(keys.TURN_LASTED), int | float) and turn_began(turn) > since
