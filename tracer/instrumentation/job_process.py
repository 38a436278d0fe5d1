"""What runs in each job process: livekit-agents' own spans are reported, whichever provider makes them."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from livekit.agents.telemetry import traces
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from tracer import keys
from tracer.instrumentation.audio_switches import AudioSwitches
from tracer.instrumentation.deletion import Deletion
from tracer.instrumentation.ended_tasks import EndedTasks
from tracer.instrumentation.guard import guarded
from tracer.instrumentation.job_tracer import JobTracer
from tracer.instrumentation.loop_watch import LoopWatch
from tracer.instrumentation.own_tasks import OwnTasks
from tracer.instrumentation.own_voice import OwnVoice
from tracer.instrumentation.provider import RoomIds, own_provider
from tracer.instrumentation.reporter import Reporter
from tracer.instrumentation.room_events import RoomEvents
from tracer.instrumentation.speech import Speech
from tracer.witness.agent import SCOPE

if TYPE_CHECKING:
    from collections.abc import Callable

    from livekit.agents import JobProcess

__all__ = ["JobSetup"]


class JobSetup:
    """The worker's ``setup_fnc`` with tracer's after it. Sent to each job process by pickle."""

    def __init__(self, users: Callable[[JobProcess], Any] | None, endpoint: str) -> None:
        self.users = users
        self.endpoint = endpoint

    def __call__(self, process: JobProcess) -> Any:
        """Set the process up as the user wants it, then listen to its spans."""
        began = time.time_ns()
        result = self.users(process) if self.users else None
        ended = time.time_ns()
        guarded(_prepare, self.endpoint)
        _setup.times = began, ended
        return result


_setup = threading.local()
"""``times``: when the user's ``setup_fnc`` began and ended here, ns since the epoch. With the thread executor each job
has a thread and a setup of its own."""


def _job_attributes(span_start: int) -> dict[str, str]:
    """Attributes for a job that was assigned (ns since the epoch) before its process was ready: it waited for it."""
    began, ended = getattr(_setup, "times", (0, 0))
    return {keys.SETUP_BEGAN: str(began), keys.SETUP_ENDED: str(ended)} if ended > span_start else {}


_preparing = threading.Lock()
_reporters: list[Reporter] = []
"""The one of this process, once it is prepared."""


def _prepare(endpoint: str) -> None:
    """Report the spans of livekit-agents' tracer, whichever provider it has now or is given later."""
    with _preparing:  # with the thread executor, all jobs share one process
        if _reporters:
            return
        provider = own_provider()
        tracer = provider.get_tracer(SCOPE)
        beside = own_provider(RoomIds())
        guarded(_redact_as_livekit_does, beside)
        speech = Speech(OwnVoice(tracer).speaks)
        own_tasks = OwnTasks(beside.get_tracer(SCOPE))
        began = RoomEvents(tracer, speech).listen, LoopWatch(tracer).watch, own_tasks.began
        reporter = Reporter(endpoint, _job_attributes, began, speech)
        reporter.listen_to(provider)
        reporter.listen_to(beside)
        JobTracer(reporter, beside).listen()
        guarded(AudioSwitches(tracer).listen)
        guarded(Deletion(tracer).listen)
        guarded(EndedTasks(beside.get_tracer(SCOPE)).listen)
        guarded(own_tasks.listen)
        _reporters.append(reporter)
    _warm_up()


def _redact_as_livekit_does(provider: TracerProvider) -> None:
    """As on a provider that livekit-agents is given: without personal data where its own settings want that."""
    if redact := getattr(traces, "_install_pii_redaction", None):
        redact(provider)


def _warm_up() -> None:
    """Make one span: the first of a process takes three times as long as the next, which must not be the job's time."""
    span = TracerProvider(resource=Resource({}), shutdown_on_exit=False).get_tracer(SCOPE).start_span("warm-up")
    span.add_event("warm-up", timestamp=1)
    span.set_attribute("warm-up", 0.0)
    span.end()
