"""An agent whose setup, request handler and tracer provider are its user's own, set after instrument()."""

import os
import time
from pathlib import Path

from livekit.agents import Agent, AgentServer, AgentSession, JobContext, JobProcess, JobRequest, telemetry
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

import tracer

OUT = Path(os.environ["AGENT_OUT"])
server = AgentServer(host="127.0.0.1", port=int(os.environ["AGENT_PORT"]), num_idle_processes=1)
tracer.instrument(server)


def note(line: str) -> None:
    with (OUT / "notes").open("a") as notes:
        notes.write(f"{line}\n")


def setup(process: JobProcess) -> None:
    process.userdata["set up"] = True
    if os.environ.get("OWN_PROVIDER"):
        provider = TracerProvider()
        spans = (OUT / f"spans-{os.getpid()}").open("a")
        provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=spans)))
        telemetry.set_tracer_provider(provider)
        process.userdata["provider"] = provider


server.setup_fnc = setup


async def request(job: JobRequest) -> None:
    note("requested")
    await job.accept(name="own name")


@server.rtc_session(on_request=request)
async def entrypoint(ctx: JobContext) -> None:
    note(f"entrypoint {time.time_ns() - ctx.job.state.started_at} {os.getpid()} {ctx.proc.userdata['set up']}")
    await ctx.connect()
    await ctx.wait_for_participant()
    if provider := ctx.proc.userdata.get("provider"):
        with provider.get_tracer("mine").start_as_current_span("my_span"):
            pass
    session = AgentSession[None]()
    session.input.set_audio_enabled("DEAF" not in os.environ)
    await session.start(agent=Agent(instructions=""), room=ctx.room)
    note("started")

    async def over() -> None:
        note("over")

    ctx.add_shutdown_callback(over)
