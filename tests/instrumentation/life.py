"""One life of a worker and of a job in it, as livekit-agents and a user's program live it; without a server."""

from __future__ import annotations

import asyncio
import pickle
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import requests
from livekit.agents import AssignmentTimeoutError, telemetry
from livekit.agents.telemetry.traces import _DynamicTracer
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import tracer
from tests.instrumentation.worker import AVAILABLE, FULL, Heard, Pool, Server
from tests.moments import JOB, ROOM, WORKER
from tracer.instrumentation import current_job, job_process, reporter, versions

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

ENDPOINT = "http://127.0.0.1:7890"
Happened = list[object]
"""What the user's program and livekit-agents came to see, in order."""


async def accepts(request: Any) -> None:
    """The user's request_fnc."""
    await request.accept()


def set_up(process: Any) -> str:
    """The user's setup_fnc."""
    return f"set up {process}"


class Worker(Server):
    """livekit-agents' server, as far as it can run without one."""

    setup_fnc: Any = None

    async def run(self, happened: Happened) -> None:
        """A worker's whole life."""
        await asyncio.sleep(0)  # the loop calls what was put off
        self.events.get("worker_registered", lambda *_: None)(WORKER, None)  # type: ignore[no-untyped-call]
        heard = Heard.of(self)
        heard.asked()
        await heard.request(accept=lambda: happened.append("accepted"))
        heard.answers(available=True)
        self._proc_pool.closed(SimpleNamespace(exitcode=-9, pid=1, killed=False, running_job=_running()))
        for raised in (AssignmentTimeoutError(), KeyError("no process"), asyncio.CancelledError()):
            heard.asked()
            try:
                await heard.request(accept=partial(_raise, raised))
            except BaseException as error:  # noqa: BLE001  that is what is looked at
                happened.append(type(error))
            heard.answers(available=False)
        heard.stands(FULL)
        heard.stands(AVAILABLE)
        initialized: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        initialized.set_exception(MemoryError())
        initialized.exception()  # asyncio warns of one that nobody looks at
        self._proc_pool.closed(SimpleNamespace(exitcode=1, running_job=None, _initialize_fut=initialized))
        self.breaks = ConnectionError("lost")
        try:
            await self._run_ws(SimpleNamespace(exception=lambda: None))
        except ConnectionError as error:
            happened.append(str(error))
        self.draining = True
        heard.stands(AVAILABLE)
        happened.append((len(self.got), len(self.sent)))


def _running() -> Any:
    return SimpleNamespace(job=SimpleNamespace(id=JOB, room=SimpleNamespace(sid=ROOM)))


def _raise(error: BaseException) -> None:
    raise error


class Room:
    """livekit.rtc's, as far as it is used."""

    def __init__(self) -> None:
        self.events: dict[str, Callable[..., None]] = {}

    def on(self, event: str, call: Callable[..., None]) -> None:
        self.events[event] = call

    def fire(self) -> None:
        """Everything that it can report."""
        who = SimpleNamespace(identity="ada", sid="PA_ada")
        track = SimpleNamespace(sid="TR_1", source=2)
        for event, about in {
            "participant_attributes_changed": ({"mood": "good"}, who),
            "track_muted": (who, track),
            "track_unmuted": (who, track),
        }.items():
            self.events.get(event, lambda *_: None)(*about)  # type: ignore[no-untyped-call]


def live(monkeypatch: pytest.MonkeyPatch, *, instrumented: bool) -> Happened:
    """A worker's life and a job's, and what the user and livekit-agents saw of them."""
    happened: Happened = []
    at_exit: list[Callable[[], object]] = []
    room = Room()
    job = SimpleNamespace(job=_running().job, room=room, primary_session=_session())
    answers = iter((400, 404))
    """The receiver's, at first."""

    def answer(*_: object, **__: object) -> requests.Response:
        answered = requests.Response()
        answered.status_code = next(answers, 200)
        return answered

    with monkeypatch.context() as patch:
        patch.setattr(requests.Session, "send", answer)
        patch.setattr("atexit.register", at_exit.append)
        patch.setattr(reporter, "LAST_WAIT_S", 0.5)
        patch.setattr(versions, "version", lambda _: "1.3.1")
        patch.setattr(job_process, "_reporters", [])
        patch.setattr(telemetry, "tracer", fresh := _DynamicTracer("livekit-agents"))
        patch.setattr(telemetry.traces, "tracer", fresh)
        server = Worker(_request_fnc=accepts, _proc_pool=Pool())
        server.setup_fnc = set_up
        if instrumented:
            happened.append(tracer.instrument(server, ENDPOINT) is server)  # type: ignore[arg-type, comparison-overlap]
        else:
            happened.append(True)
        asyncio.run(server.run(happened))
        setup = pickle.loads(pickle.dumps(server.setup_fnc))  # noqa: S301  as each job process gets it
        happened.append(setup("process"))
        patch.setattr(current_job, "get_job_context", lambda: job)
        _job(room)
        own, exported = TracerProvider(shutdown_on_exit=False), InMemorySpanExporter()
        own.add_span_processor(SimpleSpanProcessor(exported))
        telemetry.set_tracer_provider(own)
        _job(room)
        own.force_flush()
        happened.append([(span.name, dict(span.attributes or {})) for span in exported.get_finished_spans()])
        own.shutdown()
        for end in at_exit:
            end()
    return happened


def _session() -> Any:
    return SimpleNamespace(current_agent=SimpleNamespace(instructions="be brief"))


def _job(room: Room) -> None:
    """The spans of a job, and what its room reports."""
    with telemetry.tracer.start_as_current_span("job_entrypoint", start_time=1):
        room.fire()
        for name in ("session_start", "llm_node"):
            telemetry.tracer.start_span(name).end()
