"""A session whose audio input or output the agent's code turns off: it hears nobody or says nothing, and no span shows.

The caller's track stays subscribed and its first frame arrives; the agent's own track stays published. Push-to-talk
turns the input on and off with every turn. ``session.input.audio = None`` does the same as
``set_audio_enabled(False)``, and so does ``session.room_io.unset_participant()`` until another one is set.
Source: livekit-agents 1.3 to 1.8, voice/io.py and voice/room_io.
"""

from __future__ import annotations

import weakref
from functools import wraps
from typing import TYPE_CHECKING, Any

from tracer.instrumentation.current_job import current_job
from tracer.instrumentation.guard import guarded
from tracer.instrumentation.moment_spans import report_of_job
from tracer.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from livekit.agents import JobContext
    from opentelemetry.trace import Tracer

    _Known = tuple[bool, Callable[[], JobContext | None]]
    """Whether it was on, and whose it is."""

__all__ = ["AudioSwitches"]

INPUT = {False: Kind.SESSION_AUDIO_INPUT_OFF, True: Kind.SESSION_AUDIO_INPUT_ON}
OUTPUT = {False: Kind.SESSION_AUDIO_OUTPUT_OFF, True: Kind.SESSION_AUDIO_OUTPUT_ON}


class AudioSwitches:
    """Reports each ``set_audio_enabled()`` and ``audio = …`` of a session's input or output that changes something."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._known: weakref.WeakKeyDictionary[object, _Known] = weakref.WeakKeyDictionary()
        """What was reported last, by input or output."""
        self._emptied: weakref.WeakSet[object] = weakref.WeakSet()
        """Those whose audio was taken away, and not given back."""
        self._unlinked: weakref.WeakSet[object] = weakref.WeakSet()
        """Inputs of sessions that were unlinked from whomever they listened to, and linked to nobody since."""

    def listen(self) -> None:
        """From now on, to every session of this process; once."""
        # Here, where it is guarded: a livekit-agents that has it elsewhere reports less, and nothing fails.
        from livekit.agents.voice.io import AgentInput, AgentOutput

        self._wrap(AgentInput, INPUT)
        self._wrap(AgentOutput, OUTPUT)
        self._wrap_links()

    def _wrap(self, owner: Any, kinds: dict[bool, Kind]) -> None:
        set_audio_enabled = owner.set_audio_enabled

        @wraps(set_audio_enabled)
        def set_audio_enabled_reported(side: Any, *args: Any, **kwargs: Any) -> Any:
            result = set_audio_enabled(side, *args, **kwargs)
            guarded(self._called, side, kinds)
            return result

        owner.set_audio_enabled = set_audio_enabled_reported
        audio = owner.audio

        def set_audio(side: Any, stream: Any) -> None:
            was = guarded(audio.__get__, side)
            audio.__set__(side, stream)
            guarded(self._given, side, was, stream, kinds)

        owner.audio = audio.setter(set_audio)

    def _wrap_links(self) -> None:
        from livekit.agents.voice.room_io import RoomIO

        owner: Any = RoomIO
        unset, set_ = owner.unset_participant, owner.set_participant

        @wraps(unset)
        def unset_participant(room_io: Any, *args: Any, **kwargs: Any) -> Any:
            result = unset(room_io, *args, **kwargs)
            guarded(self._linked, room_io, self._unlinked.add)
            return result

        @wraps(set_)
        def set_participant(room_io: Any, *args: Any, **kwargs: Any) -> Any:
            result = set_(room_io, *args, **kwargs)
            if (*args, *kwargs.values()) != (None,):  # which is the same as to unset it
                guarded(self._linked, room_io, self._unlinked.discard)
            return result

        owner.unset_participant, owner.set_participant = unset_participant, set_participant

    def _linked(self, room_io: Any, change: Callable[[object], None]) -> None:
        """The session was unlinked by the agent's code, or linked again."""
        session = room_io._agent_session  # noqa: SLF001  see private_names
        if not session._closing:  # noqa: SLF001  see private_names
            change(session.input)
            self._called(session.input, INPUT)

    def _given(self, side: Any, was: object, stream: object, kinds: dict[bool, Kind]) -> None:
        """Its audio was replaced: taken away by the agent's code, or given back."""
        session = getattr(side._audio_changed, "__self__", None)  # noqa: SLF001  see private_names
        if session is None or session._closing or (was is None) is (stream is None):  # noqa: SLF001  see private_names
            return  # a session that closes takes it away itself
        if stream is None:
            self._emptied.add(side)
        else:
            self._emptied.discard(side)
        self._called(side, kinds)

    def _called(self, side: Any, kinds: dict[bool, Kind]) -> None:
        # What turns it on again can run where no job is current, as a handler of the user's own server does.
        was, its_job = self._known.get(side, (True, current_job))
        off = side in self._emptied or side in self._unlinked
        job, enabled = its_job(), bool(side.audio_enabled) and not off
        if job is None or enabled is was:
            return
        # Not to keep the job: it has the session, and that has what this is kept under.
        self._known[side] = enabled, weakref.ref(job)
        report_of_job(self._tracer, job, kinds[enabled])
