"""An agent that knows nothing of tracer: it exports livekit-agents' own spans, as that library's examples do."""

import os
from multiprocessing.util import Finalize

from livekit.agents import Agent, AgentServer, AgentSession, JobContext, JobProcess, cli, telemetry
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

server = AgentServer(host="127.0.0.1", port=int(os.environ["AGENT_PORT"]), num_idle_processes=1, load_fnc=lambda: 0.0)


def setup(process: JobProcess) -> None:
    provider = TracerProvider(resource=Resource.create({"service.name": "my-own"}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(os.environ["EXPORT_TO"])))
    telemetry.set_tracer_provider(provider)
    process.userdata["provider"] = provider
    if os.environ["FLUSH"] == "at exit":
        Finalize(None, provider.shutdown, exitpriority=1)


server.setup_fnc = setup


@server.rtc_session()
async def entrypoint(ctx: JobContext) -> None:
    async def flush() -> None:
        ctx.proc.userdata["provider"].force_flush()

    if os.environ["FLUSH"] == "in a shutdown callback":
        ctx.add_shutdown_callback(flush)
    await ctx.connect()
    await ctx.wait_for_participant()
    if os.environ["SESSION"] == "yes":
        session = AgentSession[None]()
        await session.start(agent=Agent(instructions=""), room=ctx.room)


if __name__ == "__main__":
    cli.run_app(server)
