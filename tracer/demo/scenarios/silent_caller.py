"""A caller who publishes nothing."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from tracer.demo.answers import at, between, first_call
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.demo.play import Play
    from tracer.timeline.timeline import Timeline

__all__ = ["SilentCaller"]

ANNOUNCED_EVERY = 3.0
"""Seconds from one batch to the next, counted from the room's creation (livekit-server v1.13.5, pkg/rtc/room.go)."""


class SilentCaller(Scenario):
    """The server announces a participant without tracks to the others in batches, up to 3 s apart."""

    name = "silent-caller"
    question = "Why does my agent greet so late although the caller is already in the room?"
    cause = "silent-caller"

    async def play(self, play: Play) -> None:
        play.say("CreateRoom; the agent waits for a caller, who will have no microphone")
        created = time.monotonic()
        await play.room_without_callers()
        since_announced = (time.monotonic() - created) % ANNOUNCED_EVERY
        if since_announced > ANNOUNCED_EVERY / 3:  # else the caller may come just before it
            await asyncio.sleep(ANNOUNCED_EVERY - since_announced)
        await play.call(silent=True)

    def answer(self, timeline: Timeline) -> Iterator[str]:
        call = first_call(timeline)
        if call is None:
            return
        caller, job = call
        active, ready = caller.at(Kind.PARTICIPANT_ACTIVE), job.at(Kind.AGENT_PARTICIPANT_READY)
        published = [track for track in timeline.tracks if track.participant == caller.sid]
        yield (
            f"The caller was ACTIVE at {at(timeline, active)}, but the agent's wait_for_participant() returned only at"
            f" {at(timeline, ready)}, {between(active, ready)} later."
        )
        if not published:
            yield (
                "The caller published no track, and the server announces such participants to the others in batches"
                " up to 3 s apart (subscriberUpdateInterval). One who publishes a microphone is announced at once."
            )
