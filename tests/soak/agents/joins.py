"""An agent that is in the room, and does nothing else: for many rooms at once."""

import os

from livekit.agents import AgentServer, JobContext, cli

import tracer

server = AgentServer(host="127.0.0.1", port=int(os.environ["AGENT_PORT"]), drain_timeout=1)
tracer.instrument(server)


@server.rtc_session(agent_name="helper")
async def entrypoint(ctx: JobContext) -> None:
    await ctx.connect()


if __name__ == "__main__":
    cli.run_app(server)
