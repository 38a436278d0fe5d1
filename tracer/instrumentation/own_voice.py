"""An agent that speaks, and what of it leaves its tracks: a TTS can give silence, and an output can take nothing.

Its session says that it speaks all the same, and the track stays published.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from livekit.rtc import TrackKind

from tracer import keys
from tracer.instrumentation.guard import guarded
from tracer.instrumentation.moment_spans import report_of_job
from tracer.instrumentation.sound import Level, SentSound, sent
from tracer.kinds import Kind

if TYPE_CHECKING:
    from livekit.agents import JobContext
    from opentelemetry.trace import Tracer

__all__ = ["OwnVoice"]

EVERY_S = 3.0
"""Seconds between questions while the agent speaks."""
PATIENCE_S = 2.0
"""Seconds for an answer."""


@dataclass
class _Speech:
    """One time that the agent speaks."""

    job: JobContext
    sound: SentSound
    over: bool = False
    asking: asyncio.Task[None] | None = None


class OwnVoice:
    """Watches the agents of this process while they speak."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._speaking: dict[str, _Speech] = {}
        """By job."""

    def speaks(self, job: JobContext, began: bool) -> None:
        """The agent of a job begins to speak, or has ended."""
        before = self._speaking.pop(job.job.id, None)
        if before:
            before.over = True
        if began:

            def report(seconds: float) -> None:
                known = {keys.SILENT_FOR: seconds}
                report_of_job(self._tracer, job, Kind.AGENT_SPEAKS_SILENCE, attributes=known)

            speech = self._speaking[job.job.id] = _Speech(job, SentSound(report))
            self._next(speech)
        elif before:
            self._next(before)

    def _next(self, speech: _Speech) -> None:
        # No task sleeps: one that is pending when the loop is closed would be a warning in the user's log.
        asking = self._ask(speech, over=speech.over)
        try:
            speech.asking = asyncio.get_running_loop().create_task(asking)
        except BaseException:
            asking.close()  # else Python warns of it in the user's log
            raise

    async def _ask(self, speech: _Speech, *, over: bool) -> None:
        try:
            level = await _level(speech.job)
        except Exception:  # noqa: BLE001  a track is gone, or an SDK without statistics: nothing is known
            return
        guarded(speech.sound.learn, level, time.time_ns(), over=over)
        if not speech.over:
            asyncio.get_running_loop().call_later(EVERY_S, guarded, self._later, speech)

    def _later(self, speech: _Speech) -> None:
        if not speech.over:
            self._next(speech)


async def _level(job: JobContext) -> Level | None:
    """Of all audio tracks of the agent together; None where it has none."""
    tracks = [one.track for one in job.room.local_participant.track_publications.values()]
    energy, known = 0.0, False
    for track in tracks:
        if track is None or track.kind != TrackKind.KIND_AUDIO:
            continue
        level = sent(await asyncio.wait_for(track.get_stats(), PATIENCE_S))
        if level:
            energy, known = energy + level.energy, True
    return Level(energy, 0.0) if known else None
