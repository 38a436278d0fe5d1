"""A worker without a server: what livekit-agents' AgentServer has, and what a worker process reports of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from livekit.agents.worker import ServerType
from livekit.protocol import agent, models
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.moments import DISPATCH, JOB, ROOM, WORKER
from tracer.instrumentation.worker_process import WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import ReadableSpan

OFFERED = 1_763_841_066_201_000_000
FULL, AVAILABLE = agent.WorkerStatus.WS_FULL, agent.WorkerStatus.WS_AVAILABLE


@dataclass
class Server:
    """What a worker process uses of livekit-agents' AgentServer, and what it received and sent."""

    id: str = WORKER
    draining: bool = False
    _agent_name: str = "helper"
    _server_type: ServerType = ServerType.ROOM
    load: float = 0.25
    _request_fnc: Any = None
    _proc_pool: Any = None
    _reserved_slots: int = 0
    _ws_url: str = "wss://key:secret@livekit.example/path?token=1"
    _deployment: str = ""
    active_jobs: list[str] = field(default_factory=list)
    breaks: Exception | None = None
    """How its connection ends."""
    events: dict[str, Callable[..., None]] = field(default_factory=dict)
    load_raises: Exception | None = None
    """What load_fnc raises, which livekit-agents calls before it answers."""
    answering: list[tuple[str, float]] = field(default_factory=list)
    """Of which offers it began to answer, and what else it was called with."""
    sent: list[agent.WorkerMessage] = field(default_factory=list)
    got: list[agent.AvailabilityRequest] = field(default_factory=list)

    def on(self, event: str, call: Callable[..., None]) -> None:
        self.events[event] = call

    def _handle_availability(self, request: agent.AvailabilityRequest) -> str:
        self.got.append(request)
        return "as it was"

    async def _answer_availability(self, request: agent.AvailabilityRequest, *, received_at: float = 0) -> None:
        self.answering.append((request.job.id, received_at))
        if self.load_raises:
            raise self.load_raises

    def _get_effective_load(self) -> float:
        return self.load

    async def _run_ws(self, connection: Any) -> str:
        if self.breaks:
            raise self.breaks
        return f"ran {connection}"

    def _queue_msg(self, message: agent.WorkerMessage) -> None:
        self.sent.append(message)


class Pool:
    """livekit-agents' ProcPool, as far as it is used."""

    def __init__(self) -> None:
        self.closed: Callable[[Any], None] = lambda _: None

    def on(self, event: str, call: Callable[[Any], None]) -> None:
        assert event == "process_closed"
        self.closed = call


class Heard:
    """A worker process and what it reports, span by span."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._spans = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._spans))
        self.process = WorkerProcess(server, provider.get_tracer("livekit-tracer"))  # type: ignore[arg-type]

    @classmethod
    def of(cls, server: Server) -> Heard:
        """What others say to a server, whoever listens."""
        made = cls.__new__(cls)
        made.server = server
        return made

    async def listen(self) -> None:
        self.process.listen()
        await asyncio.sleep(0)

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self._spans.get_finished_spans()

    @property
    def kinds(self) -> list[str]:
        return [span.name for span in self.spans]

    @property
    def last(self) -> dict[str, Any]:
        return dict(self.spans[-1].attributes or {})

    def asked(self, job: str = JOB, started_at: int = OFFERED) -> None:
        """The server asks for a job."""
        about = agent.Job(
            id=job,
            dispatch_id=DISPATCH,
            type=agent.JobType.JT_ROOM,
            room=models.Room(sid=ROOM, name="demo"),
            state=agent.JobState(started_at=started_at),
        )
        answer: Any = self.server._handle_availability(agent.AvailabilityRequest(job=about))
        assert answer == "as it was"

    def answers(self, *, available: bool, terminate: bool = True, job: str = JOB) -> None:
        """The worker answers."""
        answer = agent.AvailabilityResponse(job_id=job, available=available, terminate=terminate)
        if available:
            answer.participant_identity = "agent-" + job
        self.server._queue_msg(agent.WorkerMessage(availability=answer))

    def stands(self, status: agent.WorkerStatus, load: float = 0.75, jobs: int = 3) -> None:
        """The worker sends its status."""
        update = agent.UpdateWorkerStatus(status=status, load=load, job_count=jobs)
        self.server._queue_msg(agent.WorkerMessage(update_worker=update))

    async def request(self, job: str = JOB, accept: Callable[[], Any] | None = None) -> None:
        """livekit-agents has request_fnc answer."""

        async def on_accept(_: Any) -> None:
            if accept is not None:
                accept()

        async def accepts() -> None:
            await request._on_accept("arguments")

        request = SimpleNamespace(id=job, _on_accept=on_accept, accept=accepts)
        await self.server._request_fnc(request)


async def accepts(request: Any) -> None:
    await request.accept()
