"""The agent speaks while its audio track is muted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.livekit_sources import Page, server
from tracer.why.call.limits import NOTICED, SOON
from tracer.why.call.participants import name_of
from tracer.why.call.serving import seconds, stays
from tracer.why.call.voices import mutes
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["AgentMuted"]


class AgentMuted(Cause):
    """By its session the agent speaks, and its audio track is muted: nobody hears it.

    Known from what the agent's room reports (``track_muted``), or the observer between two polls, of the only track
    that carries its voice, and from the agent that began to speak more than a second later. Nothing is found of a mute
    of 5 s or less, nor where nobody was there to hear it. Who muted it is not on record: the event is the same for the
    server's API and for the agent's own code.
    """

    name = "agent-muted"
    symptom = Symptom.SILENT
    about = "the agent spoke while its audio track was muted"
    advice = (
        "Find what mutes it: MutePublishedTrack, as a moderator or a backend calls it, or mute() of the track in the"
        " agent's own code; and unmute it there. The API can only mute: to unmute by it, the server needs"
        " room.enable_remote_unmute. To keep an agent quiet for a while, use session.output.set_audio_enabled(False)."
    )
    said = (
        server("pkg/service/roomservice.go"),
        Page.TRACKS,
    )

    def find(self, call: Call) -> Iterator[Finding]:
        for job in call.timeline.jobs:
            if found := self._judge(call, job):
                yield found

    def _judge(self, call: Call, job: Job) -> Finding | None:
        """The longest time of it."""
        agent = call.agents.of(job)
        voices = call.voices(agent.sid) if agent else []
        if agent is None or len(voices) != 1:
            return None
        track = next(track for track in call.timeline.tracks if voices[0].step in track.steps)
        best = None
        for muted, unmuted in mutes(track):
            until = min(unmuted.time if unmuted else call.end, call.left_at(agent))
            spoken = [s for s in job.steps if s.kind is Kind.AGENT_SPEAKING and muted.latest + SOON < s.time < until]
            for stay in stays(call, job, muted.latest, until):
                heard = [step for step in spoken if stay.since <= step.time < stay.until]
                if heard and stay.lasted > NOTICED and (best is None or stay.lasted > best[0].lasted):
                    best = stay, muted, heard, unmuted
        if best is None:
            return None
        stay, muted, spoken, unmuted = best
        often = "once" if len(spoken) == 1 else f"{len(spoken)} times"
        return self.found(
            f"The audio track of {name_of(agent)} was muted for {seconds(call, stay)} while {name_of(stay.who)} was"
            f" there, and the agent spoke {often} meanwhile.",
            muted,
            spoken[0],
            unmuted,
        )
