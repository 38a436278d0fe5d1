"""One life of a worker and of a job in it, as livekit-agents and a user's program live it; without a server."""

from __future__ import annotations

import asyncio
import logging
import pickle
from functools import partial
from types import MappingProxyType, MethodType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import requests
from livekit.agents import AssignmentTimeoutError, telemetry
from livekit.agents.telemetry.traces import _DynamicTracer
from livekit.agents.utils import log_exceptions
from livekit.agents.voice import io
from livekit.agents.voice.audio_recognition import AudioRecognition
from livekit.agents.voice.room_io import RoomIO
from livekit.api.room_service import RoomService
from livekit.protocol import agent
from livekit.protocol.models import DisconnectReason, ParticipantPermission
from livekit.protocol.room import DeleteRoomRequest, RoomParticipantIdentity
from livekit.rtc import ConnectionState, TrackKind
from livekit.rtc._proto.stats_pb2 import RtcStats
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import Status, StatusCode

import tracer
from tests.instrumentation.worker import AVAILABLE, FULL, Heard, Pool, Server
from tests.moments import JOB, ROOM, WORKER
from tracer.instrumentation import (
    current_job,
    job_process,
    loop_watch,
    media_flow,
    own_voice,
    reporter,
    room_events,
    sound,
    subscriptions,
    versions,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

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
        heard.asked()
        self.load_raises = RuntimeError("no such metric")
        try:
            await self._answer_availability(agent.AvailabilityRequest(job=agent.Job(id=JOB)))
        except RuntimeError as error:
            happened.append(str(error))
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
    return SimpleNamespace(job=SimpleNamespace(id=JOB, room=SimpleNamespace(sid=ROOM, name="demo")))


def _raise(error: BaseException) -> None:
    raise error


def _statistics(energy: float | None, seconds: float = 0.0) -> list[RtcStats]:
    """Of a track that is received, with what it has carried so far; None for nothing."""
    answer = RtcStats()
    if energy is not None:
        answer.inbound_rtp.inbound.total_audio_energy = energy
        answer.inbound_rtp.inbound.total_samples_duration = seconds
    connection = RtcStats()  # over which nothing comes any more
    connection.candidate_pair.candidate_pair.packets_received = 9
    return [answer, connection]


def _unsubscribed() -> Any:
    """A track of ada's that is silent, loud, one that a backend unsubscribes the agent from, and then gone."""
    silent, loud = ((0.0, 1.0), (0.0, 20.0)), ((5.0, 40.0), (9.0, 60.0))
    answers = [*(_statistics(*one) for one in (*silent, *loud)), *map(_statistics, (None, None, 9.0))]

    async def get_stats() -> Any:
        return answers.pop(0)

    track = SimpleNamespace(get_stats=get_stats)
    ADA.track_publications["TR_2"] = SimpleNamespace(
        sid="TR_2", source=2, kind=TrackKind.KIND_AUDIO, track=track, muted=False
    )
    return ADA.track_publications["TR_2"]


async def _says_nothing() -> list[RtcStats]:
    """Of the agent's own track, to which nothing is given."""
    answer = RtcStats()
    answer.media_source.audio.total_audio_energy = 0.0
    return [answer]


OWN = SimpleNamespace(track=SimpleNamespace(kind=TrackKind.KIND_AUDIO, get_stats=_says_nothing))
ADAS = SimpleNamespace(sid="TR_1", source=2, kind=TrackKind.KIND_AUDIO, track=None)
ADA = SimpleNamespace(identity="ada", sid="PA_ada", track_publications={"TR_1": ADAS})


class Room:
    """livekit.rtc's, as far as it is used."""

    remote_participants = MappingProxyType({"ada": ADA})
    local_participant = SimpleNamespace(track_publications={"TR_own": OWN})

    def __init__(self) -> None:
        self.events: dict[str, Callable[..., None]] = {}

    def isconnected(self) -> bool:
        return True

    def on(self, event: str, call: Callable[..., None]) -> None:
        self.events[event] = call

    async def fire(self) -> None:
        """Everything that it can report."""
        granted = ParticipantPermission(can_publish=True)
        for event, about in {
            "participant_attributes_changed": ({"mood": "good"}, ADA),
            "participant_permissions_changed": (ADA, granted),
            "track_muted": (ADA, ADAS),
            "track_unmuted": (ADA, ADAS),
            "track_unsubscribed": (None, ADAS, ADA),
        }.items():
            self.events.get(event, lambda *_: None)(*about)  # type: ignore[no-untyped-call]
        await asyncio.sleep(0.001)
        self.events.get("track_subscribed", lambda *_: None)(None, ADAS, ADA)  # type: ignore[no-untyped-call]
        self.events.get("track_subscribed", lambda *_: None)(None, _unsubscribed(), ADA)  # type: ignore[no-untyped-call]
        for _ in range(200):
            await asyncio.sleep(0)  # its statistics are asked for
        for event, value in (
            ("connection_state_changed", ConnectionState.CONN_RECONNECTING),
            ("disconnected", DisconnectReason.UNKNOWN_REASON),
        ):
            self.events.get(event, lambda _: None)(value)  # type: ignore[no-untyped-call]


class Job(SimpleNamespace):
    """livekit-agents' JobContext, as far as it is used; of a class, to which there can be weak references."""

    __hash__ = object.__hash__  # type: ignore[assignment]  # as of any other object


LOG = logging.getLogger("livekit.agents")
WRAPPED: tuple[tuple[Any, str], ...] = (
    (io.AgentInput, "set_audio_enabled"),
    (io.AgentInput, "audio"),
    (io.AgentOutput, "set_audio_enabled"),
    (io.AgentOutput, "audio"),
    (RoomIO, "set_participant"),
    (RoomIO, "unset_participant"),
    (RoomService, "delete_room"),
    (RoomService, "remove_participant"),
)
"""What is wrapped in livekit-agents itself, and has to be as it was after."""
AT_ONCE = (
    (room_events, "SETTLED_S"),
    (subscriptions, "FIRST_S"),
    (subscriptions, "EVERY_S"),
    (own_voice, "EVERY_S"),
    (sound, "SPOKEN_S"),
    (sound, "SILENT_S"),
    (media_flow, "STOPPED_NS"),
)
"""What tracer waits for, and does not here."""


def live(monkeypatch: pytest.MonkeyPatch, *, instrumented: bool) -> Happened:
    """A worker's life and a job's, and what the user and livekit-agents saw of them."""
    happened: Happened = []
    at_exit: list[Callable[[], object]] = []
    room = Room()
    job = Job(job=_running().job, room=room, primary_session=_session())
    job.happened = happened.append
    job.api = SimpleNamespace(_client=SimpleNamespace(request=_happens(happened)), _auth_header=lambda _: {})
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
        patch.setattr(loop_watch, "EVERY_S", 0.001)
        for module, limit in AT_ONCE:
            patch.setattr(module, limit, 0)
        patch.setattr(versions, "version", lambda _: "1.3.1")
        patch.setattr(job_process, "_reporters", [])
        for owner, name in WRAPPED:
            patch.setattr(owner, name, getattr(owner, name))
        _as_at_first(patch)
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
        asyncio.run(_job(job))
        late = TracerProvider(shutdown_on_exit=False)
        patch.setattr(trace, "_TRACER_PROVIDER", late)  # set for all of OpenTelemetry, and not given to livekit-agents
        asyncio.run(_job(job))
        own, exported = TracerProvider(shutdown_on_exit=False), InMemorySpanExporter()
        own.add_span_processor(SimpleSpanProcessor(exported))
        telemetry.set_tracer_provider(own)
        asyncio.run(_job(job))
        telemetry.set_tracer_provider(TracerProvider(ALWAYS_OFF, shutdown_on_exit=False))
        asyncio.run(_job(job))
        own.force_flush()
        happened.append([(span.name, dict(span.attributes or {})) for span in exported.get_finished_spans()])
        own.shutdown()
        for end in at_exit:
            end()
    return happened


def _as_at_first(patch: pytest.MonkeyPatch) -> None:
    """livekit-agents' logger, which logs, and what begins to run an stt_node."""
    patch.setattr(LOG, "filters", [])
    patch.setattr(LOG, "disabled", False)
    patch.setattr(logging.getLogger("asyncio"), "filters", [])
    patch.setattr(logging.getLogger("asyncio"), "disabled", False)
    patch.setattr(AudioRecognition, "_update_stt", _runs_stt)


def _nothing() -> None:
    """What a session does when its audio changes."""


def _changed(_: object) -> None:
    """As a method of a session's."""


def _happens(happened: Happened) -> Callable[..., Awaitable[None]]:
    async def request(*_: object) -> None:
        happened.append("deleted")

    return request


def _session() -> Any:
    agent = SimpleNamespace(instructions="be brief", stt=None, llm=None, tts=None)
    side = SimpleNamespace(audio=None)
    return SimpleNamespace(current_agent=agent, stt=None, llm=None, tts=None, input=side, output=side)


async def _job(job: Any) -> None:
    """The spans of a job, what its room reports, and its code, which uses its span in every way."""
    with telemetry.tracer.start_as_current_span("job_entrypoint", start_time=1) as span:
        await job.room.fire()
        for name in ("session_start", "llm_node"):
            telemetry.tracer.start_span(name).end()
        with telemetry.tracer.start_as_current_span("agent_speaking"):
            for _ in range(20):
                await asyncio.sleep(0)
        for _ in range(20):
            await asyncio.sleep(0)
        if span.is_recording():
            span.set_attribute("a", 1)
            span.set_attributes({"b": 2})
        span.add_event("c")
        span.add_link(span.get_span_context())
        span.update_name("job_entrypoint")
        span.set_status(Status(StatusCode.OK))
        span.record_exception(KeyError("d"))
        await RoomService.remove_participant(job.api, RoomParticipantIdentity(room=job.job.room.name, identity="ada"))
        await RoomService.delete_room(job.api, DeleteRoomRequest(room=job.job.room.name))
        session = SimpleNamespace(_closing=False, _cancel_user_away_timer=_nothing)
        changed = MethodType(_changed, session)
        session.input = io.AgentInput(_nothing, changed)
        sides: tuple[Any, Any] = session.input, io.AgentOutput(_nothing, changed, _nothing)
        for side in sides:
            side.set_audio_enabled(False)
            job.happened(side.audio_enabled)
            side.audio = audio = SimpleNamespace(on_attached=_nothing, on_detached=_nothing)
            side.audio = None
            side.audio = audio
            job.happened(side.audio is audio)
        room_io: Any = SimpleNamespace(
            _agent_session=session,
            _audio_input=None,
            _video_input=None,
            _user_tr_output=None,
            _room=SimpleNamespace(remote_participants={}, name="demo"),
            linked_participant=None,
        )
        RoomIO.unset_participant(room_io)
        RoomIO.set_participant(room_io, "ada")
        job.happened(room_io._participant_identity)
        await _tasks_that_end(job)


async def _tasks_that_end(job: Any) -> None:
    """A session's stt_node that raises, and another task of it."""
    recognition: Any = SimpleNamespace()
    AudioRecognition._update_stt(recognition, None)
    for task in (recognition.task, asyncio.create_task(_vad_task())):
        await asyncio.wait([task])
        job.happened(repr(task.exception()))
    logging.getLogger("asyncio").error(
        "Task exception was never retrieved\nfuture: <Task finished coro=<greet() done>>", exc_info=KeyError("name")
    )


def _runs_stt(recognition: Any, _: object) -> None:
    """As livekit-agents begins to run an stt_node."""
    recognition.task = asyncio.create_task(_stt_pump())


@log_exceptions(logger=LOG)
async def _stt_pump() -> None:
    raise ValueError


@log_exceptions(logger=LOG)
async def _vad_task() -> None:
    try:
        raise ValueError
    except ValueError:
        LOG.error("failed to generate a reply")
    raise RuntimeError
