"""What an audio track carries: silence, noise, or sound as loud as a voice. Its statistics show it.

A microphone that is published and gives nothing but zeros looks like any other: its frames arrive, and a session that
waits for a word waits for ever. So does one whose VAD or STT has stopped, while its caller speaks.
Source: ``totalAudioEnergy`` and ``totalSamplesDuration`` of WebRTC's statistics. Measured with livekit-rtc 1.1.21:
digital silence comes out of the codec at a level of 0.00004, the noise of a quiet room at 0.001, a voice from 0.05 on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tracer import keys
from tracer.kinds import Kind
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tracer.instrumentation.speech import Spoken

__all__ = ["Level", "ReceivedSound", "SentSound", "received", "sent"]

SILENCE = 0.0001
"""A mean level, of 1.0, below which there is nothing but silence."""
INAUDIBLE = 0.003
"""And one below which what an agent says is lost in the noise of the caller's own room."""
VOICE = 0.01
"""And one from which on it is as loud as a voice."""
SILENT_S = 9.0
"""Seconds of silence that are reported."""
UNNOTICED_S = 6.0
"""Seconds of sound that no session noticed, which are reported; and again each time that they have doubled."""
LATE_NS = 3 * NS_PER_S
"""A VAD and an STT notice speech this much earlier or later, ns, than statistics show it."""
SPOKEN_S = 1.0
"""An agent that has spoken for so many seconds has said something."""
STUCK_S = 3.0
"""Seconds of silence while an agent speaks that are reported before it ends; and again each time that they have
doubled."""


class Level(NamedTuple):
    """What a track has carried so far."""

    energy: float
    """The square of its level, of 1.0, summed up over the seconds."""
    seconds: float
    """Seconds of sound that were taken of it."""


def received(statistics: Iterable[Any]) -> Level | None:
    """Of a track that is subscribed to; None where nothing of it is received, or an SDK does not say."""
    try:
        inbound = next((one.inbound_rtp.inbound for one in statistics if one.HasField("inbound_rtp")), None)
        return Level(inbound.total_audio_energy, inbound.total_samples_duration) if inbound else None
    except (AttributeError, ValueError):
        return None


def sent(statistics: Iterable[Any]) -> Level | None:
    """Of a track of one's own; None where it has no source of audio, or an SDK does not say."""
    try:
        audio = next((one.media_source.audio for one in statistics if one.HasField("media_source")), None)
        return Level(audio.total_audio_energy, audio.total_samples_duration) if audio else None
    except (AttributeError, ValueError):
        return None


class ReceivedSound:
    """Reports a track that carries nothing but silence, and sound that its session takes for no speech."""

    def __init__(
        self,
        *,
        is_muted: Callable[[], bool],
        spoken: Spoken,
        report: Callable[[Kind, int, int, Mapping[str, float]], None],
    ) -> None:
        """``report`` gets the kind, the earliest and the likeliest time, ns since the epoch, and facts."""
        self._is_muted = is_muted
        self._spoken = spoken
        self._report = report
        self._last: tuple[Level, int] | None = None
        self._silent: tuple[int, int] | None = None
        """The last answer before it was silent and the first after, ns."""
        self._told_silent = False
        self._loud = 0.0
        """Seconds of sound as loud as a voice, while nobody noticed it, and the agent did not speak."""
        self._tell_at = UNNOTICED_S

    def learn(self, level: Level | None, at: int) -> None:
        """What has been received until a time, ns. A track that is muted, or of which nothing comes, tells nothing."""
        last, self._last = self._last, None
        if level is None or self._is_muted():
            self._silent = None
            return
        self._last = level, at
        if last is None or level.seconds <= last[0].seconds:
            return
        (before, since), seconds = last, level.seconds - last[0].seconds
        square = max(level.energy - before.energy, 0.0) / seconds
        if square < SILENCE**2:
            self._learn_silence(since, at)
        else:
            self._learn_sound(since, at)
        self._learn_loudness(seconds if square >= VOICE**2 else 0.0, since)
        if self._loud >= self._tell_at:
            self._report(Kind.TRACK_UNNOTICED, at, at, {keys.SOUNDED_FOR: self._loud})
            self._tell_at = self._loud * 2

    def _learn_silence(self, since: int, at: int) -> None:
        self._silent = self._silent or (since, since)
        began = self._silent[0]
        if not self._told_silent and at - began >= SILENT_S * NS_PER_S:
            self._told_silent = True
            self._report(Kind.TRACK_SILENT, began, began, {})

    def _learn_sound(self, since: int, at: int) -> None:
        self._silent = None
        if self._told_silent:
            self._told_silent = False
            self._report(Kind.TRACK_SOUNDS, since, at, {})

    def _learn_loudness(self, seconds: float, since: int) -> None:
        if self._spoken.caller_since(since - LATE_NS):
            self._loud, self._tell_at = 0.0, UNNOTICED_S
        elif not self._spoken.agent_since(since):
            self._loud += seconds


class SentSound:
    """Reports silence that an agent sends while it speaks, and what nobody can hear; one for each time."""

    def __init__(self, report: Callable[[float], None]) -> None:
        """``report`` gets the seconds of silence."""
        self._report = report
        self._last: tuple[Level, int] | None = None
        self._silent = 0.0
        self._heard = False
        self._tell_at = STUCK_S

    def learn(self, level: Level | None, at: int, *, over: bool = False) -> None:
        """What has been sent until a time, ns; ``over`` when the agent has spoken."""
        last, self._last = self._last, None if level is None else (level, at)
        if last is None or level is None:
            return
        seconds = (at - last[1]) / NS_PER_S
        if seconds > 0 and max(level.energy - last[0].energy, 0.0) / seconds >= INAUDIBLE**2:
            self._heard, self._silent, self._tell_at = True, 0.0, STUCK_S
            return
        self._silent += seconds
        all_of_it = over and not self._heard and SPOKEN_S <= self._silent < self._tell_at
        if self._silent >= self._tell_at or all_of_it:
            self._report(self._silent)
            self._tell_at = self._silent * 2
