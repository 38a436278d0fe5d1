"""An agent with telemetry of its user's own, set up as TELEMETRY says; instrumented by tracer where TRACED is set."""

import asyncio
import os

from livekit.agents import Agent, AgentServer, AgentSession, JobContext, JobProcess, cli, telemetry
from livekit.api import DeleteRoomRequest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

HOW = os.environ["TELEMETRY"]
USERS = os.environ["USERS_BACKEND"]

server = AgentServer(host="127.0.0.1", port=int(os.environ["AGENT_PORT"]), num_idle_processes=1, load_fnc=lambda: 0.0)

if os.environ.get("TRACED"):
    import tracer

    tracer.instrument(server)


def exporting() -> SpanProcessor:
    return SimpleSpanProcessor(OTLPSpanExporter(endpoint=f"{USERS}/v1/traces"))


def sdk() -> TracerProvider:
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(0)) if HOW == "a sampler that drops" else None, shutdown_on_exit=False
    )
    provider.add_span_processor(exporting())
    return provider


if HOW == "logfire":
    import logfire  # type: ignore[import-not-found]  # in a folder of its own, as the one below

    logfire.configure(
        send_to_logfire=False,
        console=False,
        metrics=False,
        additional_span_processors=[exporting()],
        inspect_arguments=False,
    )


def setup(_: JobProcess) -> None:
    if HOW == "a sampler that drops":
        telemetry.set_tracer_provider(sdk(), metadata={"mine": "yes"})
    elif HOW == "phoenix":
        from phoenix.otel import register  # type: ignore[import-not-found]

        register(endpoint=f"{USERS}/v1/traces", protocol="http/protobuf", batch=False, verbose=False)
    elif HOW == "langfuse":
        from langfuse import Langfuse  # type: ignore[import-not-found]

        Langfuse(
            public_key="nobody's",
            secret_key="nobody's",  # noqa: S106
            base_url=USERS,
            should_export_span=lambda _: True,
            flush_at=1,
        )


server.setup_fnc = setup


@server.rtc_session(agent_name=os.environ["AGENT_NAME"])
async def entrypoint(ctx: JobContext) -> None:
    found_none = trace.get_current_span() is trace.INVALID_SPAN
    if HOW == "set in the entrypoint":
        telemetry.set_tracer_provider(sdk())
    await ctx.connect()
    await ctx.wait_for_participant()
    provider = telemetry.tracer._tracer_provider
    if HOW == "langfuse":  # as its own documents say: it sends from a thread, which ends with the process

        async def flush() -> None:
            from langfuse import get_client

            await asyncio.to_thread(get_client().flush)

        ctx.add_shutdown_callback(flush)
    with provider.get_tracer("mine").start_as_current_span("my_span", attributes={"found none": found_none}):
        pass
    # Without a voice detector: whether it hears the caller within half a second is luck, and makes spans.
    session = AgentSession[None](vad=None)
    await session.start(agent=Agent(instructions=""), room=ctx.room)
    if published := session.room_io.subscribed_fut:  # what has begun is not cut off
        await asyncio.wait_for(published, 60)
    await ctx.api.room.delete_room(DeleteRoomRequest(room=ctx.room.name))


if __name__ == "__main__":
    cli.run_app(server)
