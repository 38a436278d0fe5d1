"""The caller is hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import Page, agents
from tracer.timeline.sessions import sessions_of
from tracer.units import NS_PER_S
from tracer.why.call.jobs import in_vain, is_for
from tracer.why.call.limits import NOTICED, STUCK_BY
from tracer.why.call.participants import name_of
from tracer.why.call.permissions import is_hidden
from tracer.why.call.voices import MICROPHONE
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Participant
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["CallerHidden"]


class CallerHidden(Cause):
    """The server tells nobody of a hidden participant: an agent waits for them, and they are there.

    Known from the permission in webhooks and ListParticipants, from the agent's wait for anybody, which ended and
    brought nobody, and from a microphone that they published meanwhile: who only listens is hidden on purpose. Certain
    where their own join made the room: else they may have come to listen in a call to which nobody came. While the wait
    goes on, and of an agent that reports none, it is a doubt.
    """

    name = "caller-hidden"
    symptom = Symptom.SILENT
    about = "the caller was hidden: the agent could neither see nor hear the caller"
    advice = (
        "Take hidden=True out of the caller's token (VideoGrants), or give it to those only who listen: nobody in the"
        " room sees or hears a hidden participant."
    )
    said = (
        Page.PARTICIPANTS,
        agents("utils/participant.py"),
    )

    def find(self, call: Call) -> Iterator[Finding]:
        for job in call.timeline.jobs:
            for waiting, ended in in_vain(job):
                if ended is None or waiting.facts.get(keys.PARTICIPANT_FILTER) is not False:
                    continue
                lasted, who = _hidden_beside(call, waiting.time, ended.time)
                if who and is_for(job, who) and _speaks(call, who):
                    yield self.found(
                        f"{name_of(who)} was hidden, and published a microphone: the agent of job {job.sid} waited"
                        f" {(ended.time - waiting.time) / NS_PER_S:.1f} s for a participant, while {name_of(who)} was"
                        f" there for {lasted / NS_PER_S:.1f} s.",
                        who.at(Kind.PARTICIPANT_ACTIVE),
                        waiting,
                        ended,
                        certain=call.timeline.creator == who and lasted > STUCK_BY,
                    )
                    break

    def doubt(self, call: Call) -> str | None:
        for agent in call.agents.all:
            came = agent.at(Kind.PARTICIPANT_ACTIVE) or agent.steps[0]
            _, who = _hidden_beside(call, came.time, call.left_at(agent))
            unheard = "webhook" not in call.witnesses  # no other witness tells of tracks
            if (
                who
                and (unheard or _speaks(call, who))
                and not any(session.links for job in call.timeline.jobs for session in sessions_of(job))
            ):
                return (
                    f"see whether {name_of(who)} is to talk with {name_of(agent)}: they are hidden (hidden=True in"
                    " their token), and an agent sees nobody who is"
                )
        return None


def _hidden_beside(call: Call, since: int, until: int) -> tuple[int, Participant | None]:
    """Who was hidden and there longest between two times, and for how long, ns.

    Nobody where a caller was there whom the others could see, or nobody was there for long.
    """
    there = [
        (min(left, until, call.end) - max(began, since), who)
        for began, left, who in call.callers.active
        if began < until and left > since
    ]
    if not there or not all(is_hidden(who) for _, who in there):
        return 0, None
    lasted, who = max(there, key=lambda one: one[0])
    return (lasted, who) if lasted > NOTICED else (0, None)


def _speaks(call: Call, who: Participant) -> bool:
    """Whether somebody had come to talk."""
    return any(voice.source == MICROPHONE for voice in call.voices(who.sid))
